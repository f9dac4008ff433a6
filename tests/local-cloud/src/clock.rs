//! Time that can run faster than the wall clock.

use std::time::{Duration, Instant};

/// Measures durations of the simulated services, `scale` times faster than real time.
///
/// Timestamps in answers stay wall-clock time: only how long things take, and how fast quotas refill, is scaled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    scale: f64,
}

impl Clock {
    pub(crate) fn new(scale: f64) -> Self {
        Self { origin: Instant::now(), scale: if scale > 0.0 { scale } else { 1.0 } }
    }

    /// Simulated time since the clock was made.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed().mul_f64(self.scale)
    }

    /// Returns once `simulated` time has passed.
    pub(crate) async fn sleep(&self, simulated: Duration) {
        tokio::time::sleep(simulated.div_f64(self.scale)).await;
    }
}
