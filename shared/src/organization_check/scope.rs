//! What organization checks can touch.

use std::sync::Arc;

use aws_config::SdkConfig;

use super::OwnCalls;
use crate::{
    gateway::{
        AccessAnalyzerGateway, BillingGateway, CloudTrailGateway, IamGateway, LambdaGateway, Organization,
        OrganizationsGateway, S3Gateway, ServiceQuotasGateway,
    },
    ids::AccountId,
    organization::UnitPaths,
};

/// The services of the management account that checks work with, through one set of credentials.
#[derive(Clone, Debug)]
pub struct OrganizationGateways {
    /// The organization.
    pub organizations: OrganizationsGateway,
    /// What AWS finds in policies, in us-east-1.
    pub access_analyzer: AccessAnalyzerGateway,
    /// Root access.
    pub iam: IamGateway,
    /// Billing preferences, in us-east-1.
    pub billing: BillingGateway,
    /// Trails, in us-east-1.
    pub cloudtrail: CloudTrailGateway,
    /// How many functions may run.
    pub lambda: LambdaGateway,
    /// The template of quotas, in us-east-1.
    pub service_quotas: ServiceQuotasGateway,
}

impl OrganizationGateways {
    /// Gateways with these credentials. AWS Organizations keeps the rates of the one that is handed in: they are the
    /// account's, whatever role calls.
    pub fn of(config: &SdkConfig, organizations: OrganizationsGateway) -> Self {
        Self {
            organizations,
            access_analyzer: AccessAnalyzerGateway::of(config),
            iam: IamGateway::of(config),
            billing: BillingGateway::of(config),
            cloudtrail: CloudTrailGateway::of(config),
            lambda: LambdaGateway::of(config),
            service_quotas: ServiceQuotasGateway::of(config),
        }
    }

    /// The same with the credentials of another role of the account.
    #[must_use]
    pub fn in_another_role(&self, session: &SdkConfig) -> Self {
        Self::of(session, self.organizations.in_another_role(session))
    }
}

/// The organization, seen from its management account.
#[derive(Clone, Debug)]
pub struct OrganizationScope {
    /// The organization.
    pub organization: Organization,
    /// The accounts that may be given power over others. IAM knows them as well.
    pub allowed_administrators: Vec<AccountId>,
    /// What Steward itself calls in member accounts.
    pub own_calls: Arc<OwnCalls>,
    /// The bucket of the document, with the files beside it; None in a stack that has none.
    pub files: Option<S3Gateway>,
    /// Units that were found by path.
    pub units: Arc<UnitPaths>,
    /// What is read with.
    pub read: OrganizationGateways,
    /// What is changed with: the credentials of reading, which may change nothing, where nothing is to be changed.
    pub write: OrganizationGateways,
}
