//! Working on many things, some at a time.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use lambda_runtime::tracing;
use serde::Serialize;
use tokio::time::Instant;

/// How often the log says how far the work has come.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// How far an invocation has come with the accounts that a person means, where it has not come to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// How many accounts are meant.
    pub selected: usize,
    /// How many of them were worked on.
    pub done: usize,
    /// How many there was no time for.
    pub left: usize,
}

impl Progress {
    /// None where nothing is left.
    pub fn of(selected: usize, left: usize) -> Option<Self> {
        (left > 0).then_some(Self { selected, done: selected.saturating_sub(left), left })
    }
}

/// Does this work, so much of it at once, and gives back what came of each with its position, as it comes. What takes long
/// takes one place and keeps nothing else from being begun: of work that is handed out in order, the next piece would wait
/// for the first. What takes longer than ten seconds as a whole says in the log how far it has come.
pub fn as_they_come<F: Future>(
    work: impl IntoIterator<Item = F>,
    at_once: usize,
) -> impl Stream<Item = (usize, F::Output)> {
    let work = work.into_iter();
    let all = work.size_hint().0;
    let numbered = work.enumerate().map(|(position, work)| async move { (position, work.await) });
    let (mut done, mut said_at) = (0_usize, Instant::now());
    stream::iter(numbered).buffer_unordered(at_once).inspect(move |_| {
        done += 1;
        if said_at.elapsed() >= SAID_EVERY {
            tracing::info!(done, of = all, "at work");
            said_at = Instant::now();
        }
    })
}

/// What came of work, in the order in which the work was given.
pub fn in_order<T>(mut came: Vec<(usize, T)>) -> Vec<T> {
    came.sort_by_key(|(position, _)| *position);
    came.into_iter().map(|(_, came)| came).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[test]
    fn a_run_that_has_come_to_everything_says_nothing_of_what_is_left() {
        assert_eq!(Progress::of(10, 0), None);
        assert_eq!(Progress::of(10, 3), Some(Progress { selected: 10, done: 7, left: 3 }));
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_long_keeps_nothing_else_from_being_begun_and_the_order_stays() {
        let begun = Instant::now();
        let work = (0..20_u64).map(|n| async move {
            sleep(Duration::from_secs(if n == 0 { 100 } else { 1 })).await;
            (n, begun.elapsed().as_secs())
        });
        let came = in_order(as_they_come(work, 2).collect::<Vec<_>>().await);
        assert!(came.iter().map(|(n, _)| *n).eq(0..20));
        assert_eq!(came.iter().skip(1).map(|(_, at)| *at).max(), Some(19), "beside the slow one");
    }
}
