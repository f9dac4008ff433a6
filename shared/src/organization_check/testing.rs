//! What the tests of checks share: the organization over mocked clients.

use std::sync::Arc;

use aws_smithy_mocks::Rule;

use super::{OrganizationGateways, OrganizationScope, OwnCalls};
use crate::{
    baseline::{Baseline, Document},
    control::testing::{Recorder, management_account},
    gateway::{
        AccessAnalyzerGateway, BillingGateway, CloudTrailGateway, IamGateway, LambdaGateway, Organization,
        OrganizationsGateway, S3Gateway, ServiceQuotasGateway, testing::unreachable_config,
    },
    ids::RoleName,
};

/// The rules by which the mocked clients of the management account answer; a client without rules may not be called.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules<'a> {
    pub(crate) access_analyzer: &'a [&'a Rule],
    pub(crate) billing: &'a [&'a Rule],
    pub(crate) cloudtrail: &'a [&'a Rule],
    pub(crate) iam: &'a [&'a Rule],
    pub(crate) organizations: &'a [&'a Rule],
    pub(crate) s3: &'a [&'a Rule],
    pub(crate) service_quotas: &'a [&'a Rule],
}

/// A client that answers by these rules, and panics at anything else.
macro_rules! mocked {
    ($service:ident, $recorder:expr, $rules:expr) => {{
        let recorder = $recorder.clone();
        aws_smithy_mocks::mock_client!($service, aws_smithy_mocks::RuleMode::MatchAny, $rules, |builder| builder
            .interceptor(recorder.clone()))
    }};
}

impl Rules<'_> {
    /// The organization with all features, in which the account 222222222222 may be given power.
    pub(crate) fn organization(self) -> (OrganizationScope, Recorder) {
        let recorder = Recorder::default();
        let gateways = OrganizationGateways {
            organizations: OrganizationsGateway::mocked(mocked!(aws_sdk_organizations, recorder, self.organizations)),
            access_analyzer: AccessAnalyzerGateway::new(mocked!(
                aws_sdk_accessanalyzer,
                recorder,
                self.access_analyzer
            )),
            iam: IamGateway::new(mocked!(aws_sdk_iam, recorder, self.iam)),
            billing: BillingGateway::new(mocked!(aws_sdk_billing, recorder, self.billing)),
            cloudtrail: CloudTrailGateway::new(mocked!(aws_sdk_cloudtrail, recorder, self.cloudtrail)),
            lambda: LambdaGateway::of(&unreachable_config()),
            service_quotas: ServiceQuotasGateway::new(mocked!(aws_sdk_servicequotas, recorder, self.service_quotas)),
        };
        let organization = Organization {
            id: "o-exampleorgid".to_owned(),
            management_account: management_account(),
            all_features: true,
        };
        let allowed_administrators = vec!["222222222222".parse().unwrap()];
        let scope = OrganizationScope {
            own_calls: Arc::new(OwnCalls::of(
                &Document::of_defaults(Baseline::default()),
                &RoleName::organization_account_access(),
                &organization.id,
                &organization.management_account,
            )),
            files: Some(S3Gateway::new(mocked!(aws_sdk_s3, recorder, self.s3), "documents")),
            units: Arc::default(),
            organization,
            allowed_administrators,
            read: gateways.clone(),
            write: gateways,
        };
        (scope, recorder)
    }
}
