//! The one door to time. Functions ask here what time it is, and nowhere else, so that a test or a simulation can give
//! them a time of its own.

use std::cell::Cell;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde_json::Value;

thread_local! {
    static SOURCE: Cell<Option<fn() -> Timestamp>> = const { Cell::new(None) };
}

/// The time of day: that of the machine, unless this thread has a source of its own.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    SOURCE.get().map_or_else(Timestamp::now, |source| source())
}

/// Gives this thread another source for the time of day; None gives it the machine's again.
pub fn set_source(source: Option<fn() -> Timestamp>) {
    SOURCE.set(source);
}

/// When an event was made, as AWS and Steward write all times: `2026-11-26T08:00:00Z`.
pub fn of_event(event: &EventBridgeEvent<Value>) -> Option<String> {
    let time = event.time?;
    Timestamp::new(time.timestamp(), 0).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_have_a_time_of_its_own() {
        set_source(Some(|| Timestamp::UNIX_EPOCH));
        assert_eq!(now(), Timestamp::UNIX_EPOCH);
        set_source(None);
        assert_ne!(now(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn the_time_of_an_event_is_written_as_aws_writes_it() {
        for time in ["2026-11-26T08:00:00Z", "2026-11-26T09:00:00+01:00"] {
            let event: EventBridgeEvent<serde_json::Value> = serde_json::from_value(
                serde_json::json!({"detail-type": "A", "source": "b", "time": time, "detail": {}}),
            )
            .unwrap();
            assert_eq!(of_event(&event).as_deref(), Some("2026-11-26T08:00:00Z"));
        }
    }
}
