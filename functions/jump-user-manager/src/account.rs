//! The way into the account that people sign in to, as far as the work at hand needs it.

use steward::{
    control::Mode,
    error::{Cause, Failure},
    gateway::{IamGateway, OrganizationsGateway},
    ids::{AccountId, RoleName},
    session::{Grant, Protected, Sessions},
};

use crate::{
    change::PATH,
    input::{Input, Task, Work},
};

/// What shows one user, whom groups let in where.
const READS: &[&str] = &[
    "iam:GetAccountPasswordPolicy",
    "iam:GetLoginProfile",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetUser",
    "iam:ListAccountAliases",
    "iam:ListAttachedGroupPolicies",
    "iam:ListGroups",
    "iam:ListGroupsForUser",
    "iam:ListMFADevices",
];
/// What shows everything that a user has.
const READS_BELONGINGS: &[&str] = &[
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListUserPolicies",
];
/// What shows every user.
const READS_ALL: &[&str] = &[
    "iam:GetAccessKeyLastUsed",
    "iam:GetLoginProfile",
    "iam:ListAccessKeys",
    "iam:ListGroupsForUser",
    "iam:ListMFADevices",
    "iam:ListUsers",
];

/// The account that people sign in to, entered.
#[derive(Clone, Debug)]
pub(crate) struct JumpAccount {
    pub(crate) id: AccountId,
    pub(crate) iam: IamGateway,
}

/// The way into it.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) account: Option<AccountId>,
    pub(crate) access_role: RoleName,
    pub(crate) organizations: OrganizationsGateway,
    pub(crate) sessions: Sessions,
}

impl Entrance {
    /// Enters the account for this work and no other.
    ///
    /// A stack that names none gives [`Cause::NoJumpAccount`], one whose access role lets nobody in
    /// [`Cause::AccessRoleUnusable`].
    pub(crate) async fn enter(&self, input: &Input, invocation: &str) -> Result<JumpAccount, Failure> {
        let id = self.account.as_ref().ok_or_else(|| Failure::new(Cause::NoJumpAccount))?;
        let account = self.organizations.account_of_stack(id).await.map_err(|error| {
            if error.cause == Cause::NotFound {
                return Failure::with_detail(Cause::NoJumpAccount, format_args!("{id} is not in this organization."));
            }
            Failure::from(error)
        })?;
        let admission = self.sessions.admit(&account, &Protected::default()).await?;
        let grants = grants(input, id);
        let session = self.sessions.enter_within(&admission, &self.access_role, &grants, invocation).await;
        let session = session.map_err(|error| {
            if error.cause != Cause::RoleNotAssumable {
                return Failure::from(error);
            }
            let own = if admission.is_own() {
                " It is the management account, where nobody makes this role but you; it must trust the account itself."
            } else {
                ""
            };
            Failure::with_detail(Cause::AccessRoleUnusable, format_args!("{}{own}", error.detail))
        })?;
        Ok(JumpAccount { id: id.clone(), iam: IamGateway::of(&session) })
    }
}

/// What a session for this work may do. IAM holds what the code decides: nothing is changed but users under Steward's path,
/// and nobody is put into a group beside it.
fn grants(input: &Input, account: &AccountId) -> Vec<Grant> {
    let anything = || vec!["*".to_owned()];
    let users = || vec![format!("arn:aws:iam::{account}:user{PATH}*")];
    let own_groups = || vec![format!("arn:aws:iam::{account}:group{PATH}*")];
    let reads = |more: &[&'static str]| Grant { actions: [READS, more].concat(), resources: anything() };
    let looks = input.mode == Mode::Plan;
    let grant = |actions: &[&'static str], resources| Grant { actions: actions.to_vec(), resources };
    let virtual_devices = || grant(&["iam:DeleteVirtualMFADevice"], vec![format!("arn:aws:iam::{account}:mfa/*")]);
    let password = ["iam:CreateLoginProfile", "iam:UpdateLoginProfile"];
    match &input.work {
        Work::User(_, Task::Change(_)) if looks => vec![reads(&[])],
        Work::User(_, Task::Change(_)) => vec![
            reads(&[]),
            grant(&[&["iam:CreateUser"], password.as_slice()].concat(), users()),
            grant(&["iam:AddUserToGroup", "iam:RemoveUserFromGroup"], own_groups()),
        ],
        Work::User(_, Task::Reset { second_factor }) if looks || !second_factor => {
            vec![reads(&[]), grant(if looks { &[] } else { &password }, users())]
        }
        Work::User(_, Task::Reset { .. }) => vec![
            reads(&[]),
            grant(&[&["iam:DeactivateMFADevice"], password.as_slice()].concat(), users()),
            virtual_devices(),
        ],
        Work::User(_, Task::Remove) if looks => vec![reads(READS_BELONGINGS)],
        Work::User(_, Task::Remove) => vec![
            reads(READS_BELONGINGS),
            grant(
                &[
                    "iam:DeactivateMFADevice",
                    "iam:DeleteAccessKey",
                    "iam:DeleteLoginProfile",
                    "iam:DeleteSSHPublicKey",
                    "iam:DeleteServiceSpecificCredential",
                    "iam:DeleteSigningCertificate",
                    "iam:DeleteUser",
                    "iam:DeleteUserPolicy",
                    "iam:DetachUserPolicy",
                ],
                users(),
            ),
            // Of any group: to leave one gives nobody power, and a user in one cannot be deleted.
            grant(&["iam:RemoveUserFromGroup"], vec![format!("arn:aws:iam::{account}:group/*")]),
            virtual_devices(),
        ],
        Work::ExpirePasswords => {
            let ends: &[&str] = if looks { &[] } else { &["iam:DeleteLoginProfile"] };
            vec![
                Grant { actions: vec!["iam:GetLoginProfile", "iam:GetUser"], resources: anything() },
                grant(ends, users()),
            ]
        }
        Work::List | Work::Review => vec![Grant { actions: READS_ALL.to_vec(), resources: anything() }],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn granted(input: serde_json::Value) -> Vec<Grant> {
        grants(&Input::read(input).unwrap(), &"111111111111".parse().unwrap())
    }

    fn writes(grants: &[Grant]) -> Vec<(&'static str, &str)> {
        let of = |grant: &'_ Grant| grant.actions.clone();
        let pairs =
            grants.iter().flat_map(|grant| of(grant).into_iter().map(|action| (action, grant.resources[0].as_str())));
        pairs.filter(|(action, _)| !action.contains(":Get") && !action.contains(":List")).collect()
    }

    #[test]
    fn a_plan_may_change_nothing() {
        for input in [
            json!({"user_name": "alice", "groups": ["g"]}),
            json!({"user_name": "alice", "reset": true, "second_factor": true}),
            json!({"user_name": "alice", "remove": true}),
            json!({"expire_passwords": true}),
            json!({"list": true, "mode": "apply"}),
            json!({"review": true, "mode": "apply"}),
        ] {
            assert_eq!(writes(&granted(input.clone())), [], "{input}");
        }
    }

    #[test]
    fn nothing_is_changed_but_users_under_the_path_and_nobody_gets_into_a_group_beside_it() {
        for input in [
            json!({"user_name": "alice", "groups": ["g"], "mode": "apply"}),
            json!({"user_name": "alice", "reset": true, "mode": "apply"}),
            json!({"user_name": "alice", "reset": true, "second_factor": true, "mode": "apply"}),
            json!({"user_name": "alice", "remove": true, "mode": "apply"}),
            json!({"expire_passwords": true, "mode": "apply"}),
        ] {
            let granted = granted(input.clone());
            let writes = writes(&granted);
            assert!(!writes.is_empty(), "{input}");
            for (action, resource) in writes {
                let expected = match action {
                    "iam:AddUserToGroup" => "arn:aws:iam::111111111111:group/steward/*",
                    "iam:RemoveUserFromGroup" => "arn:aws:iam::111111111111:group/",
                    "iam:DeleteVirtualMFADevice" => "arn:aws:iam::111111111111:mfa/*",
                    _ => "arn:aws:iam::111111111111:user/steward/*",
                };
                assert!(resource.starts_with(expected), "{input}: {action} with {resource}");
            }
            let size: usize =
                granted.iter().map(|grant| format!("{:?}", (&grant.actions, &grant.resources)).len() + 60).sum();
            assert!(size < 2000, "{input}: a session policy has 2,048 characters at most; this may have {size}");
        }
    }
}
