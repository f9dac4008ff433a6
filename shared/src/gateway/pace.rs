//! Keeping calls to the rates that AWS publishes, so that throttling stays the exception.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::CallError;
use crate::error::Cause;

/// The longest wait for a turn. Time in a function is paid for: who would wait longer comes back later.
const PATIENCE: Duration = Duration::from_secs(3);

/// The token bucket of one published rate. It counts the calls of this process alone: other processes may still
/// cause throttling, which is then answered with the SDK's own retries.
#[derive(Debug)]
pub(crate) struct Pace {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Pace {
    /// So many calls per second, and so many at once after a pause.
    pub(crate) fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let limiter = RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst));
        Self { limiter, clock: DefaultClock::default() }
    }

    /// Waits for the next turn. A turn that is too far away gives [`Cause::Throttled`] without a call.
    pub(crate) async fn turn(&self, operation: &'static str) -> Result<(), CallError> {
        let mut waited = Duration::ZERO;
        // Somebody else may take the turn that was waited for, so that another wait follows.
        while let Err(taken) = self.limiter.check() {
            let wait = taken.wait_time_from(self.clock.now());
            waited += wait;
            if waited > PATIENCE {
                let detail = "nothing: the call was held back to keep to the published rate";
                return Err(CallError::not_sent(operation, Cause::Throttled, detail));
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn per_second(rate: u32, burst: u32) -> Pace {
        Pace::new(NonZeroU32::new(rate).unwrap(), NonZeroU32::new(burst).unwrap())
    }

    #[tokio::test]
    async fn a_burst_goes_at_once_and_the_next_call_waits_for_its_turn() {
        let pace = per_second(20, 3);
        let begun = Instant::now();
        for _ in 0..3 {
            pace.turn("account:ListRegions").await.unwrap();
        }
        assert!(begun.elapsed() < Duration::from_millis(45), "{:?}", begun.elapsed());
        pace.turn("account:ListRegions").await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(45), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn nobody_waits_long_for_a_turn() {
        let pace = per_second(1, 1);
        let turns = (0..6).map(|_| pace.turn("account:EnableRegion"));
        let taken = futures_util::future::join_all(turns).await;
        let held_back: Vec<_> = taken.into_iter().filter_map(Result::err).collect();
        assert!(!held_back.is_empty());
        for error in held_back {
            assert_eq!(error.cause, Cause::Throttled);
            assert!(error.refused, "nothing was sent");
        }
    }
}
