//! # trusted-access
//!
//! **What it does.** Enables trusted access for the services that Steward and what it deploys work through. Access that
//! others have enabled stays.
//!
//! **Why.** Without it, Account Management refuses what is asked of member accounts, IAM allows no root work there, there is
//! no trail for all accounts and no stack set that follows the organization.
//!
//! **Desired state.** Nothing to say: `account.amazonaws.com`, `iam.amazonaws.com`, `cloudtrail.amazonaws.com` and
//! `member.org.stacksets.cloudformation.amazonaws.com`.
//!
//! **Calls.** A compliant organization costs one page of `ListAWSServiceAccessForOrganization`.
//!
//! **Source.** AWS Organizations user guide, "Using AWS Organizations with other AWS services".

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    closed_set::{ClosedSet, not_one_of},
    control::Control,
    gateway::CallError,
    ids::NotValid,
};

/// An AWS service that acts in the organization and that Steward needs, by the name that AWS Organizations has for it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(parse_err_ty = NotValid, parse_err_fn = not_one_of::<TrustedService>)]
pub enum TrustedService {
    /// Account Management.
    #[serde(rename = "account.amazonaws.com")]
    #[strum(serialize = "account.amazonaws.com")]
    Account,
    /// IAM.
    #[serde(rename = "iam.amazonaws.com")]
    #[strum(serialize = "iam.amazonaws.com")]
    Iam,
    /// AWS CloudTrail.
    #[serde(rename = "cloudtrail.amazonaws.com")]
    #[strum(serialize = "cloudtrail.amazonaws.com")]
    CloudTrail,
    /// Service-managed stack sets of AWS CloudFormation.
    #[serde(rename = "member.org.stacksets.cloudformation.amazonaws.com")]
    #[strum(serialize = "member.org.stacksets.cloudformation.amazonaws.com")]
    StackSets,
}

impl TrustedService {
    fn needed_for(self) -> &'static str {
        match self {
            Self::Account => "contacts, regions, names and e-mail addresses of member accounts",
            Self::Iam => "root work in member accounts without root credentials",
            Self::CloudTrail => "one trail for the whole organization",
            Self::StackSets => "one stack in every account, such as stacks/member-events.yaml",
        }
    }
}

/// Enables trusted access for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change(TrustedService);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enable trusted access for {}", self.0.name())
    }
}

/// The check `trusted-access`.
#[derive(Clone, Copy, Debug)]
pub struct TrustedAccessCheck;

/// The services with trusted access that Steward knows. An organization without all features has none.
pub(super) async fn trusted(scope: &OrganizationScope) -> Result<BTreeSet<TrustedService>, CallError> {
    if !scope.organization.all_features {
        return Ok(BTreeSet::new());
    }
    let names = scope.read.organizations.list_trusted_services().await?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

impl Control<OrganizationSection> for TrustedAccessCheck {
    const ID: &'static str = "trusted-access";
    const READS: &'static [&'static str] = &["organizations:ListAWSServiceAccessForOrganization"];
    const WRITES: &'static [&'static str] = &["organizations:EnableAWSServiceAccess"];
    type Scope = OrganizationScope;
    type Desired = ();
    type Actual = BTreeSet<TrustedService>;
    type Change = Change;

    fn desired(_: &OrganizationSection) -> Option<&()> {
        Some(&())
    }

    async fn inspect(&self, scope: &OrganizationScope, _desired: &()) -> Result<Self::Actual, CallError> {
        trusted(scope).await
    }

    fn plan(&self, _: &OrganizationScope, _desired: &(), actual: &Self::Actual) -> Vec<Change> {
        TrustedService::ALL.iter().filter(|service| !actual.contains(service)).copied().map(Change).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        scope.write.organizations.enable_trusted_access(change.0.name()).await
    }

    fn notes(&self, _desired: &(), actual: &Self::Actual) -> Vec<String> {
        let missing = TrustedService::ALL.iter().filter(|service| !actual.contains(service));
        missing.map(|service| format!("{} is needed for {}.", service.name(), service.needed_for())).collect()
    }

    /// One that is refused does not keep the others from being tried.
    fn are_concurrent(&self, _one: &Change, _next: &Change) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
