//! Published request rates as token buckets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// A steady rate and the burst above it, as the services publish them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    /// Tokens that return per second.
    pub(crate) per_second: f64,
    /// Tokens in a full bucket.
    pub(crate) burst: f64,
}

impl Rate {
    pub(crate) const fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst }
    }
}

/// One bucket per caller account and operation.
///
/// Organizations publishes a second, larger bucket per organization; it can only bind when several accounts of one
/// organization call, which nothing here does.
pub(crate) struct Buckets {
    clock: Clock,
    raised: f64,
    filled: Mutex<HashMap<(String, String), Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Duration,
}

impl Buckets {
    /// Buckets of accounts with `raised` times the published rates.
    pub(crate) fn new(clock: Clock, raised: f64) -> Self {
        Self { clock, raised, filled: Mutex::default() }
    }

    /// Takes one token; `false` when the bucket is empty and the call must be refused.
    pub(crate) fn take(&self, account: &str, operation: &str, rate: Rate) -> bool {
        let now = self.clock.elapsed();
        let rate = Rate::new(rate.per_second * self.raised, rate.burst * self.raised);
        let mut buckets = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((account.to_owned(), operation.to_owned()))
            .or_insert(Bucket { tokens: rate.burst, filled: now });
        bucket.refill(now, rate);
        let granted = bucket.tokens >= 1.0;
        if granted {
            bucket.tokens -= 1.0;
        }
        granted
    }
}

impl Bucket {
    fn refill(&mut self, now: Duration, rate: Rate) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate.per_second).min(rate.burst);
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_granted_and_then_the_steady_rate() {
        let rate = Rate::new(0.5, 2.0);
        let mut bucket = Bucket { tokens: 2.0, filled: Duration::ZERO };
        bucket.tokens -= 2.0;
        bucket.refill(Duration::from_secs(1), rate);
        assert!(bucket.tokens < 1.0, "one second brings half a token");
        bucket.refill(Duration::from_secs(2), rate);
        assert!(bucket.tokens >= 1.0);
        bucket.refill(Duration::from_hours(1), rate);
        assert!((bucket.tokens - 2.0).abs() < f64::EPSILON, "never more than the burst");
    }

    #[test]
    fn accounts_and_operations_do_not_share_a_bucket() {
        let buckets = Buckets::new(Clock::new(1.0), 1.0);
        let rate = Rate::new(0.001, 1.0);
        assert!(buckets.take("111111111111", "ListRoots", rate));
        assert!(!buckets.take("111111111111", "ListRoots", rate));
        assert!(buckets.take("222222222222", "ListRoots", rate));
        assert!(buckets.take("111111111111", "ListAccounts", rate));
    }

    #[test]
    fn raised_quotas_are_larger_buckets_that_fill_faster() {
        let buckets = Buckets::new(Clock::new(1.0), 3.0);
        let granted = (0..10).filter(|_| buckets.take("111111111111", "ListRoots", Rate::new(0.001, 2.0))).count();
        assert_eq!(granted, 6);
    }
}
