//! What a sweep changes: the controls that the document names, where a look has found drift.
//!
//! It is changed when every account is listed and looked at. What is to be changed is in a file until then, and hours may lie
//! between its writing and its reading: whoever is to be changed is looked up at AWS again. Whether this sweep is the one that
//! may change anything is asked of the table.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use lambda_runtime::tracing;
use steward::{
    baseline::{DocumentInForce, Selectors},
    baseline_runner::BaselineRunner,
    clock,
    control::{Known, Mode, Outcome, Row, brake::Came, find, jump_groups::JumpGroups, stack_instances::SetFacts},
    error::Failure,
    gateway::{Account, AccountState, DynamoDbGateway, OrganizationsGateway, TaggingGateway},
    ids::AccountId,
    organization::AccountFacts,
    session::ineligibility,
    sweep::{Listed, Listing, RemediationLock, SweepBrake, SweepId, may_be_remediated},
    table::known_accounts::KnownAccounts,
};
use tokio::sync::OnceCell;

/// What is needed to change accounts.
#[derive(Debug)]
pub(crate) struct Remediation {
    organizations: OrganizationsGateway,
    known_accounts: KnownAccounts,
    lock: RemediationLock,
    brake: SweepBrake,
    selectors: Selectors,
    deadline: SignedDuration,
}

/// One sweep in one invocation: whether it may change anything is found out once.
pub(crate) struct OfSweep<'a> {
    pub(crate) sweep: &'a SweepId,
    pub(crate) document: &'a DocumentInForce,
    pub(crate) invocation: &'a str,
    tagging: &'a TaggingGateway,
    stack_sets: Arc<Vec<SetFacts>>,
    /// Every account, where that matters.
    listing: Option<Listing>,
    may_change: OnceCell<bool>,
}

/// What a sweep asks for when it begins, for all accounts together.
const DONE_BY_THE_LISTING: &str = "stack-instances";

impl<'a> OfSweep<'a> {
    pub(crate) fn new(
        sweep: &'a SweepId,
        document: &'a DocumentInForce,
        invocation: &'a str,
        tagging: &'a TaggingGateway,
        stack_sets: Arc<Vec<SetFacts>>,
    ) -> Self {
        Self { sweep, document, invocation, tagging, stack_sets, listing: None, may_change: OnceCell::new() }
    }

    /// The same, with the accounts that were listed.
    pub(crate) fn among(self, listing: Option<Listing>) -> Self {
        Self { listing, ..self }
    }

    /// The groups that an account is to have, where it is the jump account.
    pub(crate) async fn jump_groups(&self, account: &Account, runner: &BaselineRunner) -> Option<JumpGroups> {
        self.document.access.as_ref().filter(|access| access.jump_account == account.id)?;
        match self.among_listed().await {
            Ok(active) => {
                let groups = self.document.jump_groups(&active)?;
                Some(runner.confirmed_groups(account, groups, self.document, self.invocation).await)
            }
            Err(failure) => Some(JumpGroups::Unknown(failure)),
        }
    }

    /// The facts of all active accounts, as they were listed.
    async fn among_listed(&self) -> Result<Vec<AccountFacts>, Failure> {
        let Some(listing) = &self.listing else { return Ok(Vec::new()) };
        let active = listing.accounts.iter().filter(|account| account.account().state == AccountState::Active);
        let active: Vec<_> = active.collect();
        if let Some(failure) = active.iter().find_map(|account| account.failure.clone()) {
            return Err(failure);
        }
        let (_, by_tag) = self.document.groups_select_on();
        let ids: Vec<_> = active.iter().filter(|_| by_tag).map(|account| account.id.clone()).collect();
        let mut tags = self.tagging.tags_of_accounts(&listing.account_arns, &ids).await?;
        Ok(active.iter().map(|account| account.facts(tags.remove(&account.id).unwrap_or_default())).collect())
    }

    /// What the sweep has said of an account before it is looked at.
    pub(crate) fn known(&self, account: &Listed, tags: Option<BTreeMap<String, String>>) -> Known {
        Known {
            parent: account.units.last().cloned(),
            tags,
            units: account.units.clone(),
            stack_sets: Some(Arc::clone(&self.stack_sets)),
        }
    }
}

impl Remediation {
    pub(crate) fn new(organizations: OrganizationsGateway, table: &DynamoDbGateway, deadline: SignedDuration) -> Self {
        Self {
            selectors: Selectors::new(organizations.clone(), table.clone()),
            organizations,
            known_accounts: KnownAccounts::new(table.clone()),
            lock: RemediationLock::new(table.clone()),
            brake: SweepBrake::new(table.clone()),
            deadline,
        }
    }

    /// The rows of these controls, applied, as far as the document and this sweep may; why not, as a sentence, where nothing
    /// may be changed.
    pub(crate) async fn remediate(
        &self,
        id: &AccountId,
        controls: &[String],
        runner: &BaselineRunner,
        of: &OfSweep<'_>,
    ) -> Result<Vec<Row>, String> {
        let message = |failure: Failure| failure.message;
        let now = clock::now();
        let controls: Vec<_> = controls.iter().filter(|id| may_be_changed(id, of.document)).collect();
        let controls: Vec<_> = controls.into_iter().filter_map(|id| find(id)).collect();
        if controls.is_empty() {
            return Err("The baseline document has come to say otherwise.".to_owned());
        }
        if !*of.may_change.get_or_try_init(|| self.may_change(of)).await.map_err(message)? {
            return Err("Another sweep, or none, may change accounts at this time.".to_owned());
        }
        let account = self.organizations.describe_account(id).await.map_err(Failure::from).map_err(message)?;
        if let Some(why) = ineligibility(&account) {
            return Err(format!("Since the sweep began, {why}."));
        }
        let known_since = self.known_accounts.known_since(&account).await.map_err(Failure::from).map_err(message)?;
        if !may_be_remediated(&account, known_since, self.deadline, now) {
            return Err("The account is new: it is still being given its baseline.".to_owned());
        }
        let mut effective = runner.facts().effective(&account, of.document).await.map_err(message)?;
        effective.baseline.jump_groups = of.jump_groups(&account, runner).await;
        let admission = runner.admit(&account, of.document).await.map_err(message)?;
        if admission.is_own() {
            return Err("It is the management account, which sweeps leave alone.".to_owned());
        }
        let visit = runner.visit(&admission, &account, of.invocation);
        if let Some(why) = self.brake.take(of.sweep).await.map_err(Failure::from).map_err(message)? {
            return Err(why);
        }
        let rows = runner.run(&controls, visit, &effective, Mode::Apply).await;
        if Came::of_rows(&rows) == Came::Failed
            && let Err(error) = self.brake.failed(of.sweep).await
        {
            tracing::warn!(account_id = %id, "a failure could not be counted: {error}");
        }
        Ok(rows)
    }

    async fn may_change(&self, of: &OfSweep<'_>) -> Result<bool, Failure> {
        self.selectors.allow_remediation(of.document).await?;
        Ok(self.lock.is_at(of.sweep, clock::now()).await?)
    }
}

/// The controls that have drifted, of which a change is Steward's, and that the document lets a sweep put right.
pub(crate) fn drifted(rows: &[Row], document: &DocumentInForce) -> Vec<String> {
    let is_drifted = |row: &&Row| matches!(row.outcome, Outcome::Drifted { .. }) && !row.outcome.is_left_to_people();
    let ids = rows.iter().filter(is_drifted).map(|row| row.control.as_str());
    ids.filter(|id| may_be_changed(id, document)).map(ToOwned::to_owned).collect()
}

fn may_be_changed(control: &str, document: &DocumentInForce) -> bool {
    document.remediates(control) && control != DONE_BY_THE_LISTING
}
