//! Numbers and times as a person reads them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A number with its thousands apart.
pub(crate) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut words = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

/// A number with what it counts.
pub(crate) fn count(number_of: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(number_of), if number_of == 1 { one } else { many })
}

/// A moment, to the minute.
pub(crate) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A day.
pub(crate) fn day(day: Date) -> String {
    day.strftime("%-d %b %Y").to_string()
}

/// The day of a moment.
pub(crate) fn day_of(time: Timestamp) -> String {
    day(time.to_zoned(TimeZone::UTC).date())
}

/// How long before the end of a sweep something began.
pub(crate) fn age(since: Timestamp, until: Timestamp) -> String {
    match until.duration_since(since).as_hours() {
        ..1 => "this sweep".to_owned(),
        hours @ 1..24 => count(usize::try_from(hours).unwrap_or_default(), "hour", "hours"),
        hours => count(usize::try_from(hours / 24).unwrap_or_default(), "day", "days"),
    }
}

/// How long a sweep took.
pub(crate) fn took(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes @ 1..60, seconds) => format!("{minutes} min {seconds} s"),
        (minutes, _) => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::testing::day as noon;

    #[test]
    fn thousands_stand_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (10_000, "10,000"), (1_234_567, "1,234,567")];
        for (given, words) in cases {
            assert_eq!(number(given), words);
        }
        assert_eq!((count(1, "day", "days"), count(2, "day", "days")), ("1 day".into(), "2 days".into()));
    }

    #[test]
    fn times_are_shown_in_utc_and_ages_in_whole_hours_or_days() {
        assert_eq!(moment(noon(3)), "3 Jan 2027, 12:00 UTC");
        assert_eq!(day_of(noon(3)), "3 Jan 2027");
        assert_eq!(age(noon(3), noon(3)), "this sweep");
        assert_eq!(age(noon(3), noon(3) + SignedDuration::from_hours(23)), "23 hours");
        assert_eq!(age(noon(3), noon(4)), "1 day");
        assert_eq!(age(noon(3), noon(9)), "6 days");
        assert_eq!(age(noon(9), noon(3)), "this sweep");
    }

    #[test]
    fn a_duration_has_two_units_at_most() {
        let cases = [(59, "59 s"), (245, "4 min 5 s"), (7260, "2 h 1 min"), (-3, "0 s")];
        for (seconds, words) in cases {
            assert_eq!(took(noon(1), noon(1) + SignedDuration::from_secs(seconds)), words);
        }
    }
}
