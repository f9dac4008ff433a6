//! AWS Step Functions, as far as functions ask it about executions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::{Answer, Refusal};
use crate::call::Call;

/// The executions of the state machine, by ARN.
#[derive(Debug, Default)]
pub(crate) struct Executions(BTreeMap<String, Execution>);

#[derive(Debug)]
struct Execution {
    name: String,
    began_at: Timestamp,
    input: String,
    has_ended: bool,
}

impl Executions {
    /// Begins one; its ARN.
    pub(crate) fn begin(&mut self, name: &str, input: String, now: Timestamp) -> String {
        let arn = format!("arn:aws:states:us-east-1:111111111111:execution:steward:{name}");
        let execution = Execution { name: name.to_owned(), began_at: now, input, has_ended: false };
        self.0.insert(arn.clone(), execution);
        arn
    }

    /// Ends one.
    pub(crate) fn end(&mut self, arn: &str) {
        if let Some(execution) = self.0.get_mut(arn) {
            execution.has_ended = true;
        }
    }

    pub(crate) fn serve(&self, call: &Call) -> Result<Answer, Refusal> {
        let arn = call.text("executionArn");
        let Some(Execution { name, began_at, input, has_ended }) = self.0.get(arn) else {
            return Err(Refusal::new(400, "ExecutionDoesNotExist", arn));
        };
        Ok(Answer::json(&json!({
            "executionArn": arn,
            "stateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:steward",
            "name": name,
            "status": if *has_ended { "SUCCEEDED" } else { "RUNNING" },
            "startDate": began_at.as_duration().as_secs_f64(),
            "input": input,
        })))
    }
}
