//! What somebody who administers the account that people sign in to does to its groups, past Steward.

use serde_json::json;

use crate::{
    aws::{
        access::OF_UNIT,
        iam::{Policy, by_hand, policy_arn},
    },
    run::World,
    time,
};

/// A policy of AWS's that a group gets.
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

impl World {
    /// Tampers with a group, if it is there.
    pub(super) fn tamper(&self, way: u64) {
        let name = format!("group-admin-{OF_UNIT}");
        self.cloud.with(|state| {
            if !state.iam.now.groups.contains_key(&name) {
                return;
            }
            state.note("people", format_args!("tamper with {name}: {way}"));
            state.access.tampered.push(time::now());
            by_hand(state, "Tampers", "", &name, |tree| {
                let Some(group) = tree.groups.get_mut(&name) else { return };
                match way {
                    0 => group.policies.push(EVERYTHING.to_owned()),
                    1 => group.inline.push("everything".to_owned()),
                    2 => {
                        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole",
                            "Resource": ["arn:aws:iam::*:role/*"]});
                        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
                        let policy = tree.policies.entry(policy_arn(&name));
                        policy.and_modify(|policy| policy.correct(&document)).or_insert(Policy::saying(&document));
                    }
                    3 => group.policies.retain(|arn| *arn != policy_arn("policy-enforce-mfa")),
                    _ => drop(tree.groups.remove(&name)),
                }
            });
        });
    }
}
