//! Which root features an organization has enabled.

use std::collections::BTreeSet;

use super::task::Feature;
use super::{IAM_NAMESPACE, PRINCIPAL, RootAccess};
use crate::front::answer::{ApiError, query_body};
use crate::service::Context;
use crate::xml::members;

/// The features of one organization.
pub(super) type Features = BTreeSet<Feature>;

pub(super) const OPERATIONS: [&str; 5] = [
    "DisableOrganizationsRootCredentialsManagement",
    "DisableOrganizationsRootSessions",
    "EnableOrganizationsRootCredentialsManagement",
    "EnableOrganizationsRootSessions",
    "ListOrganizationsFeatures",
];

/// Lists the features of the caller's organization, after one was enabled or disabled.
pub(super) fn answer(root_access: &RootAccess, context: &Context<'_>) -> Result<String, ApiError> {
    let (operation, caller) = (context.request.operation.as_str(), &context.caller.account);
    let membership = context.core.services.organizations.membership(caller);
    let membership = membership.ok_or_else(|| refused("OrganizationNotFoundException"))?;
    if &membership.management != caller {
        return Err(refused("AccountNotManagementOrDelegatedAdministratorException"));
    }
    if !membership.all_features {
        return Err(refused("OrganizationNotInAllFeaturesModeException"));
    }
    if !membership.trusts(PRINCIPAL) {
        return Err(refused("ServiceAccessNotEnabledException"));
    }
    let enabled = root_access.with_features(caller, |features| {
        if let Some(name) = operation.strip_prefix("EnableOrganizations") {
            features.extend(Feature::named(name));
        } else if let Some(name) = operation.strip_prefix("DisableOrganizations") {
            features.retain(|feature| feature.as_str() != name);
        }
        members(features.iter().map(|feature| feature.as_str().to_owned()))
    });
    let result = format!(
        "<OrganizationId>{}</OrganizationId><EnabledFeatures>{enabled}</EnabledFeatures>",
        membership.organization
    );
    Ok(query_body(&context.core.ids, IAM_NAMESPACE, operation, &result))
}

fn refused(code: &str) -> ApiError {
    ApiError::new(400, code, "Your organization does not allow this request to be done.")
}
