//! What the rows of an account that is to be brought to its baseline mean for it. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Row};
use crate::{
    error::{Cause, Failure},
    poll_backoff::PollBackoff,
};

/// What is to be done about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing: it has its baseline.
    Applied,
    /// It is to be looked at again.
    LookAgain(Duration),
    /// It lacks something, and waiting does not help or has gone on for too long.
    Incomplete(Failure),
}

/// Draws the conclusion from one row per control.
pub fn conclude(
    rows: &[Row],
    since: Timestamp,
    now: Timestamp,
    deadline: SignedDuration,
    backoff: PollBackoff,
) -> Conclusion {
    let Some(first_open) = rows.iter().find(|row| !row.outcome.is_settled()) else { return Conclusion::Applied };
    let wait = another_look(since, now, deadline, backoff);
    match wait.filter(|_| rows.iter().any(|row| row.outcome.is_worth_another_look())) {
        Some(wait) => Conclusion::LookAgain(wait),
        None => Conclusion::Incomplete(failure(first_open)),
    }
}

/// After which time something that was first heard of at `since`, and is not ready, is looked at again; None after the deadline.
pub fn another_look(
    since: Timestamp,
    now: Timestamp,
    deadline: SignedDuration,
    backoff: PollBackoff,
) -> Option<Duration> {
    let waited = now.duration_since(since);
    // Half of what was waited already: an account that takes seconds is done within seconds, and one that takes an hour
    // costs few calls.
    let wait = Duration::try_from(waited).unwrap_or_default().div_f64(2.0);
    (waited < deadline).then(|| wait.clamp(backoff.poll, backoff.poll * 60))
}

fn failure(row: &Row) -> Failure {
    match &row.outcome {
        Outcome::NotReady { failure, .. } | Outcome::Unknown { failure, .. } => failure.clone(),
        Outcome::NotConverged { remaining, .. } => {
            Failure::with_detail(Cause::NotConverged, format_args!("{}: {}.", row.control, remaining.join(", ")))
        }
        // What was to be changed is left alone for one reason alone.
        Outcome::Drifted { planned } => {
            Failure::with_detail(Cause::AccountProtected, format_args!("{}: {}.", row.control, planned.join(", ")))
        }
        Outcome::Compliant | Outcome::Fixed { .. } | Outcome::Exempt { .. } | Outcome::Skipped { .. } => {
            Failure::new(Cause::NotConverged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    const BACKOFF: PollBackoff = PollBackoff { poll: Duration::from_secs(5) };
    const DEADLINE: SignedDuration = SignedDuration::from_hours(2);

    fn conclusion(outcomes: Vec<Outcome>, waited_seconds: i64) -> Conclusion {
        let account_id = "123456789012".parse().unwrap();
        let row = |outcome| Row { outcome, ..Row::skipped(&account_id, control::ALL[0], "-") };
        let rows: Vec<_> = outcomes.into_iter().map(row).collect();
        let since = Timestamp::from_second(1_790_000_000).unwrap();
        let now = since + SignedDuration::from_secs(waited_seconds);
        conclude(&rows, since, now, DEADLINE, BACKOFF)
    }

    fn unknown(cause: Cause) -> Outcome {
        Outcome::Unknown { applied: vec![], failure: Failure::new(cause) }
    }

    fn not_ready() -> Outcome {
        let failure = Failure::new(Cause::RoleNotAssumable);
        Outcome::NotReady { applied: vec![], retry_after: 30, failure }
    }

    #[test]
    fn an_account_is_done_when_every_control_is_settled() {
        assert_eq!(conclusion(vec![Outcome::Compliant, Outcome::Fixed { applied: vec![] }], 0), Conclusion::Applied);
    }

    #[test]
    fn an_account_that_is_not_ready_is_looked_at_ever_more_seldom() {
        assert_eq!(conclusion(vec![not_ready()], 0), Conclusion::LookAgain(Duration::from_secs(5)));
        assert_eq!(conclusion(vec![not_ready()], 100), Conclusion::LookAgain(Duration::from_secs(50)));
        assert_eq!(conclusion(vec![not_ready()], 5000), Conclusion::LookAgain(Duration::from_mins(5)));
    }

    #[test]
    fn after_the_deadline_the_baseline_is_incomplete_with_the_reason() {
        let Conclusion::Incomplete(failure) = conclusion(vec![Outcome::Compliant, not_ready()], 7200) else { panic!() };
        assert_eq!(failure.cause, Cause::RoleNotAssumable);
    }

    #[test]
    fn what_is_left_alone_in_a_protected_account_is_reported_as_such() {
        let drifted = Outcome::Drifted { planned: vec!["create the topic".to_owned()] };
        let Conclusion::Incomplete(failure) = conclusion(vec![drifted], 0) else { panic!() };
        assert_eq!(failure.cause, Cause::AccountProtected);
        assert!(failure.message.contains("create the topic"), "{failure}");
    }

    #[test]
    fn what_waiting_cannot_fix_is_reported_at_once() {
        let Conclusion::Incomplete(failure) = conclusion(vec![unknown(Cause::AccessDenied)], 0) else { panic!() };
        assert_eq!(failure.cause, Cause::AccessDenied);
        assert!(matches!(conclusion(vec![unknown(Cause::Throttled)], 0), Conclusion::LookAgain(_)));
    }
}
