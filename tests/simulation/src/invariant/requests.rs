//! Requests for accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{Look, places::first_unit};
use crate::{
    history::Done,
    run::{Asked, address},
    script::{Act, Control},
};

pub(super) fn one_account_per_address(look: &Look<'_>) -> Option<String> {
    let mut made: BTreeMap<&str, u64> = BTreeMap::new();
    for account in look.state.organization.accounts.iter().filter(|account| account.state == "ACTIVE") {
        *made.entry(&account.email).or_default() += 1;
    }
    made.into_iter().find(|(_, count)| *count > 1).map(|(email, count)| format!("{count} accounts of {email}"))
}

pub(super) fn no_second_call(look: &Look<'_>) -> Option<String> {
    let is_known = |email: &str| {
        look.does(|act| matches!(act, Act::Taken { person } | Act::Closed { person } if address(*person) == email))
            || look.went_to_or_from(email)
    };
    let mut seen = BTreeSet::new();
    let again = look.state.organization.creations.iter().find(|creation| !seen.insert(creation.email.clone()));
    again.filter(|creation| !is_known(&creation.email)).map(|creation| format!("two calls for {}", creation.email))
}

pub(super) fn every_request_is_answered(look: &Look<'_>) -> Option<String> {
    let unanswered = |asked: &&Asked| {
        let email = address(asked.person);
        if look.requests.contains_key(&email) {
            return false;
        }
        let is_published = || {
            let mut published = look.published("AccountCreationFailed").filter(|published| published.at >= asked.at);
            published.any(|published| published.detail["email"].as_str().is_none_or(|published| published == email))
        };
        match &asked.answer {
            // A person sees that it went wrong, and asks again.
            Some(Err(error)) => {
                (error["errorType"] == "Throttled" && !look.is_throttled_from_outside(asked.at))
                    || (!look.has_call_faults() && error["errorType"] != "TooManyRequestsException")
            }
            Some(Ok(answer)) => answer["state"] != "REFUSED" && !is_published(),
            None if asked.by_hand => true,
            None => {
                let is_given_up = look.has_call_faults() && look.was_given_up(&email);
                !is_published() && !is_given_up
            }
        }
    };
    let too_fast = look.published("AccountCreationFailed").find(|published| published.detail["cause"] == "Throttled");
    if let Some(published) = too_fast.filter(|_| !look.has_call_faults()) {
        return Some(format!("refused for Steward's own speed: {}", published.detail));
    }
    look.seen.asked.iter().find(unanswered).map(|asked| format!("{}: {:?}", address(asked.person), asked.answer))
}

pub(super) fn every_request_ends(look: &Look<'_>) -> Option<String> {
    let open = look.requests.iter().find(|(_, record)| {
        let state = &record["state"]["name"];
        (state != "READY" && state != "FAILED") || record["announced"] != true
    });
    open.map(|(email, record)| format!("{email} is {}, announced {}", record["state"], record["announced"]))
}

pub(super) fn no_failure_without_a_reason(look: &Look<'_>) -> Option<String> {
    if look.does(|act| matches!(act, Act::Taken { .. } | Act::Closed { .. })) {
        return None;
    }
    let is_unit_gone = |record: &Value| {
        let unit = record["spec"]["organizational_unit"].as_str();
        look.state
            .history
            .has(|done| matches!(done, Done::UnitDeleted { unit: gone, .. } if Some(gone.as_str()) == unit))
    };
    let mut failed = look.requests.iter().filter(|(_, record)| record["state"]["name"] == "FAILED");
    let failed = failed.find(|(email, record)| !is_unit_gone(record) && !look.went_to_or_from(email));
    failed.map(|(email, record)| format!("{email}: {}", record["state"]))
}

pub(super) fn every_end_is_announced(look: &Look<'_>) -> Option<String> {
    let unpublished = look.requests.iter().find(|(_, record)| {
        let kind = match record["state"]["name"].as_str() {
            Some("READY") => "AccountCreated",
            Some("FAILED") => "AccountCreationFailed",
            _ => return false,
        };
        !look.published(kind).any(|published| published.detail["request_id"] == record["request_id"])
    });
    unpublished.map(|(email, _)| email.clone())
}

pub(super) fn ready_is_true(look: &Look<'_>) -> Option<String> {
    let untrue = look.seen.asked.iter().find(|asked| {
        let Some(Ok(answer)) = &asked.answer else { return false };
        let account = answer["account_id"].as_str().and_then(|id| look.state.organization.account(id));
        answer["state"] == "READY" && asked.closed_before && account.is_none_or(|account| account.state != "ACTIVE")
    });
    // Whoever closes an account, AWS keeps its address for it.
    let is_closed_with = |address: &str| {
        let mut accounts = look.state.organization.accounts.iter();
        accounts.any(|account| account.state != "ACTIVE" && account.email.eq_ignore_ascii_case(address))
    };
    let keeps_address =
        |person| look.does(|act| *act == Act::ClosedAsItIs { person }) || is_closed_with(&address(person));
    let forgotten = look.seen.asked.iter().find(|asked| {
        let record = look.requests.get(&address(asked.person));
        let attempts = record.and_then(|record| record["attempt"].as_u64()).unwrap_or_default();
        asked.closed_before && attempts == 1 && !keeps_address(asked.person) && !look.has_call_faults()
    });
    // Nobody can have the address of an account that is closed and has it still.
    let unrefused = look
        .seen
        .asked
        .iter()
        .find(|asked| asked.closed_before && keeps_address(asked.person) && !look.is_refused(asked));
    untrue.or(forgotten).or(unrefused).map(|asked| format!("{}: {:?}", address(asked.person), asked.answer))
}

pub(super) fn a_copy_is_no_request(look: &Look<'_>) -> Option<String> {
    let too_many = look.requests.iter().find(|(email, record)| {
        let asked = look.seen.asked.iter().filter(|asked| address(asked.person) == **email).count() as u64;
        record["attempt"].as_u64().unwrap_or_default() > asked
    });
    too_many.map(|(email, record)| format!("{email}: attempt {}", record["attempt"]))
}

pub(super) fn places_are_given_back(look: &Look<'_>) -> Option<String> {
    let holders = look.state.table.find("in-flight")?.get("holders")?;
    Some(holders.to_string())
}

pub(super) fn accounts_are_as_asked(look: &Look<'_>) -> Option<String> {
    let differs = |record: &Value| {
        let account = look.state.organization.account(record["state"]["account_id"].as_str()?)?;
        // A person has closed it, and changed what it was.
        if record["state"]["name"] != "READY" || account.state != "ACTIVE" {
            return None;
        }
        let spec = &record["spec"];
        let has_tags = spec["tags"]
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, value)| account.tags.get(name).is_some_and(|tag| *value == tag.as_str()));
        let has_home = spec["organizational_unit"].as_str().is_none_or(|unit| account.parent == unit)
            || look.state.history.has_moved(&account.id)
            || (spec["organizational_unit"].as_str() != first_unit(look)
                && was_moved_by_the_document(look, &account.id));
        // A person may have had it renamed since.
        let present = account.name.as_str();
        let mut renamed = look.seen.updated.iter().map(|updated| &updated.input["names"][account.id.as_str()]);
        let profile = look.state.organization.profiles.get(&account.id);
        let is_from_outside = profile.is_some_and(|profile| !profile.is_by_steward(present));
        let has_name = spec["account_name"] == present || is_from_outside || renamed.any(|name| name == present);
        let is_as_asked = has_name && has_tags && has_home;
        (!is_as_asked).then(|| format!("{spec} and {account:?}"))
    };
    look.requests.values().find_map(differs)
}

/// Whether an account was moved to where the document has it, after it was READY where somebody has asked for it. Who is in
/// the first unit stays there.
fn was_moved_by_the_document(look: &Look<'_>, id: &str) -> bool {
    let is_ready = |at| look.published("AccountCreated").any(|told| told.detail["account_id"] == id && told.at <= at);
    let mut moved = look.state.changed.iter().filter(|changed| changed.account == id && changed.by.is_some());
    let is_asked = look.script.nature.controls.has(Control::OrganizationalUnit);
    is_asked && moved.any(|changed| changed.control == Control::OrganizationalUnit && is_ready(changed.at))
}

pub(super) fn the_daily_cap_is_kept(look: &Look<'_>) -> Option<String> {
    let mut days: BTreeMap<&str, u64> = BTreeMap::new();
    for record in look.requests.values() {
        *days.entry(&record["first_requested_at"].as_str()?[..10]).or_default() += 1;
    }
    let cap = look.script.daily_cap;
    days.into_iter().find(|(_, count)| *count > cap).map(|(day, count)| format!("{count} on {day}, {cap} may be"))
}

pub(super) fn no_creation_is_one_too_many(look: &Look<'_>) -> Option<String> {
    let is_odd = look.has_call_faults() || look.has_event_faults();
    let refused = look.state.covered.contains("organizations:CreateAccount ConstraintViolationException");
    (refused && !is_odd).then(|| "AWS has refused one".to_owned())
}

pub(super) fn every_account_is_announced_once(look: &Look<'_>) -> Option<String> {
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for published in look.published("AccountCreated") {
        *ends.entry(published.detail["account_id"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let twice = ends.into_iter().find(|(_, count)| *count > 1).filter(|_| !look.has_call_faults());
    twice.map(|(account, count)| format!("{account} {count} times"))
}

pub(super) fn who_waits_looks_ever_more_seldom(look: &Look<'_>) -> Option<String> {
    let too_often = look.requests.iter().find(|(_, record)| {
        let at = |passed: Option<&Value>| passed.and_then(|passed| passed["at"].as_str()?.parse::<Timestamp>().ok());
        let history = record["history"].as_array();
        let first = at(history.and_then(|history| history.first()));
        let last = at(history.and_then(|history| history.last()));
        let lasted = first.zip(last).map_or(0, |(first, last)| last.duration_since(first).as_secs());
        let number = |name: &str| record[name].as_i64().unwrap_or_default();
        let looks = number("looks") - number("first_look");
        looks > 12 + lasted / 10
    });
    too_often
        .filter(|_| !look.has_call_faults())
        .map(|(email, record)| format!("{email} was looked at {} times: {}", record["looks"], record["history"]))
}
