//! # switch-roles
//!
//! **What it does.** Keeps the roles that people switch to from the jump account: who may assume them, which managed
//! policies they have, and how long their sessions last.
//!
//! **Why.** People have one user, in one account, with a second factor. Everywhere else they have roles, and nothing
//! to lose.
//!
//! **Desired state.** `jump_account`, and where the defaults do not fit `roles` (each `name`, `managed_policies`,
//! `session_seconds` and `description`), `path`, `external_id`, `permissions_boundary` and `exclusive`. A role trusts the jump
//! account alone, and only people who signed in with a second factor. With `account_access_application` it also trusts that
//! application of IAM account access manager, and without a `jump_account` nobody else. Any other trust is drift, and the
//! plan says in words what it allows. Managed policies that the section does not name are detached with `exclusive: true` and are a note
//! otherwise. The path of a role that is there cannot be changed: another one is a note. With an `external_id`, roles
//! can be assumed by programs but not in the AWS console.
//!
//! What keeps people from working with a role is drift, and where somebody has decided so it is left to people and named
//! as long as it stands: a statement of the trust policy that denies, which stays when the rest is corrected, a
//! permissions boundary other than the section's, and a policy of AWS that denies everything (`AWSDenyAll`,
//! `AWSCompromisedKeyQuarantine`), unless `exclusive: true` detaches it.
//!
//! **Limits.** What the policies of a role say is not read, and inline policies and tags are not looked at: both would
//! cost calls for each policy of each role. So a policy that denies something is seen by its name alone.
//!
//! **Calls.** A compliant account costs two per role: `GetRole` and `ListAttachedRolePolicies`.
//!
//! **Source.** IAM user guide, "Switch from a user to an IAM role (console)" and "AWS global condition context keys":
//! `aws:MultiFactorAuthPresent` with `Bool` also refuses callers that have no such key, such as long-term access keys.

use std::{collections::BTreeSet, fmt};

use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope, role::denies_everything, trust::TrustPolicy};
use crate::{
    baseline::{Baseline, Findings, Validate},
    error::Cause,
    gateway::{CallError, NewRole},
    ids::{AccountId, Region, RoleName},
    input::{Problem, inner},
};

/// How many managed policies IAM attaches to a role once its quota is raised as far as it goes.
const MAX_POLICIES: usize = 20;

/// The `switch-roles` section of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchRoles {
    /// The account that people come from. Left out, people come by IAM account access manager alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump_account: Option<AccountId>,
    /// The application of IAM account access manager that may hand the roles to people, beside the jump account or, where
    /// that is left out, instead of it: `arn:aws:account-access:us-east-1:111122223333:application/app-0123456789abcdef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_access_application: Option<String>,
    /// A value that whoever assumes a role has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The ARN of the managed policy that bounds what the roles can do; left out, none does. New roles get it, and one
    /// that has another is left to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// Where new roles stand in the account's tree of names: `/`, or a text between two slashes.
    #[serde(default = "default_path")]
    pub path: String,
    /// The roles.
    #[serde(default = "default_roles")]
    pub roles: Vec<SwitchRole>,
    /// Whether managed policies that are not named are detached.
    #[serde(default)]
    pub exclusive: bool,
}

/// One role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchRole {
    /// Its name.
    pub name: RoleName,
    /// What it is for, in up to 1,000 characters. Left out, new roles get a sentence and the others keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The ARNs of the managed policies that it has.
    pub managed_policies: Vec<String>,
    /// How long its sessions may last: 3,600 to 43,200 s.
    #[serde(default = "default_session_seconds")]
    #[schemars(range(min = 3600, max = 43200))]
    pub session_seconds: i32,
}

fn default_path() -> String {
    "/".to_owned()
}

fn default_session_seconds() -> i32 {
    3600
}

fn default_roles() -> Vec<SwitchRole> {
    let role = |name: &str, policy: &str| {
        Some(SwitchRole {
            name: name.parse().ok()?,
            description: None,
            managed_policies: vec![format!("arn:aws:iam::aws:policy/{policy}")],
            session_seconds: default_session_seconds(),
        })
    };
    let roles = [
        role("role-admin", "AdministratorAccess"),
        role("role-developer", "PowerUserAccess"),
        role("role-operator", "ReadOnlyAccess"),
    ];
    roles.into_iter().flatten().collect()
}

impl SwitchRoles {
    /// Who may assume the roles.
    fn trust(&self) -> TrustPolicy {
        let application = self.account_access_application.as_deref();
        let application = application.and_then(|arn| Some((arn, account_of_application(arn)?)));
        TrustPolicy::of_people(self.jump_account.as_ref(), self.external_id.as_deref(), application)
    }
}

impl Validate for SwitchRoles {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        if let Some(id) = &self.external_id {
            let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
            findings.expect(
                "external_id",
                (2..=1224).contains(&id.len()) && id.bytes().all(is_allowed),
                "must be 2 to 1224 letters, digits or any of _ + = , . @ : / -",
            );
        }
        findings.expect(
            "jump_account",
            self.jump_account.is_some() || self.account_access_application.is_some(),
            "must be there where account_access_application is not; at least one of them is needed",
        );
        if let Some(application) = &self.account_access_application {
            findings.expect(
                "account_access_application",
                account_of_application(application).is_some(),
                "must be an ARN such as arn:aws:account-access:us-east-1:111122223333:application/app-0123456789abcdef",
            );
        }
        let is_path = self.path == "/"
            || ((3..=512).contains(&self.path.len())
                && self.path.starts_with('/')
                && self.path.ends_with('/')
                && self.path.bytes().all(|b| b.is_ascii_graphic()));
        findings.expect("path", is_path, "must be / or a path such as /people/");
        if let Some(arn) = &self.permissions_boundary {
            findings.expect("permissions_boundary", is_policy_arn(arn), NO_POLICY_ARN);
        }
        findings.expect("roles", !self.roles.is_empty(), "must have at least one role");
        // To IAM, names that differ only in case are the same.
        findings.distinct("roles", self.roles.iter().map(|role| role.name.as_str().to_ascii_lowercase()));
        for (position, role) in self.roles.iter().enumerate() {
            findings.extend(role.problems(&inner(path, &format!("roles[{position}]"))));
        }
        findings.into_problems()
    }
}

impl Validate for SwitchRole {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.optional_length("description", self.description.as_deref(), 1..=1000);
        let is_printable = |text: &String| text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        let is_plain = self.description.as_ref().is_none_or(is_printable);
        findings.expect("description", is_plain, "must be printable ASCII characters on one line");
        findings.range("session_seconds", self.session_seconds, 3600..=43_200);
        findings.distinct("managed_policies", &self.managed_policies);
        if self.managed_policies.len() > MAX_POLICIES {
            let problem = format!("has {} policies; IAM attaches {MAX_POLICIES} at most", self.managed_policies.len());
            findings.note("managed_policies", problem);
        }
        for (position, arn) in self.managed_policies.iter().enumerate() {
            findings.expect(&format!("managed_policies[{position}]"), is_policy_arn(arn), NO_POLICY_ARN);
        }
        findings.into_problems()
    }
}

/// The account of an application of IAM account access manager; None when the text is not the ARN of one.
fn account_of_application(arn: &str) -> Option<AccountId> {
    let (region, rest) = arn.strip_prefix("arn:aws:account-access:")?.split_once(':')?;
    let (account, id) = rest.split_once(":application/")?;
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (region.parse::<Region>().is_ok() && is_id && arn.len() <= 2048).then(|| account.parse().ok()).flatten()
}

const NO_POLICY_ARN: &str = "must be the ARN of a managed policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess";

fn is_policy_arn(text: &str) -> bool {
    let Some((owner, name)) = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":policy/")) else {
        return false;
    };
    let is_in_name = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
    (owner == "aws" || owner.parse::<AccountId>().is_ok())
        && text.len() <= 2048
        && !name.is_empty()
        && !name.ends_with('/')
        && name.bytes().all(is_in_name)
}

/// What is there of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentRole {
    path: String,
    trust: TrustPolicy,
    session_seconds: i32,
    description: Option<String>,
    managed_policies: BTreeSet<String>,
    permissions_boundary: Option<String>,
}

/// What is there of each role of the section, in its order.
pub type Actual = Vec<Option<PresentRole>>;

/// One change of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    role: RoleName,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Create {
        path: String,
        trust: TrustPolicy,
        session_seconds: i32,
        permissions_boundary: Option<String>,
        description: Option<String>,
    },
    Trust {
        trust: TrustPolicy,
        differs: String,
    },
    SessionSeconds {
        from: i32,
        to: i32,
    },
    Description {
        to: String,
    },
    Detach {
        policy_arn: String,
    },
    Attach {
        policy_arn: String,
        to_new_role: bool,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = &self.role;
        match &self.what {
            What::Create { path, trust, session_seconds, permissions_boundary, description: _ } => {
                write!(f, "create the role {role}: {trust}, for {session_seconds} s at most")?;
                if path != "/" {
                    write!(f, ", at {path}")?;
                }
                permissions_boundary.iter().try_for_each(|arn| write!(f, ", bounded by {arn}"))
            }
            What::Trust { differs, .. } => write!(f, "correct who may assume {role}: {differs}"),
            What::SessionSeconds { from, to } => write!(f, "correct the longest session of {role}: {from} -> {to} s"),
            What::Description { to } => write!(f, "correct the description of {role} to {to:?}"),
            What::Detach { policy_arn } => write!(f, "detach {policy_arn} from {role}"),
            What::Attach { policy_arn, .. } => write!(f, "attach {policy_arn} to {role}"),
        }
    }
}

impl What {
    /// What may be taken from a role goes before what is given to it, and who may assume it before both.
    fn stage(&self) -> u8 {
        match self {
            Self::Create { .. } | Self::Trust { .. } => 0,
            Self::SessionSeconds { .. } | Self::Description { .. } | Self::Detach { .. } => 1,
            Self::Attach { .. } => 2,
        }
    }
}

/// The control `switch-roles`.
#[derive(Clone, Copy, Debug)]
pub struct SwitchRolesControl;

impl Control for SwitchRolesControl {
    const ID: &'static str = "switch-roles";
    const READS: &'static [&'static str] = &["iam:GetRole", "iam:ListAttachedRolePolicies"];
    const WRITES: &'static [&'static str] = &[
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DetachRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ];
    type Scope = MemberScope;
    type Desired = SwitchRoles;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&SwitchRoles> {
        baseline.switch_roles.as_ref()
    }

    fn not_in(&self, scope: &MemberScope) -> Option<&'static str> {
        scope.leaves_roles_alone()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &SwitchRoles) -> Result<Actual, CallError> {
        let find = async |role: &SwitchRole| {
            let policies = scope.iam.list_attached_policies(&role.name);
            let (found, policies) = try_join(scope.iam.find_role(&role.name), policies).await?;
            let Some(found) = found else { return Ok(None) };
            let trust = found.trust_policy.parse().map_err(|error| {
                let detail = format!("a trust policy of {} that cannot be read ({error})", role.name);
                CallError::unusable("iam:GetRole", Cause::CallFailed, detail)
            })?;
            Ok(Some(PresentRole {
                path: found.path,
                trust,
                session_seconds: found.max_session_seconds,
                description: found.description,
                managed_policies: policies.into_iter().collect(),
                permissions_boundary: found.permissions_boundary,
            }))
        };
        try_join_all(desired.roles.iter().map(find)).await
    }

    fn plan(&self, _scope: &MemberScope, desired: &SwitchRoles, actual: &Actual) -> Vec<Change> {
        plan(desired, actual)
    }

    async fn apply(&self, scope: &MemberScope, Change { role, what }: &Change) -> Result<(), CallError> {
        match what {
            What::Create { path, trust, session_seconds, permissions_boundary, description } => {
                let role = NewRole {
                    name: role,
                    path,
                    trust_policy: &trust.to_json(),
                    max_session_seconds: *session_seconds,
                    permissions_boundary: permissions_boundary.as_deref(),
                    description: description.as_deref().unwrap_or("For people who switch here from elsewhere"),
                };
                scope.iam.create_role(&role).await
            }
            What::Trust { trust, .. } => scope.iam.put_trust_policy(role, &trust.to_json()).await,
            What::SessionSeconds { to, .. } => scope.iam.set_max_session(role, *to).await,
            What::Description { to } => scope.iam.set_description(role, to).await,
            What::Detach { policy_arn } => scope.iam.detach_policy(role, policy_arn).await,
            What::Attach { policy_arn, to_new_role } => {
                scope.iam.attach_policy(role, policy_arn).await.map_err(|mut error| {
                    // A role that was made a moment ago is not known everywhere in IAM.
                    if *to_new_role && error.cause == Cause::NotFound {
                        error.cause = Cause::NotVisibleYet;
                    }
                    error
                })
            }
        }
    }

    fn notes(&self, desired: &SwitchRoles, actual: &Actual) -> Vec<String> {
        notes(desired, actual)
    }

    fn by_hand(&self, desired: &SwitchRoles, actual: &Actual) -> Vec<String> {
        there(desired, actual).flat_map(|(role, present)| manual_work(desired, role, present)).collect()
    }

    fn are_concurrent(&self, one: &Change, next: &Change) -> bool {
        one.what.stage() == next.what.stage() && one.role != next.role
    }
}

fn plan(desired: &SwitchRoles, actual: &Actual) -> Vec<Change> {
    let trust = desired.trust();
    let mut changes = Vec::new();
    for (role, present) in desired.roles.iter().zip(actual) {
        let mut change = |what| changes.push(Change { role: role.name.clone(), what });
        let attached = match present {
            None => {
                let (path, permissions_boundary) = (desired.path.clone(), desired.permissions_boundary.clone());
                let (trust, session_seconds) = (trust.clone(), role.session_seconds);
                let description = role.description.clone();
                change(What::Create { path, trust, session_seconds, permissions_boundary, description });
                &BTreeSet::new()
            }
            Some(present) => {
                if let Some(differs) = present.trust.differences(&trust) {
                    change(What::Trust { trust: trust.with_denials_of(&present.trust), differs });
                }
                if present.session_seconds != role.session_seconds {
                    change(What::SessionSeconds { from: present.session_seconds, to: role.session_seconds });
                }
                if let Some(to) =
                    role.description.as_ref().filter(|wanted| present.description.as_ref() != Some(*wanted))
                {
                    change(What::Description { to: to.clone() });
                }
                if desired.exclusive {
                    for policy_arn in additional(role, present) {
                        change(What::Detach { policy_arn: policy_arn.clone() });
                    }
                }
                &present.managed_policies
            }
        };
        for policy_arn in role.managed_policies.iter().filter(|arn| !attached.contains(*arn)) {
            change(What::Attach { policy_arn: policy_arn.clone(), to_new_role: present.is_none() });
        }
    }
    changes.sort_by_key(|change| change.what.stage());
    changes
}

fn notes(desired: &SwitchRoles, actual: &Actual) -> Vec<String> {
    let mut notes = Vec::new();
    for (role, present) in there(desired, actual) {
        let name = &role.name;
        if present.path != desired.path {
            let (is, should) = (&present.path, &desired.path);
            notes.push(format!("{name} stands at {is}; to have it at {should}, delete it and run the baseline again"));
        }
        if !desired.exclusive {
            notes.extend(additional(role, present).map(|arn| format!("{name} also has {arn}")));
        }
    }
    notes
}

/// The roles of the section that are there.
fn there<'a>(desired: &'a SwitchRoles, actual: &'a Actual) -> impl Iterator<Item = (&'a SwitchRole, &'a PresentRole)> {
    desired.roles.iter().zip(actual).filter_map(|(role, present)| Some((role, present.as_ref()?)))
}

/// What keeps people from working with a role because somebody has decided so.
fn manual_work(desired: &SwitchRoles, role: &SwitchRole, present: &PresentRole) -> Vec<String> {
    let name = &role.name;
    let denials = present.trust.denials().map(|denial| {
        format!("take [{denial}] out of who may assume {name}, or delete the role to have a new one made")
    });
    let boundary = match (&present.permissions_boundary, &desired.permissions_boundary) {
        (is, should) if is == should => None,
        (_, Some(should)) => Some(format!("bound {name} by {should}")),
        (Some(is), None) => {
            Some(format!("take the permissions boundary {is} off {name}, or name it as permissions_boundary"))
        }
        (None, None) => None,
    };
    let denying = additional(role, present).filter(|arn| !desired.exclusive && denies_everything(arn));
    let denying = denying.map(|arn| format!("detach {arn} from {name}, which it denies everything"));
    denials.chain(boundary).chain(denying).collect()
}

/// The managed policies that the section does not name.
fn additional<'a>(role: &'a SwitchRole, present: &'a PresentRole) -> impl Iterator<Item = &'a String> {
    present.managed_policies.iter().filter(|arn| !role.managed_policies.contains(arn))
}

#[cfg(test)]
mod tests;
