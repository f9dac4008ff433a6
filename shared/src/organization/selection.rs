//! Which accounts a person means.

use std::collections::BTreeSet;

use crate::{
    gateway::{Account, CallError, OrganizationsGateway},
    ids::{AccountId, OrganizationalUnitId},
    input::Fields,
    organization::UnitPaths,
    unit_reference::OrganizationalUnitReference,
};

/// The accounts that a person means, named in exactly one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The accounts of these ids.
    Accounts(Vec<AccountId>),
    /// Those in a unit, at any depth.
    Unit(OrganizationalUnitReference),
    /// All of the organization.
    All,
}

impl Selection {
    /// The fields of an input by which accounts are named; each is one way.
    pub const FIELDS: [&str; 3] = ["account_ids", "organizational_unit", "all"];

    /// Takes the fields of the selection; None when there is a problem, which is noted.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        const ONE: &str = "must have exactly one of account_ids, organizational_unit and all";
        let given = Self::FIELDS.map(|name| fields.is_given(name));
        let account_ids: Option<Vec<AccountId>> = fields.optional_list("account_ids");
        let unit: Option<OrganizationalUnitReference> = fields.optional("organizational_unit");
        let all = fields.optional_bool("all");
        if all == Some(false) {
            fields.note("all", "must be true or left out");
        }
        match given.iter().filter(|is_given| **is_given).count() {
            0 => fields.note("$", format!("names no accounts; {ONE}")),
            1 => {}
            _ => fields.note("$", format!("names accounts in several ways; {ONE}")),
        }
        let mut seen = BTreeSet::new();
        for (position, id) in account_ids.iter().flatten().enumerate() {
            if !seen.insert(id) {
                fields.note(&format!("account_ids[{position}]"), "is in the list twice");
            }
        }
        if account_ids.as_ref().is_some_and(Vec::is_empty) && given[0] {
            fields.note("account_ids", "must have at least one valid account id");
        }
        match (account_ids, unit, all) {
            (Some(ids), None, None) => Some(Self::Accounts(ids)),
            (None, Some(unit), None) => Some(Self::Unit(unit)),
            (None, None, Some(true)) => Some(Self::All),
            _ => None,
        }
    }

    /// The accounts. Those named by id are not looked for: who works on one describes it.
    pub async fn targets(
        &self,
        organizations: &OrganizationsGateway,
        units: &UnitPaths,
    ) -> Result<Vec<Target>, CallError> {
        let accounts = match self {
            Self::Accounts(ids) => return Ok(ids.iter().cloned().map(Target::Id).collect()),
            Self::All => organizations.list_accounts().await?,
            Self::Unit(unit) => {
                let unit = match unit {
                    OrganizationalUnitReference::Id(id) => id.clone(),
                    OrganizationalUnitReference::Path(names) => units.find(organizations, names).await?,
                };
                within(organizations.list_accounts().await?, &unit)
            }
        };
        Ok(accounts.into_iter().map(|account| Target::Known(Box::new(account))).collect())
    }
}

/// An account that is to be looked at: known already, or by its id alone.
#[derive(Debug)]
pub enum Target {
    /// As it is listed.
    Known(Box<Account>),
    /// By its id.
    Id(AccountId),
}

impl Target {
    /// Its id.
    pub fn id(&self) -> &AccountId {
        match self {
            Self::Known(account) => &account.id,
            Self::Id(id) => id,
        }
    }

    /// The account, where it is known already.
    pub fn known(&self) -> Option<&Account> {
        match self {
            Self::Known(account) => Some(account),
            Self::Id(_) => None,
        }
    }

    /// The account, described if only its id is known.
    pub async fn describe(self, organizations: &OrganizationsGateway) -> Result<Account, CallError> {
        match self {
            Self::Known(account) => Ok(*account),
            Self::Id(id) => organizations.describe_account(&id).await,
        }
    }
}

/// The accounts within a unit, at any depth; the root holds all of them.
fn within(accounts: Vec<Account>, unit: &OrganizationalUnitId) -> Vec<Account> {
    accounts.into_iter().filter(|account| account.units.contains(unit)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::AccountState;

    fn read(input: Value) -> Result<Selection, Vec<String>> {
        let mut fields = Fields::of(input);
        let selection = Selection::read(&mut fields);
        let problems: Vec<_> = fields.finish().into_iter().map(|problem| problem.path).collect();
        if problems.is_empty() { Ok(selection.expect("a selection or a problem")) } else { Err(problems) }
    }

    fn account(units: &[&str], state: AccountState) -> Account {
        let units: Vec<OrganizationalUnitId> = units.iter().map(|unit| unit.parse().unwrap()).collect();
        Account {
            id: "123456789012".parse().unwrap(),
            name: "A".to_owned(),
            email: "a@example.com".to_owned(),
            state,
            joined_at: None,
            parent: units.last().cloned(),
            units,
        }
    }

    #[test]
    fn accounts_are_named_in_one_of_three_ways() {
        let id: AccountId = "123456789012".parse().unwrap();
        assert_eq!(read(json!({"account_ids": [id]})), Ok(Selection::Accounts(vec![id])));
        let unit = "/Workloads/Test".parse().unwrap();
        assert_eq!(read(json!({"organizational_unit": "/Workloads/Test"})), Ok(Selection::Unit(unit)));
        assert_eq!(read(json!({"all": true})), Ok(Selection::All));
    }

    #[test]
    fn no_way_and_several_ways_are_problems_beside_those_of_the_fields() {
        assert_eq!(read(json!({})), Err(vec!["$".to_owned()]));
        assert_eq!(read(json!({"all": false})), Err(vec!["all".to_owned()]));
        assert_eq!(read(json!({"account_ids": []})), Err(vec!["account_ids".to_owned()]));
        let both = read(json!({"all": true, "organizational_unit": "Workloads"}));
        assert_eq!(both, Err(vec!["organizational_unit".to_owned(), "$".to_owned()]));
        let twice = read(json!({"account_ids": ["123456789012", "123456789012"]}));
        assert_eq!(twice, Err(vec!["account_ids[1]".to_owned()]));
    }

    #[test]
    fn a_unit_holds_the_accounts_of_the_units_below_it() {
        let accounts = vec![
            account(&["r-ab12"], AccountState::Active),
            account(&["r-ab12", "ou-ab12-aaaaaaaa"], AccountState::Active),
            account(&["r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb"], AccountState::Active),
        ];
        let count = |unit: &str| within(accounts.clone(), &unit.parse().unwrap()).len();
        assert_eq!((count("r-ab12"), count("ou-ab12-aaaaaaaa"), count("ou-ab12-bbbbbbbb")), (3, 2, 1));
    }
}
