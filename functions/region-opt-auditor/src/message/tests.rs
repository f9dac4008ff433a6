use proptest::prelude::*;
use serde_json::json;
use steward::error::Cause;

use super::*;

const STATUS: &str = include_str!("../../../../events/region-opt-auditor/region-enabled.json");
const CALL: &str = include_str!("../../../../events/region-opt-auditor/enable-region-call.json");

fn read(body: &str) -> Result<Message, Failure> {
    Message::of_body(body, &[])
}

#[test]
fn the_account_is_that_of_the_region_and_not_that_of_the_caller() {
    let Ok(Message::Changed(News { change, .. })) = read(STATUS) else { panic!() };
    assert_eq!((change.account_id.as_str(), change.region.as_str()), ("333333333333", "ap-east-1"));
    assert_eq!((change.status.as_str(), change.at.is_some()), ("ENABLED", true));
}

#[test]
fn the_record_of_a_call_says_who_has_asked() {
    let Ok(Message::Called(call)) = read(CALL) else { panic!() };
    assert_eq!((call.account_id.as_str(), call.region.as_str(), call.disables), ("333333333333", "ap-east-1", false));
    assert_eq!(call.actor.name, "AdministratorAccess/alice");
}

#[test]
fn a_call_that_aws_refused_has_changed_nothing() {
    let mut call: Value = serde_json::from_str(CALL).unwrap();
    call["detail"]["errorCode"] = "ConflictException".into();
    assert_eq!(read(&call.to_string()).unwrap(), Message::Refused);
}

#[test]
fn a_reminder_is_read_back_as_it_was_sent() {
    let reminder = Reminder::new("123456789012".parse().unwrap(), Timestamp::from_second(1_790_000_000).unwrap());
    assert_eq!(read(&serde_json::to_string(&reminder).unwrap()).unwrap(), Message::Remediate(reminder));
}

#[test]
fn two_copies_of_a_reminder_are_one_look_and_the_next_one_is_another() {
    let reminder = Reminder::new("123456789012".parse().unwrap(), Timestamp::from_second(1_790_000_000).unwrap());
    assert_eq!(reminder.clone().again().unwrap().look(), reminder.again().unwrap().look());
    assert_ne!(reminder.again().unwrap().look(), reminder.look());
    // Whichever environment's clock is late.
    let late = reminder.clone().clamped(reminder.since - jiff::SignedDuration::from_secs(1));
    assert_eq!(late.again().unwrap().again().unwrap().look(), reminder.again().unwrap().again().unwrap().look());
}

#[test]
fn a_change_that_had_no_turn_is_read_back_as_it_was_put_off_and_two_copies_of_it_are_one_look() {
    let (now, patience) = (Timestamp::from_second(1_790_000_000).unwrap(), SignedDuration::from_hours(2));
    let [news, copy] = [0, 7].map(|later| {
        let read = read(STATUS).unwrap();
        assert_eq!(read.look(), None, "it is published once, whoever tells of it");
        read.put_off(now + SignedDuration::from_secs(later), patience).unwrap()
    });
    let again = read(&serde_json::to_string(&news).unwrap()).unwrap();
    assert_eq!(again, news.into());
    assert_eq!(again.look(), Message::from(copy).look());
    let next = Message::from(again.clone().put_off(now, patience).unwrap());
    assert!(again.look().is_some() && next.look() != again.look(), "{next:?}");
}

#[test]
fn what_has_waited_until_the_deadline_is_put_off_no_more_whatever_time_it_names() {
    let (now, patience) = (Timestamp::from_second(1_790_000_000).unwrap(), SignedDuration::from_hours(2));
    for mut message in
        [read(STATUS).unwrap(), read(r#"{"remediate": "123456789012", "since": "9000-01-01T00:00:00Z"}"#).unwrap()]
    {
        // It is counted from the first time on.
        for hour in [0, 1] {
            message = message.put_off(now + SignedDuration::from_hours(hour), patience).unwrap().into();
        }
        assert_eq!(message.clone().put_off(now + patience, patience), None, "{message:?}");
        let mut looks = 0;
        while let Some(next) = message.clone().put_off(now, patience) {
            (message, looks) = (next.into(), looks + 1);
        }
        assert!(looks < MOST_LOOKS, "{looks}");
    }
}

#[test]
fn a_reminder_of_the_year_9000_ends_like_any_other() {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let body = r#"{"remediate": "123456789012", "since": "9000-01-01T00:00:00Z"}"#;
    let Ok(Message::Remediate(reminder)) = read(body) else { panic!() };
    let mut reminder = reminder.clamped(now);
    assert_eq!(reminder.since, now);
    // It keeps the clamped time, so that the deadline is reached; and if that fails as well, the looks are counted.
    let mut looks = 0;
    while let Some(next) = reminder.again() {
        assert_eq!(next.since, now);
        (reminder, looks) = (next, looks + 1);
    }
    assert_eq!(looks, MOST_LOOKS - 1);
}

#[test]
fn a_call_is_dated_by_its_record_and_not_by_when_its_event_came() {
    let mut call: Value = serde_json::from_str(CALL).unwrap();
    call["detail"]["eventTime"] = "2026-01-02T03:04:05Z".into();
    let Ok(Message::Called(received)) = read(&call.to_string()) else { panic!() };
    assert_eq!(received.at.to_string(), "2026-01-02T03:04:05Z");
}

#[test]
fn what_names_no_region_is_not_understood() {
    let other = json!({"detail-type": "x", "source": "aws.account", "detail": {"eventName": "PutContactInformation"}});
    let mut without = serde_json::from_str::<Value>(STATUS).unwrap();
    without["detail"]["accountId"] = Value::Null;
    for body in ["", "[]", "{}", &other.to_string(), &without.to_string()] {
        assert_eq!(read(body).unwrap_err().cause, Cause::MessageNotUnderstood, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn no_damage_to_an_event_panics_the_reader(
        of_call in any::<bool>(), at in 0usize..2000, length in 0usize..30, insert in "[a-zA-Z0-9\"{}\\[\\],: \\-]{0,6}"
    ) {
        let text = if of_call { CALL } else { STATUS };
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let damaged = [&text.as_bytes()[..at], insert.as_bytes(), &text.as_bytes()[end..]].concat();
        if let Err(failure) = read(&String::from_utf8_lossy(&damaged)) {
            prop_assert_eq!(failure.cause, Cause::MessageNotUnderstood);
        }
    }
}

#[test]
fn every_way_of_asking_has_a_sample_and_each_is_taken() {
    let ways = ["a region has changed", "a change was asked for", "a change was refused"];
    payloads::check(crate::RegionOptAuditor::NAME, ways, |sample| {
        let Trigger::Event(event) = Trigger::of(sample.payload) else {
            return Err(Failure::not_understood("no event"));
        };
        Ok(match Message::of_event(&event, &[])? {
            Message::Changed(_) => Some("a region has changed"),
            Message::Called(_) => Some("a change was asked for"),
            Message::Refused => Some("a change was refused"),
            // Nobody but the function itself says so, and not by an event.
            Message::Remediate(_) => None,
        })
    });
}
