//! How much one invocation can do.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The bytes that an answer may grow to before no more work is begun. AWS Lambda takes 6 MB.
const MAX_ANSWER: usize = 4_000_000;

/// What is left of an invocation's time and of its answer's size.
#[derive(Debug)]
pub struct Budget {
    ends_at: Timestamp,
    leave_at: Timestamp,
    answered: AtomicUsize,
}

impl Budget {
    /// The budget of an invocation that ends at `deadline`, in milliseconds since 1970. `margin` is kept for the work that
    /// is under way when no more is begun.
    pub fn until(deadline: u64, margin: SignedDuration) -> Self {
        let deadline = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
        let ends_at = deadline.unwrap_or(Timestamp::MIN);
        let leave_at = ends_at.checked_sub(margin).unwrap_or(Timestamp::MIN);
        Self { ends_at, leave_at, answered: AtomicUsize::new(0) }
    }

    /// When the invocation has ended, however it goes.
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// Whether more work can be begun.
    pub fn has_room(&self, now: Timestamp) -> bool {
        now < self.leave_at && self.answered.load(Ordering::Relaxed) < MAX_ANSWER
    }

    /// Counts what the answer has grown by.
    pub fn spend(&self, bytes: usize) {
        self.answered.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: SignedDuration = SignedDuration::from_secs(45);

    #[test]
    fn nothing_is_begun_shortly_before_the_end() {
        let budget = Budget::until(1_790_000_120_000, MARGIN);
        let at = |second| budget.has_room(Timestamp::from_second(second).unwrap());
        assert_eq!(budget.ends_at().as_second(), 1_790_000_120);
        assert!(at(1_790_000_074));
        assert!(!at(1_790_000_075));
        assert!(!Budget::until(0, MARGIN).has_room(Timestamp::from_second(1).unwrap()));
    }

    #[test]
    fn nothing_is_begun_once_the_answer_is_large() {
        let budget = Budget::until(1_790_000_120_000, MARGIN);
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        budget.spend(MAX_ANSWER - 1);
        assert!(budget.has_room(now));
        budget.spend(1);
        assert!(!budget.has_room(now));
    }
}
