//! The account that people sign in to, as it is when a run begins: its groups, and who is there.

use jiff::SignedDuration;
use serde_json::json;

use super::add_jump_account;
use crate::{
    aws::{
        iam::{Group, Key, Login, PATH, PasswordPolicy, Policy, User, policy_arn},
        organizations,
        secrets::{MARK, Secret, secret_of},
    },
    cloud::State,
    script::USERS,
    template::JUMP,
    time,
};

/// How many groups there are at most beside those that people ask for, so that lists have pages.
const MORE_GROUPS: u64 = 12;

/// Puts it in place.
pub(super) fn furnish(state: &mut State) {
    add_jump_account(state);
    groups(state);
    for name in USERS {
        user(state, name);
    }
    // Somebody else's, that a list lets through.
    let other = Secret::new("nobody's".to_owned(), time::now() - SignedDuration::from_hours(24 * 30));
    state.secrets.now.insert(format!("/old{}", secret_of("alice")), other);
    let policies = [
        None,
        Some(PasswordPolicy { minimum_length: 14, hard_expiry: false }),
        Some(PasswordPolicy { minimum_length: 40, hard_expiry: true }),
    ];
    let which = state.draws.below("password policy of the jump account", 3);
    state.iam.now.password_policy = policies[usize::try_from(which).expect("small")];
}

fn groups(state: &mut State) {
    let more = state.draws.below("more groups", MORE_GROUPS);
    let more: Vec<String> = (0..more).map(|number| format!("group-more-{number}")).collect();
    let tree = &mut state.iam.now;
    let enforces = policy_arn("policy-enforce-mfa");
    tree.policies.insert(enforces.clone(), Policy::saying(&json!({"Statement": []}).to_string()));
    let safe = ["group-admin", "group-developer", "group-operator", "group-admin-shop"];
    for name in safe.into_iter().chain(more.iter().map(String::as_str)) {
        let own = policy_arn(&format!("policy-{name}"));
        let role = format!("arn:aws:iam::{}:role/role-{name}", organizations::id_of(0));
        let document = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [role]}]});
        tree.policies.insert(own.clone(), Policy::saying(&document.to_string()));
        let group = Group { path: PATH.to_owned(), policies: vec![enforces.clone(), own], ..Group::default() };
        tree.groups.insert(name.to_owned(), group);
    }
    tree.groups.insert("group-open".to_owned(), Group { path: PATH.to_owned(), ..Group::default() });
    for name in ["admins", "auditors"] {
        tree.groups.insert(name.to_owned(), Group { path: "/".to_owned(), ..Group::default() });
    }
}

/// Who is there, if anybody of this name is, and since when.
fn user(state: &mut State, name: &str) {
    let kind = state.draws.below("who is there", 6);
    // No day of Steward's promises is hit to the second.
    let hours = |days: i64, more: i64| SignedDuration::from_hours(24 * days + more);
    let ago = |state: &mut State, most: u64| {
        let days = i64::try_from(state.draws.below("days ago", most)).expect("small");
        hours(days, 5)
    };
    let now = time::now();
    let made_at = now - ago(state, 300);
    let mut user = User { path: PATH.to_owned(), made_at, ..User::default() };
    match kind {
        0 => return,
        // Nobody of Steward's.
        1 => "/".clone_into(&mut user.path),
        // Waits for the first use of the password, or has waited too long.
        2 | 3 => {
            let changed_at = now - ago(state, 10);
            let password = format!("{MARK}of {name}, from before");
            user.login = Some(Login { password: password.clone(), reset_required: true, changed_at });
            state.secrets.now.insert(secret_of(name), Secret::new(password, changed_at));
            user.made_at = changed_at - hours(0, 1);
            user.groups.insert("group-developer".to_owned());
        }
        _ => {
            user.login =
                Some(Login { password: format!("chosen by {name}"), reset_required: false, changed_at: made_at });
            user.used_at = Some(now - ago(state, 200)).filter(|used| *used > made_at);
            user.groups.extend(["group-developer", "group-more-0"].map(ToOwned::to_owned));
        }
    }
    user.groups.retain(|group| state.iam.now.groups.contains_key(group));
    for number in 0..state.draws.below("keys of a user", 3) {
        let made_at = made_at + hours(0, 1);
        user.keys.push(Key { id: format!("AKIA{number}{}", name.to_uppercase()), made_at, used_at: None });
    }
    if kind != 2 && state.draws.happens("user has devices", 60) {
        let serial = format!("arn:aws:iam::{JUMP}:mfa/{name}");
        state.iam.now.virtual_devices.insert(serial.clone());
        user.devices.extend([serial, format!("GAHT{}", name.to_uppercase())]);
    }
    state.iam.now.users.insert(name.to_owned(), user);
}
