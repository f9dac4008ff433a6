//! Who may do what: the policies of the template for functions, session policies for sessions.

use serde_json::Value;

use crate::{
    call::Call,
    cloud::{Principal, State},
    template::{items, last, stack},
};

/// Whether a call is allowed. Of the conditions of statements, those on the keys of items and on the domains of new
/// addresses count; the others are taken as met: they narrow what a call says of itself, or where a role is, and here every account is one of the organization.
pub(crate) fn allows(state: &mut State, who: &Principal, call: &Call) -> bool {
    if call.service == "sts" && call.operation == "GetCallerIdentity" {
        return true;
    }
    let actions = actions(call);
    match &who.actions {
        Some(allowed) => {
            let is_spread = state.members.get_mut(&who.account).is_none_or(super::member::Member::policy_holds);
            is_spread && actions.iter().all(|(action, _)| allowed.iter().any(|pattern| matches(pattern, action)))
        }
        None => actions.iter().all(|(action, key)| {
            let statements = &stack().functions[&who.function].statements;
            let permits = |statement| {
                permits(statement, action, &resource(call))
                    && admits(statement, key.as_deref())
                    && super::account::leads_to_a_domain_of(statement, call)
            };
            statements.iter().any(permits)
        }),
    }
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

/// Whether a statement that names keys of items names this one. Without a key, it must not name any.
fn admits(statement: &Value, key: Option<&str>) -> bool {
    let patterns = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let fits = |key| items(patterns).any(|pattern| pattern.as_str().is_some_and(|pattern| matches(pattern, key)));
    patterns.is_null() || key.is_some_and(fits)
}

/// The ARN that a call is about; `*` where the policies of this stack name no single resource.
fn resource(call: &Call) -> String {
    match call.service.as_str() {
        "sqs" => format!("arn:aws:sqs:us-east-1:111111111111:{}", last(call.text("QueueUrl"))),
        "account" => super::account::resource(call),
        "sts" if call.operation == "AssumeRole" => call.text("RoleArn").to_owned(),
        "s3" => {
            let (bucket, key) = super::s3::place(call);
            format!("arn:aws:s3:::{bucket}/{key}")
        }
        _ => "*".to_owned(),
    }
}

fn permits(statement: &Value, action: &str, resource: &str) -> bool {
    let named = |value: &Value, is_met: &dyn Fn(&str) -> bool| match value {
        Value::String(text) => is_met(text),
        other => items(other).any(|text| text.as_str().is_some_and(is_met)),
    };
    statement["Effect"] == "Allow"
        && named(&statement["Action"], &|pattern| matches(pattern, action))
        && (resource == "*" || named(&statement["Resource"], &|pattern| matches(pattern, resource)))
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            let Some(rest) = text.strip_prefix(before) else { return false };
            (0..=rest.len()).any(|skipped| rest.is_char_boundary(skipped) && matches(after, &rest[skipped..]))
        }
    }
}
