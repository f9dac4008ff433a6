//! Sweeps and their reports.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Look, at};
use crate::{aws::arranging::GONE, document::SEALED, history::Done, run::Published, script::Item, template::items};

/// How long an outage lasts, in seconds, that costs no sweep its report; whoever made the state machine has promised no more.
const OUTAGE: u64 = 600;

/// Whether a sweep has failed for a call that went wrong for longer than it tries again.
fn is_outlasted(look: &Look<'_>, error: &Value) -> bool {
    let cause = error["Cause"].as_str().unwrap_or_default();
    look.script.items.iter().any(|item| match item {
        Item::Fault(fault) => fault.kind.is_of_work() && fault.lasts > OUTAGE && cause.contains(&fault.target),
        Item::Act(..) => false,
    })
}

pub(super) fn sweeps_end_in_a_report(look: &Look<'_>) -> Option<String> {
    // Nobody knows what a document would say that a person has deleted.
    let is_deleted = look.state.history.has(|done| *done == Done::Deleted);
    let mut failed = look.seen.failed_sweeps.iter();
    let failed = failed.find(|error| match error["Error"].as_str() {
        Some("BaselineDocumentMissing") => !is_deleted,
        Some("BaselineDocumentRefused") => !look.lacks_document(),
        _ => !is_outlasted(look, error),
    });
    failed.map(|error| format!("{} failed, such as with {error}", look.seen.failed_sweeps.len()))
}

pub(super) fn history_is_kept(look: &Look<'_>) -> Option<String> {
    let published = &look.seen.published;
    let pairs = published.iter().enumerate().filter(|(_, report)| report.again);
    let mut lost = pairs.filter_map(|(place, again)| {
        let first = published[..place].iter().find(|report| report.sweep == again.sweep)?;
        // The latest report is that of the latest sweep, unless one has ended since.
        if first.latest["sweep"]["sweep_id"] != again.latest["sweep"]["sweep_id"] {
            return None;
        }
        let of = |report: &Value| (report["compared_with"].clone(), report["trend"].as_array().map(Vec::len));
        let (before, after) = (of(&first.latest), of(&again.latest));
        (before != after).then(|| format!("{}: {before:?} and then {after:?}", again.sweep))
    });
    lost.next()
}

pub(super) fn every_account_is_reported_once(look: &Look<'_>) -> Option<String> {
    let mut wrong = look.seen.published.iter().filter_map(|published| {
        let rows: Vec<&Value> = items(&published.latest["sweep"]["accounts"]).collect();
        let mut ids: Vec<&str> =
            rows.iter().filter_map(|row| row["account_id"].as_str().or(row["id"].as_str())).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        let wanted = look
            .state
            .organization
            .accounts
            .iter()
            .filter(|account| account.joined < look.state.begun && account.state != GONE)
            .count();
        (count != ids.len() || count < wanted)
            .then(|| format!("{count} rows of {} accounts, {wanted} there", ids.len()))
    });
    wrong.next()
}

/// The rows of a report by account and control.
pub(super) fn rows(report: &Value) -> BTreeMap<(&str, &str), &Value> {
    let accounts = items(&report["sweep"]["accounts"]);
    let of = |account| {
        let account: &Value = account;
        let id = account["id"].as_str().unwrap_or_default();
        items(&account["checked"]["rows"]).map(move |row| ((id, row["control"].as_str().unwrap_or_default()), row))
    };
    accounts.flat_map(of).collect()
}

pub(super) fn rows_are_true(look: &Look<'_>) -> Option<String> {
    let state = look.state;
    let is_untrue = |report: &Value| {
        let began = at(&report["sweep"]["started_at"])?;
        let untrue = rows(report).into_iter().find(|((id, control), row)| {
            let Some(account) = state.organization.account(id) else { return true };
            if !state.history.absences(id).is_empty() {
                return false;
            }
            // Tags and aliases are never taken away in a run, except by whoever administers the account; what is asked of an
            // account changes with its place and with the document.
            let (is_done, was_done) = match *control {
                "account-tags" => (account.tagged_at.is_some(), account.tagged_at.is_some_and(|at| at < began)),
                "account-alias" => {
                    let alias_at = state.members.get(*id).and_then(|member| member.alias_at);
                    (alias_at.is_some(), alias_at.is_some_and(|at| at < began))
                }
                _ => return false,
            };
            match row["outcome"].as_str().unwrap_or_default() {
                "compliant" | "fixed" => !is_done,
                "drifted" if *control == "account-tags" => {
                    was_done && !state.history.has_moved(id) && !state.history.is_rearranged()
                }
                "drifted" => was_done && !state.history.is_hostile(id),
                _ => false,
            }
        });
        untrue.map(|(key, row)| format!("{key:?}: {row}"))
    };
    look.seen.published.iter().find_map(|published| is_untrue(&published.latest))
}

pub(super) fn since_is_kept(look: &Look<'_>) -> Option<String> {
    let reports: Vec<&Value> =
        look.seen.published.iter().filter(|report| !report.again).map(|report| &report.latest).collect();
    let changed = |pair: &[&Value]| {
        let before = rows(pair[0]);
        let kept = |key: &(&str, &str), row: &Value| {
            before
                .get(key)
                .is_none_or(|earlier| earlier["outcome"] != row["outcome"] || earlier["since"] == row["since"])
        };
        let lost = rows(pair[1]).into_iter().find(|(key, row)| !kept(key, row));
        lost.map(|(key, row)| format!("{key:?}: {row}, before {:?}", before.get(&key)))
    };
    reports.windows(2).find_map(changed)
}

pub(super) fn every_account_is_looked_at(look: &Look<'_>) -> Option<String> {
    let state = look.state;
    let is_missed = |published: &Published| {
        let seen = rows(&published.latest);
        let mut accounts = state.organization.accounts.iter().filter(|account| {
            let can_be_entered = state.members.get(&account.id).is_some_and(|member| member.role_from.is_some());
            account.state == "ACTIVE" && account.joined < state.begun && can_be_entered && account.id != SEALED
        });
        accounts
            .find(|account| !seen.contains_key(&(account.id.as_str(), "account-tags")))
            .map(|account| account.id.clone())
    };
    look.seen.published.iter().find_map(is_missed).filter(|_| !look.has_call_faults())
}

pub(super) fn no_sweep_hears_late(look: &Look<'_>) -> Option<String> {
    let applied = look.published("BaselineApplied").collect::<Vec<_>>();
    let mut said = look.state.lines.iter().filter(|line| line.who.starts_with("account-lister#")).filter_map(|line| {
        let answer: Value = serde_json::from_str(line.what.strip_prefix("answers ")?).ok()?;
        let mut heard = items(&answer["unannounced"]).filter(|id| {
            applied.iter().any(|published| published.at < line.at && published.detail["account_id"] == **id)
        });
        heard.next().map(|id| format!("{id} at {}", line.at))
    });
    said.next()
}
