//! What the organization is, and what services and administrators it trusts.

use aws_sdk_organizations::{
    operation::register_delegated_administrator::RegisterDelegatedAdministratorError as Refused,
    types::{ConstraintViolationExceptionReason, OrganizationFeatureSet},
};

use super::{OrganizationsGateway, incomplete, parsed};
use crate::{gateway::CallError, ids::AccountId};

/// An organization, as any of its accounts sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id, `o-...`.
    pub id: String,
    /// The account that manages it.
    pub management_account: AccountId,
    /// Whether it has all features, or consolidated billing alone.
    pub all_features: bool,
}

impl Organization {
    /// What the ARNs of its accounts begin with; an account's id follows.
    pub fn account_arns(&self) -> String {
        format!("arn:aws:organizations::{}:account/{}/", self.management_account, self.id)
    }
}

impl OrganizationsGateway {
    /// The organization that this account is part of. Members may ask as well.
    pub async fn describe_organization(&self) -> Result<Organization, CallError> {
        const OPERATION: &str = "organizations:DescribeOrganization";
        self.aws(OPERATION)?.limiters.describe_organization.turn(OPERATION).await?;
        let answer = self
            .aws(OPERATION)?
            .client
            .describe_organization()
            .send()
            .await
            .map_err(|error| CallError::of(OPERATION, error))?;
        let entry = answer.organization().ok_or_else(|| incomplete(OPERATION, "Organization"))?;
        Ok(Organization {
            id: entry.id().ok_or_else(|| incomplete(OPERATION, "Id"))?.to_owned(),
            management_account: parsed(OPERATION, "MasterAccountId", entry.master_account_id())?,
            all_features: entry.feature_set() == Some(&OrganizationFeatureSet::All),
        })
    }

    /// The principals of the services that may act in the organization.
    pub async fn list_trusted_services(&self) -> Result<Vec<String>, CallError> {
        const OPERATION: &str = "organizations:ListAWSServiceAccessForOrganization";
        let mut pages = self.aws(OPERATION)?.client.list_aws_service_access_for_organization().into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_trusted_services.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_trusted_services.turn(OPERATION).await?;
            }
            found
                .extend(page.enabled_service_principals().iter().filter_map(|p| p.service_principal()).map(Into::into));
        }
        Ok(found)
    }

    /// Lets a service act in the organization. No error when it may already.
    pub async fn enable_trusted_access(&self, principal: &str) -> Result<(), CallError> {
        use aws_sdk_organizations::operation::enable_aws_service_access::EnableAWSServiceAccessError as Refused;
        const OPERATION: &str = "organizations:EnableAWSServiceAccess";
        self.aws(OPERATION)?.limiters.enable_trusted_access.turn(OPERATION).await?;
        let answer = self.aws(OPERATION)?.client.enable_aws_service_access().service_principal(principal).send().await;
        answer.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                Refused::ConstraintViolationException(e) => e.reason().map(ConstraintViolationExceptionReason::as_str),
                _ => None,
            })
        })
    }

    /// The accounts that administer a service for the organization.
    pub async fn list_delegated_administrators(&self, principal: &str) -> Result<Vec<AccountId>, CallError> {
        self.delegated_administrators(Some(principal)).await
    }

    /// The accounts that administer this service, or any where none is named.
    pub(super) async fn delegated_administrators(&self, principal: Option<&str>) -> Result<Vec<AccountId>, CallError> {
        const OPERATION: &str = "organizations:ListDelegatedAdministrators";
        let call = self.aws(OPERATION)?.client.list_delegated_administrators();
        let mut pages = call.set_service_principal(principal.map(ToOwned::to_owned)).into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_delegated_administrators.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.delegated_administrators() {
                found.push(parsed(OPERATION, "Id", entry.id())?);
            }
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_delegated_administrators.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// Lets an account administer a service for the organization. No error when it may already.
    pub async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &str,
    ) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:RegisterDelegatedAdministrator";
        self.aws(OPERATION)?.limiters.register_delegated_administrator.turn(OPERATION).await?;
        let call = self.aws(OPERATION)?.client.register_delegated_administrator().account_id(account.as_str());
        match call.service_principal(principal).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(Refused::is_account_already_registered_exception) => {
                Ok(())
            }
            Err(error) => Err(CallError::with_reason(OPERATION, error, |error| match error {
                Refused::ConstraintViolationException(e) => e.reason().map(ConstraintViolationExceptionReason::as_str),
                _ => None,
            })),
        }
    }
}
