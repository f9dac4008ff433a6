//! Letting the groups of the jump account reach a new account.

use lambda_runtime::tracing;
use steward::{
    baseline::Document,
    clock,
    control::{Control, Mode, Row, find, jump_groups::JumpGroupsControl},
    error::{Cause, Failure},
    ids::AccountId,
    invocation::time_left,
};

use crate::BaselineApplier;

impl BaselineApplier {
    /// The row of the jump account's groups once they are as they should be, so that a new account is reachable by those whose
    /// project it falls under. None where the document says nothing about access, or the account is the jump account, whose
    /// groups come with its baseline.
    pub(crate) async fn reach(&self, new: &AccountId, document: &Document, invocation: &str) -> Option<Row> {
        let access = document.access.as_ref().filter(|access| access.jump_account != *new)?;
        let jump_account = &access.jump_account;
        let control = find(JumpGroupsControl::ID)?;
        // Of two that list the accounts and write, the one that has listed first must not write last. One invocation works off
        // several messages, so the turn is the account's.
        let turn = format!("{invocation}#{new}");
        let failed = |failure| Some(Row::stopped(jump_account, control, failure));
        match self.turns.begin(jump_account, &turn, time_left(), clock::now()).await {
            Ok(true) => {}
            Ok(false) => {
                let why = "Another invocation is at work on the jump account.";
                return failed(Failure::with_detail(Cause::NoTimeLeft, why));
            }
            Err(error) => return failed(error.into()),
        }
        let row = self.groups_row(jump_account, document, invocation).await;
        if let Err(error) = self.turns.end(jump_account, &turn, clock::now()).await {
            tracing::warn!(%jump_account, "the turn could not be given back, and ends with this invocation: {error}");
        }
        match row {
            Ok(row) => row,
            Err(failure) => failed(failure),
        }
    }

    async fn groups_row(
        &self,
        jump_account: &AccountId,
        document: &Document,
        invocation: &str,
    ) -> Result<Option<Row>, Failure> {
        let described = self.organizations.describe_account(jump_account).await?;
        let controls: Vec<_> = find(JumpGroupsControl::ID).into_iter().collect();
        let rows = self.runner.run_in(&described, document, &controls, Mode::Apply, invocation).await?;
        Ok(rows.into_iter().next())
    }
}
