//! Invocations of functions that people ask for plans: what each was asked for, and what it has written.

use jiff::Timestamp;
use serde_json::Value;

use crate::{call::Call, cloud::State, template::items, time};

/// The functions whose invocations are kept, by their logical ids.
const KEPT: [&str; 2] = ["AccountUpdater", "JumpUserManager"];

/// An invocation.
#[derive(Clone, Debug)]
pub(crate) struct Invoked {
    pub(crate) at: Timestamp,
    environment: String,
    /// The logical id of the function.
    pub(crate) function: String,
    /// What it was asked for, without a code.
    pub(crate) input: Value,
    /// The calls that have changed something, in words.
    pub(crate) written: Vec<String>,
}

/// An input as a line may show it: a code out of a mail is nobody else's to read.
pub(crate) fn without_code(input: &Value) -> Value {
    let mut shown = input.clone();
    if let Some(code) = shown.get_mut("otp") {
        *code = "(code)".into();
    }
    shown
}

/// An invocation begins.
pub(crate) fn begins(state: &mut State, environment: &str, function: &str, input: &Value) {
    if KEPT.contains(&function) {
        let (environment, input) = (environment.to_owned(), without_code(input));
        let function = function.to_owned();
        state.invoked.push(Invoked { at: time::now(), environment, function, input, written: Vec::new() });
    }
}

/// An environment has made a call with success. It has one invocation at a time.
pub(crate) fn calls(state: &mut State, environment: &str, call: &Call) {
    let invoked = state.invoked.iter_mut().rfind(|invoked| invoked.environment == environment);
    if let Some(invoked) = invoked {
        invoked.written.extend(writes(call));
    }
}

/// What a call changes. That the document was read is no change of anything that people have.
fn writes(call: &Call) -> Vec<String> {
    let named = |what: &str| vec![format!("{}:{} {what}", call.service, call.operation)];
    match (call.service.as_str(), call.operation.as_str()) {
        ("dynamodb", "TransactWriteItems") => {
            let writes = items(&call.input["TransactItems"]).filter_map(Value::as_object).flatten();
            let keys = writes.filter_map(|(_, write)| {
                let item = if write["Key"].is_object() { &write["Key"] } else { &write["Item"] };
                item["pk"]["S"].as_str().filter(|key| *key != "baseline-document").map(ToOwned::to_owned)
            });
            keys.collect()
        }
        ("dynamodb", "BatchWriteItem") => named("items"),
        ("events", "PutEvents") => {
            let kinds = items(&call.input["Entries"]).filter_map(|entry| entry["DetailType"].as_str());
            kinds.filter(|kind| *kind != "BaselineDocumentRefused").map(ToOwned::to_owned).collect()
        }
        ("sqs", "SendMessage") => named("a message"),
        ("iam" | "secretsmanager", operation)
            if !["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb)) =>
        {
            named(call.text("UserName"))
        }
        ("account", operation) if !operation.starts_with("Get") && !operation.starts_with("List") => {
            named(call.text("AccountId"))
        }
        _ => Vec::new(),
    }
}
