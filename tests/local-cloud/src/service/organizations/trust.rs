//! Trusted access: which services may act in the organization.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::error;
use super::input::Input;
use super::paging::page;
use super::shapes;
use super::state::Org;
use crate::front::answer::ApiError;

pub(super) fn enable(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let principal = principal(input)?;
    if !org.all_features {
        return Err(error::constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
    }
    org.trusted.entry(principal.to_owned()).or_insert_with(Timestamp::now);
    Ok(json!({}))
}

pub(super) fn disable(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let principal = principal(input)?;
    org.trusted.remove(principal);
    org.delegates.remove(principal);
    Ok(json!({}))
}

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let rows = org.trusted.iter().map(|(principal, since)| shapes::enabled_service(principal, *since)).collect();
    let empty_first = org.settings.empty_first_pages;
    page(input, "ListAWSServiceAccessForOrganization", "EnabledServicePrincipals", rows, empty_first)
}

pub(super) fn principal(input: Input<'_>) -> Result<&str, ApiError> {
    let principal = input.text("ServicePrincipal", 1, 128)?;
    if !principal.chars().all(|character| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)) {
        return Err(error::invalid("INVALID_PATTERN", "ServicePrincipal"));
    }
    if !principal.ends_with(".amazonaws.com") {
        return Err(error::invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", "ServicePrincipal"));
    }
    Ok(principal)
}
