//! Which looks at something were taken, where a function goes on looking by sending itself one message after the other.
//!
//! SQS may deliver a message twice, a lost answer has it sent twice, and an invocation that is killed after it has sent the next
//! one has its own message come again (Amazon SQS developer guide, "At-least-once delivery"). If each copy had a next one of its
//! own, there would be ever more of them, and every one would tell of the end. So each look has a number, and is taken once:
//! the next looks of two copies are the same look.

use std::{fmt, future::Future};

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{idempotency::Idempotency, keys};
use crate::{error::Failure, gateway::DynamoDbGateway};

/// One look in a chain of them. It goes in the message by which a function reminds itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// What tells this chain from every other one.
    chain: String,
    /// How many looks came before it.
    number: u32,
}

impl Look {
    /// The first look of a chain.
    pub fn first(chain: impl fmt::Display) -> Self {
        Self { chain: chain.to_string(), number: 0 }
    }

    /// The first look that an event sets off; None where the event has no id. Its copies have its id. What an archive plays again
    /// has it as well and is meant to set off another look, so it says the replay's name (EventBridge user guide, "Replay
    /// archived events").
    pub fn of_event(event: &EventBridgeEvent<Value>) -> Option<Self> {
        let id = event.id.as_deref()?;
        Some(match event.other.get("replay-name").and_then(Value::as_str) {
            Some(replay) => Self::first(format_args!("{id}#{replay}")),
            None => Self::first(id),
        })
    }

    /// The one after it.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { chain: self.chain.clone(), number: self.number.saturating_add(1) }
    }

    /// How many looks came before it.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.chain, self.number)
    }
}

/// The looks of one function, in the stack's table.
#[derive(Clone, Debug)]
pub struct Looks {
    taken: Idempotency,
    function: &'static str,
}

impl Looks {
    /// The looks of this function.
    pub fn new(table: DynamoDbGateway, function: &'static str) -> Self {
        Self { taken: Idempotency::new(table), function }
    }

    /// Takes a look, unless it was taken; then nothing is done. A look that fails can be taken again.
    ///
    /// # Errors
    ///
    /// As those of [`Idempotency::publish`]: while another invocation is at this look, its copy fails and comes again.
    pub async fn take(
        &self,
        look: &Look,
        now: Timestamp,
        taken: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let key = keys::LOOK.key(format_args!("{}#{look}", self.function));
        self.taken.publish(&key, now, taken).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runtime::trigger::as_event;

    #[test]
    fn two_copies_of_a_look_have_the_same_next_one_and_it_is_another() {
        let look = Look::first("0b1c2d3e-4f50");
        assert_eq!(look.next(), look.clone().next());
        assert_ne!(look.next(), look);
        assert_eq!(
            (look.to_string(), look.next().to_string().as_str()),
            ("0b1c2d3e-4f50#0".to_owned(), "0b1c2d3e-4f50#1")
        );
    }

    #[test]
    fn copies_of_an_event_are_one_look_and_its_replay_is_another() {
        let event = json!({"id": "0b1c2d3e-4f50", "detail-type": "x", "source": "y", "detail": {}});
        let mut replayed = event.clone();
        replayed["replay-name"] = "after-the-repair".into();
        let look = |event: &Value| Look::of_event(&as_event(event).unwrap());
        assert_eq!(look(&event), Some(Look::first("0b1c2d3e-4f50")));
        assert_eq!(look(&replayed), Some(Look::first("0b1c2d3e-4f50#after-the-repair")));
        assert_eq!(look(&json!({"detail-type": "x", "source": "y", "detail": {}})), None);
    }

    #[test]
    fn a_look_is_read_back_as_it_was_sent() {
        let look = Look::first("0b1c2d3e-4f50").next();
        assert_eq!(serde_json::from_str::<Look>(&serde_json::to_string(&look).unwrap()).unwrap(), look);
    }
}
