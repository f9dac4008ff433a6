//! What documents ask for beside tags and alias: contacts, passwords, roles, regions and the alarm on charges.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Look, at, sweeps::rows};
use crate::{
    aws::{
        account::SHOWN_LATE,
        organizations::Account,
        settings::{self, Changed},
    },
    document::{Document, Kind},
    history::Done,
    script::{Act, Control, Harm, Item},
    template::{ACCOUNT, items},
};

/// How long a visit of an account may take, and that old settings are seen for a while before it.
const VISIT: SignedDuration = SignedDuration::from_mins(10);
/// How long old settings may be seen, and by how much the clocks of functions differ.
const SEEN_LATE: SignedDuration = SignedDuration::from_secs(10);

/// Whether an account had what a control is asked for, or had it not, at some moment of this time, or so long before it as
/// what is asked may be seen late.
fn had(look: &Look<'_>, account: &str, control: Control, wanted: bool, (from, to): (Timestamp, Timestamp)) -> bool {
    let late = if control.is_shown_by_organizations() { SHOWN_LATE } else { SignedDuration::ZERO };
    settings::had(look.state, account, control, wanted, (from - late, to))
}

/// Whether an account may have been seen at this time without what a control is asked for.
pub(super) fn was_otherwise(look: &Look<'_>, account: &str, control: Control, at: Timestamp) -> bool {
    had(look, account, control, false, (at, at))
}

/// Whether an account was without what a control is asked for at some moment of a visit that ends at this time.
pub(super) fn was_otherwise_lately(look: &Look<'_>, account: &str, control: Control, at: Timestamp) -> bool {
    had(look, account, control, false, (at - VISIT, at))
}

/// Whether somebody has taken away what a control had given the account during a visit that ends at this time.
pub(super) fn is_undone(look: &Look<'_>, account: &str, control: Control, at: Timestamp) -> bool {
    let mut undone = look.state.changed.iter().filter(|changed| changed.by.is_none() && changed.control == control);
    undone.any(|changed| changed.account == account && changed.at <= at && changed.at >= at - VISIT)
}

/// The control of this name, if the documents of the run ask for it.
fn named(look: &Look<'_>, id: &str) -> Option<Control> {
    look.script.nature.controls.iter().find(|control| control.id() == id)
}

pub(super) fn whoever_has_its_baseline_has_every_control(look: &Look<'_>) -> Option<String> {
    look.published("BaselineApplied").find_map(|applied| {
        let account = applied.detail["account_id"].as_str().unwrap_or_default();
        let time = (applied.at - VISIT, applied.at);
        let lacks = |control: &Control| !had(look, account, *control, true, time);
        let lacking = look.script.nature.controls.iter().find(lacks)?;
        Some(format!("{account} lacks {} at {}", lacking.id(), applied.at))
    })
}

pub(super) fn rows_of_controls_are_true(look: &Look<'_>) -> Option<String> {
    look.seen.published.iter().find_map(|published| {
        let sweep = &published.latest["sweep"];
        let time = (at(&sweep["started_at"])? - SEEN_LATE, at(&sweep["finished_at"])? + SEEN_LATE);
        rows(&published.latest).into_iter().find_map(|((account, id), row)| is_untrue(look, account, id, row, time))
    })
}

pub(super) fn answers_about_controls_are_true(look: &Look<'_>) -> Option<String> {
    look.seen.by_hand_at.iter().zip(&look.seen.by_hand).find_map(|((from, to), answer)| {
        let time = (*from - SEEN_LATE, *to);
        items(&answer["rows"]).find_map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            is_untrue(look, text("account_id"), text("control"), row, time)
        })
    })
}

/// Says what of a row was at no moment of this time as it says.
fn is_untrue(look: &Look<'_>, account: &str, id: &str, row: &Value, time: (Timestamp, Timestamp)) -> Option<String> {
    let control = named(look, id)?;
    let is_true = match row["outcome"].as_str().unwrap_or_default() {
        "compliant" | "fixed" => had(look, account, control, true, time),
        "drifted" | "not_converged" => had(look, account, control, false, time),
        "not_ready" if row["failure"]["cause"] == "RegionInTransition" => had(look, account, control, false, time),
        _ => true,
    };
    (!is_true).then(|| row.to_string())
}

/// From when on a document has what differs of a control put right, if one ever does.
fn remediates_from(look: &Look<'_>, control: Control) -> Option<Timestamp> {
    let remediates = |document: &Document| match control {
        Control::Regions => document.regions.is_some_and(|rule| rule.remediates),
        _ => document.kind == Kind::Remediating,
    };
    look.state.history.times(|done| matches!(done, Done::Uploaded(document) if remediates(document))).min()
}

pub(super) fn nothing_is_changed_that_nobody_asks_for(look: &Look<'_>) -> Option<String> {
    let is_protected = |account: &str| look.protected().any(|protected| protected == account);
    let may = |changed: &&Changed, function: &str| {
        let remediates = remediates_from(look, changed.control).is_some_and(|from| changed.at >= from);
        let is_its_work = match function {
            "BaselineApplier" => true,
            "ComplianceChecker" => remediates,
            "RegionOptAuditor" => remediates && changed.control == Control::Regions,
            "AccountLister" => remediates && changed.control == Control::StackInstances,
            _ => false,
        };
        // What rules about regions ask for in other runs, an invariant of its own looks at.
        let is_asked_for = look.script.nature.controls.has(changed.control)
            || (changed.control == Control::Regions && look.script.has_regions());
        is_its_work && is_asked_for && !changed.control.is_never_changed() && !is_protected(&changed.account)
    };
    let unasked = look.state.changed.iter().find(|changed| changed.by.as_ref().is_some_and(|by| !may(changed, by)));
    unasked.map(|changed| format!("{changed:?}"))
}

pub(super) fn old_accounts_keep_their_settings(look: &Look<'_>) -> Option<String> {
    if look.does(|act| *act == Act::ApplyToAll) {
        return None;
    }
    let is_asked_for = |changed: &Changed| remediates_from(look, changed.control).is_some();
    let is_old = |id: &str| {
        look.state.organization.account(id).is_none_or(|account| account.joined < look.state.begun)
            && look.state.history.absences(id).is_empty()
    };
    let mut changed = look.state.changed.iter().filter(|changed| !is_asked_for(changed));
    let changed = changed.find(|changed| changed.by.is_some() && is_old(&changed.account));
    changed.map(|changed| format!("{changed:?}"))
}

/// Whether a person has applied the document to all accounts, and nothing has come between.
fn is_applied_undisturbed(look: &Look<'_>) -> bool {
    let is_of_calls = |item: &Item| matches!(item, Item::Fault(fault) if fault.kind.is_of_work());
    !look.script.items.iter().any(is_of_calls)
}

pub(super) fn everybody_has_every_control_after_an_apply(look: &Look<'_>) -> Option<String> {
    if !is_applied_undisturbed(look) {
        return None;
    }
    look.seen.by_hand_at.iter().zip(&look.seen.by_hand).find_map(|((_, to), answer)| {
        // A brake or a lack of time leaves accounts to the next one, and says so.
        let stands = answer["mode"] != "apply" || !answer["brake"].is_null() || !answer["left"].is_null();
        if stands {
            return None;
        }
        let is_skipped = |id: &str| items(&answer["skipped"]).any(|skipped| skipped["account_id"] == id);
        let reachable = look
            .state
            .organization
            .accounts
            .iter()
            .filter(|account| is_reachable(look, account) && !is_skipped(&account.id));
        reachable
            .flat_map(|account| look.script.nature.controls.iter().map(move |control| (account, control)))
            .find_map(|(account, control)| {
                let mut of_it = items(&answer["rows"]);
                let row = of_it.find(|row| row["account_id"] == account.id.as_str() && row["control"] == control.id());
                let outcome = row.map_or("", |row| row["outcome"].as_str().unwrap_or_default());
                let is_done = match outcome {
                    "compliant" | "fixed" => true,
                    "not_converged" if control.is_left_to_people() => {
                        had(look, &account.id, control, false, (*to - VISIT, *to))
                    }
                    // What was changed a moment ago may be seen as it was.
                    "not_converged" => had(look, &account.id, control, true, (*to - VISIT, *to)),
                    // AWS Config is being started.
                    "not_ready" if control == Control::ConfigRecorder => true,
                    "not_ready" => matches!(
                        row.map(|row| row["failure"]["cause"].as_str()),
                        Some(Some(
                            "RegionInTransition"
                                | "RegionOptQuota"
                                | "NotVisibleYet"
                                | "OptInRequired"
                                | "StackSetBusy"
                        ))
                    ),
                    _ => false,
                };
                (!is_done).then(|| format!("{} of {}: {row:?}", control.id(), account.id))
            })
    })
}

/// Whether an account was there all the time, with a way in, and nobody keeps Steward from it.
fn is_reachable(look: &Look<'_>, account: &Account) -> bool {
    let member = look.state.members.get(&account.id);
    let is_whole = member.is_some_and(|member| {
        member.role_from.is_some_and(|from| from < look.state.begun)
            && !member.has_lost_policy
            && !member.answers_nothing
    });
    account.id != ACCOUNT
        && account.state == "ACTIVE"
        && account.joined < look.state.begun
        && is_whole
        && !look.state.history.is_hostile(&account.id)
        && look.state.history.absences(&account.id).is_empty()
        && !look.protected().any(|protected| protected == account.id)
}

pub(super) fn sweeps_put_right_what_has_drifted(look: &Look<'_>) -> Option<String> {
    let always_remediates = look.does(|act| *act == Act::Remediating)
        && !look.does(|act| matches!(act, Act::Document { .. } | Act::DocumentDeleted | Act::Overridden { .. }))
        && !look.state.history.is_rearranged();
    if !always_remediates || !is_applied_undisturbed(look) {
        return None;
    }
    look.seen.published.iter().filter(|published| !published.again).find_map(|published| {
        let sweep = &published.latest["sweep"];
        let began = at(&sweep["started_at"])?;
        let ended = at(&sweep["finished_at"])?;
        // Where a brake, or another sweep, leaves something, the note says more than what was changed.
        let note = sweep["note"].as_str().unwrap_or_default();
        if !note.starts_with("Changed where it was not as it should be: ") || note.contains(". ") {
            return None;
        }
        rows(&published.latest).into_iter().find_map(|((id, control), row)| {
            let control = named(look, control)?;
            let account = look.state.organization.account(id).filter(|account| is_reachable(look, account))?;
            // Whoever undoes it while the sweep is at work may do so after it was there.
            let mut undone =
                look.state.changed.iter().filter(|changed| changed.by.is_none() && changed.account == account.id);
            let is_undone =
                undone.any(|changed| changed.control == control && changed.at >= began && changed.at <= ended);
            let is_for_people = control.is_left_to_people() && is_by_hand(&row["planned"]);
            let is_left = row["outcome"] == "drifted" && !is_undone && !is_for_people;
            is_left.then(|| format!("{id} {}: {row}", control.id()))
        })
    })
}

/// Whether all of these lines are for people.
fn is_by_hand(lines: &Value) -> bool {
    items(lines).all(|line| line.as_str().is_some_and(|line| line.starts_with("by hand: ")))
}

pub(super) fn budgets_keep_what_they_count(look: &Look<'_>) -> Option<String> {
    look.state.breaches.get("budget").cloned()
}

pub(super) fn nobody_is_locked_out(look: &Look<'_>) -> Option<String> {
    look.state.breaches.get("access role").cloned()
}

pub(super) fn account_management_is_hardly_throttled(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let mut throttled = look.state.calls.iter().filter(|((_, operation), (all, throttled))| {
        // AWS answers in the same way where too many regions change at once.
        let is_counted = operation.starts_with("account:") || operation.starts_with("monitoring:");
        let is_of_regions = operation.ends_with("ableRegion");
        is_counted && !is_of_regions && *throttled > 5 && throttled * 20 > *all
    });
    throttled.next().map(|((function, operation), (all, throttled))| {
        format!("{throttled} of {all} calls of {operation} by {function}")
    })
}

pub(super) fn accounts_are_moved_only_to_where_the_document_has_them(look: &Look<'_>) -> Option<String> {
    let is_of_places = |changed: &&Changed| changed.control == Control::OrganizationalUnit && changed.by.is_some();
    let mut moved = look.state.changed.iter().filter(is_of_places);
    let is_right = |changed: &&Changed| {
        let had =
            |wanted, from| settings::had(look.state, &changed.account, changed.control, wanted, (from, changed.at));
        had(true, changed.at) && had(false, changed.at - SEEN_LATE)
    };
    moved.find(|changed| !is_right(changed)).map(|changed| format!("{changed:?}"))
}

pub(super) fn what_is_undone_is_seen_by_the_next_sweep(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let undoes = |item: &Item| matches!(item, Item::Act(_, Act::Harmed { harm: Harm::Undoes { .. }, .. }));
    if !look.script.items.iter().any(undoes) {
        return None;
    }
    look.seen.published.iter().filter(|published| !published.again).find_map(|published| {
        let sweep = &published.latest["sweep"];
        let time = (at(&sweep["started_at"])? - SEEN_LATE, at(&sweep["finished_at"])? + SEEN_LATE);
        let seen = rows(&published.latest);
        look.script.nature.controls.iter().find_map(|control| {
            let accounts = look.state.organization.accounts.iter().filter(|account| is_reachable(look, account));
            let mut undone = accounts.filter(|account| !had(look, &account.id, control, true, time));
            undone.find_map(|account| {
                let row = seen.get(&(account.id.as_str(), control.id()));
                let is_told = row.is_some_and(|row| {
                    matches!(row["outcome"].as_str(), Some("drifted" | "not_converged" | "not_ready"))
                });
                (!is_told).then(|| format!("{} of {}: {row:?}", control.id(), account.id))
            })
        })
    })
}
