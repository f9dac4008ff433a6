//! The closing of accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use steward::table::closures::PAST_STEWARD;

use super::Look;
use crate::{
    aws::{
        closings::{Attempt, TAG},
        stack_sets::OF_PEOPLE,
    },
    cloud::PublishedEvent,
    people::closings::Asked,
    script::{Act, Closing},
    template::{ACCOUNT, SUSPENDED_UNIT, items},
};

/// By how much the clocks of two environments may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(4);
/// For how long AWS is not asked after it has said that the quota of 30 days is used up.
const QUOTA_RETRY: SignedDuration = SignedDuration::from_secs(3_600);

/// The records of closings, by account.
fn records(look: &Look<'_>) -> BTreeMap<String, Value> {
    look.state.table.records("closure#").map(|(id, record)| (id.to_owned(), record)).collect()
}

/// What has asked AWS to close an account, of all that Steward has asked.
fn own_attempts<'a>(look: &'a Look<'_>) -> impl Iterator<Item = &'a Attempt> {
    look.state.organization.closings.attempts.iter().filter(|attempt| attempt.by == "AccountCloser")
}

/// Whether a person has asked Steward to close this account, by its right name.
fn asks_for(asked: &Asked, account: &str) -> bool {
    let Closing::Apply { misnamed, .. } = &asked.what else { return false };
    let place = asked.accounts.iter().position(|id| id == account);
    place.is_some_and(|place| !(*misnamed && place == 0))
}

/// Whether a person was answered that the closing of this account is called off.
fn promises_to_keep(asked: &Asked, account: &str) -> bool {
    let Some(Ok(answer)) = &asked.answer else { return false };
    let mut rows = items(&answer["rows"]).filter(|row| row["account_id"] == account);
    matches!(asked.what, Closing::Keep(_)) && rows.any(|row| row["state"] == "KEEPING" || row["state"] == "KEPT")
}

/// When its closing was called off the last time before a moment.
fn called_off_before(look: &Look<'_>, account: &str, at: Timestamp) -> Option<Timestamp> {
    let promises = look.seen.closings.iter().filter(|asked| promises_to_keep(asked, account));
    promises.map(|asked| asked.answered_at).filter(|promised| *promised <= at).max()
}

/// Who has asked for an account before a moment, and was not called off since.
fn standing<'a>(look: &'a Look<'_>, account: &'a str, at: Timestamp) -> impl Iterator<Item = &'a Asked> {
    let called_off = called_off_before(look, account, at);
    look.seen.closings.iter().filter(move |asked| {
        let is_after = called_off.is_none_or(|called_off| asked.answered_at > called_off);
        asks_for(asked, account) && asked.at <= at && is_after
    })
}

pub(super) fn nothing_is_closed_unasked(look: &Look<'_>) -> Option<String> {
    let unasked = own_attempts(look).find(|attempt| standing(look, &attempt.account, attempt.at).next().is_none());
    let changes = look.state.organization.closings.changes.iter();
    let marked = changes.filter(|change| change.operation == "TagResource").find(|change| {
        let mut asked = look.seen.closings.iter().filter(|asked| asks_for(asked, &change.account));
        !asked.any(|asked| asked.at <= change.at)
    });
    unasked.map(|attempt| format!("{attempt:?}")).or(marked.map(|change| format!("{change:?}")))
}

pub(super) fn accounts_cool_off(look: &Look<'_>) -> Option<String> {
    let minutes = i64::try_from(look.script.cooling_off.unwrap_or_default()).expect("a short time");
    let cooling_off = SignedDuration::from_mins(minutes);
    let is_early = |attempt: &&Attempt| {
        let first = standing(look, &attempt.account, attempt.at).map(|asked| asked.at).min();
        let told = look.published("AccountClosureAdvanced").filter(|published| {
            let detail = &published.detail;
            let is_of = detail["account_id"] == attempt.account.as_str() && detail["outcome"] == "suspended";
            is_of && published.at <= attempt.at
        });
        let told = told.last().and_then(|published| published.detail["closes_at"].as_str()?.parse::<Timestamp>().ok());
        let begins = [first.map(|first| first + cooling_off), told];
        begins.into_iter().flatten().any(|ends| attempt.at + SKEW < ends)
    };
    own_attempts(look).find(is_early).map(|attempt| format!("{attempt:?}"))
}

pub(super) fn some_are_never_closed(look: &Look<'_>) -> Option<String> {
    let closings = &look.state.organization.closings;
    let delegated = closings.delegated.iter().map(|(_, id)| id.as_str());
    let never: BTreeSet<&str> = [ACCOUNT].into_iter().chain(look.protected()).chain(delegated).collect();
    let mut changed = closings.changes.iter().filter(|change| never.contains(change.account.as_str()));
    changed.next().map(|change| format!("{change:?}"))
}

pub(super) fn every_closing_ends(look: &Look<'_>) -> Option<String> {
    let records = records(look);
    let are_left = look.does(|act| *act == Act::Closing(Closing::LeavesStackSet));
    let open = records.iter().find(|(account, record)| {
        let is_final = ["CLOSED", "KEPT", "FAILED"].iter().any(|name| record["state"]["name"] == *name);
        let is_held = !are_left && look.state.stack_sets.holds(OF_PEOPLE, account);
        let is_told = if is_final { record["told"] == "end" } else { is_held && record["told"] == "held" };
        !is_told
    });
    if let Some((account, record)) = open {
        return Some(format!("{account}: {record}"));
    }
    let promised = look.seen.closings.iter().filter_map(|asked| Some((asked, asked.answer.as_ref()?.as_ref().ok()?)));
    let mut lost = promised.flat_map(|(_, answer)| items(&answer["rows"])).filter(|row| {
        row["outcome"] == "under_way" && !records.contains_key(row["account_id"].as_str().unwrap_or_default())
    });
    lost.next().map(|row| format!("nothing is known any more of {row}"))
}

pub(super) fn no_closing_fails_without_a_reason(look: &Look<'_>) -> Option<String> {
    let closings = &look.state.organization.closings;
    let records = records(look);
    let mut failed = records.iter().filter(|(_, record)| record["state"]["name"] == "FAILED");
    let unreasonable = failed.find(|(account, record)| {
        let has_words = record["state"]["failure"]["message"].as_str().is_some_and(|message| !message.is_empty());
        !has_words || !closings.moved_out.contains(account.as_str())
    });
    unreasonable.map(|(account, record)| format!("{account}: {record}"))
}

/// What was told of the ends of closings.
fn told_ends<'a>(look: &'a Look<'_>) -> impl Iterator<Item = &'a PublishedEvent> {
    look.published("AccountClosureAdvanced").filter(|published| {
        let outcome = published.detail["outcome"].as_str().unwrap_or_default();
        match published.detail["act"].as_str().unwrap_or_default() {
            "end" => matches!(outcome, "closed" | "failed"),
            "keep" => outcome == "kept",
            _ => false,
        }
    })
}

pub(super) fn every_end_is_told(look: &Look<'_>) -> Option<String> {
    let records = records(look);
    let untold = records.iter().find(|(account, record)| {
        let outcome = match record["state"]["name"].as_str().unwrap_or_default() {
            "CLOSED" => "closed",
            "KEPT" => "kept",
            "FAILED" => "failed",
            _ => return false,
        };
        // Of what Steward had no part in, the auditor of activities tells.
        let is_foreign = record["reason"] == PAST_STEWARD;
        let is_told = |published: &PublishedEvent| {
            published.detail["account_id"] == account.as_str() && published.detail["outcome"] == outcome
        };
        !is_foreign && !told_ends(look).any(is_told)
    });
    untold.map(|(account, record)| format!("{account}: {record}"))
}

pub(super) fn every_end_is_told_once(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let mut before: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for published in told_ends(look) {
        let account = published.detail["account_id"].as_str().unwrap_or_default();
        let Some(earlier) = before.insert(account, published.at) else { continue };
        let mut asked = look.seen.closings.iter().filter(|asked| asked.accounts.iter().any(|id| id == account));
        if !asked.any(|asked| asked.answered_at >= earlier && asked.at <= published.at) {
            return Some(format!("told at {earlier} and again at {}: {}", published.at, published.detail));
        }
    }
    None
}

pub(super) fn what_is_told_of_ends_is_true(look: &Look<'_>) -> Option<String> {
    let closings = &look.state.organization.closings;
    let untrue = told_ends(look).find(|published| {
        let account = published.detail["account_id"].as_str().unwrap_or_default();
        let closed_at = closings.closed_at.get(account);
        match published.detail["outcome"].as_str().unwrap_or_default() {
            "closed" => {
                let is_past = published.detail["past_steward"] == true;
                let is_own = closings.was_closed_by(account, "AccountCloser");
                // A call that AWS has not answered may have closed it: that people have done so since, nobody can tell.
                let may_be_own = !is_past && look.has_call_faults();
                let is_mistaken = is_past == is_own && !may_be_own;
                closed_at.is_none_or(|closed_at| *closed_at > published.at) || is_mistaken
            }
            _ => closings.was_closed_by(account, "AccountCloser") && closed_at.is_some_and(|at| *at < published.at),
        }
    });
    untrue.map(|published| format!("told at {}: {}", published.at, published.detail))
}

pub(super) fn kept_accounts_are_back(look: &Look<'_>) -> Option<String> {
    let org = &look.state.organization;
    let records = records(look);
    let is_elsewhere = |(account, record): &(&String, &Value)| {
        let Some(found) = org.account(account) else { return true };
        // Who waited in its own place may be taken out of it later.
        let was_moved_out = record["from_unit"] == SUSPENDED_UNIT && org.closings.moved_out.contains(account.as_str());
        let is_back = record["from_unit"] == found.parent.as_str() || was_moved_out;
        let is_as_before = is_back && !found.tags.contains_key(TAG);
        record["state"]["name"] == "KEPT" && !is_as_before
    };
    let elsewhere = records.iter().find(is_elsewhere);
    elsewhere.map(|(account, record)| format!("{:?}, of which is said {record}", org.account(account)))
}

pub(super) fn nobody_is_marked_for_nothing(look: &Look<'_>) -> Option<String> {
    let records = records(look);
    let mut marked = look.state.organization.accounts.iter().filter(|account| account.tags.contains_key(TAG));
    let nothing = marked.find(|account| !records.contains_key(&account.id));
    nothing.map(|account| format!("{account:?}"))
}

pub(super) fn no_closing_is_one_too_many(look: &Look<'_>) -> Option<String> {
    let is_own = |attempt: &&Attempt| {
        attempt.refused.as_deref() == Some("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED") && attempt.own_under_way >= 3
    };
    let too_many = own_attempts(look).find(is_own).map(|attempt| format!("{attempt:?}"));
    let call = ("AccountCloser".to_owned(), "organizations:CloseAccount".to_owned());
    let throttled = look.state.calls.get(&call).map_or(0, |(_, throttled)| *throttled);
    let is_alone = !look.does(|act| matches!(act, Act::Closing(Closing::PastSteward(_))));
    let too_fast = (throttled > 0 && is_alone && !look.has_call_faults()).then(|| format!("{throttled} were too fast"));
    too_many.or(too_fast)
}

pub(super) fn a_quota_that_is_used_up_is_left_alone(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let mut refused: Option<&Attempt> = None;
    for attempt in own_attempts(look) {
        // That is remembered with the account: whoever is called off takes it along.
        let is_remembered = |earlier: &&Attempt| {
            let called_off = called_off_before(look, &earlier.account, attempt.at);
            called_off.is_none_or(|called_off| called_off < earlier.at)
        };
        let is_too_soon = |earlier: &&Attempt| attempt.at.duration_since(earlier.at) + SKEW < QUOTA_RETRY;
        if let Some(earlier) = refused.filter(is_too_soon).filter(is_remembered) {
            return Some(format!("{earlier:?}, and then {attempt:?}"));
        }
        if attempt.refused.as_deref() == Some("CLOSE_ACCOUNT_QUOTA_EXCEEDED") {
            refused = Some(attempt);
        }
    }
    None
}

pub(super) fn every_change_is_journaled(look: &Look<'_>) -> Option<String> {
    let changes = &look.state.organization.closings.changes;
    changes.iter().find(|change| !change.is_journaled).map(|change| format!("{change:?}"))
}

pub(super) fn people_know_before(look: &Look<'_>) -> Option<String> {
    own_attempts(look).find(|attempt| !attempt.was_announced).map(|attempt| format!("{attempt:?}"))
}

pub(super) fn who_asks_is_answered(look: &Look<'_>) -> Option<String> {
    let is_without_document = |error: &Value| error["errorType"] == "BaselineDocumentRefused" && look.lacks_document();
    let unanswered = look.seen.closings.iter().find(|asked| match &asked.answer {
        Some(Err(error)) => !is_without_document(error),
        _ => false,
    });
    unanswered.filter(|_| !look.has_call_faults()).map(|asked| format!("{asked:?}"))
}
