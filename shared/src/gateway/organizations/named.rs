//! The accounts of a stack that has no organization: those that its document names. Here alone is decided who is asked for
//! accounts and units, so that nobody above has to mind; what only an organization can do is refused here as well, by
//! [`Cause::NeedsOrganization`].

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Account, AccountState, Aws, OrganizationalUnit, OrganizationsGateway, Source};
use crate::{
    error::{Cause, Failure},
    gateway::CallError,
    ids::{AccountId, OrganizationalUnitId},
};

/// An account as a document names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedAccount {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its primary e-mail address; empty where the document does not say.
    pub email: String,
    /// The names of the units that hold it, from the root down.
    pub unit: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Accounts that a document names. Their units have ids that are made of their names: there is nobody to give them others.
#[derive(Debug, Default)]
pub struct NamedAccounts {
    accounts: BTreeMap<AccountId, (Account, BTreeMap<String, String>)>,
    /// What is directly below a unit or the root.
    below: BTreeMap<OrganizationalUnitId, BTreeMap<OrganizationalUnitId, String>>,
}

impl FromIterator<NamedAccount> for NamedAccounts {
    fn from_iter<I: IntoIterator<Item = NamedAccount>>(accounts: I) -> Self {
        let mut all = Self::default();
        for NamedAccount { id, name, email, unit, tags } in accounts {
            let mut units = vec![OrganizationalUnitId::of_names(&[])];
            for depth in 1..=unit.len() {
                let (Some(names), Some(above)) = (unit.get(..depth), units.last().cloned()) else { break };
                let below = OrganizationalUnitId::of_names(names);
                let name = names.last().cloned().unwrap_or_default();
                all.below.entry(above).or_default().insert(below.clone(), name);
                units.push(below);
            }
            let (state, parent) = (AccountState::Active, units.last().cloned());
            let account = Account { id: id.clone(), name, email, state, joined_at: None, parent, units };
            all.accounts.insert(id, (account, tags));
        }
        all
    }
}

impl NamedAccounts {
    pub(super) fn accounts(&self) -> Vec<Account> {
        self.accounts.values().map(|(account, _)| account.clone()).collect()
    }

    /// The account; [`Cause::NotFound`] for one that is not named.
    pub(super) fn account(&self, operation: &'static str, id: &AccountId) -> Result<Account, CallError> {
        let found = self.accounts.get(id).map(|(account, _)| account.clone());
        found.ok_or_else(|| CallError::not_sent(operation, Cause::NotFound, not_named(id)))
    }

    /// The tags of an account; [`Cause::NotFound`] for one that is not named.
    pub(in crate::gateway) fn tags(
        &self,
        operation: &'static str,
        id: &AccountId,
    ) -> Result<BTreeMap<String, String>, CallError> {
        let found = self.accounts.get(id).map(|(_, tags)| tags.clone());
        found.ok_or_else(|| CallError::not_sent(operation, Cause::NotFound, not_named(id)))
    }

    pub(super) fn unit(&self, id: &OrganizationalUnitId) -> Option<OrganizationalUnit> {
        let name = self.below.values().find_map(|units| units.get(id))?;
        Some(OrganizationalUnit { id: id.clone(), name: name.clone() })
    }

    pub(super) fn units_below(&self, parent: &OrganizationalUnitId) -> Vec<OrganizationalUnit> {
        let units = self.below.get(parent).into_iter().flatten();
        units.map(|(id, name)| OrganizationalUnit { id: id.clone(), name: name.clone() }).collect()
    }
}

fn not_named(id: &AccountId) -> String {
    format!("nothing: the baseline document names no account {id}")
}

/// The accounts of the document in force, for every gateway of a process. Whoever reads the document puts them here.
#[derive(Clone, Debug, Default)]
pub struct Roster(Arc<RwLock<Option<Arc<NamedAccounts>>>>);

impl Roster {
    /// Takes the accounts of a document in the place of those before.
    pub fn replace(&self, accounts: NamedAccounts) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(accounts));
    }

    /// The accounts of the document that was read last.
    pub(in crate::gateway) fn read(&self, operation: &'static str) -> Result<Arc<NamedAccounts>, CallError> {
        let read = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        read.ok_or_else(|| {
            let why = "nothing: the baseline document, which names the accounts, was not read before";
            CallError::not_sent(operation, Cause::CallFailed, why)
        })
    }
}

/// What the accounts have in common, for whoever goes through all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are the accounts of an organization.
    Organization(super::Organization),
    /// The document names them.
    Document,
}

impl Origin {
    /// What stands for an organization in reports where there is none.
    pub const NO_ORGANIZATION: &'static str = "none";

    /// The organization's id, or that there is none.
    pub fn id(&self) -> &str {
        match self {
            Self::Organization(organization) => &organization.id,
            Self::Document => Self::NO_ORGANIZATION,
        }
    }

    /// The account that manages the others from outside, and is none of them.
    pub fn management_account(&self) -> Option<&AccountId> {
        match self {
            Self::Organization(organization) => Some(&organization.management_account),
            Self::Document => None,
        }
    }

    /// What the ARNs of the accounts begin with in AWS Organizations; empty where they are not there.
    pub fn account_arns(&self) -> String {
        match self {
            Self::Organization(organization) => organization.account_arns(),
            Self::Document => String::new(),
        }
    }
}

impl OrganizationsGateway {
    /// The accounts of this roster, in the place of those of an organization.
    pub(in crate::gateway) fn of_roster(roster: Roster) -> Self {
        Self { source: Source::Document(roster) }
    }

    /// A failure where there is no organization, for who can do nothing without one.
    pub fn expect_organization(&self) -> Result<(), Failure> {
        match self.source {
            Source::Organization(_) => Ok(()),
            Source::Document(_) => Err(Failure::new(Cause::NeedsOrganization)),
        }
    }

    /// What all accounts have in common.
    pub async fn origin(&self) -> Result<Origin, CallError> {
        match self.source {
            Source::Organization(_) => Ok(Origin::Organization(self.describe_organization().await?)),
            Source::Document(_) => Ok(Origin::Document),
        }
    }

    /// An account that a parameter of the stack names, as AWS Organizations shows it. Where there is none, the parameter
    /// itself is all that is known of it, and all that it takes.
    pub async fn account_of_stack(&self, id: &AccountId) -> Result<Account, CallError> {
        match self.source {
            Source::Organization(_) => self.describe_account(id).await,
            Source::Document(_) => Ok(Account {
                id: id.clone(),
                name: String::new(),
                email: String::new(),
                state: AccountState::Active,
                joined_at: None,
                parent: None,
                units: Vec::new(),
            }),
        }
    }

    /// AWS Organizations; [`Cause::NeedsOrganization`] where there is no organization.
    pub(super) fn aws(&self, operation: &'static str) -> Result<&Aws, CallError> {
        match &self.source {
            Source::Organization(aws) => Ok(aws),
            Source::Document(_) => {
                let why = "nothing: it was not called, as the accounts come from the baseline document";
                Err(CallError::not_sent(operation, Cause::NeedsOrganization, why))
            }
        }
    }

    /// The accounts that the document names; None where an organization has them.
    pub(super) fn named(&self, operation: &'static str) -> Result<Option<Arc<NamedAccounts>>, CallError> {
        match &self.source {
            Source::Organization(_) => Ok(None),
            Source::Document(roster) => roster.read(operation).map(Some),
        }
    }
}
