//! The one door to time. Functions ask here what time it is, and nowhere else, so that a test or a simulation can give
//! them a time of its own.

use std::{cell::Cell, time::Duration};

use governor::{clock::Clock, nanos::Nanos};
use jiff::Timestamp;
use tokio::time::Instant;

thread_local! {
    static SOURCE: Cell<Option<fn() -> Timestamp>> = const { Cell::new(None) };
}

/// The time of day: that of the machine, unless this thread has a source of its own.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    SOURCE.get().map_or_else(Timestamp::now, |source| source())
}

/// Gives this thread another source for the time of day; None gives it the machine's again.
pub fn set_source(source: Option<fn() -> Timestamp>) {
    SOURCE.set(source);
}

/// Steady time for rates, which stands still where the runtime's clock is paused.
#[derive(Clone, Debug)]
pub(crate) struct SteadyClock(Instant);

impl Default for SteadyClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SteadyClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Duration::into(self.0.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_have_a_time_of_its_own() {
        set_source(Some(|| Timestamp::UNIX_EPOCH));
        assert_eq!(now(), Timestamp::UNIX_EPOCH);
        set_source(None);
        assert_ne!(now(), Timestamp::UNIX_EPOCH);
    }

    #[tokio::test(start_paused = true)]
    async fn steady_time_moves_with_the_clock_of_the_runtime() {
        let clock = SteadyClock::default();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(clock.now().as_u64(), 3_600_000_000_000);
    }
}
