//! Accounts that people move, remove and close, and units that get other names, while functions are at work.

use jiff::{SignedDuration, Timestamp};

use super::{Look, at, sweeps::rows};
use crate::{
    document::{FIRST_UNIT, is_tagged_as_asked},
    history::{Done, History},
};

/// How long whoever has looked at an account or a unit may go by what it saw: the time of an invocation by hand.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// The id of the unit for whose accounts the documents ask something else, if it is there.
pub(super) fn first_unit<'a>(look: &Look<'a>) -> Option<&'a str> {
    let org = &look.state.organization;
    let first = org.units.iter().find(|unit| unit.name == FIRST_UNIT && unit.parent == org.root);
    first.map(|unit| unit.id.as_str())
}

pub(super) fn who_is_said_to_be_as_asked_is_so_at_its_last_place(look: &Look<'_>) -> Option<String> {
    let history = &look.state.history;
    let document = history.last_document()?;
    let first = first_unit(look);
    let is_common = |done: &Done| {
        matches!(done, Done::Uploaded(_) | Done::Deleted | Done::Renamed { .. } | Done::UnitDeleted { .. })
    };
    let common = history.times(is_common).max()?;
    // Once, and not for each of many accounts.
    let reports = look.seen.published.iter();
    let reports = reports.map(|published| (at(&published.latest["sweep"]["started_at"]), rows(&published.latest)));
    let reports: Vec<_> = reports.collect();
    let mut wrong = look.state.organization.accounts.iter().filter_map(|account| {
        if account.state != "ACTIVE" || is_tagged_as_asked(account, document, first == Some(account.parent.as_str())) {
            return None;
        }
        // No tag is taken away: who was moved out of the first unit keeps its stage where the document asks for none.
        if !document.marks && look.state.organization.closings.moved_out.contains(&account.id) {
            return None;
        }
        let is_own = |done: &Done| {
            matches!(done, Done::Moved { account: id } | Done::CameBack { account: id } if *id == account.id)
        };
        let calm = history.times(is_own).max().map_or(common, |own| own.max(common)) + PATIENCE;
        let mut applied = look.published("BaselineApplied").filter(|applied| applied.at > calm);
        if let Some(applied) = applied.find(|applied| applied.detail["account_id"] == account.id.as_str()) {
            return Some(format!("{} is said at {} to have its baseline: {account:?}", account.id, applied.at));
        }
        reports.iter().find_map(|(began, rows)| {
            let began = began.filter(|began| *began > calm)?;
            let row = rows.get(&(account.id.as_str(), "account-tags"))?;
            let is_open = matches!(row["outcome"].as_str(), Some("drifted" | "not_converged"));
            let is_odd = look.has_call_faults() && row["outcome"] == "unknown";
            (!is_open && !is_odd).then(|| format!("the sweep of {began} says {row}, and it is {account:?}"))
        })
    });
    wrong.next()
}

/// Since when the document in force has an override that matches nothing, at this time; None where it has none.
fn unmatched_since(history: &History, at: Timestamp) -> Option<Timestamp> {
    let (mut has_override, mut is_there, mut since) = (false, true, None);
    for (done_at, done) in history.done.iter().filter(|(done_at, _)| *done_at <= at) {
        match done {
            Done::Uploaded(document) => has_override = document.has_override,
            Done::Deleted => has_override = false,
            Done::Renamed { from, .. } if from == FIRST_UNIT => is_there = false,
            Done::Renamed { to, .. } if to == FIRST_UNIT => is_there = true,
            Done::UnitDeleted { name, .. } if name == FIRST_UNIT => is_there = false,
            _ => {}
        }
        since = (has_override && !is_there).then(|| since.unwrap_or(*done_at));
    }
    since
}

pub(super) fn an_override_that_matches_nothing_is_reported(look: &Look<'_>) -> Option<String> {
    let history = &look.state.history;
    look.seen.published.iter().filter(|published| !published.again).find_map(|published| {
        let sweep = &published.latest["sweep"];
        let (began, ended) = (at(&sweep["started_at"])?, at(&sweep["finished_at"])?);
        let since = unmatched_since(history, began).filter(|since| unmatched_since(history, ended) == Some(*since))?;
        let is_noted = sweep["note"].as_str().is_some_and(|note| note.contains("Nothing in the organization is"));
        let mut said = look.published("BaselineSelectorUnmatched");
        let is_said = said.any(|said| (began..=ended).contains(&said.at));
        (!is_noted || !is_said)
            .then(|| format!("unmatched since {since}, and the sweep of {began} notes {}", sweep["note"]))
    })
}

pub(super) fn nobody_changes_accounts_by_an_override_that_matches_nothing(look: &Look<'_>) -> Option<String> {
    let changed = look.state.history.tagged.iter().find(|(at, _, function)| {
        let goes_by_document = function == "BaselineApplier" || function == "ComplianceChecker";
        let since = unmatched_since(&look.state.history, *at);
        goes_by_document && since.is_some_and(|since| at.duration_since(since) > PATIENCE)
    });
    changed.map(|(at, account, function)| format!("{function} has tagged {account} at {at}"))
}

pub(super) fn nobody_enters_an_account_that_has_left_or_was_closed(look: &Look<'_>) -> Option<String> {
    // What a sweep has listed it looks at until it ends; of one without a report nobody knows when that was.
    let sweeps: Vec<_> = look
        .seen
        .published
        .iter()
        .filter_map(|published| {
            let sweep = &published.latest["sweep"];
            Some((at(&sweep["started_at"])?, at(&sweep["finished_at"])?))
        })
        .collect();
    let may_not_know = |function: &str, from: Timestamp, at: Timestamp| {
        let is_listed = |(began, ended): &(Timestamp, Timestamp)| *began < from + PATIENCE && *ended > at;
        at.duration_since(from) < PATIENCE
            || (function == "ComplianceChecker"
                && (sweeps.iter().any(is_listed) || !look.seen.failed_sweeps.is_empty()))
    };
    let late = look.state.history.asked_in.iter().find(|(at, account, function)| {
        look.state.history.absences(account).into_iter().any(|(from, to)| {
            let is_within = *at > from && to.is_none_or(|to| *at < to);
            is_within && !may_not_know(function, from, *at)
        })
    });
    late.map(|(at, account, function)| format!("{function} has asked for a session in {account} at {at}"))
}
