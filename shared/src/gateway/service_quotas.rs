//! Service Quotas: the template of quotas that AWS asks for on behalf of each account that is created in the organization.

use aws_config::SdkConfig;
use aws_sdk_servicequotas::{
    Client,
    operation::get_association_for_service_quota_template::GetAssociationForServiceQuotaTemplateError as Refused,
    types::ServiceQuotaTemplateAssociationStatus as Association,
};

use super::{CallError, one_more_page};
use crate::error::Cause;

/// One entry of the template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateQuota {
    /// The code of the service, such as `lambda`.
    pub service: String,
    /// The code of the quota, such as `L-B99A9384`.
    pub quota: String,
    /// The region that it is asked for in.
    pub region: String,
    /// What is asked for.
    pub value: f64,
}

/// The door to Service Quotas, in us-east-1: templates are nowhere else.
#[derive(Clone, Debug)]
pub struct ServiceQuotasGateway(Client);

impl ServiceQuotasGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// Whether AWS asks for what the template says in new accounts.
    pub async fn is_template_associated(&self) -> Result<bool, CallError> {
        const OPERATION: &str = "servicequotas:GetAssociationForServiceQuotaTemplate";
        match self.0.get_association_for_service_quota_template().send().await {
            Ok(answer) => Ok(answer.service_quota_template_association_status() == Some(&Association::Associated)),
            Err(error)
                if error.as_service_error().is_some_and(Refused::is_service_quota_template_not_in_use_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(CallError::of(OPERATION, error)),
        }
    }

    /// Every entry of the template.
    pub async fn list_template(&self) -> Result<Vec<TemplateQuota>, CallError> {
        const OPERATION: &str = "servicequotas:ListServiceQuotaIncreaseRequestsInTemplate";
        let missing =
            |member: &str| CallError::unusable(OPERATION, Cause::CallFailed, format!("an answer without {member}"));
        let mut pages = self.0.list_service_quota_increase_requests_in_template().into_paginator().send();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            one_more_page(OPERATION, read)?;
            read += 1;
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.service_quota_increase_request_in_template_list() {
                found.push(TemplateQuota {
                    service: entry.service_code().ok_or_else(|| missing("ServiceCode"))?.to_owned(),
                    quota: entry.quota_code().ok_or_else(|| missing("QuotaCode"))?.to_owned(),
                    region: entry.aws_region().ok_or_else(|| missing("AwsRegion"))?.to_owned(),
                    value: entry.desired_value().ok_or_else(|| missing("DesiredValue"))?,
                });
            }
        }
        Ok(found)
    }

    /// Puts an entry into the template, in the place of the one for the same quota and region.
    pub async fn put_into_template(&self, entry: &TemplateQuota) -> Result<(), CallError> {
        const OPERATION: &str = "servicequotas:PutServiceQuotaIncreaseRequestIntoTemplate";
        let call = self.0.put_service_quota_increase_request_into_template().service_code(&entry.service);
        let call = call.quota_code(&entry.quota).aws_region(&entry.region).desired_value(entry.value);
        call.send().await.map(drop).map_err(|error| CallError::of(OPERATION, error))
    }

    /// Has AWS ask for what the template says in each account that is created from now on.
    pub async fn associate_template(&self) -> Result<(), CallError> {
        const OPERATION: &str = "servicequotas:AssociateServiceQuotaTemplate";
        let answer = self.0.associate_service_quota_template().send().await;
        answer.map(drop).map_err(|error| CallError::of(OPERATION, error))
    }
}
