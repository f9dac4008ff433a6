//! Letting the groups of the jump account reach the accounts of their projects, as soon as something has happened to one.

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::tracing;
use steward::{
    baseline::{Document, DocumentInForce},
    clock,
    control::{Conclusion, Control, Outcome, Row, conclude, find, jump_groups::JumpGroupsControl},
    error::{Cause, Failure, Retry},
    events::{BaselineIncomplete, JumpGroupsChanged},
    ids::AccountId,
    invocation::time_left,
    organization::Rearranged,
};

use crate::{BaselineApplier, message::Regroup};

/// When a unit that has another name is looked at once more: other processes believe the old one for five minutes, and may have
/// gone by it in between.
const NOBODY_BELIEVES_IT: Duration = Duration::from_mins(6);

impl BaselineApplier {
    /// The row of the jump account's groups once they are as they should be, so that a new account is reachable by those whose
    /// project it falls under. None where the document says nothing about access, or the account is the jump account, whose
    /// groups come with its baseline.
    pub(crate) async fn reach(&self, new: &AccountId, document: &Document, invocation: &str) -> Option<Row> {
        document.access.as_ref().filter(|access| access.jump_account != *new)?;
        // It sits somewhere for the first time.
        self.regrouped(&Rearranged::Moved(new.clone()), document, invocation).await
    }

    /// Makes the groups right after something has happened to accounts. What cannot be done yet is tried again later, until the
    /// deadline.
    pub(crate) async fn regroup(&self, regroup: Regroup, invocation: &str) -> Result<Vec<Row>, Failure> {
        let document = self.runner.document().await?;
        let happened = &regroup.happened;
        if !document.groups_depend_on(happened) {
            return Ok(Vec::new());
        }
        let is_renamed = matches!(happened, Rearranged::Renamed(_));
        if is_renamed {
            self.selectors.forget().await;
        }
        if let Err(failure) = self.selectors.allow_changes(&document).await {
            return self.not_regrouped(regroup, failure, &document).await;
        }
        let Some(row) = self.regrouped(happened, &document, invocation).await else { return Ok(Vec::new()) };
        let rows = vec![row.clone()];
        match conclude(&rows, regroup.since, clock::now(), self.deadline, self.backoff) {
            Conclusion::Applied => {
                if let Outcome::Fixed { applied } = row.outcome {
                    let why = happened.to_string();
                    self.bus.put(&JumpGroupsChanged { account_id: row.account_id, why, applied }).await?;
                }
                if let Some(wait) = self.last_look(&regroup, clock::now()) {
                    let last = Regroup { is_last: true, ..regroup };
                    self.queue.send(&last.again(), wait).await?;
                }
            }
            Conclusion::LookAgain(wait) => self.queue.send(&regroup.again(), wait).await?,
            Conclusion::Incomplete(failure) => self.incomplete(failure, rows.clone(), &document).await?,
        }
        Ok(rows)
    }

    /// After which time it is looked at once more although all seems done; None when that is no use. News may come before AWS
    /// shows what they tell of (AWS Organizations API reference, "eventually consistent").
    fn last_look(&self, regroup: &Regroup, now: Timestamp) -> Option<Duration> {
        let shown_after = self.backoff.lookup_patience();
        let is_shown = Duration::try_from(now.duration_since(regroup.since)).is_ok_and(|since| since > shown_after);
        match &regroup.happened {
            _ if regroup.is_last => None,
            Rearranged::Renamed(_) => Some(NOBODY_BELIEVES_IT),
            _ => (!is_shown).then_some(shown_after),
        }
    }

    /// Nothing was changed, and will not be before something else has happened.
    async fn not_regrouped(
        &self,
        regroup: Regroup,
        failure: Failure,
        document: &DocumentInForce,
    ) -> Result<Vec<Row>, Failure> {
        let Retry::AfterSeconds(seconds) = failure.cause.row().retry else { return Err(failure) };
        if clock::now().duration_since(regroup.since) < self.deadline {
            tracing::warn!("{failure}");
            self.queue.send(&regroup.again(), Duration::from_secs(seconds.into())).await?;
        } else {
            self.incomplete(failure, Vec::new(), document).await?;
        }
        Ok(Vec::new())
    }

    async fn incomplete(
        &self,
        failure: Failure,
        controls: Vec<Row>,
        document: &DocumentInForce,
    ) -> Result<(), Failure> {
        let Some(access) = &document.access else { return Ok(()) };
        let (account_id, baseline_refused) = (access.jump_account.clone(), document.refused.clone());
        let event = BaselineIncomplete { account_id, request_id: None, failure, controls, baseline_refused };
        Ok(self.bus.put(&event).await?)
    }

    async fn regrouped(&self, happened: &Rearranged, document: &Document, invocation: &str) -> Option<Row> {
        let jump_account = &document.access.as_ref()?.jump_account;
        let control = find(JumpGroupsControl::ID)?;
        // Of two that look at accounts and write, the one that has looked first must not write last. One invocation works off
        // several messages, so the turn is the message's.
        let turn = format!("{invocation}#{happened:?}");
        let failed = |failure| Some(Row::stopped(jump_account, control, failure));
        match self.turns.begin(jump_account, &turn, time_left(), clock::now()).await {
            Ok(true) => {}
            Ok(false) => {
                let why = "Another invocation is at work on the jump account.";
                return failed(Failure::with_detail(Cause::NoTimeLeft, why));
            }
            Err(error) => return failed(error.into()),
        }
        let row = self.groups_row(jump_account, happened, document, invocation).await;
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
        happened: &Rearranged,
        document: &Document,
        invocation: &str,
    ) -> Result<Option<Row>, Failure> {
        let described = self.organizations.describe_account(jump_account).await?;
        self.runner.regroup(&described, document, happened, invocation).await
    }
}
