//! Whether a change can be seen: AWS shows some of them late.

use std::time::Duration;

use steward::gateway::CallError;
use tokio::time::{Instant, sleep};

/// How long is looked for a change that AWS may take up to a minute to show, such as one of an attribute of a queue
/// (`SetQueueAttributes` in the API reference of Amazon SQS).
pub(crate) const MINUTE: Duration = Duration::from_secs(75);
/// The first pause between two looks; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Looks until what is seen is as it should be, or there was time enough for it; answers what was seen last. A look that
/// fails ends it.
pub(crate) async fn shown<T>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, CallError>,
    as_it_should_be: impl Fn(&T) -> bool,
) -> Result<T, CallError> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = look().await?;
        if as_it_should_be(&seen) || begun.elapsed() >= within {
            return Ok(seen);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue whose policy is seen for so many seconds after it was removed.
    async fn gone_after(seconds: u64) -> (bool, Duration) {
        let begun = Instant::now();
        let look = async || Ok(begun.elapsed() >= Duration::from_secs(seconds));
        (shown(MINUTE, look, |gone| *gone).await.unwrap(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_is_shown_after_a_minute_is_seen() {
        assert_eq!(gone_after(0).await, (true, Duration::ZERO));
        let (seen, took) = gone_after(60).await;
        assert!(seen && took <= Duration::from_mins(1) + LONGEST_PAUSE, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_is_never_shown_is_given_up_in_time() {
        let (seen, took) = gone_after(3600).await;
        assert!(!seen && took < MINUTE + LONGEST_PAUSE, "{took:?}");
    }
}
