//! What a function was invoked with, read leniently.

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsEvent};
use serde::Deserialize;
use serde_json::Value;

/// What a function was invoked with.
#[derive(Debug)]
pub enum Trigger {
    /// Messages of a queue.
    Queue(SqsEvent),
    /// An event of a bus.
    Event(Box<EventBridgeEvent<Value>>),
    /// A person's input, or a schedule's.
    Manual(Value),
}

impl Trigger {
    /// Tells the three apart by their shape. What looks like an event or a batch and is none is a person's input,
    /// whose reader will say what is wrong with it.
    pub fn of(payload: Value) -> Self {
        if let (Some(_), Ok(batch)) = (payload.get("Records"), SqsEvent::deserialize(&payload)) {
            return Self::Queue(batch);
        }
        match as_event(&payload) {
            Some(event) => Self::Event(Box::new(event)),
            None => Self::Manual(payload),
        }
    }
}

/// The payload as an event of EventBridge; None when it is something else.
pub fn as_event(payload: &Value) -> Option<EventBridgeEvent<Value>> {
    payload.get("detail-type")?;
    EventBridgeEvent::deserialize(payload).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn triggers_are_told_apart_by_their_shape() {
        assert!(matches!(Trigger::of(json!({"Records": []})), Trigger::Queue(_)));
        assert!(matches!(Trigger::of(json!({"detail-type": "x", "source": "y", "detail": {}})), Trigger::Event(_)));
        for input in [json!({}), json!(null), json!("text"), json!({"detail-type": 7}), json!({"Records": 7})] {
            assert!(matches!(Trigger::of(input.clone()), Trigger::Manual(_)), "{input}");
        }
    }
}
