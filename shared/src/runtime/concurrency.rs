//! Working on many things, some at a time.

use futures_util::{Stream, StreamExt, stream};

/// Does this work, so much of it at once, and gives back what came of each with its position, as it comes. What takes long
/// takes one place and keeps nothing else from being begun: of work that is handed out in order, the next piece would wait
/// for the first.
pub fn as_they_come<F: Future>(
    work: impl IntoIterator<Item = F>,
    at_once: usize,
) -> impl Stream<Item = (usize, F::Output)> {
    let numbered = work.into_iter().enumerate().map(|(position, work)| async move { (position, work.await) });
    stream::iter(numbered).buffer_unordered(at_once)
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
