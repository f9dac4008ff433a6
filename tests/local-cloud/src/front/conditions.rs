//! Conditions on request context that IAM's policy simulator does not know.
//!
//! The keys given here are decided by the front: a statement whose condition on such a key holds loses that condition,
//! and one whose condition does not hold loses its effect. The simulator then judges what is left.

use serde_json::{Map, Value};

/// Condition keys of a request and their values.
pub(crate) type RequestContext = Vec<(&'static str, String)>;

/// A policy document with its conditions on the keys of `context` decided.
pub(super) fn decided(document: &str, context: &RequestContext) -> String {
    let mut policy: Value = serde_json::from_str(document).unwrap_or_default();
    let statements = match policy["Statement"].take() {
        Value::Array(statements) => statements,
        single => vec![single],
    };
    policy["Statement"] = statements.into_iter().filter_map(|statement| decide(statement, context)).collect();
    policy.to_string()
}

/// The statement without the conditions that hold; `None` when one does not.
pub(super) fn decide(mut statement: Value, context: &RequestContext) -> Option<Value> {
    let Some(conditions) = statement.get_mut("Condition").and_then(Value::as_object_mut) else {
        return Some(statement);
    };
    for (operator, keys) in conditions.iter_mut() {
        let Some(keys) = keys.as_object_mut() else { continue };
        for (key, actual) in context {
            if let Some(wanted) = take_ignoring_case(keys, key)
                && !holds(operator, actual, &filled_in(wanted, context))
            {
                return None;
            }
        }
    }
    conditions.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
    Some(statement)
}

/// The values of a condition with the policy variables that the context has.
fn filled_in(wanted: Value, context: &RequestContext) -> Value {
    match wanted {
        Value::String(text) => {
            let fill = |text: String, (key, value): &(&str, String)| text.replace(&format!("${{{key}}}"), value);
            context.iter().fold(text, fill).into()
        }
        Value::Array(several) => several.into_iter().map(|one| filled_in(one, context)).collect(),
        other => other,
    }
}

fn take_ignoring_case(keys: &mut Map<String, Value>, wanted: &str) -> Option<Value> {
    let key = keys.keys().find(|key| key.eq_ignore_ascii_case(wanted))?.clone();
    keys.remove(&key)
}

/// Whether a condition holds for a key that the request has, with one value.
fn holds(operator: &str, actual: &str, wanted: &Value) -> bool {
    let operator = operator.rsplit(':').next().unwrap_or(operator).trim_end_matches("IfExists");
    let any = |fits: &dyn Fn(&str) -> bool| match wanted {
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(fits),
        single => single.as_str().is_some_and(fits),
    };
    let ignore_case = |wanted: &str| wanted.eq_ignore_ascii_case(actual);
    match operator {
        "StringEquals" => any(&|wanted| wanted == actual),
        "StringNotEquals" => !any(&|wanted| wanted == actual),
        "StringEqualsIgnoreCase" => any(&ignore_case),
        "StringNotEqualsIgnoreCase" => !any(&ignore_case),
        "ArnEquals" | "ArnLike" | "StringLike" => any(&|wanted| is_like(actual, wanted)),
        "ArnNotEquals" | "ArnNotLike" | "StringNotLike" => !any(&|wanted| is_like(actual, wanted)),
        "Null" => any(&|wanted| wanted == "false"),
        _ => false,
    }
}

/// Whether a text fits a pattern with `*` and `?`.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(start, _)| start)
            .chain([text.len()])
            .any(|start| is_like(&text[start..], rest.as_str())),
        Some(wanted) => {
            let mut text = text.chars();
            text.next().is_some_and(|first| wanted == '?' || wanted == first) && is_like(text.as_str(), rest.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(statement: &Value) -> Value {
        let context = vec![("sts:TaskPolicyArn", "arn:aws:iam::aws:policy/root-task/Audit".to_owned())];
        let policy: Value =
            serde_json::from_str(&decided(&json!({ "Statement": statement }).to_string(), &context)).unwrap();
        policy["Statement"].clone()
    }

    #[test]
    fn a_condition_that_holds_is_gone_and_the_others_stay() {
        let other = json!({ "aws:PrincipalAccount": "1" });
        let statement = json!({ "Condition": {
            "StringEquals": { "sts:taskpolicyarn": ["x", "arn:aws:iam::aws:policy/root-task/Audit"] },
            "StringLike": other,
        } });
        assert_eq!(left(&statement), json!([{ "Condition": { "StringLike": other } }]));
        assert_eq!(left(&json!({ "Effect": "Allow" })), json!([{ "Effect": "Allow" }]));
    }

    #[test]
    fn a_variable_stands_for_what_the_request_has() {
        let policy = json!({ "Statement": { "Condition": { "StringEquals": { "aws:ResourceOrgID": "${aws:PrincipalOrgID}" } } } });
        let left = |of: &str| {
            let context = vec![("aws:PrincipalOrgID", "o-a".to_owned()), ("aws:ResourceOrgID", of.to_owned())];
            serde_json::from_str::<Value>(&decided(&policy.to_string(), &context)).unwrap()["Statement"].clone()
        };
        assert_eq!((left("o-a"), left("o-b")), (json!([{ "Condition": {} }]), json!([])));
    }

    #[test]
    fn a_statement_whose_condition_does_not_hold_has_no_effect() {
        let with = |operator: &str, wanted: &str| json!({ "Condition": { operator: { "sts:TaskPolicyArn": wanted } } });
        assert_eq!(left(&with("StringEquals", "arn:aws:iam::aws:policy/root-task/*")), json!([]));
        assert_eq!(left(&with("ArnLike", "arn:aws:iam::aws:policy/root-task/*")), json!([{ "Condition": {} }]));
        assert_eq!(left(&with("StringNotLike", "*/Audit")), json!([]));
        assert_eq!(left(&with("StringNotLikeIfExists", "*/Aud?")), json!([{ "Condition": {} }]));
        assert_eq!(left(&with("Null", "true")), json!([]));
    }
}
