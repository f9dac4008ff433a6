//! The invocation at work: its time, and whether it may change anything. Whatever the invocation calls knows both without
//! being told: they go with the task, so that nobody on the way can forget to pass them on. [`crate::runtime::start::serve`] sets
//! them for every function.
//!
//! Where no invocation is at work there is no time to wait, and nothing is changed: a test that does either has to say so.

mod reach;

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::Context;
use tokio::time::Instant;

pub use reach::Reach;

use crate::{
    clock,
    error::{Cause, Failure},
};

/// What is kept of an invocation behind the last turn that is waited for: one call with all its attempts, which may take
/// 27 s, and the answer.
const MARGIN: Duration = Duration::from_secs(30);
/// The longest that AWS Lambda lets an invocation take.
const LONGEST: Duration = Duration::from_mins(15);

/// What is known of the invocation at work.
#[derive(Clone, Copy, Debug)]
struct Known {
    ends_at: Instant,
    turns_until: Instant,
    reach: Reach,
}

tokio::task_local! {
    static KNOWN: Known;
    static REQUEST_ID: String;
}

/// Runs an invocation, of which AWS Lambda says this: when it ends, by which name the function was called, and its own name.
pub fn of<T>(context: &Context, work: impl Future<Output = T>) -> impl Future<Output = T> {
    let (reach, left) = (Reach::of(&context.invoked_function_arn), left(context.deadline, clock::now()));
    REQUEST_ID.scope(context.request_id.clone(), reaching(reach, left, work))
}

/// What AWS Lambda calls the invocation at work; nothing where none is.
pub(crate) fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Runs an invocation of the function itself that AWS Lambda ends after this time.
pub fn lasting<T>(timeout: Duration, work: impl Future<Output = T>) -> impl Future<Output = T> {
    reaching(Reach::Changes, timeout, work)
}

/// The same for an invocation that may do no more than this.
pub fn reaching<T>(reach: Reach, timeout: Duration, work: impl Future<Output = T>) -> impl Future<Output = T> {
    let now = Instant::now();
    let (ends_at, turns_until) = (now + timeout, now + timeout.saturating_sub(MARGIN));
    // Boxed for its size.
    KNOWN.scope(Known { ends_at, turns_until, reach }, Box::pin(work))
}

/// What the invocation at work may do; where none is, it may look.
pub fn reach() -> Reach {
    KNOWN.try_get().map_or(Reach::Looks, |known| known.reach)
}

/// A failure unless the invocation may change something. A function asks before its first call.
pub fn allow_changes() -> Result<(), Failure> {
    match reach() {
        Reach::Changes => Ok(()),
        Reach::Looks => Err(Failure::new(Cause::PlanOnly)),
    }
}

/// Runs work that waits no longer than this for turns, and no longer than its invocation does: for those who would rather
/// come back than be paid for waiting.
pub async fn waiting_at_most<T>(patience: Duration, work: impl Future<Output = T>) -> T {
    let work = Box::pin(work);
    match KNOWN.try_get() {
        Ok(known) => {
            let turns_until = known.turns_until.min(Instant::now() + patience);
            KNOWN.scope(Known { turns_until, ..known }, work).await
        }
        Err(_) => work.await,
    }
}

/// The last moment at which a turn is of use; None where no invocation is at work.
pub(crate) fn turns_until() -> Option<Instant> {
    KNOWN.try_get().ok().map(|known| known.turns_until)
}

/// How much of the invocation is left; nothing where none is at work.
pub fn time_left() -> Duration {
    ends_at().map(|end| end.saturating_duration_since(Instant::now())).unwrap_or_default()
}

/// When the invocation ends; None where none is at work.
pub(crate) fn ends_at() -> Option<Instant> {
    KNOWN.try_get().ok().map(|known| known.ends_at)
}

fn left(deadline: u64, now: Timestamp) -> Duration {
    let deadline = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
    let left = deadline.and_then(|deadline| Duration::try_from(deadline.duration_since(now)).ok());
    left.unwrap_or_default().min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_less_than_nothing_and_never_more_than_lambda_gives() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        assert_eq!(left(1_790_000_060_000, now), Duration::from_mins(1));
        assert_eq!(left(1_789_999_999_000, now), Duration::ZERO);
        assert_eq!(left(0, now), Duration::ZERO);
        assert_eq!(left(u64::MAX, now), Duration::ZERO);
        assert_eq!(left(1_990_000_000_000, now), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_an_invocation_calls_knows_how_long_a_turn_is_of_use() {
        let begun = Instant::now();
        let about = |time: Option<Instant>| time.unwrap().duration_since(begun).as_secs();
        assert_eq!((turns_until(), ends_at()), (None, None));
        lasting(Duration::from_mins(1), async {
            assert_eq!((about(turns_until()), about(ends_at())), (30, 60));
            waiting_at_most(Duration::from_secs(5), async { assert_eq!(about(turns_until()), 5) }).await;
            waiting_at_most(Duration::from_secs(50), async { assert_eq!(about(turns_until()), 30) }).await;
        })
        .await;
        lasting(Duration::from_secs(10), async { assert_eq!(about(turns_until()), 0) }).await;
    }

    #[tokio::test]
    async fn whatever_an_invocation_calls_knows_whether_it_may_change_anything() {
        let refused = async || allow_changes().err().map(|failure| failure.cause);
        let minute = Duration::from_mins(1);
        assert_eq!(refused().await, Some(Cause::PlanOnly), "nobody has said that it may");
        reaching(Reach::Looks, minute, async {
            assert_eq!(refused().await, Some(Cause::PlanOnly));
            waiting_at_most(minute, async { assert_eq!(refused().await, Some(Cause::PlanOnly)) }).await;
        })
        .await;
        let mut context = Context::default();
        context.invoked_function_arn = "arn:aws:lambda:us-east-1:111111111111:function:steward-x".to_owned();
        of(&context, async { assert_eq!(refused().await, None) }).await;
    }

    #[tokio::test]
    async fn an_invocation_has_the_name_that_lambda_gives_it_for_whatever_it_calls() {
        let mut context = Context::default();
        context.request_id = "8476a536".to_owned();
        assert_eq!(of(&context, async { request_id() }).await, "8476a536");
        assert_eq!(request_id(), "");
    }
}
