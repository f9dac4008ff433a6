//! Policies that lock everybody out of a bucket or a queue.

use jiff::SignedDuration;
use serde_json::Value;

use super::{LASTS, Look};
use crate::{aws::locks::Changed, people::locks::Asked, script::LockDeed};

/// How long AWS may show a policy that has been changed.
const SEEN_LATE: SignedDuration = SignedDuration::from_secs(60);

/// Whether somebody else has changed this policy, or was at it, while this was asked or the next moment.
fn is_disturbed(look: &Look<'_>, asked: &Asked) -> bool {
    let is_it = |account: &str, name: &str| account == asked.account && name == asked.name;
    let locked = look
        .state
        .locks
        .locked
        .iter()
        .any(|(at, account, name)| is_it(account, name) && (asked.at..=asked.answered_at).contains(at));
    // Two who want opposite things at once are both told what they have done.
    let others = look.seen.locks.iter().filter(|other| {
        is_it(&other.account, other.name) && other.deed != LockDeed::Plan && !std::ptr::eq(*other, asked)
    });
    locked || others.into_iter().any(|other| other.at <= asked.answered_at && other.answered_at >= asked.at)
}

fn outcome(asked: &Asked) -> &str {
    let row = asked.answer.as_ref().and_then(|answer| answer.as_ref().ok());
    row.and_then(|row| row["outcome"].as_str()).unwrap_or_default()
}

pub(super) fn policies_are_as_answered(look: &Look<'_>) -> Option<String> {
    let wrong = look.seen.locks.iter().find(|asked| {
        let is_said = matches!(outcome(asked), "done" | "nothing_to_do");
        let is_so = match asked.deed {
            LockDeed::Unlock => asked.stands.is_none(),
            LockDeed::Restore => asked.stands.is_some(),
            LockDeed::Plan | LockDeed::Lock => true,
        };
        is_said && !is_so && !is_disturbed(look, asked)
    });
    wrong.map(|asked| format!("{asked:?}"))
}

pub(super) fn removed_policies_can_be_put_back(look: &Look<'_>) -> Option<String> {
    let is_kept = |policy: &str| {
        look.state.buckets.values().flat_map(|bucket| &bucket.0).any(|(key, versions)| {
            key.starts_with("root-task-backups/")
                && versions.iter().any(|version| version.content == policy.as_bytes())
                && look.state.table.items().keys().any(|item| item.ends_with(key.as_str()))
        })
    };
    // For a minute AWS may show what was, and has no call that changes a policy only if it is the one that was seen.
    let is_new = |changed: &Changed| {
        look.state.locks.locked.iter().any(|(at, account, name)| {
            let age = changed.at.duration_since(*at);
            (account, *name) == (&changed.account, changed.name) && !age.is_negative() && age <= SEEN_LATE
        })
    };
    let mut removed = look.state.locks.changed.iter().filter_map(|changed| Some((changed, changed.before.as_deref()?)));
    let lost = removed
        .find(|(changed, policy)| !is_new(changed) && changed.after.as_deref() != Some(policy) && !is_kept(policy));
    lost.map(|(changed, _)| format!("{changed:?}"))
}

pub(super) fn policies_are_changed_as_asked(look: &Look<'_>) -> Option<String> {
    let is_asked = |changed: &&Changed| {
        look.seen.locks.iter().any(|asked| {
            let deed = if changed.after.is_none() { LockDeed::Unlock } else { LockDeed::Restore };
            let is_then = asked.at <= changed.at && changed.at.duration_since(asked.at) <= LASTS;
            (asked.account.as_str(), asked.name, asked.deed) == (changed.account.as_str(), changed.name, deed)
                && is_then
        })
    };
    look.state.locks.changed.iter().find(|changed| !is_asked(changed)).map(|changed| format!("{changed:?}"))
}

pub(super) fn who_unlocks_is_answered(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let wrong = look.seen.locks.iter().find(|asked| match &asked.answer {
        None => false,
        Some(Err(error)) => match error["errorType"].as_str() {
            Some("ConcurrentModification") => false,
            Some("BaselineDocumentRefused") => !look.lacks_document(),
            _ => true,
        },
        Some(Ok(Value::Null)) => true,
        Some(Ok(_)) => outcome(asked) == "failed" && !is_disturbed(look, asked),
    });
    wrong.map(|asked| format!("{asked:?}"))
}
