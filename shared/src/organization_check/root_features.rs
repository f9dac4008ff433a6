//! # root-features
//!
//! **What it does.** Enables both features of centralized root access.
//!
//! **Why.** With `RootCredentialsManagement`, new accounts begin without a root password and the control
//! `root-credentials` can delete what old ones have; with `RootSessions`, policies that lock everybody out can be taken
//! away without anybody signing in as root.
//!
//! **Desired state.** Nothing to say: both.
//!
//! **Calls.** A compliant organization costs one `ListOrganizationsFeatures`.
//!
//! **Source.** IAM user guide, "Centralize root access for member accounts". IAM refuses to list and to enable features
//! before it has trusted access.

use std::{collections::BTreeSet, fmt};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    closed_set::ClosedSet,
    control::Control,
    error::Cause,
    gateway::{CallError, RootFeature},
};

/// Enables one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change(RootFeature);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enable the root feature {}", self.0.name())
    }
}

fn needed_for(feature: RootFeature) -> &'static str {
    match feature {
        RootFeature::CredentialsManagement => {
            "the control root-credentials, and accounts that begin without a root password"
        }
        RootFeature::Sessions => {
            "opening bucket and queue policies that lock everybody out, and recovering root passwords"
        }
    }
}

/// The check `root-features`.
#[derive(Clone, Copy, Debug)]
pub struct RootFeaturesCheck;

impl Control<OrganizationSection> for RootFeaturesCheck {
    const ID: &'static str = "root-features";
    const READS: &'static [&'static str] = &["iam:ListOrganizationsFeatures"];
    const WRITES: &'static [&'static str] =
        &["iam:EnableOrganizationsRootCredentialsManagement", "iam:EnableOrganizationsRootSessions"];
    type Scope = OrganizationScope;
    type Desired = ();
    type Actual = BTreeSet<RootFeature>;
    type Change = Change;

    fn desired(_: &OrganizationSection) -> Option<&()> {
        Some(&())
    }

    async fn inspect(&self, scope: &OrganizationScope, _desired: &()) -> Result<Self::Actual, CallError> {
        if !scope.organization.all_features {
            return Ok(BTreeSet::new());
        }
        match scope.read.iam.list_root_features().await {
            // Where IAM is not trusted, nothing can be enabled.
            Err(error) if error.cause == Cause::TrustedAccessMissing => Ok(BTreeSet::new()),
            answer => answer,
        }
    }

    fn plan(&self, _: &OrganizationScope, _desired: &(), actual: &Self::Actual) -> Vec<Change> {
        RootFeature::ALL.iter().filter(|feature| !actual.contains(feature)).copied().map(Change).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        scope.write.iam.enable_root_feature(change.0).await
    }

    fn notes(&self, _desired: &(), actual: &Self::Actual) -> Vec<String> {
        let missing = RootFeature::ALL.iter().filter(|feature| !actual.contains(feature));
        missing.map(|feature| format!("{} is needed for {}.", feature.name(), needed_for(*feature))).collect()
    }
}

#[cfg(test)]
mod tests;
