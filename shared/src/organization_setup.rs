//! What an organization needs before Steward can look after it: trusted access, root features, delegated
//! administrators. Pure.
//!
//! Sources: AWS Organizations user guide, "Using AWS Organizations with other AWS services"; IAM user guide,
//! "Centralize root access for member accounts".

mod manual_step;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use crate::{
    gateway::RootFeature,
    ids::{AccountId, NotValid},
};

pub use manual_step::{ManualStep, manual_steps};

/// An AWS service that acts in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustedService {
    /// Account Management.
    Account,
    /// IAM.
    Iam,
    /// AWS CloudTrail.
    CloudTrail,
    /// Service-managed stack sets of AWS CloudFormation.
    StackSets,
}

impl TrustedService {
    /// Every service that Steward needs.
    pub const ALL: &[Self] = &[Self::Account, Self::Iam, Self::CloudTrail, Self::StackSets];

    /// The name by which AWS Organizations knows it.
    pub fn principal(self) -> &'static str {
        match self {
            Self::Account => "account.amazonaws.com",
            Self::Iam => "iam.amazonaws.com",
            Self::CloudTrail => "cloudtrail.amazonaws.com",
            Self::StackSets => "member.org.stacksets.cloudformation.amazonaws.com",
        }
    }

    fn needed_for(self) -> &'static str {
        match self {
            Self::Account => "contacts, regions, names and e-mail addresses of member accounts",
            Self::Iam => "root work in member accounts without root credentials",
            Self::CloudTrail => "one trail for the whole organization",
            Self::StackSets => "one stack in every account, such as stacks/member-events.yaml",
        }
    }
}

impl FromStr for TrustedService {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        const EXPECTED: NotValid = NotValid(
            "account.amazonaws.com, iam.amazonaws.com, cloudtrail.amazonaws.com or \
             member.org.stacksets.cloudformation.amazonaws.com",
        );
        Self::ALL.iter().copied().find(|service| service.principal() == text).ok_or(EXPECTED)
    }
}

/// What Steward needs a root feature for.
fn feature_needed_for(feature: RootFeature) -> &'static str {
    match feature {
        RootFeature::CredentialsManagement => {
            "the control root-credentials, and accounts that begin without a root password"
        }
        RootFeature::Sessions => {
            "opening bucket and queue policies that lock everybody out, and recovering root passwords"
        }
    }
}

/// What is asked for beside what Steward always needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The account that is to administer a service.
    pub delegated_administrators: BTreeMap<TrustedService, AccountId>,
}

/// What the organization has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// Whether it has all features, or consolidated billing alone.
    pub all_features: bool,
    /// The services with trusted access.
    pub trusted: BTreeSet<TrustedService>,
    /// The accounts that administer the services asked about.
    pub delegated_administrators: BTreeMap<TrustedService, BTreeSet<AccountId>>,
    /// The root features that are enabled.
    pub root_features: BTreeSet<RootFeature>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `organizations:EnableAWSServiceAccess`.
    EnableTrustedAccess(TrustedService),
    /// `iam:EnableOrganizationsRootCredentialsManagement` or `iam:EnableOrganizationsRootSessions`.
    EnableRootFeature(RootFeature),
    /// `organizations:RegisterDelegatedAdministrator`.
    RegisterDelegatedAdministrator(TrustedService, AccountId),
}

impl Change {
    /// What Steward, or who asked, needs it for.
    pub fn needed_for(&self) -> &'static str {
        match self {
            Self::EnableTrustedAccess(service) => service.needed_for(),
            Self::EnableRootFeature(feature) => feature_needed_for(*feature),
            Self::RegisterDelegatedAdministrator(..) => "what was asked for",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableTrustedAccess(service) => write!(f, "enable trusted access for {}", service.principal()),
            Self::EnableRootFeature(feature) => write!(f, "enable the root feature {}", feature.name()),
            Self::RegisterDelegatedAdministrator(service, account) => {
                write!(f, "let account {account} administer {}", service.principal())
            }
        }
    }
}

/// The steps from what is to what should be, in an order that works: root features need trusted access for IAM, and a
/// delegated administrator needs it for its service. Nothing is ever taken away.
pub fn plan(desired: &Desired, actual: &Actual) -> Vec<Change> {
    let trust = TrustedService::ALL.iter().filter(|service| !actual.trusted.contains(service));
    let features = RootFeature::ALL.iter().filter(|feature| !actual.root_features.contains(feature));
    let delegated = desired.delegated_administrators.iter().filter(|(service, account)| {
        !actual.delegated_administrators.get(service).is_some_and(|present| present.contains(account))
    });
    let delegated =
        delegated.map(|(service, account)| Change::RegisterDelegatedAdministrator(*service, account.clone()));
    let trust = trust.copied().map(Change::EnableTrustedAccess);
    trust.chain(features.copied().map(Change::EnableRootFeature)).chain(delegated).collect()
}

#[cfg(test)]
mod tests;
