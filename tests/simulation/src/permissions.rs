//! What a role may do, by the statements of its policies.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the statements of a role allow, found by the action. Of the conditions, those on the keys of items and on the domains
/// of new addresses count; the others are taken as met: they narrow what a call says of itself, or where a role is, and here every account is one of the
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
    /// The domains of new addresses, where it names any.
    domains: Option<Vec<String>>,
}

/// What an action is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The ARN; `*` where the policies of this stack name no single resource.
    pub(crate) resource: &'a str,
    /// The key of the item.
    pub(crate) key: Option<&'a str>,
    /// The domain of the new address; empty where there is none.
    pub(crate) domain: &'a str,
}

impl Permissions {
    /// Reads statements, with their references resolved.
    pub(crate) fn of<'a>(statements: impl Iterator<Item = &'a Value>) -> Self {
        let mut permissions = Self::default();
        for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
            let place = permissions.statements.len();
            let condition = |operator: &str, key: &str| {
                let named = &statement["Condition"][operator][key];
                (!named.is_null()).then(|| texts(named))
            };
            permissions.statements.push(Statement {
                resources: texts(&statement["Resource"]),
                keys: condition("ForAllValues:StringLike", "dynamodb:LeadingKeys"),
                domains: condition("StringEqualsIgnoreCase", "account:EmailTargetDomain"),
            });
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

    /// Whether an action is allowed.
    pub(crate) fn allow(&self, action: &str, about: &About<'_>) -> bool {
        let named = self.named.get(action).into_iter().flatten().copied();
        let patterns = self.patterns.iter().filter(|(pattern, _)| matches(pattern, action)).map(|(_, place)| *place);
        named.chain(patterns).any(|place| self.statements[place].admits(about))
    }
}

impl Statement {
    fn admits(&self, about: &About<'_>) -> bool {
        let fits = |patterns: &[String], text| patterns.iter().any(|pattern| matches(pattern, text));
        let is_of_domain =
            |domains: &Vec<String>| domains.iter().any(|domain| domain.eq_ignore_ascii_case(about.domain));
        (about.resource == "*" || fits(&self.resources, about.resource))
            && self.keys.as_ref().is_none_or(|keys| about.key.is_some_and(|key| fits(keys, key)))
            && self.domains.as_ref().is_none_or(is_of_domain)
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
            json!({"Effect": "Allow", "Action": "account:StartPrimaryEmailUpdate", "Resource": "*",
                "Condition": {"StringEqualsIgnoreCase": {"account:EmailTargetDomain": ["Example.com"]}}}),
            json!({"Effect": "Deny", "Action": "kms:Sign", "Resource": "*"}),
        ];
        let permissions = Permissions::of(statements.iter());
        let allow = |action, resource, key, domain| permissions.allow(action, &About { resource, key, domain });
        assert!(allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:Line", None, ""));
        assert!(!allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:Other", None, ""));
        assert!(allow("sns:GetTopic", "*", None, "") && !allow("sns:Publish", "*", None, ""));
        assert!(allow("dynamodb:GetItem", "*", Some("request#a"), ""));
        assert!(!allow("dynamodb:GetItem", "*", Some("closure#a"), ""));
        assert!(!allow("dynamodb:GetItem", "*", None, ""));
        assert!(allow("account:StartPrimaryEmailUpdate", "x", None, "example.com"));
        assert!(!allow("account:StartPrimaryEmailUpdate", "x", None, "example.org"));
        assert!(!allow("kms:Sign", "*", None, ""));
    }
}
