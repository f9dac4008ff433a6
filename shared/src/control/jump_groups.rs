//! # jump-groups
//!
//! **What it does.** Keeps, in the jump account alone, the groups that people are in: which roles of which accounts each of
//! them reaches, and that nobody gets anywhere without a second factor.
//!
//! **Why.** Who may go where is written down in one place, and a new account is reachable with no manual step.
//!
//! **Desired state.** No section of an account's own: it is made of the document's `access`. For each role there is a group
//! `group-<role>` that reaches it in all accounts, and for each project a group `group-<role>-<project>` that reaches it in
//! the accounts of the project to which `switch-roles` gives it. A group has one managed policy or more, which may assume
//! exactly these roles, with a second factor, and `policy-enforce-mfa`, with which a user without a second factor can change
//! the own password, add a device and get a session with it, and nothing else. Any other policy of a group is taken away.
//!
//! Groups and policies of Steward stand at the path `/steward/`, and no other one is touched. A group that the document does
//! not name any more keeps `policy-enforce-mfa` alone, for its people; who is in which group is not looked at.
//!
//! An account that joins, is moved, tagged or closed, and a unit that is renamed, change the groups in the same run, without a look
//! at all other accounts: what the groups reach there stays as it is. Minutes later they are looked at once more, since AWS may
//! tell of it before it shows it.
//!
//! **Limits.** A policy has 6,144 characters and a group ten policies, which is room for some 1,200 accounts in a project; past
//! that the control says so and leaves the group as it is. Whoever has a password or a key of a user without a second factor
//! can add a device of their own: IAM has no condition by which that could be told apart.
//!
//! **Calls.** A compliant account costs one `GetAccountAuthorizationDetails` for some hundred groups and policies. A look by hand
//! at the jump account also lists the accounts of the organization, and, where projects select by tags, reads the tags of each.
//! A sweep has listed them, and takes their tags from an index, a hundred accounts a call. The list and the index may be some
//! minutes old: accounts in which a group reaches something else, up to a hundred, are looked up before that is called drift.
//!
//! **Source.** IAM user guide, "AWS: Allows MFA-authenticated IAM users to manage their own credentials on the My security
//! credentials page" and "IAM and AWS STS quotas".

mod plan;
mod policies;

use std::collections::BTreeSet;

use super::{Control, MemberScope};
use crate::{
    baseline::Baseline,
    error::{Cause, Failure},
    gateway::{CallError, GroupsAndPolicies},
    ids::AccountId,
};

pub use plan::Change;

/// Where groups and policies of Steward stand in the account's tree of names.
const PATH: &str = "/steward/";

/// What the jump account is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JumpGroups {
    /// These groups.
    Known {
        /// The jump account.
        account: AccountId,
        /// The groups.
        groups: Vec<Group>,
        /// Whose roles they were made of.
        made_of: MadeOf,
        /// What a person should know of how they came about.
        notes: Vec<String>,
    },
    /// Which accounts there are could not be found out.
    Unknown(Failure),
}

impl JumpGroups {
    /// The accounts in which the groups that are there reach more or less than these.
    pub fn accounts_that_differ(&self, present: &GroupsAndPolicies) -> BTreeSet<AccountId> {
        match self {
            Self::Known { account, groups, .. } => plan::differing(account, groups, present),
            Self::Unknown(_) => BTreeSet::new(),
        }
    }
}

/// Whose roles groups were made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// Of every account: the groups reach what was found, and nothing else.
    Everybody,
    /// Of these accounts: the groups reach in them what was found, and in all others what they reach now.
    These(BTreeSet<AccountId>),
}

/// A group of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The ARNs of the roles that it reaches; `*` in one stands for every account.
    pub role_arns: BTreeSet<String>,
}

/// The control `jump-groups`.
#[derive(Clone, Copy, Debug)]
pub struct JumpGroupsControl;

impl Control for JumpGroupsControl {
    const ID: &'static str = "jump-groups";
    const READS: &'static [&'static str] = &["iam:GetAccountAuthorizationDetails"];
    const WRITES: &'static [&'static str] = &[
        "iam:AttachGroupPolicy",
        "iam:CreateGroup",
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeleteGroupPolicy",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:DetachGroupPolicy",
    ];
    type Scope = MemberScope;
    type Desired = JumpGroups;
    type Actual = GroupsAndPolicies;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&JumpGroups> {
        baseline.jump_groups.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &JumpGroups) -> Result<GroupsAndPolicies, CallError> {
        match desired {
            JumpGroups::Unknown(failure) => {
                let detail = failure.message.clone();
                Err(CallError::not_sent("organizations:ListAccounts", failure.cause, detail))
            }
            JumpGroups::Known { .. } => scope.iam.read_groups_and_policies().await,
        }
    }

    fn plan(&self, _scope: &MemberScope, desired: &JumpGroups, actual: &GroupsAndPolicies) -> Vec<Change> {
        let JumpGroups::Known { account, groups, made_of, .. } = desired else { return Vec::new() };
        plan::plan(account, &plan::whole(account, groups, made_of, actual), actual)
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        let iam = &scope.iam;
        match change {
            Change::CreatePolicy { name, document } => iam.create_policy(name, PATH, document).await,
            Change::DeleteVersion { arn, version, .. } => iam.delete_policy_version(arn, version).await,
            Change::CorrectPolicy { arn, document, .. } => iam.create_policy_version(arn, document).await,
            Change::CreateGroup { name } => iam.create_group(name, PATH).await,
            Change::DeleteInline { group, policy } => iam.delete_group_policy(group, policy).await,
            Change::Detach { group, arn } => iam.detach_group_policy(group, arn).await,
            Change::Attach { group, arn } => iam.attach_group_policy(group, arn).await.map_err(|mut error| {
                // What was made a moment ago is not known everywhere in IAM.
                if error.cause == Cause::NotFound {
                    error.cause = Cause::NotVisibleYet;
                }
                error
            }),
            Change::DeletePolicy { arn, .. } => iam.delete_policy(arn).await,
        }
    }

    fn notes(&self, desired: &JumpGroups, actual: &GroupsAndPolicies) -> Vec<String> {
        let JumpGroups::Known { groups, notes, .. } = desired else { return Vec::new() };
        let left_over = plan::left_over(groups, actual)
            .map(|group| format!("the document does not name {} any more; delete it once nobody is in it", group.name));
        notes.iter().cloned().chain(left_over).collect()
    }

    fn by_hand(&self, desired: &JumpGroups, actual: &GroupsAndPolicies) -> Vec<String> {
        let JumpGroups::Known { account, groups, made_of, .. } = desired else { return Vec::new() };
        let groups = plan::whole(account, groups, made_of, actual);
        let mut open = plan::attached_elsewhere(account, &groups, actual);
        for group in &groups {
            open.extend(plan::elsewhere(group, actual).map(|other| {
                let (name, path) = (&other.name, &other.path);
                format!("rename or delete the group {name}, which stands at {path}; Steward's stand at {PATH}")
            }));
            open.extend(plan::too_many(group));
        }
        open
    }
}

#[cfg(test)]
mod evaluator;
#[cfg(test)]
mod tests;
