//! Who may do what: the policies of the template for functions, session policies for sessions.

use serde_json::Value;

use crate::{
    call::Call,
    cloud::{Principal, State},
    template::{items, last, stack},
};

/// Whether a call is allowed. Conditions of statements are taken as met: they narrow what a call says of itself.
pub(crate) fn allows(state: &mut State, who: &Principal, call: &Call) -> bool {
    if call.service == "sts" && call.operation == "GetCallerIdentity" {
        return true;
    }
    let actions = actions(call);
    match &who.actions {
        Some(allowed) => {
            let is_spread = state.members.get_mut(&who.account).is_none_or(super::member::Member::policy_holds);
            is_spread && actions.iter().all(|action| allowed.contains(action))
        }
        None => actions.iter().all(|action| {
            let statements = &stack().functions[&who.function].statements;
            statements.iter().any(|statement| permits(statement, action, &resource(call)))
        }),
    }
}

/// The actions that IAM looks at.
fn actions(call: &Call) -> Vec<String> {
    let service = match call.service.as_str() {
        "monitoring" => "cloudwatch",
        other => other,
    };
    match (service, call.operation.as_str()) {
        ("dynamodb", "TransactWriteItems") => {
            let of = |write: &Value| match write["Put"].is_object() {
                true => "dynamodb:PutItem".to_owned(),
                false if write["Update"].is_object() => "dynamodb:UpdateItem".to_owned(),
                false if write["Delete"].is_object() => "dynamodb:DeleteItem".to_owned(),
                false => "dynamodb:ConditionCheckItem".to_owned(),
            };
            items(&call.input["TransactItems"]).map(of).collect()
        }
        ("lambda", _) => vec!["lambda:InvokeFunction".to_owned()],
        (service, operation) => vec![format!("{service}:{operation}")],
    }
}

/// The ARN that a call is about; `*` where the policies of this stack name no single resource.
fn resource(call: &Call) -> String {
    match call.service.as_str() {
        "sqs" => format!("arn:aws:sqs:us-east-1:111111111111:{}", last(call.text("QueueUrl"))),
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
