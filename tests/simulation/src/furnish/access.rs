//! The account that people sign in to, where documents say who gets in where: what there is of groups before Steward keeps them.

use serde_json::json;

use super::add_jump_account;
use crate::{
    aws::{
        access::{NAMED, OF_UNIT, observe},
        iam::{Group, PATH, Policy, policy_arn},
        organizations, settings,
    },
    cloud::State,
    template::JUMP,
};

/// Puts it in place.
pub(super) fn furnish(state: &mut State) {
    add_jump_account(state);
    settings::furnish(state, JUMP);
    let other = Group { path: "/".to_owned(), inline: vec!["own".to_owned()], ..Group::default() };
    state.iam.now.groups.insert("auditors".to_owned(), other);
    if state.draws.happens("groups are there", 40) {
        let name = format!("group-admin-{OF_UNIT}");
        let role = format!("arn:aws:iam::{}:role/role-admin", organizations::id_of(NAMED[0]));
        let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": [role]}]});
        state.iam.now.policies.insert(policy_arn(&name), Policy::saying(&document.to_string()));
        let group = Group { path: PATH.to_owned(), policies: vec![policy_arn(&name)], ..Group::default() };
        state.iam.now.groups.insert(name, group);
    }
    state.access.is_said = true;
    observe(state);
}
