//! Names and primary e-mail addresses, and the codes that change these.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Look, at};
use crate::{
    aws::{
        account::{EmailUpdate, Profile, SHOWN_LATE},
        dynamodb::plain,
    },
    cloud::State,
    people::{PATTERN, Updated, WRONG_CODE},
    run::{Asked, address},
    script::Item,
    template::{ACCOUNT, items},
    time,
};

/// By how much a clock of a function may be off, and more.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);
/// Within which time after everything is calm a change is followed: once in an hour, and a failed look is made good by the next.
const FOLLOWED: SignedDuration = SignedDuration::from_mins(130);
/// After which time a change that waits for its code is told.
const TOLD: SignedDuration = SignedDuration::from_hours(20);

/// The accounts whose names or addresses were to be changed.
fn profiles<'a>(look: &Look<'a>) -> impl Iterator<Item = (&'a str, &'a Profile, &'a str, &'a str)> {
    let org = &look.state.organization;
    org.profiles.iter().filter_map(|(id, profile)| {
        let account = org.account(id)?;
        // A person has closed it, and changed what it was.
        (!account.email.starts_with("closed-")).then_some((
            id.as_str(),
            profile,
            account.name.as_str(),
            account.email.as_str(),
        ))
    })
}

pub(super) fn names_and_addresses_are_as_asked(look: &Look<'_>) -> Option<String> {
    let applies = |updated: &&Updated, at: Timestamp| updated.input["mode"] == "apply" && updated.at <= at;
    let mut wrong = profiles(look).filter_map(|(id, profile, name, email)| {
        let wanted = |at: Timestamp| look.seen.updated.iter().filter(move |updated| applies(updated, at));
        let mut names = profile.names_given(name);
        let name = names.find(|(at, name)| !wanted(*at).any(|updated| updated.input["names"][id] == *name));
        let mut addresses = profile.addresses_given(email);
        let is_led_to = |at, email| wanted(at).any(|updated| leads_to(&updated.input, id, profile, email, at));
        let email = addresses.find(|(at, email)| !is_led_to(*at, email));
        name.or(email).map(|(at, text)| format!("{id} has {text:?} since {at}, and nobody has asked for it"))
    });
    wrong.next()
}

/// Whether somebody who asks for this asks for this address of this account.
fn leads_to(input: &Value, id: &str, profile: &Profile, email: &str, at: Timestamp) -> bool {
    if input["account_id"] == id {
        return input["new_email"].as_str().is_some_and(|wanted| wanted.eq_ignore_ascii_case(email));
    }
    if !items(&input["account_ids"]).any(|named| named == id) {
        return false;
    }
    if input["pattern"].is_string() {
        return PATTERN.replace("{account_id}", id) == email;
    }
    let (from, to) = (input["from"].as_str().unwrap_or_default(), input["to"].as_str().unwrap_or_default());
    let earlier = profile.addresses.during(email, Timestamp::MIN, at);
    let renamed =
        earlier.iter().filter_map(|earlier| Some(format!("{}@{to}", earlier.strip_suffix(&format!("@{from}"))?)));
    renamed.into_iter().any(|renamed| renamed == email)
}

pub(super) fn plans_change_no_names_and_addresses(look: &Look<'_>) -> Option<String> {
    let only_looks = |input: &Value| {
        let task = input["task"].as_str();
        task == Some("email-changes") || (task.is_some() && input["mode"] != "apply")
    };
    let of_updater = look.state.invoked.iter().filter(|invoked| invoked.function == "AccountUpdater");
    let mut plans = of_updater.filter(|invoked| only_looks(&invoked.input));
    let wrong = plans.find(|invoked| !invoked.written.is_empty());
    wrong.map(|invoked| format!("{} at {} has written {:?}", invoked.input, invoked.at, invoked.written))
}

pub(super) fn protected_accounts_keep_their_names(look: &Look<'_>) -> Option<String> {
    let is_protected = |id: &str| {
        // Who is closed while the run lasts may have been given another name before.
        let found = look.state.organization.account(id);
        let is_closed = found.is_some_and(|account| account.state == "SUSPENDED" && account.joined < look.state.begun);
        id == ACCOUNT || is_closed || look.protected().any(|protected| protected == id)
    };
    let mut changed = profiles(look).filter(|(_, profile, name, email)| {
        let mut became = profile.names_given(name).chain(profile.addresses_given(email));
        became.next().is_some() || !profile.updates.is_empty()
    });
    changed.find(|(id, ..)| is_protected(id)).map(|(id, profile, ..)| format!("{id}: {profile:?}"))
}

pub(super) fn what_the_updater_answers_is_true(look: &Look<'_>) -> Option<String> {
    let mut untrue = look.seen.updated.iter().filter_map(|updated| {
        let untrue = updated.untrue.as_ref()?;
        Some(format!("{} at {}: {untrue}", updated.input, updated.at))
    });
    untrue.next()
}

/// What is not true in an answer that has just come.
pub(crate) fn is_untrue(state: &State, began: Timestamp, input: &Value, answer: &Value) -> Option<String> {
    let now = time::now();
    let is_of_now = |at: Timestamp| at >= began && at <= now;
    let untrue = items(&answer["rows"]).find(|row| {
        let id = row["account_id"].as_str().unwrap_or_default();
        let (outcome, why) = (row["outcome"].as_str().unwrap_or_default(), row["why"].as_str().unwrap_or_default());
        let (account, profile) = (state.organization.account(id), state.organization.profiles.get(id));
        let updates = profile.map_or(&[][..], |profile| &profile.updates);
        let had = |email: &str| {
            let present = account.map_or("", |account| account.email.as_str());
            let all = profile.map_or(vec![present], |profile| profile.addresses.during(present, began, now));
            all.iter().any(|had| had.eq_ignore_ascii_case(email))
        };
        let record = state.table.find(&format!("email-change#{id}"));
        let record = |name: &str| record.and_then(|record| record.get(name)).map(plain).unwrap_or_default();
        let wanted = input["new_email"].as_str().unwrap_or_default();
        let is_to = |update: &EmailUpdate| update.email.eq_ignore_ascii_case(wanted);
        !match (input["task"].as_str().unwrap_or_default(), outcome) {
            ("rename", "done" | "nothing_to_do") => {
                let present = account.map_or("", |account| account.name.as_str());
                let names = profile.map_or(vec![present], |profile| profile.names.during(present, began, now));
                names.iter().any(|name| input["names"][id] == *name)
            }
            ("start-email-change", "done") => updates.iter().any(|it| is_to(it) && is_of_now(it.started_at)),
            ("start-email-change", "nothing_to_do") if why.contains("is the address") => had(wanted),
            ("start-email-change", "nothing_to_do") => updates.iter().any(is_to),
            ("resend-email-change", "done") => updates.iter().any(|it| is_of_now(it.started_at)),
            ("accept-email-change", "done") => updates.iter().any(|it| it.accepted_at.is_some_and(is_of_now)),
            ("accept-email-change", "nothing_to_do") if why.contains("has the address") => {
                had(record("new_email").as_str().unwrap_or_default())
            }
            ("accept-email-change", "nothing_to_do") => updates.iter().any(|it| it.accepted_at.is_some()),
            ("forget-email-change", "done") => record("state")["name"] == "FORGOTTEN",
            ("follow-email-changes", "done") => had(record("new_email").as_str().unwrap_or_default()),
            ("email-changes", _) => row["aws_status"]
                .as_str()
                .is_none_or(|said| updates.iter().any(|it| it.status == said || is_of_now(it.updated_at))),
            ("change-email-domain", "waits") => !record("run").is_null(),
            _ => true,
        }
    });
    untrue.map(ToString::to_string)
}

/// When nothing goes wrong any more.
fn calm(look: &Look<'_>) -> Timestamp {
    let ends = look.script.items.iter().filter_map(|item| match item {
        Item::Fault(fault) => Some(fault.until()),
        Item::Act(..) => None,
    });
    look.state.at_second(ends.max().unwrap_or_default())
}

pub(super) fn every_change_of_an_address_ends_and_is_told(look: &Look<'_>) -> Option<String> {
    let now = time::now();
    let is_followed = |since: Timestamp| now.duration_since(since.max(calm(look))) > FOLLOWED;
    let mut wrong = look.state.table.records("email-change#").filter_map(|(_, record)| {
        let (id, email) = (record["account_id"].as_str()?, record["new_email"].as_str()?);
        let since = at(&record["since"])?;
        let account = look.state.organization.account(id)?;
        let profile = look.state.organization.profiles.get(id);
        let last = profile.and_then(|profile| profile.updates.last());
        let has_ended = last.is_some_and(|last| {
            matches!(last.status, "COMPLETED" | "FAILED")
                && last.email.eq_ignore_ascii_case(email)
                && is_followed(last.updated_at)
        });
        let is_told = || {
            let mut ends =
                look.published("AccountUpdated").filter(|told| told.at >= since - SignedDuration::from_mins(2));
            ends.any(|told| {
                let is_of_it = told.detail["account_id"] == id && told.detail["new_email"] == email;
                is_of_it && told.detail["outcome"] != "begun" && told.detail["outcome"] != "waits"
            })
        };
        let wrong = match record["state"]["name"].as_str()? {
            "QUEUED" | "STARTING" if is_followed(since) => "nobody goes on with it",
            "PENDING" | "ACCEPTED" if has_ended => "AWS has done with it",
            "PENDING" if at(&record["started_at"]).is_some_and(|at| is_followed(at + TOLD)) => {
                let mut told = look.published("EmailChangesAbandoned");
                let is_told = told.any(|told| items(&told.detail["changes"]).any(|change| change["account_id"] == id));
                if is_told && record["told_at"].is_string() {
                    return None;
                }
                "nobody is told that its code ends"
            }
            "COMPLETED" => {
                let (from, to) = (since - CLOCKS_DIFFER, since + CLOCKS_DIFFER);
                let had = profile.is_some_and(|profile| {
                    let had = profile.addresses.during(&account.email, from, to);
                    had.iter().any(|had| had.eq_ignore_ascii_case(email))
                });
                match (had, is_told()) {
                    (false, _) => "the account does not have the address",
                    (true, false) => "its end is not told",
                    (true, true) => return None,
                }
            }
            "FAILED" if !is_told() => "its end is not told",
            // Whoever is killed while forgetting sees it, and the journal has what was begun.
            "FORGOTTEN" if !is_told() && !look.has_call_faults() => "nobody is told that it was forgotten",
            _ => return None,
        };
        Some(format!("{wrong}: {record}, at AWS {last:?}"))
    });
    wrong.next()
}

pub(super) fn who_gives_no_code_is_told_of_once(look: &Look<'_>) -> Option<String> {
    // What goes wrong before the first code is about to end is over by then.
    if calm(look) >= look.state.begun + TOLD {
        return None;
    }
    let mut wrong = profiles(look).filter_map(|(id, profile, ..)| {
        let told = look.published("EmailChangesAbandoned");
        let told = told.filter(|told| items(&told.detail["changes"]).any(|change| change["account_id"] == id)).count();
        (told > profile.updates.len()).then(|| format!("{id}: {told} times of {} changes", profile.updates.len()))
    });
    wrong.next()
}

pub(super) fn no_code_is_asked_for_by_itself(look: &Look<'_>) -> Option<String> {
    let asks = |input: &Value, id: &str| {
        let task = input["task"].as_str().unwrap_or_default();
        let is_of_it = input["account_id"] == id || items(&input["account_ids"]).any(|named| named == id);
        input["mode"] == "apply"
            && is_of_it
            && matches!(task, "start-email-change" | "resend-email-change" | "change-email-domain")
    };
    let mut wrong = profiles(look).filter_map(|(id, profile, ..)| {
        let asked = look.seen.updated.iter().filter(|updated| asks(&updated.input, id)).count();
        (profile.updates.len() > asked)
            .then(|| format!("{id}: {} codes, asked for {asked} times", profile.updates.len()))
    });
    wrong.next()
}

pub(super) fn what_is_changed_stands_in_the_journal(look: &Look<'_>) -> Option<String> {
    let mut wrong = profiles(look).filter_map(|(id, profile, name, _)| {
        let updates = profile.updates.iter();
        let given = updates.clone().filter_map(|update| update.accepted_at);
        let mut done =
            profile.names_given(name).map(|(at, _)| at).chain(updates.map(|update| update.started_at)).chain(given);
        let end = format!("#{id}#begun");
        let rows = look.state.table.items().iter();
        let rows = rows.filter(|(key, _)| key.starts_with("account-update#") && key.ends_with(&end));
        let begun: Vec<_> = rows.filter_map(|(_, row)| at(&plain(row.get("at")?))).collect();
        let is_in = |done: Timestamp| {
            let earliest = done - SignedDuration::from_mins(16);
            begun.iter().any(|begun| (earliest..=done + CLOCKS_DIFFER).contains(begun))
        };
        done.find(|done| !is_in(*done)).map(|done| format!("{id}: what was done at {done}"))
    });
    wrong.next()
}

pub(super) fn no_code_is_shown(look: &Look<'_>) -> Option<String> {
    let state = look.state;
    let profiles = state.organization.profiles.values();
    let codes = profiles.flat_map(|profile| profile.updates.iter().map(|update| update.code.as_str()));
    let codes: Vec<&str> = codes.chain([WRONG_CODE]).collect();
    if codes.len() == 1 && look.seen.updated.is_empty() {
        return None;
    }
    let answers = look.seen.updated.iter().map(|updated| format!("{:?}", updated.answer).into());
    let events = state.published.iter().map(|published| published.detail.to_string().into());
    let messages = state.queues.values().flat_map(|queue| queue.messages.iter());
    let messages = messages.map(|message| Cow::from(&message.body));
    let mut texts = look.texts().chain(answers).chain(events).chain(messages);
    texts.find(|text| codes.iter().any(|code| text.contains(code))).map(Cow::into_owned)
}

pub(super) fn what_has_another_address_is_not_ready(look: &Look<'_>) -> Option<String> {
    let is_taken_for_it = |asked: &&Asked| {
        let email = address(asked.person);
        let Some(record) = look.requests.get(&email) else { return false };
        let id = record["state"]["account_id"].as_str().unwrap_or_default();
        let org = &look.state.organization;
        let present = org.account(id).map_or("", |account| account.email.as_str());
        let given_up = org.profiles.get(id).and_then(|profile| profile.addresses.given_up(&email, present));
        if given_up.is_none_or(|given_up| asked.at < given_up + SHOWN_LATE + CLOCKS_DIFFER)
            || record["state"]["name"] != "READY"
        {
            return false;
        }
        !look.is_refused(asked)
    };
    let taken = look.seen.asked.iter().find(is_taken_for_it);
    taken.map(|asked| format!("{} asked for at {}: {:?}", address(asked.person), asked.at, asked.answer))
}
