//! The last sweeps as bars, and as words.

use super::words;
use crate::{Point, TREND_LENGTH};

/// The size of the picture, in its own units.
const HEIGHT: usize = 64;
const STEP: usize = 12;

/// How many accounts needed somebody, sweep by sweep.
pub(super) struct Trend {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) bars: Vec<Bar>,
    /// The same in words.
    pub(super) text: String,
}

/// One sweep.
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) wrong_y: usize,
    pub(super) wrong_height: usize,
    pub(super) unknown_y: usize,
    pub(super) unknown_height: usize,
    pub(super) day: String,
    pub(super) wrong: usize,
    pub(super) unknown: usize,
    pub(super) compliant: usize,
    pub(super) accounts: usize,
}

impl Trend {
    pub(super) fn of(points: &[Point]) -> Self {
        let highest = points
            .iter()
            .map(|point| point.accounts.not_compliant + point.accounts.unknown)
            .max()
            .unwrap_or_default()
            .max(1);
        // What is there is seen, however little of the whole it is.
        let scaled = |number: usize| if number == 0 { 0 } else { (number * (HEIGHT - 4) / highest).max(2) };
        let bar = |(place, point): (usize, &Point)| {
            let (wrong, unknown) = (scaled(point.accounts.not_compliant), scaled(point.accounts.unknown));
            Bar {
                x: (TREND_LENGTH.saturating_sub(points.len()) + place) * STEP,
                wrong_y: HEIGHT - wrong.min(HEIGHT),
                wrong_height: wrong,
                unknown_y: (HEIGHT - wrong.min(HEIGHT)).saturating_sub(unknown),
                unknown_height: unknown,
                day: words::moment(point.finished_at),
                wrong: point.accounts.not_compliant,
                unknown: point.accounts.unknown,
                compliant: point.accounts.compliant,
                accounts: point.accounts.accounts,
            }
        };
        Self {
            // A short history leaves room at its left, instead of growing wide bars.
            width: points.len().max(TREND_LENGTH) * STEP,
            height: HEIGHT,
            bars: points.iter().enumerate().map(bar).collect(),
            text: text(points),
        }
    }
}

fn text(points: &[Point]) -> String {
    let point = |point: &Point| {
        format!("{} on {}", words::number(point.accounts.not_compliant), words::day_of(point.finished_at))
    };
    match points {
        [] | [_] => "This is the first sweep; the next ones are drawn beside it.".to_owned(),
        [first, .., last] => format!(
            "Not compliant accounts over {}: from {} to {}.",
            words::count(points.len(), "sweep", "sweeps"),
            point(first),
            point(last)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountTotals, testing::day};

    fn point(number: i8, not_compliant: usize, unknown: usize) -> Point {
        Point {
            sweep_id: number.to_string(),
            finished_at: day(number),
            accounts: AccountTotals {
                accounts: 1000,
                compliant: 1000 - not_compliant - unknown,
                not_compliant,
                unknown,
                not_checked: 0,
            },
        }
    }

    #[test]
    fn the_highest_bar_fills_the_picture_and_the_smallest_is_still_seen() {
        let trend = Trend::of(&[point(1, 900, 0), point(2, 1, 1), point(3, 0, 0)]);
        let heights: Vec<_> = trend.bars.iter().map(|bar| (bar.wrong_height, bar.unknown_height)).collect();
        assert_eq!(heights, [(60, 0), (2, 2), (0, 0)]);
        assert_eq!(trend.text, "Not compliant accounts over 3 sweeps: from 900 on 1 Jan 2027 to 0 on 3 Jan 2027.");
    }

    #[test]
    fn a_first_sweep_has_no_trend_to_show() {
        assert!(Trend::of(&[point(1, 1, 1)]).text.contains("first sweep"));
        assert!(Trend::of(&[]).bars.is_empty());
    }
}
