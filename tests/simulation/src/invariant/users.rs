//! The users of the account that people sign in to.

use std::{borrow::Cow, collections::BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{LASTS, Look};
use crate::{
    aws::{
        iam::{Change, KNOWN_LATE, PATH},
        secrets::{MARK, secret_of},
    },
    cloud::State,
    invoked::Invoked,
    people::users::Asked,
    script::How,
    template::items,
};

/// The function, by its logical id.
const MANAGER: &str = "JumpUserManager";
/// How long what was begun by one may keep others away, beside its own time: clocks differ.
const AROUND: SignedDuration = SignedDuration::from_secs(10);

fn own_changes<'a>(look: &Look<'a>) -> impl Iterator<Item = &'a Change> {
    look.state.iam.changes.iter().filter(|change| change.by == MANAGER)
}

/// The invocations that may have made a change at this time.
fn invoked_before<'a>(look: &Look<'a>, at: Timestamp) -> impl Iterator<Item = &'a Invoked> {
    let of_manager = look.state.invoked.iter().filter(|invoked| invoked.function == MANAGER);
    of_manager.filter(move |invoked| invoked.at <= at && at.duration_since(invoked.at) <= LASTS)
}

/// Whether somebody else has changed something of a user or of groups, so late that whoever has begun then may not know.
fn is_disturbed(state: &State, user: &str, began: Timestamp) -> bool {
    state.iam.changes.iter().any(|change| {
        let is_of_it = change.user == user || change.user.is_empty();
        is_of_it && change.at + KNOWN_LATE >= began && (change.by != MANAGER || change.at < began)
    })
}

/// What in the answer to whoever has asked for something with a user is not so.
pub(crate) fn is_user_untrue(state: &State, began: Timestamp, input: &Value, answer: &Value) -> Option<String> {
    let user = input["user_name"].as_str()?;
    let is_done = matches!(answer["outcome"].as_str(), Some("done" | "nothing_to_do"));
    if input["mode"] != "apply" || !is_done || is_disturbed(state, user, began) {
        return None;
    }
    let (found, secret) = (state.iam.now.users.get(user), state.secrets.now.get(&secret_of(user)));
    if input["remove"] == true {
        let is_left = found.is_some() || secret.is_some();
        return is_left.then(|| format!("something of {user} is left: {found:?}, {}", secret.is_some()));
    }
    let Some(found) = found else { return Some(format!("there is no {user}")) };
    if let Some(wanted) = input["groups"].as_array() {
        let wanted: BTreeSet<&str> = wanted.iter().filter_map(Value::as_str).collect();
        let is_own = |group: &&String| state.iam.now.groups.get(*group).is_some_and(|group| group.path == PATH);
        let has: BTreeSet<&str> = found.groups.iter().filter(is_own).map(String::as_str).collect();
        if wanted != has {
            return Some(format!("{user} is in {has:?}"));
        }
    }
    if let Some(name) = answer["password_in"].as_str() {
        let login = found.login.as_ref().filter(|login| login.reset_required);
        let fits = login.is_some_and(|login| secret.is_some_and(|secret| secret.value == login.password));
        if name != secret_of(user) || !fits {
            return Some(format!("what is in {name} does not let {user} in"));
        }
    }
    let keeps_device = input["second_factor"] == true && !found.devices.is_empty();
    keeps_device.then(|| format!("{user} has {:?}", found.devices))
}

pub(super) fn what_is_answered_of_users_is_true(look: &Look<'_>) -> Option<String> {
    look.seen
        .users
        .iter()
        .find_map(|asked| Some(format!("{} of {}: {}", asked.input, asked.at, asked.untrue.as_ref()?)))
}

pub(super) fn users_are_changed_as_asked(look: &Look<'_>) -> Option<String> {
    let mut unasked = own_changes(look).filter(|change| {
        let mut asked = invoked_before(look, change.at).filter(|invoked| invoked.input["mode"] == "apply");
        !asked.any(|invoked| asks_for(&invoked.input, change))
    });
    unasked.next().map(|change| format!("{change:?}"))
}

/// Whether this asks for a change.
fn asks_for(input: &Value, change: &Change) -> bool {
    let operation = change.operation.as_str();
    if input["expire_passwords"] == true {
        return operation == "DeleteLoginProfile";
    }
    let is_password = matches!(operation, "CreateLoginProfile" | "UpdateLoginProfile");
    let is_device = operation == "DeactivateMFADevice";
    if operation == "DeleteVirtualMFADevice" {
        return input["second_factor"] == true || input["remove"] == true;
    }
    if input["user_name"] != change.user.as_str() {
        return false;
    }
    if let Some(wanted) = input["groups"].as_array() {
        let is_wanted = wanted.iter().any(|group| *group == change.group.as_str());
        return match operation {
            "CreateUser" => true,
            "AddUserToGroup" => is_wanted,
            "RemoveUserFromGroup" => !is_wanted,
            _ => is_password,
        };
    }
    if input["reset"] == true {
        return is_password || (is_device && input["second_factor"] == true);
    }
    input["remove"] == true && (operation.starts_with("De") || operation == "RemoveUserFromGroup")
}

pub(super) fn users_of_others_are_left_alone(look: &Look<'_>) -> Option<String> {
    let other = own_changes(look).find(|change| !change.user.is_empty() && change.path != PATH);
    other.map(|change| format!("{change:?}"))
}

pub(super) fn plans_change_no_users(look: &Look<'_>) -> Option<String> {
    let mut plans = look.state.invoked.iter().filter(|invoked| {
        let is_look = invoked.input["mode"] != "apply" || invoked.input["list"] == true;
        invoked.function == MANAGER && is_look
    });
    let wrong = plans.find(|invoked| !invoked.written.is_empty());
    let wrong = wrong.map(|invoked| format!("{} at {} has written {:?}", invoked.input, invoked.at, invoked.written));
    wrong.or_else(|| {
        let mut by_alias = look.seen.users.iter().filter(|asked| asked.how == How::ApplyByAlias);
        let done = by_alias.find(|asked| matches!(asked.answer, Some(Ok(_))));
        done.map(|asked| format!("{} by the alias: {:?}", asked.input, asked.answer))
    })
}

pub(super) fn nobody_signs_in_without_safe_groups(look: &Look<'_>) -> Option<String> {
    let unsafe_one = own_changes(look).find(|change| {
        let is_password = matches!(change.operation.as_str(), "CreateLoginProfile" | "UpdateLoginProfile");
        let is_unsafe = match change.operation.as_str() {
            "AddUserToGroup" => !change.is_safe,
            _ => is_password && change.safe_groups == 0,
        };
        // Who asks for a new password alone, asks for no groups.
        let mut of_user = invoked_before(look, change.at)
            .filter(|invoked| invoked.input["user_name"] == change.user.as_str() && invoked.input["mode"] == "apply");
        is_unsafe
            && of_user.all(|invoked| {
                invoked.input["groups"].is_array() && !is_disturbed_by_people(look, &change.user, invoked.at)
            })
    });
    unsafe_one.map(|change| format!("{change:?}"))
}

fn is_disturbed_by_people(look: &Look<'_>, user: &str, began: Timestamp) -> bool {
    look.state.iam.changes.iter().any(|change| {
        let is_of_it = change.user == user || change.user.is_empty();
        is_of_it && change.by != MANAGER && change.at + KNOWN_LATE >= began
    })
}

pub(super) fn no_one_time_password_is_shown(look: &Look<'_>) -> Option<String> {
    let messages = look.state.queues.values().flat_map(|queue| &queue.messages);
    let in_queue = messages.map(|message| &message.body).find(|body| body.contains(MARK));
    in_queue.cloned().or_else(|| look.texts().find(|text| text.contains(MARK)).map(Cow::into_owned))
}

pub(super) fn every_change_of_a_user_is_in_the_journal(look: &Look<'_>) -> Option<String> {
    let rows: Vec<(&str, Value)> = look.state.table.records("jump-user#").collect();
    let is_journaled = |user: &str, moment: &str, from: Timestamp, to: Timestamp| {
        rows.iter().any(|(key, row)| {
            let at = super::at(&row["at"]);
            let is_then = at.is_some_and(|at| at + AROUND >= from && at - AROUND <= to);
            key.ends_with(&format!("#{user}#{moment}")) && is_then
        })
    };
    let unbegun = own_changes(look).find(|change| {
        let mut asked = invoked_before(look, change.at);
        let may_expire =
            change.operation == "DeleteLoginProfile" && asked.any(|invoked| invoked.input["expire_passwords"] == true);
        let is_of_user = !change.user.is_empty() && !may_expire;
        is_of_user && !is_journaled(&change.user, "begun", change.at - LASTS, change.at)
    });
    if let Some(change) = unbegun {
        return Some(format!("no row before {change:?}"));
    }
    let untold = applied(look).find(|(asked, answered_at, answer)| {
        let user = answer["user_name"].as_str().unwrap_or_default();
        let mut told = look.published("JumpUserChanged").filter(|told| (asked.at..=*answered_at).contains(&told.at));
        let is_told = told.any(|told| told.detail["user_name"] == user && told.detail["outcome"] == answer["outcome"]);
        !is_told || !is_journaled(user, "ended", asked.at, *answered_at)
    });
    untold.map(|(asked, _, answer)| format!("{} of {}: {answer} is not told", asked.input, asked.at))
}

/// Who has let one user be changed and was answered, when and what.
fn applied<'a>(look: &Look<'a>) -> impl Iterator<Item = (&'a Asked, Timestamp, &'a Value)> {
    look.seen.users.iter().filter_map(|asked| {
        let answer = asked.answer.as_ref()?.as_ref().ok()?;
        let applies = asked.input["mode"] == "apply" && answer["outcome"].is_string();
        applies.then_some((asked, asked.answered_at?, answer))
    })
}

pub(super) fn who_asks_about_users_is_answered(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let wrong = look.seen.users.iter().find(|asked| {
        let Some(ended) = asked.answered_at else { return false };
        match &asked.answer {
            None => false,
            Some(Ok(answer)) => {
                let user = asked.input["user_name"].as_str().unwrap_or_default();
                answer["outcome"] == "failed" && !is_disturbed(look.state, user, asked.at)
            }
            Some(Err(error)) => match error["errorType"].as_str() {
                Some("PlanOnly") => asked.how != How::ApplyByAlias,
                Some("ConcurrentModification") => !is_beside_another(look, asked, ended),
                _ => true,
            },
        }
    });
    wrong.map(|asked| format!("{} of {}: {:?}", asked.input, asked.at, asked.answer))
}

/// Whether another invocation may have been changing users at the same time.
fn is_beside_another(look: &Look<'_>, asked: &Asked, ended: Timestamp) -> bool {
    look.state.invoked.iter().any(|invoked| {
        let is_itself = invoked.at == asked.at && invoked.input == asked.input;
        let is_other = invoked.function == MANAGER && invoked.input["mode"] == "apply" && !is_itself;
        // How long each lasts nobody has written down.
        is_other && invoked.at <= ended && asked.at.duration_since(invoked.at) <= LASTS
    }) && look.seen.users.iter().filter(|other| other.input["mode"] == "apply").count() > 1
}

pub(super) fn people_hear_of_users_who_get_power(look: &Look<'_>) -> Option<String> {
    let told: Vec<_> = look.published("JumpUserChanged").collect();
    if look.has_call_faults() || told.len() >= 15 || look.has_fault(|kind| kind == crate::fault::Kind::Late) {
        return None;
    }
    let wrong = told.into_iter().find(|told| {
        let detail = &told.detail;
        let takes_power = detail["task"] == "remove" && detail["outcome"] == "done";
        let matters = detail["outcome"] != "nothing_to_do" && !takes_power;
        matters != look.is_mailed(detail["invocation"].as_str().unwrap_or_default())
    });
    wrong.map(|told| told.detail.to_string())
}

pub(super) fn reviews_are_told_once_a_day(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let days: Vec<String> =
        look.published("JumpUsersReviewed").map(|told| told.at.strftime("%Y-%m-%d").to_string()).collect();
    let twice = days.iter().enumerate().find(|(place, day)| days[..*place].contains(day));
    if let Some((_, day)) = twice {
        return Some(format!("twice on {day}"));
    }
    let asked = look.seen.users.iter().filter(|asked| asked.input["review"] == true && asked.input["mode"] == "apply");
    let untold = asked.map(|asked| asked.at.strftime("%Y-%m-%d").to_string()).find(|day| !days.contains(day));
    if let Some(day) = untold {
        return Some(format!("not on {day}"));
    }
    let wrong = look.published("JumpUsersReviewed").find(|told| {
        let count = |field: &str| told.detail[field]["count"].as_u64().unwrap_or_default();
        let names = count("without_second_factor") + count("idle") + count("old_keys") > 0;
        let mut subjects = look.state.mails.iter().filter_map(|(_, mail)| mail["Subject"].as_str());
        names != subjects.any(|subject| subject.contains("users of the jump account"))
    });
    wrong.map(|told| format!("mails of {}", told.detail))
}

/// The names in a list of an answer.
pub(super) fn names(list: &Value) -> BTreeSet<&str> {
    items(list).filter_map(Value::as_str).collect()
}
