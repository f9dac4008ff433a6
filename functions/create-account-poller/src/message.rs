//! What tells the function which request to look at.

use serde_json::Value;
use steward::{
    error::{Cause, Failure},
    ids::RequestId,
    input::{Fields, in_words},
};

/// A request to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The request.
    pub(crate) request_id: RequestId,
    /// How often the request had been put off when the message was sent. A message that is older than the request
    /// is out of date: a newer one is on its way. None, from a person or an event, is always followed.
    pub(crate) looks: Option<u64>,
}

impl Message {
    /// Reads `{"request_id", "looks"?}`; None for `{}` and for nothing at all.
    pub(crate) fn read(mut input: Value) -> Result<Option<Self>, Failure> {
        if input.is_null() || input.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(None);
        }
        let looks = input.as_object_mut().and_then(|fields| fields.remove("looks")).and_then(|looks| looks.as_u64());
        let mut fields = Fields::of(input);
        let request_id = fields.required("request_id");
        let problems = fields.finish();
        match request_id {
            Some(request_id) if problems.is_empty() => Ok(Some(Self { request_id, looks })),
            _ => Err(Failure::with_detail(Cause::InvalidRequest, in_words(&problems))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::{audit::cloudtrail::create_account_result, runtime::trigger::Trigger};

    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let ways = ["an event about a call", "one request", "a sweep"];
        payloads::check(crate::CreateAccountPoller::NAME, ways, |sample| match Trigger::of(sample.payload) {
            Trigger::Event(event) => create_account_result(&event)
                .map(|_| ["an event about a call"])
                .ok_or_else(|| Failure::not_understood("no CreateAccountResult")),
            Trigger::Manual(input) => {
                Message::read(input).map(|message| [message.map_or("a sweep", |_| "one request")])
            }
            Trigger::Queue(_) => Err(Failure::not_understood("a batch")),
        });
    }

    #[test]
    fn nothing_means_a_sweep_and_a_name_means_one_request() {
        assert_eq!(Message::read(json!({})).unwrap(), None);
        assert_eq!(Message::read(Value::Null).unwrap(), None);
        let message =
            Message::read(json!({"request_id": "req-0123456789abcdef01234567", "looks": 3})).unwrap().unwrap();
        assert_eq!(message.looks, Some(3));
    }

    #[test]
    fn a_broken_input_is_refused_with_every_problem() {
        let failure = Message::read(json!({"request": "x", "request_id": "y"})).unwrap_err();
        assert_eq!(failure.cause, Cause::InvalidRequest);
        assert!(failure.message.contains("request_id: must be") && failure.message.contains("request: is not a field"));
    }
}
