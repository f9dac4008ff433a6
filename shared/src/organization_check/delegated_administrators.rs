//! # delegated-administrators
//!
//! **What it does.** Registers accounts as administrators of a service for the organization. Others that administer it stay.
//!
//! **Why.** Security and network teams work in accounts of their own, and not in the management account.
//!
//! **Desired state.** A list of `{service, account}`. Only accounts of the stack parameter `DelegatedAdministrators` are
//! registered: IAM allows no other, so that whoever may write the document cannot give power to an account of their own.
//!
//! **Calls.** A compliant organization costs one page of `ListAWSServiceAccessForOrganization` and one
//! `ListDelegatedAdministrators` for each service that is named.
//!
//! **Source.** AWS Organizations user guide, "Delegated administrator for AWS services that work with Organizations": an
//! account is registered for a service that has trusted access.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    OrganizationScope, OrganizationSection,
    trusted_access::{TrustedService, trusted},
};
use crate::{closed_set::ClosedSet, control::Control, gateway::CallError, ids::AccountId};

/// One entry of the section `delegated-administrators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegatedAdministrator {
    /// The service, by its principal.
    pub service: TrustedService,
    /// The account that administers it.
    pub account: AccountId,
}

/// The accounts that administer the services that were asked about, and those that may be made to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    present: BTreeMap<TrustedService, BTreeSet<AccountId>>,
    allowed: Vec<AccountId>,
}

impl Actual {
    fn missing<'a>(
        &'a self,
        desired: &'a [DelegatedAdministrator],
    ) -> impl Iterator<Item = &'a DelegatedAdministrator> {
        let is_there = |entry: &DelegatedAdministrator| {
            self.present.get(&entry.service).is_some_and(|present| present.contains(&entry.account))
        };
        desired.iter().filter(move |entry| !is_there(entry))
    }
}

/// Registers one account for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change(DelegatedAdministrator);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "let account {} administer {}", self.0.account, self.0.service.name())
    }
}

/// The check `delegated-administrators`.
#[derive(Clone, Copy, Debug)]
pub struct DelegatedAdministratorsCheck;

impl Control<OrganizationSection> for DelegatedAdministratorsCheck {
    const ID: &'static str = "delegated-administrators";
    const READS: &'static [&'static str] =
        &["organizations:ListAWSServiceAccessForOrganization", "organizations:ListDelegatedAdministrators"];
    const WRITES: &'static [&'static str] = &["organizations:RegisterDelegatedAdministrator"];
    type Scope = OrganizationScope;
    type Desired = Vec<DelegatedAdministrator>;
    type Actual = Actual;
    type Change = Change;

    fn desired(section: &OrganizationSection) -> Option<&Vec<DelegatedAdministrator>> {
        (!section.delegated_administrators.is_empty()).then_some(&section.delegated_administrators)
    }

    async fn inspect(
        &self,
        scope: &OrganizationScope,
        desired: &Vec<DelegatedAdministrator>,
    ) -> Result<Actual, CallError> {
        let trusted = trusted(scope).await?;
        let services: BTreeSet<TrustedService> = desired.iter().map(|entry| entry.service).collect();
        let mut present = BTreeMap::new();
        for service in services.intersection(&trusted) {
            let accounts = scope.read.organizations.list_delegated_administrators(service.name()).await?;
            present.insert(*service, accounts.into_iter().collect());
        }
        Ok(Actual { present, allowed: scope.allowed_administrators.clone() })
    }

    fn plan(&self, _: &OrganizationScope, desired: &Vec<DelegatedAdministrator>, actual: &Actual) -> Vec<Change> {
        let may_be = |entry: &&DelegatedAdministrator| actual.allowed.contains(&entry.account);
        actual.missing(desired).filter(may_be).cloned().map(Change).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, Change(entry): &Change) -> Result<(), CallError> {
        scope.write.organizations.register_delegated_administrator(&entry.account, entry.service.name()).await
    }

    fn by_hand(&self, desired: &Vec<DelegatedAdministrator>, actual: &Actual) -> Vec<String> {
        let refused = actual.missing(desired).filter(|entry| !actual.allowed.contains(&entry.account));
        let words = |entry: &DelegatedAdministrator| {
            format!(
                "account {} does not administer {}, and must be among the accounts of the stack parameter \
                 DelegatedAdministrators before Steward may let it",
                entry.account,
                entry.service.name()
            )
        };
        refused.map(words).collect()
    }

    fn are_concurrent(&self, _one: &Change, _next: &Change) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
