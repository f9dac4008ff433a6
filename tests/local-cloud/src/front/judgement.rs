//! Policy documents judged by the front itself, as far as it can.

use serde_json::Value;

use super::authorize::Need;
use super::conditions::{decide, is_like};

/// The statements of a policy document.
pub(crate) struct Document(Vec<Value>);

/// What policies say about a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Allowed,
    Denied,
    /// It hangs on something the front does not know.
    Unclear,
}

impl Document {
    /// `None` when this is no policy.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut policy: Value = serde_json::from_str(text).ok()?;
        match policy.get_mut("Statement")?.take() {
            Value::Array(statements) => Some(Self(statements)),
            single @ Value::Object(_) => Some(Self(vec![single])),
            _ => None,
        }
    }
}

/// What documents say together: one denial is enough, else one permission.
pub(crate) fn judge<'a>(documents: impl IntoIterator<Item = &'a Document>, need: &Need) -> Judgement {
    let statements = documents.into_iter().flat_map(|document| &document.0);
    let (mut allows, mut may_allow, mut may_deny) = (false, false, false);
    for statement in statements.filter(|statement| concerns(statement, need)) {
        let Some(left) = decide(statement.clone(), &need.context) else { continue };
        let is_plain = left["Condition"].as_object().is_none_or(serde_json::Map::is_empty) && !has_variables(&left);
        match (left["Effect"] == "Allow", is_plain) {
            (true, true) => allows = true,
            (true, false) => may_allow = true,
            (false, true) => return Judgement::Denied,
            (false, false) => may_deny = true,
        }
    }
    match (allows, may_allow, may_deny) {
        (true, _, false) => Judgement::Allowed,
        (false, false, _) => Judgement::Denied,
        _ => Judgement::Unclear,
    }
}

/// Whether a statement is about the action and the resource.
fn concerns(statement: &Value, need: &Need) -> bool {
    let action = need.action.to_ascii_lowercase();
    let about = |name: &str, fits: &dyn Fn(&str) -> bool| {
        let not = format!("Not{name}");
        if statement.get(&not).is_some() { !any(&statement[&not], fits) } else { any(&statement[name], fits) }
    };
    about("Action", &|pattern| is_like(&action, &pattern.to_ascii_lowercase()))
        && (has_variables(statement) || about("Resource", &|pattern| is_like(&need.resource, pattern)))
}

fn any(patterns: &Value, fits: &dyn Fn(&str) -> bool) -> bool {
    match patterns {
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(fits),
        single => single.as_str().is_some_and(fits),
    }
}

/// Whether the resources of a statement depend on who calls.
fn has_variables(statement: &Value) -> bool {
    ["Resource", "NotResource"].iter().any(|name| any(&statement[*name], &|pattern| pattern.contains("${")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";

    fn judged(statements: &Value) -> Judgement {
        let document = Document::parse(&json!({ "Statement": statements }).to_string()).unwrap();
        judge([&document], &Need::new("sts:AssumeRole", ROLE).given("sts:TaskPolicyArn", "audit"))
    }

    fn allow(more: &Value) -> Value {
        let mut statement = json!({ "Effect": "Allow", "Action": "sts:assume*", "Resource": ["arn:x", ROLE] });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        statement
    }

    #[test]
    fn actions_and_resources_are_matched_by_pattern() {
        assert_eq!(judged(&allow(&json!({}))), Judgement::Allowed);
        assert_eq!(judged(&allow(&json!({ "Resource": "arn:aws:iam::*:role/Organization*" }))), Judgement::Allowed);
        assert_eq!(judged(&allow(&json!({ "Resource": "arn:aws:iam::*:role/organization*" }))), Judgement::Denied);
        assert_eq!(judged(&allow(&json!({ "Action": ["iam:*"] }))), Judgement::Denied);
        assert_eq!(judged(&json!([{ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" }])), Judgement::Allowed);
        assert_eq!(judged(&json!([])), Judgement::Denied);
    }

    #[test]
    fn a_denial_is_stronger_than_every_permission() {
        let deny = json!({ "Effect": "Deny", "Action": "*", "NotResource": "arn:aws:iam::333333333333:role/*" });
        assert_eq!(judged(&json!([allow(&json!({})), deny])), Judgement::Denied);
        assert_eq!(judged(&json!([deny, allow(&json!({}))])), Judgement::Denied);
    }

    #[test]
    fn what_hangs_on_something_unknown_is_left_open() {
        let unknown = json!({ "Condition": { "StringEquals": { "aws:PrincipalTag/team": "x" } } });
        let mut deny = allow(&unknown);
        deny["Effect"] = "Deny".into();
        assert_eq!(judged(&allow(&unknown)), Judgement::Unclear);
        assert_eq!(judged(&json!([allow(&unknown), allow(&json!({}))])), Judgement::Allowed);
        assert_eq!(judged(&json!([allow(&json!({})), allow(&unknown)])), Judgement::Allowed);
        assert_eq!(judged(&json!([allow(&json!({})), deny])), Judgement::Unclear);
        assert_eq!(judged(&allow(&json!({ "Resource": "arn:aws:iam::${aws:x}:role/*" }))), Judgement::Unclear);
        let own = json!({ "Effect": "Deny", "Action": "*", "NotResource": "arn:aws:iam::${aws:x}:role/*" });
        assert_eq!(judged(&json!([allow(&json!({})), own])), Judgement::Unclear);
        let known = |task: &str| json!({ "Condition": { "StringEquals": { "sts:TaskPolicyArn": task } } });
        assert_eq!(judged(&allow(&known("audit"))), Judgement::Allowed);
        assert_eq!(judged(&allow(&known("delete"))), Judgement::Denied);
    }

    #[test]
    fn only_policies_are_parsed() {
        for text in ["", "{}", "[]", r#"{"Statement":"x"}"#] {
            assert!(Document::parse(text).is_none(), "{text}");
        }
    }
}
