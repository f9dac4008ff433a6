//! A role that Steward depends on, with everything that decides what can be done with it, read and judged.

use futures_util::future::{try_join_all, try_join3};
use serde_json::Value;

use super::{trust::TrustPolicy, wildcard};
use crate::{
    error::Cause,
    gateway::{CallError, IamGateway},
    ids::RoleName,
    policy_document::one_or_many,
    shown,
};

/// The calls by which a role is read.
pub(super) const READS: &[&str] =
    &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"];

/// What gives a role every right in its account.
pub(super) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// How many policies that are written into a role are read. A role that Steward depends on has none or one; whoever may
/// change it can write some hundred of them.
const MOST_INLINE: usize = 20;

/// A role as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PresentRole {
    /// Who may assume it.
    pub(super) trust: TrustPolicy,
    /// The ARN of the policy that bounds it.
    pub(super) boundary: Option<String>,
    /// The ARNs of the managed policies that it has.
    pub(super) attached: Vec<String>,
    /// The policies that are written into it.
    pub(super) inline: Vec<InlinePolicy>,
}

/// A policy that is written into a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InlinePolicy {
    pub(super) name: String,
    pub(super) document: Value,
}

impl PresentRole {
    /// Reads the role of this name; None when there is none.
    pub(super) async fn find(iam: &IamGateway, name: &RoleName) -> Result<Option<Self>, CallError> {
        let (role, attached, written) =
            try_join3(iam.find_role(name), iam.list_attached_policies(name), iam.list_inline_policies(name)).await?;
        let Some(role) = role else { return Ok(None) };
        let trust = role.trust_policy.parse().map_err(|error| {
            let detail = format!("a trust policy of {name} that cannot be read ({error})");
            CallError::unusable("iam:GetRole", Cause::CallFailed, detail)
        })?;
        if written.len() > MOST_INLINE {
            let detail = format!("{name} has {} policies of its own; {MOST_INLINE} are read", written.len());
            return Err(CallError::unusable("iam:ListRolePolicies", Cause::TooMuchToRead, detail));
        }
        let read = async |policy: String| {
            let document = iam.read_inline_policy(name, &policy).await?;
            let document = serde_json::from_str(&document).map_err(|error| {
                let detail = format!("{} of {name} cannot be read ({error})", shown::name(&policy));
                CallError::unusable("iam:GetRolePolicy", Cause::CallFailed, detail)
            })?;
            Ok::<_, CallError>(InlinePolicy { name: policy, document })
        };
        let inline = try_join_all(written.into_iter().map(read)).await?;
        Ok(Some(Self { trust, boundary: role.permissions_boundary, attached, inline }))
    }

    /// Whether a policy that is written into it allows this call on this resource, whatever the call is asked with.
    pub(super) fn allows(&self, action: &str, resource: &str) -> bool {
        let is_resource = |pattern: &str| !pattern.contains("${") && wildcard::matches(pattern, resource);
        self.grants(|pattern| fits(pattern, action), is_resource)
    }

    /// Whether it is allowed every call on everything.
    pub(super) fn allows_everything(&self) -> bool {
        self.attached.iter().any(|arn| arn == ADMINISTRATOR_ACCESS)
            || self.grants(|pattern| matches!(pattern, "*" | "*:*"), |pattern| pattern == "*")
    }

    fn grants(&self, is_action: impl Fn(&str) -> bool, is_resource: impl Fn(&str) -> bool) -> bool {
        self.inline.iter().flat_map(|policy| one_or_many(&policy.document["Statement"])).any(|statement| {
            statement["Effect"] == "Allow"
                && statement.get("Condition").is_none()
                && names(&statement["Action"], &is_action)
                && names(&statement["Resource"], &is_resource)
        })
    }

    /// What keeps it from doing what it is allowed to, as somebody has decided: each as what a person is to do about it.
    /// What is attached beside `needed` adds nothing that Steward needs, and so can only take something away.
    pub(super) fn limits(&self, name: &str, needed: Option<&str>) -> Vec<String> {
        let boundary = self.boundary.iter().filter(|arn| *arn != ADMINISTRATOR_ACCESS);
        let boundary =
            boundary.map(|arn| format!("take the permissions boundary {} off {name}, which it cuts", shown::arn(arn)));
        let attached = self.attached.iter().filter(|arn| Some(arn.as_str()) != needed && may_deny(arn));
        let attached = attached.map(|arn| {
            let does = if denies_everything(arn) { "which it denies everything" } else { "which needs it for nothing" };
            format!("detach {} from {name}, {does}", shown::arn(arn))
        });
        let inline = self.inline.iter().filter(|policy| denies(&policy.document));
        let inline =
            inline.map(|policy| format!("take what denies out of the policy {} of {name}", shown::name(&policy.name)));
        boundary.chain(attached).chain(inline).collect()
    }
}

/// Whether a policy is one of those by which AWS, or somebody in haste, takes all power away.
pub(super) fn denies_everything(policy_arn: &str) -> bool {
    let by_aws = policy_arn.strip_prefix("arn:aws:iam::aws:policy/").unwrap_or_default();
    by_aws.starts_with("AWSDenyAll") || by_aws.starts_with("AWSCompromisedKeyQuarantine")
}

/// Whether a managed policy may deny something. What the policies of AWS say is known; one of the account says whatever
/// somebody in the account has written.
fn may_deny(policy_arn: &str) -> bool {
    denies_everything(policy_arn) || !policy_arn.starts_with("arn:aws:iam::aws:policy/")
}

/// Whether a policy has a statement that does not allow.
fn denies(document: &Value) -> bool {
    one_or_many(&document["Statement"]).iter().any(|statement| statement["Effect"] != "Allow")
}

/// Whether one of the texts of a member is such a one.
fn names(member: &Value, is: impl Fn(&str) -> bool) -> bool {
    one_or_many(member).iter().filter_map(Value::as_str).any(is)
}

/// Whether a pattern of actions fits an action. To IAM, actions that differ only in case are the same.
pub(super) fn fits(pattern: &str, action: &str) -> bool {
    wildcard::matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}
