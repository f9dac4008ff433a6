//! Keeping calls to the rates that AWS publishes, so that throttling stays the exception.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::{sync::Mutex, time::Instant};

use super::CallError;
use crate::{clock::SteadyClock, error::Cause};

/// What a function takes of the published rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Its part of each rate: 0.25 where four processes work at the same time, which no process can see for itself.
    pub share: f64,
    /// The longest wait for a turn.
    pub patience: Duration,
}

impl Default for Rates {
    /// The whole rate. Time in a function is paid for: who would wait longer than a moment comes back later.
    fn default() -> Self {
        Self { share: 1.0, patience: Duration::from_secs(3) }
    }
}

impl Rates {
    /// Waits until all who work on some accounts at a time have had their turn, also where AWS allows one call a second,
    /// and no longer than what is kept of an invocation for the accounts that were begun.
    pub fn of_some_accounts(share: f64) -> Self {
        Self { share, patience: Duration::from_secs(30) }
    }

    /// Waits for turns as long as a batch may take: who works a long list off comes back to nothing.
    pub fn of_a_long_list(share: f64) -> Self {
        Self { share, patience: Duration::from_mins(2) }
    }
}

/// The token bucket of one published rate. It counts the calls of this process alone: other processes may still
/// cause throttling, which is then answered with the SDK's own retries.
#[derive(Debug)]
pub(crate) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, SteadyClock, NoOpMiddleware<Nanos>>,
    clock: SteadyClock,
    patience: Duration,
    /// Whoever came first goes first.
    queue: Mutex<()>,
}

impl Pace {
    /// The share of so many calls per second, and of so many at once after a pause.
    pub(crate) fn new(per_second: u32, burst: u32, rates: Rates) -> Self {
        let every = Duration::from_secs(1).div_f64(f64::from(per_second.max(1)) * rates.share.max(0.001));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a burst is small and not negative"
        )]
        let burst = NonZeroU32::new((f64::from(burst) * rates.share) as u32).unwrap_or(NonZeroU32::MIN);
        let clock = SteadyClock::default();
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        Self {
            limiter: RateLimiter::direct_with_clock(quota.allow_burst(burst), clock.clone()),
            clock,
            patience: rates.patience,
            queue: Mutex::default(),
        }
    }

    /// Waits for the next turn, in the order of arrival. A turn that is too far away gives [`Cause::Throttled`] without
    /// a call.
    pub(crate) async fn turn(&self, operation: &'static str) -> Result<(), CallError> {
        let arrived = Instant::now();
        let held_back = || {
            let detail = "nothing: the call was held back to keep to the published rate";
            CallError::not_sent(operation, Cause::Throttled, detail)
        };
        let _first = tokio::time::timeout(self.patience, self.queue.lock()).await.map_err(|_| held_back())?;
        while let Err(taken) = self.limiter.check() {
            let wait = taken.wait_time_from(self.clock.now());
            if arrived.elapsed() + wait > self.patience {
                return Err(held_back());
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn rates(share: f64, patience: Duration) -> Rates {
        Rates { share, patience }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_next_call_waits_for_its_turn() {
        let pace = Pace::new(20, 3, Rates::default());
        let begun = Instant::now();
        for _ in 0..3 {
            pace.turn("account:ListRegions").await.unwrap();
        }
        assert!(begun.elapsed() < Duration::from_millis(45), "{:?}", begun.elapsed());
        pace.turn("account:ListRegions").await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(45), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_a_rate_is_as_much_slower() {
        let pace = Pace::new(40, 4, rates(0.25, Duration::from_secs(3)));
        let begun = Instant::now();
        for _ in 0..3 {
            pace.turn("account:ListRegions").await.unwrap();
        }
        assert!(begun.elapsed() >= Duration::from_millis(190), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_a_turn() {
        let pace = Pace::new(10, 1, rates(1.0, Duration::from_millis(350)));
        let taken = join_all((0..6).map(|_| pace.turn("account:ListRegions"))).await;
        let held_back: Vec<_> = taken.iter().map(Result::is_err).collect();
        assert_eq!(held_back, [false, false, false, false, true, true], "first come, first served");
        for error in taken.into_iter().filter_map(Result::err) {
            assert_eq!(error.cause, Cause::Throttled);
            assert!(error.refused, "nothing was sent");
        }
    }
}
