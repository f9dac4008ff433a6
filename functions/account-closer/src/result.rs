//! What AWS tells: that an account is closed.

use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;
use steward::{
    audit::cloudtrail::close_account_result,
    clock,
    error::Failure,
    gateway::{Account, AccountState},
    invocation,
    runtime::budget::Budget,
    session::Protected,
    table::closures::{Closure, ClosureState, PAST_STEWARD, Told},
};

use crate::{
    AccountCloser,
    report::Report,
    work::{Room, Run},
};

impl AccountCloser {
    /// AWS tells that an account is closed. What the event says is asked for again; it may be late, doubled, or about an account
    /// that somebody else has closed.
    pub(crate) async fn closed(&self, event: &EventBridgeEvent<Value>, invocation: &str) -> Result<Report, Failure> {
        let id = close_account_result(event).ok_or_else(|| Failure::not_understood("It is no CloseAccountResult."))?;
        invocation::allow_changes()?;
        let found = self.closures.find(&id).await?;
        let answer = |state| Ok(Report::Event { account_id: id.clone(), state });
        if let (Some(closure), Some(unit)) = (found.clone().filter(Closure::is_open), &self.unit) {
            let protected = Protected::default();
            let mut run = Run::new(invocation, unit, &protected, &[], Budget::keeping(Duration::ZERO), Room::CLOSED);
            // It does nothing but look and tell: an account that is active is left to the next run.
            let (closure, _) = if closure.state.is_with_aws() || closure.state.is_final() {
                Box::pin(self.worker.one(closure, &mut run)).await?
            } else {
                Box::pin(self.worker.notice(closure, &mut run)).await?
            };
            return answer(closure.state.name());
        }
        if let Some(closure) = found.as_ref().filter(|closure| matches!(closure.state, ClosureState::Closed { .. })) {
            return answer(closure.state.name());
        }
        let account = self.organizations.find_account(&id).await?;
        let is_closed = |account: &Account| matches!(&account.state, AccountState::Other(state) if state == "CLOSED");
        let Some((account, from_unit)) =
            account.filter(is_closed).and_then(|account| account.parent.clone().map(|parent| (account, parent)))
        else {
            return answer("NOT_CLOSED");
        };
        let now = clock::now();
        let closure = Closure {
            account_id: account.id,
            account_name: account.name,
            reason: PAST_STEWARD.to_owned(),
            requested_by: None,
            requested_in: invocation.to_owned(),
            requested_at: now,
            place: 0,
            from_unit,
            closes_at: now,
            state: ClosureState::Closed { closed_at: now },
            since: now,
            // By the auditor of activities.
            told: Told::End,
            past_steward: true,
            retry_at: None,
            revision: found.map_or(1, |found| found.revision + 1),
        };
        self.closures.write(&closure).await?;
        answer(closure.state.name())
    }
}
