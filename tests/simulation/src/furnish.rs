//! What is there when a run begins: units, accounts and a document.

mod access;
mod users;

use crate::{
    aws::{organizations, settings, stack_sets},
    cloud::State,
    document::{AccessRule, Document, Kind, RegionRule},
    history::Done,
    script::{Control, Script},
    template::{JUMP, SUSPENDED_UNIT},
    time,
};

/// How deep AWS lets units lie below the root (quotas of AWS Organizations).
const DEEPEST: u64 = 5;
/// States that an account has seldom, and how they come about: it is being closed, was closed, or was never made whole.
const SELDOM: [&str; 3] = ["PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"];

/// Puts it in place; answers with the ids of the units.
pub(crate) fn furnish(state: &mut State, script: &Script) -> Vec<String> {
    let units = if script.nature.deep { deep_units(state, script.units) } else { units(state, script.units) };
    for number in 0..script.accounts {
        let choice = state.draws.below("home", units.len() as u64 + 1);
        let parent = usize::try_from(choice).ok().and_then(|choice| units.get(choice).cloned());
        let parent = parent.unwrap_or_else(|| state.organization.root.clone());
        let days = i64::try_from(state.draws.between("age", 1, 900)).expect("small");
        let has_role = !state.draws.happens("without a role", 5);
        // The first three are there in every organization.
        let is_suspended = number > 2 && state.draws.happens("suspended", 5);
        let id = organizations::add_account(state, number, &parent, days, has_role);
        if is_suspended {
            organizations::suspend(state, &id);
        } else if script.nature.rough && number > 2 {
            roughen(state, &id);
        }
    }
    if script.cooling_off.is_some() {
        furnish_for_closings(state, script);
    }
    let controls = script.nature.controls;
    state.has_stack_sets = controls.has(Control::ConfigRecorder) || controls.has(Control::MemberEvents);
    if controls.has(Control::StackInstances) {
        let accounts: Vec<String> = (0..script.accounts).map(organizations::id_of).collect();
        stack_sets::furnish_asked_for(state, &accounts);
    }
    if !controls.is_empty() {
        for number in 0..script.accounts {
            settings::furnish(state, &organizations::id_of(number));
        }
    }
    if script.has_users() {
        users::furnish(state);
    }
    if script.nature.lets_in {
        access::furnish(state);
    }
    upload(state, document_of(script, Kind::Good));
    units
}

/// Puts in place what only whoever closes accounts looks at.
fn furnish_for_closings(state: &mut State, script: &Script) {
    let root = state.organization.root.clone();
    state.organization.units.push(organizations::Unit {
        id: SUSPENDED_UNIT.to_owned(),
        name: "Suspended".to_owned(),
        parent: root,
    });
    for number in 0..script.accounts {
        let id = organizations::id_of(number);
        stack_sets::furnish(state, &id);
        if state.draws.happens("administers a service", 4) {
            state.organization.closings.delegated.push(("guardduty.amazonaws.com", id));
        }
    }
}

/// The account that people sign in to.
fn add_jump_account(state: &mut State) {
    let root = state.organization.root.clone();
    let number = JUMP.parse::<u64>().expect("a number") - organizations::id_of(0).parse::<u64>().expect("a number");
    organizations::add_account(state, number, &root, 400, true);
}

fn units(state: &mut State, count: u64) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for number in 0..count {
        let root = state.organization.root.clone();
        // Every third unit is inside the one before.
        let parent = if number % 3 == 2 { units.last().cloned().unwrap_or(root) } else { root };
        units.push(state.organization.add_unit(&mut state.draws, &format!("Unit {number}"), &parent));
    }
    units
}

/// Units in a tree as deep as it can be; the first is in the root.
fn deep_units(state: &mut State, count: u64) -> Vec<String> {
    let mut units: Vec<(String, u64)> = Vec::new();
    for number in 0..count {
        let choice = state.draws.below("inside which unit", number + 1);
        let parent =
            usize::try_from(choice).ok().and_then(|choice| units.get(choice)).filter(|(_, depth)| *depth < DEEPEST);
        let (parent, depth) = parent.cloned().unwrap_or_else(|| (state.organization.root.clone(), 0));
        units.push((state.organization.add_unit(&mut state.draws, &format!("Unit {number}"), &parent), depth + 1));
    }
    units.into_iter().map(|(id, _)| id).collect()
}

/// Gives an account a state that few have, or takes the policy of its access role away.
fn roughen(state: &mut State, id: &str) {
    if state.draws.happens("seldom state", 12) {
        let which = state.draws.below("which seldom state", SELDOM.len() as u64);
        let account = state.organization.accounts.iter_mut().find(|account| account.id == id);
        account.expect("it was added").state = SELDOM[usize::try_from(which).expect("small")];
    } else if state.draws.happens("role without a policy", 5)
        && let Some(member) = state.members.get_mut(id)
    {
        member.has_lost_policy = true;
    }
}

/// The document of a run.
pub(crate) fn document_of(script: &Script, kind: Kind) -> Document {
    let (has_override, protects) = (script.units > 0, script.accounts >= 10);
    let controls = script.nature.controls;
    let marks = script.nature.rough || script.nature.lets_in || controls.has(Control::OrganizationalUnit);
    let regions = if controls.has(Control::Regions) {
        Some(RegionRule { remediates: kind == Kind::Remediating, ..RegionRule::OF_CONTROLS })
    } else {
        script.has_regions().then_some(RegionRule::FORBIDDING)
    };
    let access = script.nature.lets_in.then_some(AccessRule::OF_TWO_PROJECTS);
    Document { kind, has_override, protects, marks, controls, regions, access }
}

/// Uploads a document.
pub(crate) fn upload(state: &mut State, document: Document) {
    state.buckets.entry("documents".to_owned()).or_default().put("baseline.yaml", document.text());
    if document.kind != Kind::Mistaken {
        state.history.done.push((time::now(), Done::Uploaded(document)));
    }
}
