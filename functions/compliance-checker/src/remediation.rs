//! What a sweep changes: the controls that the document names, where a look has found drift.
//!
//! A batch is a file, and hours may lie between its writing and its reading: whoever is to be changed is looked up at AWS
//! again. Whether this sweep is the one that may change anything is asked of the table.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use lambda_runtime::tracing;
use steward::{
    baseline::{DocumentInForce, Selectors},
    baseline_runner::BaselineRunner,
    clock,
    control::{
        AnyControl, Known, Mode, Outcome, Row, brake::Came, find, jump_groups::JumpGroups, stack_instances::SetFacts,
    },
    error::Failure,
    gateway::{DynamoDbGateway, OrganizationsGateway},
    ids::AccountId,
    sweep::{Listed, RemediationLock, SweepBrake, SweepId, may_be_remediated},
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

/// One sweep in one invocation: whether it may change anything is found out once, when the first drift is.
pub(crate) struct OfSweep<'a> {
    pub(crate) sweep: &'a SweepId,
    pub(crate) document: &'a DocumentInForce,
    pub(crate) invocation: &'a str,
    stack_sets: Arc<Vec<SetFacts>>,
    may_change: OnceCell<bool>,
}

/// What a sweep asks for when it begins, for all accounts together.
const DONE_BY_THE_LISTING: &str = "stack-instances";

impl<'a> OfSweep<'a> {
    pub(crate) fn new(
        sweep: &'a SweepId,
        document: &'a DocumentInForce,
        invocation: &'a str,
        stack_sets: Arc<Vec<SetFacts>>,
    ) -> Self {
        Self { sweep, document, invocation, stack_sets, may_change: OnceCell::new() }
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

/// By what accounts are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) runner: &'a BaselineRunner,
    /// The groups that the account is to have, where it is the jump account.
    pub(crate) groups: Option<&'a JumpGroups>,
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

    /// The rows of an account after what has drifted was put right, as far as the document and this sweep may.
    pub(crate) async fn after(&self, rows: Vec<Row>, id: &AccountId, of: &OfSweep<'_>, means: Means<'_>) -> Vec<Row> {
        let drifted = drifted(&rows, of.document);
        if drifted.is_empty() {
            return rows;
        }
        match self.remediate(id, &drifted, of, means).await {
            Ok(changed) => {
                let mut changed: BTreeMap<_, _> = changed.into_iter().map(|row| (row.control.as_str(), row)).collect();
                rows.into_iter().map(|row| changed.remove(row.control.as_str()).unwrap_or(row)).collect()
            }
            Err(why) => {
                tracing::info!(account_id = %id, "not remediated: {why}");
                rows.into_iter().map(|row| noted(row, &drifted, &why)).collect()
            }
        }
    }

    /// The rows of these controls, applied; why not, as a sentence, where nothing may be changed.
    async fn remediate(
        &self,
        id: &AccountId,
        controls: &[&'static dyn AnyControl],
        of: &OfSweep<'_>,
        means: Means<'_>,
    ) -> Result<Vec<Row>, String> {
        let message = |failure: Failure| failure.message;
        let now = clock::now();
        if !*of.may_change.get_or_try_init(|| self.may_change(of)).await.map_err(message)? {
            return Err("Another sweep, or none, may change accounts at this time.".to_owned());
        }
        let account = self.organizations.describe_account(id).await.map_err(Failure::from).map_err(message)?;
        let known_since = self.known_accounts.known_since(&account).await.map_err(Failure::from).map_err(message)?;
        if !may_be_remediated(&account, known_since, self.deadline, now) {
            return Err("The account is new: it is still being given its baseline.".to_owned());
        }
        let mut effective = means.runner.facts().effective(&account, of.document).await.map_err(message)?;
        effective.baseline.jump_groups = means.groups.cloned();
        let admission = means.runner.admit(&account, of.document).await.map_err(message)?;
        if admission.is_own() {
            return Err("It is the management account, which sweeps leave alone.".to_owned());
        }
        let visit = means.runner.visit(&admission, &account, of.invocation);
        if let Some(why) = self.brake.take(of.sweep).await.map_err(Failure::from).map_err(message)? {
            return Err(why);
        }
        let rows = means.runner.run(controls, visit, &effective, Mode::Apply).await;
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
fn drifted(rows: &[Row], document: &DocumentInForce) -> Vec<&'static dyn AnyControl> {
    let is_drifted = |row: &&Row| matches!(row.outcome, Outcome::Drifted { .. }) && !row.outcome.is_left_to_people();
    let remediated =
        |row: &&Row| document.remediates(row.control.as_str()) && row.control.as_str() != DONE_BY_THE_LISTING;
    rows.iter().filter(is_drifted).filter(remediated).filter_map(|row| find(row.control.as_str())).collect()
}

fn noted(mut row: Row, controls: &[&'static dyn AnyControl], why: &str) -> Row {
    if controls.iter().any(|control| control.id() == row.control.as_str()) {
        row.notes.push(format!("Not changed: {why}"));
    }
    row
}
