//! Closing accounts: taken at once, done some time later, and never more of them than AWS lets.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::input::Input;
use super::state::{AccountState, Org};
use super::{accounts, announce, error};
use crate::core::Core;
use crate::front::answer::ApiError;

/// Closures that may be in progress at once (AWS Organizations user guide, "Quotas").
const AT_ONCE: usize = 3;

/// What has been closed, and how much may be.
pub(super) struct Closures {
    /// When closures were taken, on the simulated clock, the oldest first.
    taken: Vec<Duration>,
    /// How many are taken in one window; as many as AWS publishes unless a test says otherwise.
    pub(super) quota: Option<usize>,
    /// How long one counts.
    pub(super) window: Duration,
}

impl Default for Closures {
    fn default() -> Self {
        Self { taken: Vec::new(), quota: None, window: Duration::from_hours(30 * 24) }
    }
}

impl Closures {
    /// Whether no more are taken: of so many members, a fifth may be closed in a window, 250 at least and 1,000 at most.
    fn are_used_up(&mut self, members: usize, elapsed: Duration) -> bool {
        let window = self.window;
        self.taken.retain(|at| elapsed < *at + window);
        self.taken.len() >= self.quota.unwrap_or_else(|| (members / 5).clamp(250, 1000))
    }
}

pub(super) fn close(core: &Arc<Core>, org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let account = accounts::find(org, input)?;
    let (id, state) = (account.id.clone(), account.state);
    if id == org.management {
        return Err(error::constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    }
    match state {
        AccountState::Closed => {
            return Err(error::error("AccountAlreadyClosedException", "The account is already closed."));
        }
        AccountState::PendingClosure => {
            return Err(error::error("ConflictException", "The account is already being closed."));
        }
        AccountState::Active => {}
    }
    let (members, elapsed) = (org.accounts.len() - 1, core.clock.elapsed());
    if org.closures.are_used_up(members, elapsed) {
        return Err(error::constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED"));
    }
    let closing = org.accounts.iter().filter(|account| account.state == AccountState::PendingClosure).count();
    if closing >= AT_ONCE {
        return Err(error::constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"));
    }
    org.closures.taken.push(elapsed);
    if let Some(account) = org.account_mut(&id) {
        account.state = AccountState::PendingClosure;
    }
    tokio::spawn(carry_out(core.clone(), org.management.clone(), id, Timestamp::now()));
    Ok(json!({}))
}

/// Ends a closure when its time has come, and tells about it.
async fn carry_out(core: Arc<Core>, management: String, id: String, requested: Timestamp) {
    let organizations = &core.services.organizations;
    let Some(time) = organizations.with(&management, |org| org.settings.closing_time) else { return };
    core.clock.sleep(time).await;
    let end = |org: &mut Org| {
        org.account_mut(&id)?.state = AccountState::Closed;
        Some(org.settings.events)
    };
    let Some(Some(plan)) = organizations.with(&management, end) else { return };
    announce::closure_ended(&core, &management, &id, requested, plan);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closures(taken: usize) -> Closures {
        Closures { taken: vec![Duration::ZERO; taken], ..Closures::default() }
    }

    #[test]
    fn a_fifth_of_the_members_may_be_closed_in_thirty_days_but_250_at_least_and_1000_at_most() {
        for (members, quota) in [(3, 250), (1250, 250), (2000, 400), (9000, 1000)] {
            assert!(!closures(quota - 1).are_used_up(members, Duration::from_secs(1)), "{members}");
            assert!(closures(quota).are_used_up(members, Duration::from_secs(1)), "{members}");
        }
    }

    #[test]
    fn a_closure_counts_for_as_long_as_the_window() {
        let day = Duration::from_hours(24);
        assert!(closures(250).are_used_up(3, 29 * day));
        assert!(!closures(250).are_used_up(3, 30 * day));
    }
}
