//! How long to wait before the next look.

use std::time::Duration;

use crate::error::{Cause, Retry};

/// How long things take, as multiples of the time before the first look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollBackoff {
    /// The time before the first look again; 5 s unless the stack says otherwise.
    pub poll: Duration,
}

impl PollBackoff {
    /// The poll time for which the waits of the error catalogue are written.
    const USUAL_POLL_SECONDS: u32 = 5;

    /// How long a call of `CreateAccount` may still be under way in another invocation. Longer than the call's own
    /// timeout.
    pub fn call_patience(self) -> Duration {
        self.poll * 6
    }

    /// How long AWS may hide what it has done before it is taken not to have done it.
    pub fn lookup_patience(self) -> Duration {
        self.poll * 24
    }

    /// How long another invocation may take to tell the end of a request. Longer than a function runs.
    pub fn announce_patience(self) -> Duration {
        self.poll * 12
    }

    /// The wait that the catalogue asks for, None where waiting does not help.
    pub fn wait_for(self, cause: Cause) -> Option<Duration> {
        match cause.row().retry {
            Retry::Never => None,
            Retry::AfterSeconds(seconds) => Some(self.poll * seconds / Self::USUAL_POLL_SECONDS),
        }
    }
}
