//! What a person asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{AccountName, Email, OrganizationalUnitId, RoleName},
    input::{Fields, Problem},
    unit_reference::OrganizationalUnitReference,
};

/// An account that somebody wants. `Unit` is how its organizational unit is named: as the person did
/// ([`OrganizationalUnitReference`]), or by id once it was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSpec<Unit = OrganizationalUnitId> {
    /// The account's name.
    pub account_name: AccountName,
    /// Its primary e-mail address.
    pub email: Email,
    /// Where it is to sit; the root when nobody says.
    pub organizational_unit: Option<Unit>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether its IAM users may see its bills. AWS takes this at creation alone.
    pub iam_user_access_to_billing: bool,
    /// The role that the management account may assume in it.
    pub role_name: RoleName,
}

impl AccountSpec<OrganizationalUnitReference> {
    /// Reads the input of the account requester, or lists everything that is wrong with it. `access_role` is the one
    /// role through which this stack may enter accounts: an account with another one could not get its baseline.
    pub fn read(input: Value, access_role: &RoleName) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::of(input);
        let account_name = fields.required("account_name");
        let email = fields.required("email");
        let organizational_unit = fields.optional("organizational_unit");
        let tags = fields.optional_tags("tags");
        let billing = fields.optional_bool("iam_user_access_to_billing");
        let role_name: Option<RoleName> = fields.optional("role_name");
        if role_name.as_ref().is_some_and(|name| name != access_role) {
            fields.note("role_name", format!("must be {access_role}, through which this stack enters accounts"));
        }
        let problems = fields.finish();
        match (account_name, email) {
            (Some(account_name), Some(email)) if problems.is_empty() => Ok(Self {
                account_name,
                email,
                organizational_unit,
                tags: tags.unwrap_or_default(),
                iam_user_access_to_billing: billing.unwrap_or(true),
                role_name: access_role.clone(),
            }),
            _ => Err(problems),
        }
    }

    /// The same spec with its unit by id.
    pub fn in_unit(self, organizational_unit: Option<OrganizationalUnitId>) -> AccountSpec {
        AccountSpec {
            account_name: self.account_name,
            email: self.email,
            organizational_unit,
            tags: self.tags,
            iam_user_access_to_billing: self.iam_user_access_to_billing,
            role_name: self.role_name,
        }
    }
}

impl AccountSpec {
    /// The names of the fields in which two specs for one address differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            ("account_name", self.account_name == other.account_name),
            ("organizational_unit", self.organizational_unit == other.organizational_unit),
            ("tags", self.tags == other.tags),
            ("iam_user_access_to_billing", self.iam_user_access_to_billing == other.iam_user_access_to_billing),
            ("role_name", self.role_name == other.role_name),
        ]
        .into_iter()
        .filter_map(|(name, same)| (!same).then_some(name))
        .collect()
    }
}

#[cfg(test)]
impl AccountSpec {
    /// An account as it is asked for by its name and address alone.
    pub(crate) fn named(account_name: &str, email: &str) -> Self {
        Self {
            account_name: account_name.parse().unwrap(),
            email: email.parse().unwrap(),
            organizational_unit: None,
            tags: BTreeMap::new(),
            iam_user_access_to_billing: true,
            role_name: RoleName::organization_account_access(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(input: Value) -> Result<AccountSpec<OrganizationalUnitReference>, Vec<Problem>> {
        AccountSpec::read(input, &RoleName::organization_account_access())
    }

    #[test]
    fn the_smallest_input_gets_the_defaults() {
        let spec = read(json!({"account_name": "Sandbox", "email": "a@example.com"})).unwrap();
        assert_eq!(spec.role_name.as_str(), "OrganizationAccountAccessRole");
        assert!(spec.iam_user_access_to_billing && spec.tags.is_empty() && spec.organizational_unit.is_none());
    }

    #[test]
    fn an_input_that_is_wrong_in_many_ways_gets_one_answer_that_names_them_all() {
        let tags: serde_json::Map<_, _> = (0..60).map(|i| (format!("k{i}"), json!("v"))).collect();
        let problems = read(json!({
            "account_name": "x".repeat(51), "email": "nobody", "organizational_unit": "Workloads", "tags": tags,
            "iam_user_access_to_billing": "yes", "role_name": "no spaces", "colour": "blue",
        }))
        .unwrap_err();
        let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "account_name",
                "email",
                "organizational_unit",
                "tags",
                "iam_user_access_to_billing",
                "role_name",
                "colour"
            ]
        );
    }

    #[test]
    fn missing_fields_are_named_and_a_text_is_no_input() {
        let paths = |input| read(input).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(paths(json!({})), ["account_name", "email"]);
        assert_eq!(paths(json!({"account_name": null, "email": 7})), ["account_name", "email"]);
        assert_eq!(paths(json!("not json")), ["$"]);
    }

    #[test]
    fn a_role_that_this_stack_may_not_assume_is_refused_before_an_account_has_it() {
        let spec = |role| read(json!({"account_name": "A", "email": "a@example.com", "role_name": role}));
        assert!(spec("OrganizationAccountAccessRole").is_ok());
        assert_eq!(spec("Admin").unwrap_err()[0].path, "role_name");
    }
}
