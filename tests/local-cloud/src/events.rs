//! Delivery of events of AWS services, which MiniStack lets nobody put on a bus.
//!
//! EventBridge in MiniStack is asked for the rules of the default bus and whether their patterns match; the targets of
//! those that do are then served directly.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{AwsClient, AwsError};
use crate::core::Core;
use crate::front::is_like;

/// The bus on which AWS's own events arrive.
const DEFAULT_BUS: &str = "default";

/// What becomes of the events about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventPlan {
    /// How often each is delivered: not at all, once, twice.
    pub(crate) copies: usize,
    pub(crate) delay: Duration,
    /// Each copy comes up to so much later than that, at random: events overtake each other.
    pub(crate) spread: Duration,
}

impl Default for EventPlan {
    fn default() -> Self {
        Self { copies: 1, delay: Duration::ZERO, spread: Duration::ZERO }
    }
}

/// Hands an event over as often and as late as the plan says, in the background.
pub(crate) fn deliver_as_planned(core: &Arc<Core>, account: &str, event: &Value, plan: EventPlan) {
    // A second copy has the same id, as a redelivery has.
    for _ in 0..plan.copies {
        let delay = plan.delay + plan.spread.mul_f64(core.ids.fraction());
        let (core, account, event) = (Arc::clone(core), account.to_owned(), event.clone());
        tokio::spawn(async move {
            core.clock.sleep(delay).await;
            deliver(&core, &account, &event).await;
        });
    }
}

/// Hands an event to the targets of every enabled rule on an account's default bus that matches it.
pub(crate) async fn deliver(core: &Core, account: &str, event: &Value) {
    deliver_on(core, account, DEFAULT_BUS, event).await;
}

/// The same for another bus of the account.
async fn deliver_on(core: &Core, account: &str, bus: &str, event: &Value) {
    let client = core.front_root_of(account);
    match matching_targets(&client, bus, event).await {
        Ok(targets) => {
            for target in targets {
                if let Err(error) = hand_over(core, account, &target, event).await {
                    core.mishap(format!("an event did not reach {}: {error}", target["Arn"]));
                }
            }
        }
        Err(error) => core.mishap(format!("the rules of account {account} could not be read: {error}")),
    }
}

async fn matching_targets(client: &AwsClient, bus: &str, event: &Value) -> Result<Vec<Value>, AwsError> {
    let mut targets = Vec::new();
    let read_only = event["detail"]["readOnly"] == true;
    for rule in pages(client, "ListRules", "Rules", json!({ "EventBusName": bus })).await? {
        let Some(pattern) = rule["EventPattern"].as_str() else { continue };
        let matches_reads = rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
        if rule["State"] == "DISABLED" || (read_only && !matches_reads) || !may_match(pattern, event) {
            continue;
        }
        let test = json!({ "EventPattern": pattern, "Event": event.to_string() });
        if client.json("events", "TestEventPattern", test).await?["Result"] == true {
            let of_rule = json!({ "Rule": rule["Name"], "EventBusName": bus });
            targets.extend(pages(client, "ListTargetsByRule", "Targets", of_rule).await?);
        }
    }
    Ok(targets)
}

/// Whether it is worth asking: most rules are about other services.
fn may_match(pattern: &str, event: &Value) -> bool {
    let pattern: Value = serde_json::from_str(pattern).unwrap_or_default();
    pattern["source"]
        .as_array()
        .is_none_or(|sources| sources.iter().any(|source| !source.is_string() || *source == event["source"]))
}

async fn pages(client: &AwsClient, operation: &str, name: &str, mut input: Value) -> Result<Vec<Value>, AwsError> {
    let mut rows = Vec::new();
    loop {
        let page = client.json("events", operation, input.clone()).await?;
        rows.extend(page[name].as_array().cloned().unwrap_or_default());
        match &page["NextToken"] {
            Value::String(token) => input["NextToken"] = token.as_str().into(),
            _ => return Ok(rows),
        }
    }
}

async fn hand_over(core: &Core, account: &str, target: &Value, event: &Value) -> Result<(), AwsError> {
    let client = core.front_root_of(account);
    let arn = target["Arn"].as_str().unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let payload = payload(target, event)?;
    match parts.as_slice() {
        [_, _, "sqs", region, account, queue] => {
            let client = client.clone().in_region(*region);
            let owned = json!({ "QueueName": queue, "QueueOwnerAWSAccountId": account });
            let url = client.json("sqs", "GetQueueUrl", owned).await?["QueueUrl"].clone();
            let mut message = json!({ "QueueUrl": url, "MessageBody": payload });
            if let Some(group) = target["SqsParameters"]["MessageGroupId"].as_str() {
                message["MessageGroupId"] = group.into();
            }
            client.json("sqs", "SendMessage", message).await.map(drop)
        }
        [_, _, "lambda", region, _, _] => {
            let client = client.clone().in_region(*region);
            client.invoke_async(arn, payload).await
        }
        [_, _, "events", _, receiver, bus] if bus.starts_with("event-bus/") => {
            let bus = bus.trim_start_matches("event-bus/");
            if !admits(core, receiver, bus, account, event).await? {
                return refuse(core, account, target, event).await;
            }
            Box::pin(deliver_on(core, receiver, bus, event)).await;
            Ok(())
        }
        _ => Err(unsupported(&format!("targets like {arn} are not served"))),
    }
}

/// Keeps what another account's bus does not admit among the target's dead letters, without another attempt.
///
/// Amazon EventBridge user guide, "Using dead-letter queues to process undelivered events".
async fn refuse(core: &Core, account: &str, target: &Value, event: &Value) -> Result<(), AwsError> {
    let arn = target["Arn"].as_str().unwrap_or_default();
    let Some(dead_letters) = target["DeadLetterConfig"]["Arn"].as_str() else {
        return Err(unsupported(&format!("the policy of {arn} does not admit account {account}")));
    };
    let name = dead_letters.rsplit(':').next().unwrap_or_default();
    let client = core.front_root_of(account);
    let url = client.json("sqs", "GetQueueUrl", json!({ "QueueName": name })).await?["QueueUrl"].clone();
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let attributes = json!({ "ERROR_CODE": text("NO_PERMISSIONS"), "TARGET_ARN": text(arn) });
    let message = json!({ "QueueUrl": url, "MessageBody": event.to_string(), "MessageAttributes": attributes });
    client.json("sqs", "SendMessage", message).await.map(drop)
}

/// Whether the policy of an account's bus admits an event of another account, as one of its organization or by name.
async fn admits(core: &Core, receiver: &str, bus: &str, sender: &str, event: &Value) -> Result<bool, AwsError> {
    let organization = core.services.organizations.membership(sender).map(|membership| membership.organization);
    let bus = core.front_root_of(receiver).json("events", "DescribeEventBus", json!({"Name": bus})).await?;
    let policy: Value = bus["Policy"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let admitted = policy["Statement"].as_array().into_iter().flatten().any(|statement| {
        let is_member = match &statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] {
            Value::Null => false,
            required => organization.as_ref().is_some_and(|organization| required == organization.as_str()),
        };
        let source = statement["Condition"]["StringLikeIfExists"]["events:source"].as_str();
        statement["Effect"] == "Allow"
            && statement["Action"] == "events:PutEvents"
            && (is_member || names(&statement["Principal"], sender))
            && source.is_none_or(|like| is_like(event["source"].as_str().unwrap_or_default(), like))
    });
    Ok(admitted)
}

/// Whether a principal of a policy is this account, by its id or the ARN of its root user.
fn names(principal: &Value, account: &str) -> bool {
    let arn = format!("arn:aws:iam::{account}:root");
    match &principal["AWS"] {
        Value::Array(several) => several.iter().any(|one| *one == account || *one == arn.as_str()),
        one => *one == account || *one == arn.as_str(),
    }
}

/// What a target receives: the event, a constant, or a part of the event.
fn payload(target: &Value, event: &Value) -> Result<String, AwsError> {
    if let Some(constant) = target["Input"].as_str() {
        return Ok(constant.to_owned());
    }
    if let Some(path) = target["InputPath"].as_str() {
        let pointer = path.trim_start_matches('$').replace('.', "/");
        return Ok(event.pointer(&pointer).unwrap_or(&Value::Null).to_string());
    }
    if target.get("InputTransformer").is_some_and(|transformer| !transformer.is_null()) {
        return Err(unsupported("input transformers are not served"));
    }
    Ok(event.to_string())
}

fn unsupported(message: &str) -> AwsError {
    AwsError { status: 0, code: "Unsupported".to_owned(), message: message.to_owned(), detail: Value::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_gets_the_event_a_part_or_a_constant() {
        let event = json!({ "detail": { "state": "SUCCEEDED" } });
        assert_eq!(payload(&json!({}), &event), Ok(event.to_string()));
        assert_eq!(payload(&json!({ "Input": "{}" }), &event), Ok("{}".to_owned()));
        assert_eq!(payload(&json!({ "InputPath": "$.detail.state" }), &event), Ok("\"SUCCEEDED\"".to_owned()));
        assert!(payload(&json!({ "InputTransformer": {} }), &event).is_err());
    }
}
