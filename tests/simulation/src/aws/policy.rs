//! Who may do what: the policies of the template for functions, session policies for sessions.

use serde_json::Value;

use crate::{
    call::Call,
    cloud::{Principal, State},
    permissions::{About, matches},
    template::{items, last, stack},
};

/// Whether a call is allowed.
pub(crate) fn allows(state: &mut State, who: &Principal, call: &Call) -> bool {
    if call.service == "sts" && call.operation == "GetCallerIdentity" {
        return true;
    }
    let actions = actions(call);
    if let Some(allowed) = &who.actions {
        let is_within = who.bounds.as_ref().is_none_or(|bounds| {
            let resource = if call.service == "iam" { super::iam::resource(state, call) } else { "*".to_owned() };
            let about = About { resource: &resource, key: None, domain: "" };
            actions.iter().all(|(action, _)| bounds.allow(action, &about))
        });
        let is_spread = state.members.get_mut(&who.account).is_none_or(super::member::Member::policy_holds);
        return is_spread
            && is_within
            && actions.iter().all(|(action, _)| allowed.iter().any(|pattern| matches(pattern, action)));
    }
    let permissions = &stack().functions[&who.function].permissions;
    let (resource, domain) = (resource(call), super::account::domain(call));
    let about = |key| About { resource: &resource, key, domain };
    actions.iter().all(|(action, key)| permissions.allow(action, &about(key.as_deref())))
}

/// The actions that IAM looks at, each with the key of the item that it is about.
fn actions(call: &Call) -> Vec<(String, Option<String>)> {
    let service = match call.service.as_str() {
        "monitoring" => "cloudwatch",
        "tagging" => "tag",
        other => other,
    };
    match (service, call.operation.as_str()) {
        ("dynamodb", "TransactWriteItems") => {
            let of = |(kind, write): (&String, &Value)| {
                let action = if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
                (format!("dynamodb:{action}"), key(if write["Key"].is_null() { &write["Item"] } else { &write["Key"] }))
            };
            items(&call.input["TransactItems"]).filter_map(Value::as_object).flatten().map(of).collect()
        }
        ("dynamodb", "BatchWriteItem") => {
            let writes =
                call.input["RequestItems"].as_object().into_iter().flatten().flat_map(|(_, writes)| items(writes));
            writes.map(|write| ("dynamodb:BatchWriteItem".to_owned(), key(&write["PutRequest"]["Item"]))).collect()
        }
        ("dynamodb", operation) => vec![(format!("dynamodb:{operation}"), key(&call.input["Key"]))],
        ("s3control", operation) => {
            let action = operation.replacen("PublicAccessBlock", "AccountPublicAccessBlock", 1);
            vec![(format!("s3:{action}"), None)]
        }
        ("budgets", operation) if operation.starts_with("Describe") => vec![("budgets:ViewBudget".to_owned(), None)],
        ("budgets", _) => vec![("budgets:ModifyBudget".to_owned(), None)],
        ("lambda", "Invoke") => vec![("lambda:InvokeFunction".to_owned(), None)],
        ("account", operation) => {
            let implied = match operation {
                "PutAccountName" => Some("iam:UpdateAccountName"),
                "AcceptPrimaryEmailUpdate" | "StartPrimaryEmailUpdate" => Some("iam:UpdateAccountEmailAddress"),
                _ => None,
            };
            let actions = [format!("account:{operation}")].into_iter().chain(implied.map(ToOwned::to_owned));
            actions.map(|action| (action, None)).collect()
        }
        (service, operation) => vec![(format!("{service}:{operation}"), None)],
    }
}

/// The partition key among the attributes of an item.
fn key(attributes: &Value) -> Option<String> {
    attributes["pk"]["S"].as_str().map(ToOwned::to_owned)
}

/// The ARN that a call is about; `*` where the policies of this stack name no single resource.
fn resource(call: &Call) -> String {
    match call.service.as_str() {
        "sqs" => format!("arn:aws:sqs:us-east-1:111111111111:{}", last(call.text("QueueUrl"))),
        "account" => super::account::resource(call),
        "secretsmanager" => super::secrets::resource(call),
        "sts" if call.operation == "AssumeRole" => call.text("RoleArn").to_owned(),
        "s3" => {
            let (bucket, key) = super::s3::place(call);
            format!("arn:aws:s3:::{bucket}/{key}")
        }
        _ => "*".to_owned(),
    }
}
