//! The regions of accounts.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Look;
use crate::{
    aws::{
        account::SHOWN_LATE,
        regions::{Asker, Told, status},
    },
    cloud::PublishedEvent,
    document::Document,
    fault::Kind,
    history::Done,
    script::Act,
    template::ACCOUNT,
};

/// How long whoever has read the document may go by it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// What was told of regions: whether it is against the document, and the event.
fn published<'a>(look: &'a Look<'_>) -> impl Iterator<Item = (bool, &'a PublishedEvent)> {
    let fine = look.published("RegionOptAudited").map(|published| (false, published));
    fine.chain(look.published("RegionPolicyViolated").map(|published| (true, published)))
}

fn is_of(detail: &Value, told: &Told) -> bool {
    let at = told.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    detail["account_id"] == told.account.as_str()
        && detail["region"] == told.region.as_str()
        && detail["status"] == told.status
        && super::at(&detail["at"]) == at.parse().ok()
}

pub(super) fn every_change_of_a_region_is_told(look: &Look<'_>) -> Option<String> {
    if look.has_fault(|kind| kind == Kind::Lost) {
        return None;
    }
    let untold =
        look.state.regions.told.iter().find(|told| !published(look).any(|(_, event)| is_of(&event.detail, told)));
    untold.map(|told| format!("{told:?}"))
}

pub(super) fn no_change_of_a_region_is_told_twice(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let count = |told: &&Told| published(look).filter(|(_, event)| is_of(&event.detail, told)).count();
    look.state.regions.told.iter().find(|told| count(told) > 1).map(|told| format!("{told:?}"))
}

/// The documents that were in force at some moment of a time.
fn documents(look: &Look<'_>, from: Timestamp, to: Timestamp) -> Vec<Document> {
    let uploads = look.state.history.done.iter().filter_map(|(at, done)| match done {
        Done::Uploaded(document) => Some((*at, *document)),
        _ => None,
    });
    let uploads: Vec<_> = uploads.collect();
    let last_before = uploads.iter().rposition(|(at, _)| *at <= from).unwrap_or_default();
    uploads[last_before..].iter().filter(|(at, _)| *at <= to).map(|(_, document)| *document).collect()
}

/// Whether an account had left then, or AWS may not have shown yet that it was back.
fn may_be_away(look: &Look<'_>, account: &str, at: Timestamp) -> bool {
    let absences = look.state.history.absences(account);
    absences.into_iter().any(|(from, to)| from <= at && to.is_none_or(|to| at < to + SHOWN_LATE))
}

pub(super) fn what_is_told_of_regions_is_true(look: &Look<'_>) -> Option<String> {
    let wrong = published(look).find(|(is_violated, event)| {
        let Some(told) = look.state.regions.told.iter().find(|told| is_of(&event.detail, told)) else { return true };
        let says_that_it_left = event.detail["cause"] == "AccountNotInOrganization";
        let is_in_no_list = look.state.organization.account(&told.account).is_none();
        if is_in_no_list || (says_that_it_left && may_be_away(look, &told.account, event.at)) {
            return !says_that_it_left;
        }
        let leads_to_enabled = told.status == "ENABLING" || told.status == "ENABLED";
        // While a newer document is refused, the last one that anybody has read is gone by.
        let since = if event.detail["baseline_refused"].is_null() { told.at } else { look.state.begun };
        let mut possible = documents(look, since, event.at)
            .into_iter()
            .map(|document| document.regions.is_some_and(|rule| rule.is_violated(&told.region, leads_to_enabled)));
        !possible.any(|possible| possible == *is_violated)
    });
    wrong.map(|(_, event)| format!("at {}: {}", event.at, event.detail))
}

pub(super) fn who_has_asked_is_true(look: &Look<'_>) -> Option<String> {
    let wrong = published(look).find(|(_, event)| {
        let Some(name) = event.detail["requested_by"]["arn"].as_str() else { return false };
        let told = look.state.regions.told.iter().find(|told| is_of(&event.detail, told));
        let asked = told.and_then(|told| {
            let before =
                look.state.regions.asked.iter().filter(|asked| {
                    asked.account == told.account && asked.region == told.region && asked.at <= told.at
                });
            before.max_by_key(|asked| asked.at)
        });
        asked.is_none_or(|asked| {
            let leads_to_enabled = matches!(event.detail["status"].as_str(), Some("ENABLING" | "ENABLED"));
            asked.by.arn(&asked.account) != name || asked.enables != leads_to_enabled
        })
    });
    wrong.map(|(_, event)| format!("{}; asked: {:?}", event.detail, look.state.regions.asked))
}

pub(super) fn violations_are_mailed(look: &Look<'_>) -> Option<String> {
    let told: Vec<_> = published(look).collect();
    if look.has_call_faults() || told.len() >= 15 {
        return None;
    }
    let headline = |detail: &Value| {
        let text = |field: &str| detail[field].as_str().unwrap_or_default().to_owned();
        (format!("region {} is {}", text("region"), text("status")), text("account_id"))
    };
    let is_mailed = |detail: &Value| {
        let (words, account) = headline(detail);
        let mut subjects = look.state.mails.iter().filter_map(|(_, mail)| mail["Subject"].as_str());
        subjects.any(|subject| subject.contains(&words) && subject.contains(&account) && subject.contains("warning"))
    };
    let wrong = told.iter().find(|(is_violated, event)| {
        let is_like = |(violated, other): &(bool, &PublishedEvent)| {
            *violated && headline(&other.detail) == headline(&event.detail)
        };
        is_mailed(&event.detail) != (*is_violated || told.iter().any(is_like))
    });
    wrong.map(|(_, event)| event.detail.to_string())
}

pub(super) fn regions_are_put_right(look: &Look<'_>) -> Option<String> {
    let rule = look.state.history.last_document()?.regions.filter(|rule| rule.remediates)?;
    if look.has_fault(|kind| kind == Kind::Lost) {
        return None;
    }
    let wrong = look.published("RegionPolicyViolated").find(|event| {
        let (account, region) = (
            event.detail["account_id"].as_str().unwrap_or_default(),
            event.detail["region"].as_str().unwrap_or_default(),
        );
        let is_active = look.state.organization.account(account).is_some_and(|account| account.state == "ACTIVE");
        let may_change = is_active && account != ACCOUNT && !look.protected().any(|protected| protected == account);
        let is_there = status(look.state, account, region).starts_with("ENABL");
        let mut told = look.published("BaselineIncomplete").filter(|told| told.at >= event.at);
        event.detail["remediated"] == true
            && may_change
            && rule.is_violated(region, is_there)
            && !told.any(|told| told.detail["account_id"] == account)
    });
    wrong.map(|event| event.detail.to_string())
}

/// From when on the documents are that may be gone by at this moment: while a newer one is refused, it is the last one that
/// anybody has read.
fn gone_by_since(look: &Look<'_>, at: Timestamp) -> Timestamp {
    let refusals = look.published("BaselineDocumentRefused").map(|published| published.at);
    let last_refusal = refusals.filter(|refused| *refused <= at).max();
    let is_corrected = |refused: Timestamp| {
        let mut done = look.state.history.done.iter();
        done.any(|(done_at, done)| matches!(done, Done::Uploaded(_)) && refused < *done_at && *done_at <= at - PATIENCE)
    };
    if last_refusal.is_some_and(|refused| !is_corrected(refused)) { look.state.begun } else { at - PATIENCE }
}

pub(super) fn nobody_changes_regions_unasked(look: &Look<'_>) -> Option<String> {
    let wrong = look.state.regions.asked.iter().find(|asked| {
        let Asker::Function(function) = &asked.by else { return false };
        // The account of the stack is changed by hand only.
        let by_hand = function == "BaselineApplier" && look.does(|act| *act == Act::ApplyToAll);
        let is_protected = look.protected().any(|protected| protected == asked.account);
        let may_change = (asked.account != ACCOUNT || by_hand) && !is_protected;
        let mut in_force =
            documents(look, gone_by_since(look, asked.at), asked.at).into_iter().filter_map(|it| it.regions);
        let is_wanted = in_force.any(|rule| {
            rule.is_violated(&asked.region, !asked.enables) && (rule.remediates || function == "BaselineApplier")
        });
        !may_change || !is_wanted
    });
    wrong.map(|asked| format!("{asked:?}"))
}
