//! Work on many accounts, as long as there is time.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use steward::{
    error::Failure,
    ids::AccountId,
    runtime::{
        budget::Budget,
        concurrency::{as_they_come, in_order},
    },
};

/// The time that is kept for the visits that are under way when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);

/// Visits accounts, so many at once: what came of each, in their order, and those that there was no time for. A failure of one
/// ends all.
pub(crate) async fn visit<I, T>(
    accounts: impl IntoIterator<Item = (AccountId, I)>,
    at_once: usize,
    visit: impl AsyncFn(I) -> Result<T, Failure>,
) -> Result<(Vec<T>, Vec<AccountId>), Failure> {
    let budget = Budget::keeping(MARGIN);
    let (budget, visit) = (&budget, &visit);
    let visits = accounts
        .into_iter()
        .map(|(id, item)| async move { if budget.has_room() { visit(item).await.map(Ok) } else { Ok(Err(id)) } });
    let came = as_they_come(visits, at_once).map(|(position, came)| came.map(|came| (position, came)));
    let came: Vec<_> = came.try_collect().await?;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for came in in_order(came) {
        match came {
            Ok(row) => done.push(row),
            Err(id) => left.push(id),
        }
    }
    Ok((done, left))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use steward::{error::Cause, invocation};

    use super::*;

    fn accounts() -> Vec<(AccountId, usize)> {
        (0..9).map(|n| (format!("{n:012}").parse().unwrap(), n)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_there_is_no_time_for_is_named_and_the_rest_comes_in_its_order() {
        let work = visit(accounts(), 2, async |n: usize| {
            tokio::time::sleep(Duration::from_secs(if n == 0 { 3 } else { 1 })).await;
            Ok(n)
        });
        let (done, left) = invocation::lasting(MARGIN + Duration::from_secs(2), work).await.unwrap();
        assert!(done.is_sorted() && done.len() + left.len() == 9 && !left.is_empty(), "{done:?} {left:?}");
        assert_eq!(left.first(), accounts().get(done.len()).map(|(id, _)| id));
    }

    #[tokio::test]
    async fn a_failure_ends_the_run() {
        let visited = Cell::new(0);
        let failed = visit(accounts(), 1, async |n: usize| {
            visited.set(visited.get() + 1);
            if n == 3 { Err(Failure::new(Cause::CallFailed)) } else { Ok(n) }
        });
        let failed = invocation::lasting(MARGIN * 2, failed).await.unwrap_err();
        assert_eq!((failed.cause, visited.get()), (Cause::CallFailed, 4));
    }
}
