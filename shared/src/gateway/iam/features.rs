//! Centralized root access: what IAM may do about the root users of an organization's member accounts.

use std::collections::BTreeSet;

use aws_sdk_iam::types::FeatureType;
use strum::{IntoStaticStr, VariantArray};

use super::IamGateway;
use crate::gateway::CallError;

/// What IAM may do about the root users of member accounts.
/// It goes by the name by which IAM knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
pub enum RootFeature {
    /// See and delete their credentials; new accounts have none.
    #[strum(serialize = "RootCredentialsManagement")]
    CredentialsManagement,
    /// Sessions in their name, for one task each.
    #[strum(serialize = "RootSessions")]
    Sessions,
}

impl IamGateway {
    /// The features that are enabled. Features that Steward does not know are left out.
    ///
    /// Without trusted access for IAM this gives [`Cause::TrustedAccessMissing`](crate::error::Cause).
    pub async fn list_root_features(&self) -> Result<BTreeSet<RootFeature>, CallError> {
        let answer = self.0.list_organizations_features().send().await;
        let answer = answer.map_err(|error| CallError::of("iam:ListOrganizationsFeatures", error))?;
        let known = |feature: &FeatureType| match feature {
            FeatureType::RootCredentialsManagement => Some(RootFeature::CredentialsManagement),
            FeatureType::RootSessions => Some(RootFeature::Sessions),
            _ => None,
        };
        Ok(answer.enabled_features().iter().filter_map(known).collect())
    }

    /// Disables a feature. No error when it is disabled already.
    pub async fn disable_root_feature(&self, feature: RootFeature) -> Result<(), CallError> {
        match feature {
            RootFeature::CredentialsManagement => {
                let answer = self.0.disable_organizations_root_credentials_management().send().await;
                answer
                    .map(drop)
                    .map_err(|error| CallError::of("iam:DisableOrganizationsRootCredentialsManagement", error))
            }
            RootFeature::Sessions => {
                let answer = self.0.disable_organizations_root_sessions().send().await;
                answer.map(drop).map_err(|error| CallError::of("iam:DisableOrganizationsRootSessions", error))
            }
        }
    }

    /// Enables a feature. No error when it is enabled already.
    pub async fn enable_root_feature(&self, feature: RootFeature) -> Result<(), CallError> {
        match feature {
            RootFeature::CredentialsManagement => {
                let answer = self.0.enable_organizations_root_credentials_management().send().await;
                answer
                    .map(drop)
                    .map_err(|error| CallError::of("iam:EnableOrganizationsRootCredentialsManagement", error))
            }
            RootFeature::Sessions => {
                let answer = self.0.enable_organizations_root_sessions().send().await;
                answer.map(drop).map_err(|error| CallError::of("iam:EnableOrganizationsRootSessions", error))
            }
        }
    }
}
