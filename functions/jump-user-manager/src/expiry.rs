//! When a one-time password has had its time. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use steward::gateway::{LoginProfile, Secret, User};

/// For how long a one-time password waits for its first use.
pub(crate) const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long IAM may not know everywhere of a user or a password that was made a moment before.
const SETTLES: SignedDuration = SignedDuration::from_secs(30);

/// Why a one-time password is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Over {
    /// Somebody has signed in with it.
    Used,
    /// Its user is gone.
    UserGone,
    /// Nobody has signed in with it for seven days: it lets nobody in any more.
    NotUsed,
}

/// How long to wait until IAM can be asked about the user of this secret, whose password was set a moment after it was kept;
/// None where it can be asked at once.
pub(crate) fn settles_in(secret: &Secret, now: Timestamp) -> Option<Duration> {
    let left = SETTLES - now.duration_since(secret.changed_at);
    // The other clock may be ahead.
    Duration::try_from(left.min(SETTLES)).ok().filter(|left| !left.is_zero())
}

/// Why the password in this secret is over; None while it waits.
pub(crate) fn over(secret: &Secret, user: Option<&User>, login: Option<LoginProfile>, now: Timestamp) -> Option<Over> {
    let Some(user) = user else { return Some(Over::UserGone) };
    let is_changed = login.is_some_and(|login| !login.reset_required);
    let is_used = user.password_last_used.is_some_and(|used| used > secret.changed_at);
    if is_changed || is_used {
        return Some(Over::Used);
    }
    (now.duration_since(secret.changed_at) >= WAITS).then_some(Over::NotUsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn user(used: Option<&str>) -> User {
        User {
            name: "alice".to_owned(),
            path: "/steward/".to_owned(),
            arn: String::new(),
            created_at: at("2026-11-01T00:00:00Z"),
            password_last_used: used.map(at),
        }
    }

    #[test]
    fn iam_is_asked_once_it_can_know_of_the_password() {
        let secret = Secret { name: "s".to_owned(), changed_at: at("2026-11-20T00:00:00Z") };
        let wait = |now| settles_in(&secret, at(now)).map(|wait| wait.as_secs());
        assert_eq!(wait("2026-11-20T00:00:10Z"), Some(20));
        assert_eq!(wait("2026-11-19T23:59:58Z"), Some(30));
        assert_eq!((wait("2026-11-20T00:00:30Z"), wait("2026-11-27T00:00:00Z")), (None, None));
    }

    #[test]
    fn a_password_is_over_once_it_was_used_or_changed_or_nobody_is_there_or_after_seven_days() {
        let secret = Secret { name: "s".to_owned(), changed_at: at("2026-11-20T00:00:00Z") };
        let (waiting, changed) =
            (Some(LoginProfile { reset_required: true }), Some(LoginProfile { reset_required: false }));
        let judged = |used, login, now| over(&secret, Some(&user(used)), login, at(now));
        assert_eq!(judged(None, waiting, "2026-11-26T23:59:59Z"), None);
        assert_eq!(judged(None, waiting, "2026-11-27T00:00:00Z"), Some(Over::NotUsed));
        assert_eq!(judged(None, changed, "2026-11-21T00:00:00Z"), Some(Over::Used));
        assert_eq!(judged(Some("2026-11-20T09:00:00Z"), waiting, "2026-11-21T00:00:00Z"), Some(Over::Used));
        // Before the reset, with the password of then.
        assert_eq!(judged(Some("2026-11-19T09:00:00Z"), waiting, "2026-11-21T00:00:00Z"), None);
        assert_eq!(over(&secret, None, None, at("2026-11-20T00:00:01Z")), Some(Over::UserGone));
    }
}
