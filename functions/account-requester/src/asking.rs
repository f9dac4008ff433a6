//! What somebody has asked for, however it came.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    account_creation::Asked, clock, error::Failure, ids::EventId, runtime::trigger::Trigger, table::looks::Look,
};

/// The longest that a request waits to be checked before its message is given up, where a person sees it.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// An input, with when and by what it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asking {
    /// The input, as it was sent.
    pub(crate) input: Value,
    /// When and by what.
    pub(crate) asked: Asked,
    /// Which look at it this is.
    pub(crate) look: Look,
}

/// A request that waits in the queue.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    request: Value,
    asked_at: Timestamp,
    #[serde(default)]
    event_id: Option<EventId>,
    #[serde(default)]
    look: Option<Look>,
}

impl Asking {
    /// What an event asks for. An event's time is when it was put on the bus; a replayed one keeps it.
    pub(crate) fn by_event(event: EventBridgeEvent<Value>) -> Self {
        let now = clock::now();
        let at = event.time.and_then(|time| Timestamp::from_millisecond(time.timestamp_millis()).ok());
        let at = at.unwrap_or(now).min(now);
        let look = Look::of_event(&event).unwrap_or_else(|| first_look(at, &event.detail));
        let event_id = event.id.and_then(|id| id.parse().ok());
        Self { input: event.detail, asked: Asked { at, event_id }, look }
    }

    /// What a person asks for, now.
    pub(crate) fn by_hand(input: Value) -> Self {
        let at = clock::now();
        Self { look: first_look(at, &input), input, asked: Asked { at, event_id: None } }
    }

    /// What a message of the queue asks for: an event, or a request that could not be checked at once.
    pub(crate) fn by_message(body: &str) -> Result<Self, Failure> {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| Failure::not_understood(format_args!("It is not JSON: {error}.")))?;
        match Trigger::of(body) {
            Trigger::Event(event) => Ok(Self::by_event(*event)),
            Trigger::Manual(waiting) => {
                let waiting: Waiting = serde_json::from_value(waiting)
                    .map_err(|error| Failure::not_understood(format_args!("It is no request: {error}.")))?;
                let Waiting { request: input, asked_at, event_id, look } = waiting;
                // Which look it is does not depend on whose clock is late.
                let look = look.unwrap_or_else(|| first_look(asked_at, &input));
                Ok(Self { input, asked: Asked { at: asked_at.min(clock::now()), event_id }, look })
            }
            Trigger::Queue(_) => Err(Failure::not_understood("It is a batch in a message.")),
        }
    }

    /// The message by which it waits for the next look.
    pub(crate) fn waiting(&self) -> Waiting {
        let Asked { at: asked_at, event_id } = self.asked.clone();
        Waiting { request: self.input.clone(), asked_at, event_id, look: Some(self.look.next()) }
    }

    /// Whether it has waited for so long that somebody has to look.
    pub(crate) fn has_waited_too_long(&self, now: Timestamp) -> bool {
        now.duration_since(self.asked.at) > LONGEST_WAIT
    }
}

/// The first look at what no event asks for.
fn first_look(asked_at: Timestamp, input: &Value) -> Look {
    Look::first(format_args!("{asked_at}#{}", input["email"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::error::Cause;

    use super::*;

    #[test]
    fn a_request_that_waits_is_read_back_as_it_was_asked() {
        let event = json!({"id": "0b1c2d3e-4f50", "detail-type": "AccountRequested", "source": "x",
            "time": "2026-11-22T08:00:00Z", "detail": {"email": "a@example.com"}});
        for asking in [Asking::by_hand(json!({"account_name": "A"})), Asking::by_message(&event.to_string()).unwrap()] {
            let body = serde_json::to_string(&asking.waiting()).unwrap();
            let read = Asking::by_message(&body).unwrap();
            assert_eq!((&read.input, &read.asked, &read.look), (&asking.input, &asking.asked, &asking.look.next()));
        }
    }

    #[test]
    fn an_event_gives_its_time_and_its_id_and_no_time_to_come() {
        let event = |time: &str| {
            let event = json!({"id": "0b1c2d3e-4f50", "detail-type": "AccountRequested", "source": "x", "time": time,
                "detail": {"email": "a@example.com"}});
            Asking::by_message(&event.to_string()).unwrap()
        };
        let asking = event("2026-11-22T08:00:00Z");
        assert_eq!(asking.asked.at, "2026-11-22T08:00:00Z".parse().unwrap());
        assert_eq!(asking.asked.event_id.map(|id| id.to_string()).as_deref(), Some("0b1c2d3e-4f50"));
        assert!(event("9000-01-01T00:00:00Z").asked.at <= clock::now());
    }

    #[test]
    fn what_is_no_request_is_not_understood() {
        for body in ["", "not json", "{}", "[]", r#"{"account_name": "A"}"#] {
            assert_eq!(Asking::by_message(body).unwrap_err().cause, Cause::MessageNotUnderstood, "{body}");
        }
    }
}
