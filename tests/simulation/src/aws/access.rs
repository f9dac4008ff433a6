//! Who gets in where: the accounts that documents give to each group of a project, and those that the groups of the account
//! that people sign in to reach, each as it was over time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    iam::{PATH, Tree},
    organizations::{self, Account, Organization},
};
use crate::{
    cloud::State,
    document::FIRST_UNIT,
    template::{items, texts},
    time,
};

/// The control that keeps the groups, as documents and reports have it.
pub(crate) const OF_GROUPS: &str = "jump-groups";
/// What groups call the roles.
pub(crate) const ROLES: [&str; 2] = ["admin", "operator"];
/// The project of the accounts below the first unit, and that of accounts that are named.
pub(crate) const OF_UNIT: &str = "first";
pub(crate) const OF_IDS: &str = "named";
/// The numbers of the accounts that are named.
pub(crate) const NAMED: [u64; 2] = [0, 2];

/// Accounts, by the group that reaches them.
pub(crate) type ByGroup = BTreeMap<String, BTreeSet<String>>;

/// What was seen of who gets in where.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Whether documents say it.
    pub(crate) is_said: bool,
    /// What documents give, since each time.
    pub(crate) given: Vec<(Timestamp, ByGroup)>,
    /// What groups reach, since each time.
    pub(crate) reached: Vec<(Timestamp, ByGroup)>,
    /// When somebody tampered with the groups.
    pub(crate) tampered: Vec<Timestamp>,
}

/// Looks who gets in where, now.
pub(crate) fn observe(state: &mut State) {
    if !state.access.is_said {
        return;
    }
    let now = time::now();
    let (given, reached) = (given(&state.organization), reached(&state.iam.now));
    let access = &mut state.access;
    for (seen, present) in [(&mut access.given, given), (&mut access.reached, reached)] {
        if seen.last().is_none_or(|(_, last)| *last != present) {
            seen.push((now, present));
        }
    }
}

fn given(org: &Organization) -> ByGroup {
    let active = || org.accounts.iter().filter(|account| account.state == "ACTIVE");
    let of_unit: BTreeSet<String> =
        active().filter(|account| is_below_first(account, org)).map(|account| account.id.clone()).collect();
    let named = NAMED.map(organizations::id_of);
    let of_ids: BTreeSet<String> =
        active().filter(|account| named.contains(&account.id)).map(|account| account.id.clone()).collect();
    let projects = [(OF_UNIT, of_unit), (OF_IDS, of_ids)];
    let groups = projects.iter().flat_map(|(project, accounts)| {
        ROLES.iter().map(move |role| (format!("group-{role}-{project}"), accounts.clone()))
    });
    groups.collect()
}

fn is_below_first(account: &Account, org: &Organization) -> bool {
    let mut at = account.parent.as_str();
    while let Some(unit) = org.units.iter().find(|unit| unit.id == at) {
        if unit.parent == org.root {
            return unit.name == FIRST_UNIT;
        }
        at = &unit.parent;
    }
    false
}

fn reached(tree: &Tree) -> ByGroup {
    let own = tree.groups.iter().filter(|(_, group)| group.path == PATH);
    let of_projects = own.filter(|(name, _)| [OF_UNIT, OF_IDS].iter().any(|project| name.ends_with(project)));
    let reaches = of_projects.map(|(name, group)| {
        let documents = group.policies.iter().filter_map(|arn| tree.policies.get(arn));
        let accounts = documents.flat_map(|policy| accounts(policy.document()));
        (name.clone(), accounts.collect())
    });
    reaches.filter(|(_, accounts): &(_, BTreeSet<String>)| !accounts.is_empty()).collect()
}

/// The accounts of the roles that a policy lets people assume.
fn accounts(document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let statements = items(&document["Statement"]).filter(|statement| statement["Action"] == "sts:AssumeRole");
    let arns = statements.flat_map(|statement| texts(&statement["Resource"]));
    arns.filter_map(|arn| arn.split(':').nth(4).map(ToOwned::to_owned)).collect()
}
