//! One-time passwords that wait in their secrets, and who is looked at.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{LASTS, Look, users::names};
use crate::{
    aws::{
        iam::{KNOWN_LATE, PATH, User},
        secrets::beginning,
    },
    cloud::State,
    people::users::Asked,
    script::{How, Item},
    template::items,
    time,
};

/// How long a one-time password waits for its first use.
const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);
/// By how much clocks are off.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);
/// How young a secret may be for a run to leave it to the next one: a list may be five minutes late.
const YOUNG: SignedDuration = SignedDuration::from_mins(6);

/// Whether somebody had asked for this user to go.
fn is_to_go(look: &Look<'_>, user: &str, at: Timestamp) -> bool {
    look.state.invoked.iter().any(|invoked| {
        let is_asked = invoked.input["remove"] == true && invoked.input["user_name"] == user;
        is_asked && invoked.at <= at && at.duration_since(invoked.at) <= LASTS
    })
}

pub(super) fn nobody_loses_a_password_that_waits(look: &Look<'_>) -> Option<String> {
    let is_early = |since: Timestamp, at: Timestamp| at.duration_since(since) + CLOCKS < WAITS;
    let secrets = &look.state.secrets;
    let lost = secrets.deleted.iter().find(|deleted| {
        deleted.waited && is_early(deleted.changed_at, deleted.at) && !is_to_go(look, &deleted.user, deleted.at)
    });
    if let Some(lost) = lost {
        return Some(format!("the secret is gone: {lost:?}"));
    }
    let taken = look.state.iam.changes.iter().find(|change| {
        let is_ended = change.by == "JumpUserManager" && change.operation == "DeleteLoginProfile";
        let is_early = change.waits_since.is_none_or(|since| is_early(since, change.at));
        is_ended && is_early && !is_to_go(look, &change.user, change.at)
    });
    taken.map(|change| format!("the password is gone: {change:?}"))
}

/// The last run that has ended one-time passwords, when nothing went wrong any more.
fn last_run<'a>(look: &Look<'a>) -> Option<&'a Asked> {
    let runs = look.seen.users.iter().filter(|asked| {
        let applies = asked.input["expire_passwords"] == true && asked.input["mode"] == "apply";
        applies && (asked.how == How::Scheduled || matches!(asked.answer, Some(Ok(_))))
    });
    let last = runs.max_by_key(|asked| asked.at)?;
    let faults = look.script.items.iter().filter_map(|item| match item {
        Item::Fault(fault) if fault.kind.is_of_work() => Some(fault.until()),
        _ => None,
    });
    let calm = look.state.at_second(faults.max().unwrap_or_default());
    (calm + SignedDuration::from_mins(15) <= last.at || !look.has_call_faults()).then_some(last)
}

pub(super) fn passwords_that_are_over_let_nobody_in(look: &Look<'_>) -> Option<String> {
    let last = last_run(look)?;
    let (secrets, users) = (&look.state.secrets.now, &look.state.iam.now.users);
    let left = secrets.iter().find(|(name, secret)| {
        let Some(name) = name.strip_prefix(&beginning()) else { return false };
        let changes = &look.state.iam.changes;
        let is_touched = changes.iter().any(|change| change.user == name && change.at + KNOWN_LATE >= last.at);
        let is_over = users.get(name).is_none_or(|user| is_over(user, secret.changed_at, last.at));
        secret.changed_at + YOUNG + CLOCKS < last.at && !is_touched && is_over
    });
    if let Some((name, secret)) = left {
        return Some(format!("{name} of {} is there after the run of {}", secret.changed_at, last.at));
    }
    let let_in = users.iter().find(|(name, user)| {
        let has_secret = secrets.contains_key(&(beginning() + name));
        user.path == PATH && user.login.as_ref().is_some_and(|login| login.reset_required) && !has_secret
    });
    let_in.map(|(name, user)| format!("{name} can sign in with what nobody has: {:?}", user.login))
}

fn is_over(user: &User, changed_at: Timestamp, at: Timestamp) -> bool {
    let is_used = user.login.as_ref().is_some_and(|login| !login.reset_required);
    is_used || at.duration_since(changed_at) >= WAITS + CLOCKS
}

/// Whether a look at everybody is not what there is, where nobody has changed anything meanwhile.
pub(crate) fn is_reviewed_wrongly(state: &State, began: Timestamp, answer: &Value) -> Option<String> {
    if state.iam.changes.iter().any(|change| change.at + KNOWN_LATE >= began) {
        return None;
    }
    let users = &state.iam.now.users;
    let now = time::now();
    let since = |at: Timestamp, days: i64| now.duration_since(at) >= SignedDuration::from_hours(24 * days);
    let who = |is_it: &dyn Fn(&User) -> bool| -> BTreeSet<&str> {
        users.iter().filter(|(_, user)| is_it(user)).map(|(name, _)| name.as_str()).collect()
    };
    if answer["without_second_factor"].is_object() {
        let seen = |user: &User| {
            let keys = user.keys.iter().filter_map(|key| key.used_at);
            keys.chain(user.used_at).max().unwrap_or(user.made_at)
        };
        let expected = [
            ("without_second_factor", who(&|user| user.devices.is_empty() && since(user.made_at, 7))),
            ("idle", who(&|user| since(seen(user), 90))),
            ("old_keys", who(&|user| user.keys.iter().any(|key| since(key.made_at, 90)))),
        ];
        let wrong = expected.into_iter().find(|(field, expected)| names(&answer[*field]["names"]) != *expected);
        return wrong.map(|(field, expected)| format!("{field} are {expected:?}"));
    }
    let listed = answer["users"].as_array()?;
    let shown: BTreeSet<&str> = listed.iter().filter_map(|user| user["user_name"].as_str()).collect();
    let differs = |user: &&Value| {
        let found = user["user_name"].as_str().and_then(|name| users.get(name));
        found.is_none_or(|found| {
            let groups: BTreeSet<&str> = found.groups.iter().map(String::as_str).collect();
            names(&user["groups"]) != groups
                || items(&user["second_factors"]).count() != found.devices.len()
                || items(&user["access_keys"]).count() != found.keys.len()
                || (user["is_managed"] == true) != (found.path == PATH)
        })
    };
    if shown != who(&|_| true) {
        return Some(format!("there are {:?}", users.keys()));
    }
    listed.iter().find(differs).map(|user| format!("{user} is otherwise"))
}
