//! Reading what the organization has.

use std::collections::{BTreeMap, BTreeSet};

use steward::{
    gateway::{CallError, IamGateway, Organization, OrganizationsGateway},
    organization_setup::{Actual, Desired, TrustedService},
};

/// Reads with the function's own role.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) organizations: OrganizationsGateway,
    pub(crate) iam: IamGateway,
}

impl Survey {
    /// The organization that this account is part of.
    pub(crate) async fn organization(&self) -> Result<Organization, CallError> {
        self.organizations.describe_organization().await
    }

    /// What the organization has, as far as it matters for what is wanted.
    pub(crate) async fn take(&self, organization: &Organization, desired: &Desired) -> Result<Actual, CallError> {
        if !organization.all_features {
            return Ok(Actual::default());
        }
        let trusted = self.organizations.list_trusted_services().await?;
        let trusted: BTreeSet<TrustedService> = trusted.iter().filter_map(|name| name.parse().ok()).collect();
        // IAM refuses to say anything before it is trusted.
        let root_features =
            if trusted.contains(&TrustedService::Iam) { self.iam.list_root_features().await? } else { BTreeSet::new() };
        let mut delegated_administrators = BTreeMap::new();
        for service in desired.delegated_administrators.keys().filter(|service| trusted.contains(service)) {
            let present = self.organizations.list_delegated_administrators(service.principal()).await?;
            delegated_administrators.insert(*service, present.into_iter().collect());
        }
        Ok(Actual { all_features: true, trusted, delegated_administrators, root_features })
    }
}
