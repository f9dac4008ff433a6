//! Who gets in where.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Look, sweeps::rows};
use crate::{
    aws::{
        access::{ByGroup, NAMED, OF_GROUPS},
        iam::{Group, PATH, policy_arn},
        organizations,
    },
    fault::Kind,
    history::Done,
    script::{Act, Item},
    template::{JUMP, items},
};

/// How long after a change somebody may still be let in by what was before: the names of units are believed for five minutes,
/// and what was read is worked off.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// How long after somebody has tampered a sweep begins that sees it, in seconds.
const SEEN: u64 = 600;

/// What there was of accounts in some group at any moment of a time.
fn ever(seen: &[(Timestamp, ByGroup)], group: &str, from: Timestamp, to: Timestamp) -> BTreeSet<String> {
    let ended = |place: usize| seen.get(place + 1).map(|(next, _)| *next);
    let then = seen
        .iter()
        .enumerate()
        .filter(|(place, (begun, _))| *begun <= to && ended(*place).is_none_or(|ended| ended >= from));
    then.filter_map(|(_, (_, by_group))| by_group.get(group)).flatten().cloned().collect()
}

pub(super) fn nobody_gets_in_unasked(look: &Look<'_>) -> Option<String> {
    let access = &look.state.access;
    let until = access.tampered.first().copied().unwrap_or(Timestamp::MAX);
    // The name that a unit had is believed for a while, also of what comes into it then.
    let is_believed = |at: Timestamp| {
        let mut done = look.state.history.done.iter();
        done.any(|(renamed, done)| matches!(done, Done::Renamed { .. }) && at - PATIENCE <= *renamed && *renamed <= at)
    };
    let mut seen = access.reached.windows(2).filter(|pair| pair[1].0 < until && !is_believed(pair[1].0));
    seen.find_map(|pair| {
        let ((_, before), (at, after)) = (&pair[0], &pair[1]);
        after.iter().find_map(|(group, accounts)| {
            let given = ever(&access.given, group, *at - PATIENCE, *at);
            let had = before.get(group);
            let is_new = |account: &&String| had.is_none_or(|had| !had.contains(*account));
            let mut wrong = accounts.iter().filter(is_new).filter(|account| !given.contains(*account));
            wrong.next().map(|account| format!("at {at} {group} came to reach {account}"))
        })
    })
}

/// The groups that reach something else in the end than the document gives, in accounts that this is asked of.
fn differing(look: &Look<'_>, is_asked: impl Fn(&str) -> bool) -> Option<String> {
    let access = &look.state.access;
    let (_, given) = access.given.last()?;
    let empty = ByGroup::new();
    let reached = access.reached.last().map_or(&empty, |(_, reached)| reached);
    given.iter().find_map(|(group, given)| {
        let nobody = BTreeSet::new();
        let reached = reached.get(group).unwrap_or(&nobody);
        let mut wrong = given.symmetric_difference(reached).filter(|account| is_asked(account));
        wrong.next().map(|account| {
            format!("{group} reaches {account}: {}, and is to: {}", reached.contains(account), given.contains(account))
        })
    })
}

/// Whether an account is away that the documents name by its id: then they name what is not there, and nothing is changed by
/// them.
pub(super) fn lacks_a_named_account(look: &Look<'_>) -> bool {
    let is_away = |number| !look.state.history.absences(&organizations::id_of(number)).is_empty();
    look.state.access.is_said && NAMED.into_iter().any(is_away)
}

/// Whether people know that something could not be done, as where a document names what is not there any more.
fn is_told(look: &Look<'_>) -> bool {
    let told = ["BaselineIncomplete", "BaselineSelectorUnmatched"];
    told.iter().any(|kind| look.published(kind).next().is_some()) || !super::dead_letters(look.state).is_empty()
}

/// Whether a row says that the groups are as they are to be.
fn is_done(row: &Value) -> bool {
    row["control"] == OF_GROUPS && matches!(row["outcome"].as_str(), Some("fixed" | "compliant"))
}

pub(super) fn groups_follow_their_accounts(look: &Look<'_>) -> Option<String> {
    let access = &look.state.access;
    if !access.tampered.is_empty() || is_told(look) || look.has_fault(|kind| kind == Kind::Lost) {
        return None;
    }
    let has_changed = |account: &str| {
        let mut times = access.given.windows(2);
        times.any(|pair| {
            let is_in = |by_group: &ByGroup, group: &str| by_group.get(group).is_some_and(|it| it.contains(account));
            pair[1].1.keys().any(|group| is_in(&pair[0].1, group) != is_in(&pair[1].1, group))
        })
    };
    differing(look, has_changed)
}

/// Whether the groups of the projects are whole: each lets nobody in without a second factor, and has policies of Steward's alone.
fn is_whole(look: &Look<'_>) -> bool {
    let tree = &look.state.iam.now;
    let own = tree.groups.iter().filter(|(_, group)| group.path == PATH);
    own.into_iter().all(|(name, group)| {
        let is_own = |arn: &String| arn.starts_with(&policy_arn(""));
        tree.enforces_mfa(name) && group.inline.is_empty() && group.policies.iter().all(is_own)
    })
}

/// What in the end is not as the document says of all groups of projects.
fn whatever_is_wrong(look: &Look<'_>) -> Option<String> {
    let differing = differing(look, |_| true);
    differing.or_else(|| (!is_whole(look)).then(|| format!("{:?}", look.state.iam.now.groups)))
}

pub(super) fn groups_are_whole_after_an_apply(look: &Look<'_>) -> Option<String> {
    let access = &look.state.access;
    let mut answers = look.seen.by_hand.iter().filter(|answer| answer["mode"] == "apply");
    let is_applied = answers.any(|answer| items(&answer["rows"]).any(is_done));
    if !is_applied || !access.tampered.is_empty() || is_told(look) || look.has_call_faults() {
        return None;
    }
    whatever_is_wrong(look)
}

pub(super) fn sweeps_put_groups_right(look: &Look<'_>) -> Option<String> {
    let access = &look.state.access;
    let last = access.tampered.last()?.duration_since(look.state.begun).as_secs();
    let is_after = |second: u64| i64::try_from(second).is_ok_and(|second| second > last);
    let sweeps = look.script.items.iter().any(|item| match item {
        Item::Act(second, Act::Sweep) => second.checked_sub(SEEN).is_some_and(is_after),
        _ => false,
    });
    let heals = look.does(|act| matches!(act, Act::Remediating)) && sweeps;
    let is_said = look.seen.published.last().and_then(|published| {
        let rows = rows(&published.latest);
        rows.get(&(JUMP, OF_GROUPS)).map(|row| is_done(row))
    });
    if !heals
        || is_said != Some(true)
        || is_told(look)
        || look.has_call_faults()
        || look.has_fault(|kind| kind == Kind::Lost)
    {
        return None;
    }
    whatever_is_wrong(look)
}

pub(super) fn groups_of_others_are_left_alone(look: &Look<'_>) -> Option<String> {
    let tree = &look.state.iam.now;
    let is_as_it_was = |group: &Group| group.policies.is_empty() && group.inline == ["own".to_owned()];
    let other = tree.groups.get("auditors").filter(|_| look.state.access.is_said);
    other.filter(|group| !is_as_it_was(group)).map(|group| format!("{group:?}"))
}
