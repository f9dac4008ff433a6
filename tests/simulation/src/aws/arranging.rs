//! AWS Organizations, as people rearrange it: units get other names and are deleted, accounts are moved and removed, and
//! come back. What functions never ask for, people do; CloudTrail tells of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Refusal, access, events,
    organizations::{self, constraint, shown_unit},
    settings,
};
use crate::{
    call::Call,
    cloud::State,
    history::Done,
    template::{ACCOUNT, file},
    time,
};

/// No state that AWS shows: the account has left, and keeps its place among the others for the case that it comes back.
pub(crate) const GONE: &str = "GONE";

/// How old an account that was created must be before it may be removed (AWS Organizations user guide, "Remove a member account
/// from an organization").
const WAITING_PERIOD: SignedDuration = SignedDuration::from_hours(4 * 24);

/// Answers what people ask for; None for any other operation.
pub(super) fn serve(state: &mut State, call: &Call) -> Option<Result<Value, Refusal>> {
    let unit = call.text("OrganizationalUnitId");
    Some(match call.operation.as_str() {
        "UpdateOrganizationalUnit" => rename_unit(state, unit, call.text("Name")),
        "DeleteOrganizationalUnit" => delete_unit(state, unit),
        "RemoveAccountFromOrganization" => remove_account(state, call.text("AccountId")),
        _ => return None,
    })
}

/// Gives a unit another name.
pub(crate) fn rename_unit(state: &mut State, id: &str, name: &str) -> Result<Value, Refusal> {
    let org = &mut state.organization;
    let place = org.units.iter().position(|unit| unit.id == id).ok_or_else(no_unit)?;
    let is_taken = |unit: &organizations::Unit| {
        unit.id != id && unit.parent == org.units[place].parent && unit.name.eq_ignore_ascii_case(name)
    };
    if org.units.iter().any(is_taken) {
        return Err(Refusal::new(400, "DuplicateOrganizationalUnitException", "An OU with the same name exists."));
    }
    let from = std::mem::replace(&mut org.units[place].name, name.to_owned());
    let shown = shown_unit(org, &org.units[place]);
    let (unit, to) = (id.to_owned(), name.to_owned());
    state.history.done.push((time::now(), Done::Renamed { unit, from, to }));
    recorded(state, "UpdateOrganizationalUnit", json!({"organizationalUnitId": id, "name": name}), "warning");
    Ok(json!({"OrganizationalUnit": shown}))
}

/// Deletes a unit that holds nothing.
pub(crate) fn delete_unit(state: &mut State, id: &str) -> Result<Value, Refusal> {
    let org = &mut state.organization;
    let place = org.units.iter().position(|unit| unit.id == id).ok_or_else(no_unit)?;
    let is_there = |account: &organizations::Account| account.parent == id && account.state != GONE;
    if org.accounts.iter().any(is_there) || org.units.iter().any(|unit| unit.parent == id) {
        return Err(Refusal::new(400, "OrganizationalUnitNotEmptyException", "The specified OU is not empty."));
    }
    let name = org.units.remove(place).name;
    state.history.done.push((time::now(), Done::UnitDeleted { unit: id.to_owned(), name }));
    recorded(state, "DeleteOrganizationalUnit", json!({"organizationalUnitId": id}), "notice");
    Ok(json!({}))
}

/// From when on a move is shown: Organizations is consistent after a while (API reference, "AWS Organizations is eventually
/// consistent").
pub(super) fn shown_from(state: &mut State, is_late: &str, how_late: &str) -> Timestamp {
    let late = if state.draws.happens(is_late, 50) { state.draws.millis(how_late, 0, 10_000) } else { Duration::ZERO };
    time::now() + SignedDuration::try_from(late).expect("seconds")
}

/// An account has another parent, which is shown from then on; where it was.
pub(super) fn put(state: &mut State, id: &str, to: &str, shown_from: Timestamp) -> Result<String, Refusal> {
    settings::begin(state, id);
    let account = state.organization.account_mut(id)?;
    let from = std::mem::replace(&mut account.parent, to.to_owned());
    account.moved_from = Some((from.clone(), shown_from));
    // It may be moved on before anybody asks for anything.
    access::observe(state);
    Ok(from)
}

/// Moves an account to a unit or the root, as a person does who has looked where it is.
pub(crate) fn move_account(state: &mut State, id: &str, to: &str) -> Result<(), Refusal> {
    if !state.organization.is_parent(to) {
        return Err(Refusal::new(400, "DestinationParentNotFoundException", "We can't find the destination."));
    }
    let shown_from = shown_from(state, "a move by hand is shown late", "a move by hand is shown");
    if state.organization.account_mut(id)?.parent == to {
        return Err(Refusal::new(400, "DuplicateAccountException", "That account is already present there."));
    }
    let from = put(state, id, to, shown_from)?;
    settings::settled(state, id);
    state.history.done.push((time::now(), Done::Moved { account: id.to_owned() }));
    let parameters = json!({"accountId": id, "sourceParentId": from, "destinationParentId": to});
    recorded(state, "MoveAccount", parameters, "notice");
    Ok(())
}

/// Removes an account from the organization. Everything that it was here is forgotten; what is in it stays.
pub(crate) fn remove_account(state: &mut State, id: &str) -> Result<Value, Refusal> {
    if id == ACCOUNT {
        return Err(Refusal::new(
            400,
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account.",
        ));
    }
    let account = state.organization.account_mut(id)?;
    // Who is closed stays until AWS takes it out, 90 days later (user guide, "Closing a member account").
    if account.state != "ACTIVE" {
        return Err(constraint("INVALID_ACCOUNT_STATE"));
    }
    if account.created && time::now().duration_since(account.joined) < WAITING_PERIOD {
        return Err(constraint("WAIT_PERIOD_ACTIVE"));
    }
    recorded(state, "RemoveAccountFromOrganization", json!({"accountId": id}), "critical");
    depart(state, id, "REMOVED", "warning");
    Ok(json!({}))
}

/// An account leaves by itself; what it calls for that is recorded in it alone.
pub(crate) fn leave(state: &mut State, id: &str) {
    if state.organization.account(id).is_some_and(|account| account.state == "ACTIVE") {
        depart(state, id, "LEFT", "critical");
    }
}

fn depart(state: &mut State, id: &str, how: &str, severity: &'static str) {
    let Ok(account) = state.organization.account_mut(id) else { return };
    (account.state, account.shown_from) = (GONE, Timestamp::MAX);
    account.tags.clear();
    (account.indexed, account.moved_from, account.tagged_at) = (None, None, None);
    state.history.done.push((time::now(), Done::Left { account: id.to_owned() }));
    told(state, "account-gone-for-good", json!({"accountId": id, "departureMethod": how}), severity);
}

/// An account that has left joins again, in the root: it has accepted an invitation.
pub(crate) fn come_back(state: &mut State, id: &str) {
    let root = state.organization.root.clone();
    settings::begin(state, id);
    let found = state.organization.accounts.iter_mut().find(|account| account.id == id && account.state == GONE);
    let Some(account) = found else { return };
    (account.state, account.parent, account.created) = ("ACTIVE", root, false);
    (account.joined, account.shown_from) = (time::now(), time::now());
    settings::settled(state, id);
    state.history.done.push((time::now(), Done::CameBack { account: id.to_owned() }));
    organizations::joined(state, id);
}

/// An account is closed from within; only after a while it is closed for good.
pub(crate) fn close(state: &mut State, id: &str) {
    let Ok(account) = state.organization.account_mut(id) else { return };
    account.state = "PENDING_CLOSURE";
    state.history.done.push((time::now(), Done::Closed { account: id.to_owned() }));
    // The account forwards what it does to the bus of the stack.
    let event = sample("member-closes-itself");
    events::forwarded(state, id, event, "critical");
}

/// AWS has done with closing an account.
pub(crate) fn closed(state: &mut State, id: &str) {
    let Ok(account) = state.organization.account_mut(id) else { return };
    account.state = "CLOSED";
    told(
        state,
        "close-account-result",
        json!({"closeAccountStatus": {"accountId": id, "state": "SUCCEEDED"}}),
        "warning",
    );
}

fn no_unit() -> Refusal {
    Refusal::new(400, "OrganizationalUnitNotFoundException", "We can't find the unit.")
}

fn sample(name: &str) -> Value {
    let text = file(&format!("events/activity-auditor/{name}.json"));
    serde_json::from_str(&text).expect("a sample is JSON")
}

/// CloudTrail records a call of a person.
fn recorded(state: &mut State, operation: &str, parameters: Value, severity: &'static str) {
    let mut event = sample("move-account");
    event["detail"]["eventName"] = operation.into();
    event["detail"]["requestParameters"] = parameters;
    events::recorded(state, event, severity);
}

/// AWS Organizations tells of something of its own.
fn told(state: &mut State, name: &str, details: Value, severity: &'static str) {
    let mut event = sample(name);
    event["detail"]["serviceEventDetails"] = details;
    events::recorded(state, event, severity);
}
