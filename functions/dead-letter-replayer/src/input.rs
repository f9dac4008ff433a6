//! What a person asks for.

use std::{collections::BTreeSet, str::FromStr};

use serde_json::Value;
use steward::{
    control::Mode,
    error::Failure,
    ids::NotValid,
    input::{Fields, refused},
};

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Input {
    /// Whether anything is sent.
    pub(crate) mode: Mode,
    /// The queues to go through.
    pub(crate) queues: Vec<String>,
    /// The messages to send, where not all of them are.
    pub(crate) message_ids: Option<BTreeSet<String>>,
}

impl Input {
    /// Reads `{"mode"?: "plan"|"apply", "queues"?: [..], "message_ids"?: [..]}`. Nothing is sent unless that is said.
    pub(crate) fn read(input: Value, known: &[&str]) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let queues: Option<Vec<QueueName>> = fields.optional_list("queues");
        for (position, name) in queues.iter().flatten().enumerate() {
            if !known.contains(&name.0.as_str()) {
                let expected = known.join(", ");
                fields.note(&format!("queues[{position}]"), format!("must be one of {expected}"));
            }
        }
        let message_ids: Option<Vec<MessageId>> = fields.optional_list("message_ids");
        let problems = fields.finish();
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        let all = || known.iter().map(|name| (*name).to_owned()).collect();
        let queues = queues.map(|names| names.into_iter().map(|name| name.0).collect());
        let message_ids = message_ids.map(|ids| ids.into_iter().map(|id| id.0).collect());
        Ok(Self { mode, queues: queues.unwrap_or_else(all), message_ids })
    }
}

/// Which names there are, the caller knows.
struct QueueName(String);

impl FromStr for QueueName {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        Ok(Self(text.to_owned()))
    }
}

/// The id that SQS has given to a message: a UUID.
struct MessageId(String);

impl FromStr for MessageId {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let is_valid = text.len() == 36 && text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
        if is_valid { Ok(Self(text.to_owned())) } else { Err(NotValid::expected("the message_id of a plan's row")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::closed_set::ClosedSet;

    use super::*;

    const KNOWN: [&str; 2] = ["baseline", "undeliverable"];

    #[test]
    fn nothing_said_is_a_plan_of_every_queue() {
        let input = Input::read(json!({}), &KNOWN).unwrap();
        assert_eq!((input.mode, input.queues), (Mode::Plan, vec!["baseline".to_owned(), "undeliverable".to_owned()]));
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let ways = Mode::ALL.iter().map(|mode| mode.name()).chain(["queues", "message_ids"]);
        payloads::check(crate::DeadLetterReplayer::NAME, ways, |sample| {
            let given = ["queues", "message_ids"].into_iter().filter(|field| sample.payload.get(field).is_some());
            let given: Vec<_> = given.collect();
            let input = Input::read(sample.payload, &KNOWN)?;
            Ok::<_, Failure>(given.into_iter().chain([input.mode.name()]).collect::<Vec<_>>())
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let failure = Input::read(
            json!({"mode": "now", "queues": ["baseline", "mine"], "all": true, "message_ids": ["x"]}),
            &KNOWN,
        )
        .unwrap_err();
        for path in ["mode", "queues[1]", "all", "message_ids[0]"] {
            assert!(failure.message.contains(path), "{path}: {}", failure.message);
        }
        assert!(!failure.message.contains("queues[0]"), "{}", failure.message);
    }
}
