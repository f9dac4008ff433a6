//! The simulation's time: that of the runtime's paused clock, and for each environment a little off.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

thread_local! {
    static BEGUN: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    static SKEW: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// Begins a run at this time of day; the clock of the runtime must be paused.
pub(crate) fn begin(at: Timestamp) {
    BEGUN.set(Some((at, Instant::now())));
    steward::clock::set_source(Some(shown));
}

/// The true time.
pub(crate) fn now() -> Timestamp {
    let (begun, instant) = BEGUN.get().expect("a run has begun");
    begun + SignedDuration::try_from(instant.elapsed()).expect("a run of less than a million years")
}

/// The time that the environment at work believes it is.
fn shown() -> Timestamp {
    now() + SKEW.get()
}

/// What the SDK is told.
#[derive(Debug)]
pub(crate) struct SdkTime;

impl TimeSource for SdkTime {
    fn now(&self) -> SystemTime {
        SystemTime::from(shown())
    }
}

/// A future in an environment whose clock is off.
pub(crate) struct Skewed<F> {
    pub(crate) work: Pin<Box<F>>,
    pub(crate) skew: SignedDuration,
}

impl<F: Future> Future for Skewed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        SKEW.set(self.skew);
        let polled = self.work.as_mut().poll(context);
        SKEW.set(SignedDuration::ZERO);
        polled
    }
}
