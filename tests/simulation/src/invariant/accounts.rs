//! What is done in accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;

use super::{
    Look,
    access::lacks_a_named_account,
    controls::{is_undone, was_otherwise, was_otherwise_lately},
    places::first_unit,
};
use crate::{
    aws::organizations::Account,
    cloud::PublishedEvent,
    document::{self, SEALED, is_tagged_as_asked},
    fault::Kind,
    furnish::document_of,
    script::{Act, Control, Item},
    template::{JUMP, items},
};

fn has_baseline(look: &Look<'_>, account: &str) -> bool {
    look.published("BaselineApplied").any(|published| published.detail["account_id"] == account)
}

pub(super) fn every_new_account_has_its_baseline(look: &Look<'_>) -> Option<String> {
    let lacks = |record: &Value| {
        let account = record["state"]["account_id"].as_str()?;
        let is_closed = look.state.organization.account(account).is_none_or(|found| found.state != "ACTIVE");
        if record["state"]["name"] != "READY" || is_closed || has_baseline(look, account) {
            return None;
        }
        // It may have failed for good, and people have been told.
        let said = look.published("BaselineIncomplete").find(|published| published.detail["account_id"] == account);
        if (look.has_call_faults() && said.is_some()) || is_kept_from_it(look, account) {
            return None;
        }
        Some(format!("{account}: {:?}", said.map(|published| published.detail.clone())))
    };
    look.requests.values().find_map(lacks)
}

/// Whether people were told that an account has not got its baseline because of what somebody has done meanwhile: the document
/// names a unit that is not there any more, another account has the alias that this one is to get, or it was to be closed.
fn is_kept_from_it(look: &Look<'_>, account: &str) -> bool {
    let mut said = look.published("BaselineIncomplete").filter(|said| said.detail["account_id"] == account);
    said.any(|said| match said.detail["cause"].as_str() {
        Some("BaselineSelectorUnmatched") => look.state.history.is_rearranged() || lacks_a_named_account(look),
        // People had asked for its end, and called that off when it was too late for this.
        Some("AccountProtected") => {
            let mut closings = look.seen.closings.iter();
            closings.any(|asked| asked.at <= said.at && asked.accounts.iter().any(|closed| closed == account))
        }
        Some("AccountAliasTaken") => look.state.history.lacks_its_alias(account),
        // AWS takes hours at times, and may have done with it while that was being said.
        Some("RegionInTransition" | "RegionOptQuota") => was_otherwise_lately(look, account, Control::Regions, said.at),
        // What Steward changes nothing of differs until people change it.
        Some("NotConverged") => look.script.nature.controls.iter().any(|control| {
            let is_left = control.is_left_to_people() && was_otherwise(look, account, control, said.at);
            is_left || is_undone(look, account, control, said.at)
        }),
        _ => false,
    })
}

pub(super) fn every_joined_account_has_its_baseline(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() || look.has_event_faults() {
        return None;
    }
    let joined = look.state.organization.accounts.iter().filter(|account| account.email.starts_with("joined+"));
    let may_lack = |id: &str| look.state.history.is_hostile(id) || is_kept_from_it(look, id);
    let lacks =
        |account: &&Account| account.state == "ACTIVE" && !has_baseline(look, &account.id) && !may_lack(&account.id);
    let mut lacking = joined.filter(lacks);
    lacking.next().map(|account| account.id.clone())
}

pub(super) fn plans_write_nothing(look: &Look<'_>) -> Option<String> {
    (look.seen.writes_in_plan > 0).then(|| format!("{} writes", look.seen.writes_in_plan))
}

pub(super) fn rows_are_not_throttled(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let by_hand = look.seen.by_hand.iter().flat_map(|answer| items(&answer["rows"]).chain(items(&answer["failed"])));
    let throttled: Vec<&Value> = by_hand.filter(|row| row.to_string().contains("\"Throttled\"")).collect();
    throttled.first().map(|row| format!("{} rows, such as {row}", throttled.len()))
}

pub(super) fn old_accounts_are_left_alone(look: &Look<'_>) -> Option<String> {
    if look.does(|act| matches!(act, Act::ApplyToAll | Act::Remediating)) {
        return None;
    }
    // The documents of these runs have sweeps remediate nothing: what was there before the run is nobody's new account.
    let old = look.state.organization.accounts.iter().filter(|account| account.joined < look.state.begun);
    let mut touched = old.filter(|account| {
        account.tags.contains_key("managed-by")
            || look.state.members.get(&account.id).is_some_and(|member| member.writes > 0)
    });
    touched.next().map(|account| format!("{} of {} days", account.id, days(look, account.joined)))
}

pub(super) fn one_writer_at_a_time(look: &Look<'_>) -> Option<String> {
    let entered = &look.state.entered;
    let mut between = entered.iter().filter(|(_, _, function)| function == "ComplianceChecker").filter_map(|sweep| {
        // Who gives a new account its baseline was not done with it.
        let later = entered.iter().find(|(at, account, function)| {
            function == "BaselineApplier"
                && *account == sweep.1
                && *at > sweep.0
                && at.duration_since(sweep.0) < SignedDuration::from_mins(10)
        })?;
        Some(format!("{}: {} at {}, {} at {}", sweep.1, sweep.2, sweep.0, later.2, later.0))
    });
    between.next().filter(|_| !look.does(|act| matches!(act, Act::ApplyToAll)))
}

pub(super) fn ours_are_known(look: &Look<'_>) -> Option<String> {
    let made: Vec<&Value> = look.requests.values().map(|record| &record["state"]["account_id"]).collect();
    let mut foreign = look.published("BaselineApplied").filter(|published| {
        published.detail["request_id"].is_null() && made.contains(&&published.detail["account_id"])
    });
    let only_slow = look.script.items.iter().all(|item| match item {
        Item::Fault(fault) => matches!(fault.kind, Kind::Slow | Kind::Doubled),
        Item::Act(_, act) => !matches!(act, Act::Sweep | Act::ApplyToAll),
    });
    foreign.next().filter(|_| only_slow).map(|published| published.detail["account_id"].to_string())
}

fn days(look: &Look<'_>, joined: jiff::Timestamp) -> i64 {
    look.state.begun.duration_since(joined).as_hours() / 24
}

pub(super) fn closed_and_sealed_accounts_are_not_entered(look: &Look<'_>) -> Option<String> {
    let was_closed = |id: &str| {
        let found = look.state.organization.account(id);
        // Of who was closed or removed meanwhile, another invariant says until when it may be entered.
        let is_always = look.state.history.absences(id).is_empty();
        is_always && found.is_some_and(|account| account.state == "SUSPENDED" && account.joined < look.state.begun)
    };
    let entered = look.state.asked_in.iter().find(|(account, _)| account == SEALED || was_closed(account));
    entered.map(|(account, function)| format!("{function} has asked for a session in {account}"))
}

pub(super) fn protected_accounts_are_not_changed(look: &Look<'_>) -> Option<String> {
    let is_changed = |id: &str| {
        look.state.organization.account(id).is_some_and(|account| account.tagged_at.is_some())
            || look.state.members.get(id).is_some_and(|member| member.writes > 0)
    };
    look.protected().find(|id| is_changed(id)).map(str::to_owned)
}

pub(super) fn tags_are_as_the_document_says(look: &Look<'_>) -> Option<String> {
    let history = &look.state.history;
    // What people have rearranged is as the document says only after a look that comes later, of which another invariant tells.
    if history.is_rearranged() {
        return None;
    }
    let first = first_unit(look);
    let document = document_of(look.script, document::Kind::Good);
    // Who is closed keeps what it had before news of its place came.
    let is_tagged = |account: &&Account| account.tagged_at.is_some() && account.state == "ACTIVE";
    let tagged = look.state.organization.accounts.iter().filter(is_tagged);
    let mut unmoved = tagged.filter(|account| {
        let was_moved_out = look.state.organization.closings.moved_out.contains(&account.id);
        !history.has_moved(&account.id) && !was_moved_out
    });
    let differs = |account: &&Account| {
        let record = look.state.table.find(&format!("closure#{}", account.id));
        // Nothing is changed of who waits to be closed: what it has is of the unit before.
        let before = record.and_then(|record| record.get("from_unit")?["S"].as_str());
        let unit = before.unwrap_or(&account.parent);
        !is_tagged_as_asked(account, document, first == Some(unit))
    };
    unmoved.find(differs).map(|account| format!("{account:?}"))
}

pub(super) fn nobody_is_given_a_baseline_twice(look: &Look<'_>) -> Option<String> {
    let mut given: BTreeMap<&str, u64> = BTreeMap::new();
    for published in look.published("BaselineApplied") {
        *given.entry(published.detail["account_id"].as_str().unwrap_or_default()).or_default() += 1;
    }
    // What is lost comes once, by a sweep, and of what is doubled one copy counts; what is late may come again.
    let comes_again = look.has_fault(|kind| !matches!(kind, Kind::Lost | Kind::Doubled));
    let twice = given.into_iter().find(|(_, count)| *count > 1).filter(|_| !comes_again);
    twice.map(|(account, count)| format!("{account} {count} times"))
}

pub(super) fn nobody_is_told_twice_what_a_baseline_lacks(look: &Look<'_>) -> Option<String> {
    // Of regions, and of the groups of the jump account, it is told each time that somebody changes them.
    let is_of_else = |account: &str| {
        account == JUMP
            || look.published("RegionPolicyViolated").any(|published| published.detail["account_id"] == account)
    };
    let mut told = BTreeSet::new();
    let mut lacking = look
        .published("BaselineIncomplete")
        .map(|published| published.detail["account_id"].as_str().unwrap_or_default())
        .filter(|account| !is_of_else(account));
    let comes_again = look.has_fault(|kind| !matches!(kind, Kind::Lost | Kind::Doubled));
    lacking.find(|account| !told.insert(*account)).filter(|_| !comes_again).map(str::to_owned)
}

pub(super) fn applied_is_true(look: &Look<'_>) -> Option<String> {
    let is_untrue = |published: &&PublishedEvent| {
        let id = published.detail["account_id"].as_str().unwrap_or_default();
        // Whoever administers it may have taken it away since; of an account that has left, nothing is kept here.
        if look.state.history.is_hostile(id) || !look.state.history.absences(id).is_empty() {
            return false;
        }
        let tagged_at = look.state.organization.account(id).and_then(|account| account.tagged_at);
        let alias_at = look.state.members.get(id).and_then(|member| member.alias_at);
        [tagged_at, alias_at].into_iter().any(|done_at| done_at.is_none_or(|done_at| done_at > published.at))
    };
    let untrue = look.published("BaselineApplied").find(is_untrue);
    untrue.map(|published| format!("told at {}: {}", published.at, published.detail["account_id"]))
}
