//! How much one invocation can do.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::invocation;

/// The bytes that an answer may grow to before no more work is begun. AWS Lambda takes 6 MB.
const MAX_ANSWER: usize = 4_000_000;

/// What is left of an invocation's time and of its answer's size.
#[derive(Debug)]
pub struct Budget {
    leave_at: Option<Instant>,
    answered: AtomicUsize,
}

impl Budget {
    /// The budget of the invocation at work. `margin` is kept for the work that is under way when no more is begun.
    pub fn keeping(margin: Duration) -> Self {
        Self { leave_at: invocation::ends_at().and_then(|end| end.checked_sub(margin)), answered: AtomicUsize::new(0) }
    }

    /// Whether more work can be begun.
    pub fn has_room(&self) -> bool {
        self.leave_at.is_some_and(|end| Instant::now() < end) && self.answered.load(Ordering::Relaxed) < MAX_ANSWER
    }

    /// Counts what the answer has grown by.
    pub fn spend(&self, bytes: usize) {
        self.answered.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::lasting;

    const MARGIN: Duration = Duration::from_secs(45);
    const TIMEOUT: Duration = Duration::from_mins(2);

    #[tokio::test(start_paused = true)]
    async fn nothing_is_begun_shortly_before_the_end() {
        let budget = lasting(TIMEOUT, async { Budget::keeping(MARGIN) }).await;
        tokio::time::sleep(Duration::from_secs(74)).await;
        assert!(budget.has_room());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!budget.has_room());
        assert!(!Budget::keeping(MARGIN).has_room(), "no invocation is at work");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_begun_once_the_answer_is_large() {
        let budget = lasting(TIMEOUT, async { Budget::keeping(MARGIN) }).await;
        budget.spend(MAX_ANSWER - 1);
        assert!(budget.has_room());
        budget.spend(1);
        assert!(!budget.has_room());
    }
}
