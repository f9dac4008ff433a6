//! Which roles people can switch to in which account: `access.html` for people, `aws-config` for the AWS CLI and
//! `extend-switch-roles.ini` for the browser extension AWS Extend Switch Roles; and `access.json`, how people know the accounts.

mod color;
mod files;
mod page;
mod profiles;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Checked, Error, Sweep};

/// What an account offers to people by its baseline, as the sweep has written it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offered {
    /// The account that people come from.
    pub jump_account: Option<String>,
    /// Where the roles stand in the account's tree of names.
    pub path: String,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// Whether one has to know an external id: the console cannot switch to such a role.
    pub needs_external_id: bool,
    /// The name of the account's color in the console.
    pub color: Option<String>,
}

/// Every account in which there is something to switch to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    organization_id: String,
    finished_at: Timestamp,
    /// By unit, name and id.
    accounts: Vec<Reachable>,
    /// How many accounts could not be told about.
    unknown: usize,
}

/// What `access.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The accounts in which there is something to switch to, by their ids.
    pub accounts: BTreeMap<String, Named>,
}

/// How people know an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its color in the console: red, green and blue as six hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// An account in which there is something to switch to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reachable {
    id: String,
    name: String,
    unit: String,
    jump_account: String,
    /// The roles, each with its path and without the slash before it: `people/role-admin`.
    roles: Vec<String>,
    needs_external_id: bool,
    color: Option<&'static color::Color>,
}

impl Access {
    /// What the accounts of a sweep offer. Those that are not looked at are left out, which are closed or on their way out. Those
    /// of which nothing is known are counted.
    pub fn new(sweep: &Sweep, mut offered: HashMap<String, Offered>) -> Self {
        let (mut accounts, mut unknown) = (Vec::new(), 0);
        for account in &sweep.accounts {
            if matches!(account.checked, Checked::NotChecked { .. }) {
                continue;
            }
            let Some(offered) = offered.remove(&account.id) else {
                unknown += 1;
                continue;
            };
            let Some(jump_account) = offered.jump_account.filter(|_| !offered.roles.is_empty()) else { continue };
            let path = offered.path.trim_start_matches('/');
            accounts.push(Reachable {
                id: account.id.clone(),
                name: account.name.clone(),
                unit: account.unit.clone(),
                jump_account,
                roles: offered.roles.iter().map(|role| format!("{path}{role}")).collect(),
                needs_external_id: offered.needs_external_id,
                color: offered.color.as_deref().and_then(color::named),
            });
        }
        accounts.sort_by(|a, b| (&a.unit, &a.name, &a.id).cmp(&(&b.unit, &b.name, &b.id)));
        Self { organization_id: sweep.organization_id.clone(), finished_at: sweep.finished_at, accounts, unknown }
    }

    /// `access.html`, for people: one file that needs nothing beside it.
    pub fn to_html(&self) -> Result<String, Error> {
        page::write(self)
    }

    /// `aws-config`: profiles for `~/.aws/config`, which the AWS CLI, the SDKs and aws-vault read.
    pub fn to_aws_config(&self) -> String {
        files::aws_config(self)
    }

    /// `extend-switch-roles.ini`: the configuration of AWS Extend Switch Roles.
    pub fn to_extend_switch_roles(&self) -> String {
        files::extend_switch_roles(self)
    }

    /// `access.json`, for programs: the names and colors of the accounts.
    pub fn to_json(&self) -> Result<String, Error> {
        let named = |one: &Reachable| {
            (one.id.clone(), Named { name: one.name.clone(), color: one.color.map(|c| c.rgb.into()) })
        };
        let accounts = self.accounts.iter().map(named).collect();
        serde_json::to_string(&Directory { accounts }).map_err(Error::AccessJson)
    }

    /// Whether the extension has a color of this name.
    pub fn knows_color(name: &str) -> bool {
        color::named(name).is_some()
    }

    /// How many roles there are in all accounts.
    fn roles(&self) -> usize {
        self.accounts.iter().map(|account| account.roles.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, compliant, not_checked, sweep, unreachable};

    pub(super) fn offered(color: Option<&str>) -> Offered {
        Offered {
            jump_account: Some("999999999999".into()),
            path: "/people/".into(),
            roles: vec!["role-admin".into(), "role-operator".into()],
            needs_external_id: false,
            color: color.map(Into::into),
        }
    }

    /// Accounts with these names, numbered from 1.
    pub(super) fn named(names: &[&str], offered: &Offered) -> Access {
        let id = |number: usize| format!("{number:012}");
        let all = (1..).zip(names).map(|(number, name)| crate::Account {
            name: (*name).to_owned(),
            ..account(&id(number), vec![compliant("switch-roles")])
        });
        let offered = (1..=names.len()).map(|number| (id(number), offered.clone())).collect();
        Access::new(&sweep(1, all.collect()), offered)
    }

    #[test]
    fn programs_get_the_name_and_the_color_of_each_account() {
        let text = named(&["Shop", "Till"], &offered(Some("red"))).to_json().unwrap();
        let directory: Directory = serde_json::from_str(&text).unwrap();
        let shop = &directory.accounts["000000000001"];
        assert_eq!((shop.name.as_str(), shop.color.as_deref()), ("Shop", Some("c92a2a")));
        assert_eq!(directory.accounts.len(), 2);
    }

    #[test]
    fn accounts_that_are_not_looked_at_are_left_out_and_unknown_ones_are_counted() {
        let accounts = vec![
            account("1", vec![compliant("switch-roles")]),
            not_checked("2"),
            unreachable("3"),
            unreachable("4"),
            account("5", vec![compliant("switch-roles")]),
        ];
        let offered = [("1", offered(None)), ("2", offered(None)), ("3", offered(None)), ("5", Offered::default())];
        let access = Access::new(&sweep(1, accounts), offered.map(|(id, one)| (id.to_owned(), one)).into());
        // What is known of an account that could not be entered is what the document says: that is offered.
        assert_eq!(access.accounts.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!((access.unknown, access.roles()), (1, 4));
        assert_eq!(access.accounts[0].roles, ["people/role-admin", "people/role-operator"]);
    }
}
