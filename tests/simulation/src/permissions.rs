//! What a role may do, by the statements of its policies.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the statements of a role allow, found by the action. Of the conditions, that on the keys of items counts; the others
/// are taken as met: they narrow what a call says of itself, or where a role is, and here every account is one of the
/// organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    statements: Vec<Statement>,
    /// The places of the statements that name an action.
    named: BTreeMap<String, Vec<usize>>,
    /// Actions with a `*` in them, and the places of their statements.
    patterns: Vec<(String, usize)>,
}

#[derive(Clone, Debug)]
struct Statement {
    resources: Vec<String>,
    /// The keys of items that it is about, where it names any.
    keys: Option<Vec<String>>,
}

impl Permissions {
    /// Reads statements, with their references resolved.
    pub(crate) fn of<'a>(statements: impl Iterator<Item = &'a Value>) -> Self {
        let mut permissions = Self::default();
        for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
            let place = permissions.statements.len();
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            let keys = (!keys.is_null()).then(|| texts(keys));
            permissions.statements.push(Statement { resources: texts(&statement["Resource"]), keys });
            for action in texts(&statement["Action"]) {
                if action.contains('*') {
                    permissions.patterns.push((action, place));
                } else {
                    permissions.named.entry(action).or_default().push(place);
                }
            }
        }
        permissions
    }

    /// Whether an action on a resource, and on the item of this key, is allowed. `*` is the resource where the policies of
    /// this stack name no single one.
    pub(crate) fn allow(&self, action: &str, resource: &str, key: Option<&str>) -> bool {
        let named = self.named.get(action).into_iter().flatten().copied();
        let patterns = self.patterns.iter().filter(|(pattern, _)| matches(pattern, action)).map(|(_, place)| *place);
        named.chain(patterns).any(|place| self.statements[place].admits(resource, key))
    }
}

impl Statement {
    fn admits(&self, resource: &str, key: Option<&str>) -> bool {
        let fits = |patterns: &[String], text| patterns.iter().any(|pattern| matches(pattern, text));
        (resource == "*" || fits(&self.resources, resource))
            && self.keys.as_ref().is_none_or(|keys| key.is_some_and(|key| fits(keys, key)))
    }
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect(),
        _ => Vec::new(),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_allowed_goes_by_action_resource_and_key() {
        let statements = [
            json!({"Effect": "Allow", "Action": ["sqs:SendMessage", "sns:Get*"], "Resource": "arn:aws:sqs:*:Line"}),
            json!({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": ["table"],
                "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["request#*"]}}}),
            json!({"Effect": "Deny", "Action": "kms:Sign", "Resource": "*"}),
        ];
        let permissions = Permissions::of(statements.iter());
        assert!(permissions.allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:Line", None));
        assert!(!permissions.allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:Other", None));
        assert!(permissions.allow("sns:GetTopic", "*", None) && !permissions.allow("sns:Publish", "*", None));
        assert!(permissions.allow("dynamodb:GetItem", "*", Some("request#a")));
        assert!(!permissions.allow("dynamodb:GetItem", "*", Some("closure#a")));
        assert!(!permissions.allow("dynamodb:GetItem", "*", None));
        assert!(!permissions.allow("kms:Sign", "*", None));
    }
}
