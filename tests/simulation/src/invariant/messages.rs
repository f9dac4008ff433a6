//! Messages, mails and calls.

use std::{borrow::Cow, collections::BTreeSet};

use jiff::SignedDuration;

use super::Look;
use crate::{
    cloud::{RootSession, SECRET, Watched},
    fault::{Fault, Kind},
    history::Done,
    run::dead_letters,
    script::Item,
};

/// After how many mails of an account in an hour the notifier sums up what else there is.
const MAILS_IN_AN_HOUR: usize = 20;

pub(super) fn queues_run_empty(look: &Look<'_>) -> Option<String> {
    if look.seen.quiet {
        return None;
    }
    let full = look.state.queues.iter().filter(|(_, queue)| !queue.messages.is_empty());
    let counts: Vec<String> = full.map(|(name, queue)| format!("{} in {name}", queue.messages.len())).collect();
    Some(counts.join(", "))
}

pub(super) fn nothing_is_given_up(look: &Look<'_>) -> Option<String> {
    // Where no document was ever read that could be, there is no baseline to give; people are told with the mistake.
    // Nor while a person has deleted it.
    let is_deleted = look.state.history.has(|done| *done == Done::Deleted);
    look.seen.given_up.clone().filter(|_| !look.has_call_faults() && !look.lacks_document() && !is_deleted)
}

pub(super) fn dead_letters_can_be_sent_again(look: &Look<'_>) -> Option<String> {
    let letters = dead_letters(look.state);
    letters.first().map(|(queue, message)| format!("{} in all; in {queue}: {:.600}", letters.len(), message.body))
}

pub(super) fn everything_is_allowed(look: &Look<'_>) -> Option<String> {
    look.state.wrong.first().cloned()
}

pub(super) fn failures_are_mailed(look: &Look<'_>) -> Option<String> {
    let faults = look.script.items.iter().filter_map(|item| match item {
        Item::Fault(fault) if fault.kind.is_of_work() && strikes_mails(fault) => Some(fault),
        _ => None,
    });
    let faults: Vec<&Fault> = faults.collect();
    // One call that fails is not for long.
    let lasting = faults.iter().filter(|fault| fault.only.is_none());
    let last = lasting.map(|fault| fault.until()).max().unwrap_or_default();
    let calm = look.state.at_second(last);
    // A message comes again after six minutes. Who was ended while telling is taken for alive for a quarter of an hour.
    let ends = [Kind::Ended, Kind::Killed, Kind::KilledAfter, Kind::AnswerLost, Kind::Slow, Kind::ServerErrorAfter];
    let is_ended = faults.iter().any(|fault| ends.contains(&fault.kind));
    let patience = SignedDuration::from_mins(if is_ended { 35 } else { 9 });
    let unreceived = look.published("AccountCreationFailed").find(|published| {
        let failure = published.detail["message"].as_str().unwrap_or_default();
        let latest = published.at.max(calm) + patience;
        // What comes after so many mails in an hour is summed up in one, when the hour is over.
        let since = published.at - SignedDuration::from_hours(1);
        let before = look.state.mails.iter().filter(|(at, _)| (since..=latest).contains(at)).count();
        before < MAILS_IN_AN_HOUR
            && !look.state.mails.iter().any(|(at, mail)| {
                let text = mail["Message"].as_str().unwrap_or_default();
                (published.at..=latest).contains(at) && text.contains(first_words(failure))
            })
    });
    // What is told late is mailed late.
    let unreceived = unreceived.filter(|_| !look.has_fault(|kind| kind == Kind::Late));
    unreceived
        .map(|published| format!("told at {}: {}; {} mails", published.at, published.detail, look.state.mails.len()))
}

/// Whether it may strike whoever mails what has failed.
fn strikes_mails(fault: &Fault) -> bool {
    fault.target == "*" || ["dynamodb", "notifier", "sns"].iter().any(|name| fault.target.starts_with(name))
}

fn first_words(text: &str) -> &str {
    text.split_inclusive(' ').take(3).last().map_or(text, |_| {
        let end = text.match_indices(' ').nth(2).map_or(text.len(), |(end, _)| end);
        &text[..end]
    })
}

pub(super) fn nobody_is_mailed_twice(look: &Look<'_>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let twice = look.state.mails.iter().find(|(_, mail)| !seen.insert(mail["Message"].as_str().unwrap_or_default()));
    twice.filter(|_| !look.has_call_faults()).map(|(at, mail)| format!("again at {at}: {mail}"))
}

pub(super) fn what_is_watched_is_reported(look: &Look<'_>) -> Option<String> {
    let lost = look.has_fault(|kind| kind == Kind::Lost);
    let is_silent = |watched: &&Watched| {
        let mut published = look.published("ActivityAudited");
        let said = published.find(|published| published.detail["event_id"] == watched.id.as_str());
        let is_said = said.is_some_and(|said| said.detail["severity"] == watched.severity);
        let matters = watched.severity == "critical" || watched.severity == "warning";
        !is_said || (matters && !look.is_mailed(&watched.id))
    };
    let silent = look.state.watched.iter().find(is_silent).filter(|_| !lost);
    silent.map(|watched| format!("{} of {}, {}", watched.id, watched.at, watched.severity))
}

pub(super) fn every_power_is_journaled_and_mailed(look: &Look<'_>) -> Option<String> {
    // What the document asks for, rows and reports tell.
    let is_asked = |session: &&RootSession| session.function == "RootTaskRunner";
    let used = look.state.root_sessions.iter().filter(is_asked);
    let mut used = used.filter(|session| session.task == "IAMDeleteRootUserCredentials");
    used.find_map(|RootSession { account, .. }| {
        // Before it: whoever is ended in between leaves that row alone.
        let is_begun = |key: &str| key.starts_with("root-task#") && key.ends_with(&format!("#{account}#begun"));
        let has_row = look.state.table.items().keys().any(|key| is_begun(key));
        let mut published =
            look.published("RootTaskPerformed").filter(|published| published.detail["account_id"] == account.as_str());
        if !has_row {
            return Some(format!("nothing of {account} in the journal"));
        }
        let is_published =
            published.any(|published| look.is_mailed(published.detail["invocation"].as_str().unwrap_or_default()));
        // Whoever is killed in between cannot tell it: the row that begins stands alone.
        (!is_published && !look.has_call_faults()).then(|| format!("nobody has heard of {account}"))
    })
}

pub(super) fn every_root_session_is_recorded(look: &Look<'_>) -> Option<String> {
    look.state.unrecorded.first().cloned()
}

pub(super) fn second_factors_go_last(look: &Look<'_>) -> Option<String> {
    look.state.breaches.get("second factor").cloned()
}

pub(super) fn no_secret_is_shown(look: &Look<'_>) -> Option<String> {
    look.texts().find(|text| text.contains(SECRET)).map(Cow::into_owned)
}

pub(super) fn no_dead_letter_is_lost(look: &Look<'_>) -> Option<String> {
    look.state.removed_unsent.first().cloned()
}

pub(super) fn nothing_is_told_twice(look: &Look<'_>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut audited = look.published("ActivityAudited").map(|published| published.detail["event_id"].to_string());
    audited.find(|id| !seen.insert(id.clone())).filter(|_| !look.has_call_faults())
}
