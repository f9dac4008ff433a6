//! Which roles in which accounts the policies of groups let people assume. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// A role in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Target {
    /// The account; `*` where the policy names any.
    pub(crate) account_id: String,
    /// The role, with its path: `role-admin` or `people/role-admin`.
    pub(crate) role: String,
    /// Its ARN.
    pub(crate) role_arn: String,
}

impl Target {
    /// Whether the policy names any account.
    pub(crate) fn is_anywhere(&self) -> bool {
        self.account_id.contains('*')
    }

    fn of(arn: &str) -> Option<Self> {
        let ["arn", _, "iam", "", account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else { return None };
        let role = resource.strip_prefix("role/").filter(|role| !role.is_empty())?;
        Some(Self { account_id: account.to_owned(), role: role.to_owned(), role_arn: arn.to_owned() })
    }
}

/// The roles that a policy lets somebody assume; what is no such policy lets nobody assume any.
pub(crate) fn targets(document: &str) -> BTreeSet<Target> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let statements = one_or_many(&document["Statement"]).into_iter();
    let allowing = statements.filter(|statement| {
        let actions = one_or_many(&statement["Action"]).into_iter().filter_map(Value::as_str);
        statement["Effect"] == "Allow"
            && actions.into_iter().any(|action| action.eq_ignore_ascii_case("sts:AssumeRole"))
    });
    let resources = allowing.flat_map(|statement| one_or_many(&statement["Resource"]));
    resources.filter_map(Value::as_str).filter_map(Target::of).collect()
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_reaches_the_roles_that_it_lets_people_assume_and_no_others() {
        let document = json!({"Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole",
                "Resource": ["arn:aws:iam::222222222222:role/role-admin", "arn:aws:iam::333333333333:role/people/role-a"]},
            {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "arn:aws:iam::*:role/role-operator"},
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::444444444444:role/role-admin"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:iam::555555555555:role/role-admin"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
        ]});
        let found: Vec<_> = targets(&document.to_string()).into_iter().map(|one| (one.account_id, one.role)).collect();
        let expected = [("*", "role-operator"), ("222222222222", "role-admin"), ("333333333333", "people/role-a")];
        assert_eq!(found, expected.map(|(account, role)| (account.to_owned(), role.to_owned())));
        assert!(targets(&document.to_string()).first().unwrap().is_anywhere());
    }

    #[test]
    fn what_is_no_policy_reaches_nothing() {
        for text in ["", "[]", "{}", r#"{"Statement": 7}"#] {
            assert!(targets(text).is_empty(), "{text}");
        }
    }
}
