//! Keeping calls to the rates that AWS publishes, so that throttling stays the exception.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::CallError;
use crate::{error::Cause, invocation};

/// What one process takes of the published rates.
#[derive(Debug)]
pub(crate) struct Rates {
    share: f64,
    of: Vec<(String, f64)>,
}

impl Rates {
    /// This part of each rate, 0.25 where four processes work at the same time, and other parts of the rates of these
    /// operations. Above 1 are the shares of an account whose quotas AWS has raised.
    pub(crate) fn new(share: f64, of: Vec<(String, f64)>) -> Self {
        Self { share, of }
    }

    fn share_of(&self, operation: &str) -> f64 {
        self.of.iter().find(|(name, _)| name == operation).map_or(self.share, |(_, share)| *share)
    }
}

/// The token bucket of one published rate. It counts the calls of this process alone: other processes may still
/// cause throttling, which is then answered with the SDK's own retries.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    every: Duration,
    /// How far ahead of the steady rate a burst may get.
    ahead: Duration,
    /// When the bucket will be full again.
    full_at: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// The share of so many calls per second, and of so many at once after a pause.
    pub(crate) fn new(operation: &str, per_second: f64, burst: f64, rates: &Rates) -> Self {
        let share = rates.share_of(operation).max(0.001);
        let every = Duration::from_secs_f64((per_second * share).recip());
        Self { every, ahead: every.mul_f64((burst * share).floor().max(1.0) - 1.0), full_at: Mutex::default() }
    }

    /// Waits for the next turn, in the order of arrival. A turn that comes too late for the invocation gives
    /// [`Cause::NoTimeLeft`] at once, without a call.
    pub(crate) async fn turn(&self, operation: &'static str) -> Result<(), CallError> {
        let now = Instant::now();
        let turn = self.take(now, invocation::turns_until()).ok_or_else(|| {
            let detail = "nothing: at the published rate, its turn would come too late";
            CallError::not_sent(operation, Cause::NoTimeLeft, detail)
        })?;
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
        Ok(())
    }

    /// Takes a turn if there is one now. Else it gives [`Cause::Throttled`], without a call: for those who come back.
    pub(crate) fn turn_now(&self, operation: &'static str) -> Result<(), CallError> {
        self.take(Instant::now(), None).map(drop).ok_or_else(|| {
            let detail = "nothing: the call was held back to keep to the published rate";
            CallError::not_sent(operation, Cause::Throttled, detail)
        })
    }

    /// Lets the next turns come later by this: for whoever finds out that another process calls at the same moments.
    pub(crate) fn fall_back(&self, by: Duration) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        *full_at = Some(full_at.unwrap_or(now).max(now) + by);
    }

    /// Takes the next turn, unless it comes after both `now` and `until`.
    fn take(&self, now: Instant, until: Option<Instant>) -> Option<Instant> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.unwrap_or(now).max(now);
        let turn = now + full.duration_since(now).saturating_sub(self.ahead);
        if turn > until.unwrap_or(now).max(now) {
            return None;
        }
        *full_at = Some(full + self.every);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::invocation::lasting;

    fn limiter(per_second: f64, burst: f64, share: f64) -> RateLimiter {
        RateLimiter::new("ListRegions", per_second, burst, &Rates::new(share, Vec::new()))
    }

    /// How long so many turns take.
    async fn taking(limiter: &RateLimiter, turns: usize) -> Duration {
        let begun = Instant::now();
        for _ in 0..turns {
            limiter.turn("account:ListRegions").await.unwrap();
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_next_calls_wait_for_their_turns() {
        let limiter = limiter(20.0, 3.0, 1.0);
        lasting(Duration::from_mins(1), async {
            assert_eq!(taking(&limiter, 3).await, Duration::ZERO);
            assert_eq!(taking(&limiter, 4).await, Duration::from_millis(200));
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(taking(&limiter, 3).await, Duration::ZERO, "after a pause, and no more than a burst");
            assert_eq!(taking(&limiter, 1).await, Duration::from_millis(50));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_a_rate_is_as_much_slower_and_an_operation_may_have_its_own() {
        let quarter = limiter(40.0, 4.0, 0.25);
        let own = Rates::new(0.25, vec![("ListRegions".to_owned(), 0.5)]);
        let half = RateLimiter::new("ListRegions", 40.0, 4.0, &own);
        lasting(Duration::from_mins(1), async {
            assert_eq!(taking(&quarter, 3).await, Duration::from_millis(200));
            assert_eq!(taking(&half, 3).await, Duration::from_millis(50));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_before_the_end_of_the_invocation_is_waited_for_and_one_after_it_is_refused_at_once() {
        let limiter = limiter(0.1, 1.0, 1.0);
        lasting(Duration::from_secs(55), async {
            let begun = Instant::now();
            let all = (0..6).map(|_| async { (limiter.turn("account:ListRegions").await, begun.elapsed().as_secs()) });
            let taken = join_all(all).await;
            let seconds: Vec<_> = taken.iter().map(|(taken, at)| (taken.is_ok(), *at)).collect();
            let (waited, refused) = seconds.split_at(3);
            assert_eq!(waited, [(true, 0), (true, 10), (true, 20)], "first come, first served");
            assert_eq!(refused, [(false, 0), (false, 0), (false, 0)]);
            for error in taken.into_iter().filter_map(|(taken, _)| taken.err()) {
                assert_eq!(error.cause, Cause::NoTimeLeft);
                assert!(error.refused, "nothing was sent");
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn outside_an_invocation_there_is_no_time_to_wait() {
        let limiter = limiter(10.0, 1.0, 1.0);
        limiter.turn("account:ListRegions").await.unwrap();
        assert_eq!(limiter.turn("account:ListRegions").await.unwrap_err().cause, Cause::NoTimeLeft);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_takes_a_turn_or_none() {
        let limiter = limiter(0.1, 1.0, 1.0);
        limiter.turn_now("organizations:CreateAccount").unwrap();
        let refused = limiter.turn_now("organizations:CreateAccount").unwrap_err();
        assert_eq!((refused.cause, refused.refused), (Cause::Throttled, true));
        tokio::time::sleep(Duration::from_secs(10)).await;
        limiter.turn_now("organizations:CreateAccount").unwrap();
    }
}
