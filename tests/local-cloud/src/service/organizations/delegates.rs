//! Delegated administrators: member accounts that may administer a service for the whole organization.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::error;
use super::input::Input;
use super::paging::page;
use super::shapes;
use super::state::{AccountState, Org};
use super::trust::principal;
use crate::front::answer::ApiError;
use crate::identity::is_account_id;

/// The most administrators of a service; AWS publishes it service by service.
fn limit(principal: &str) -> usize {
    match principal {
        "cloudtrail.amazonaws.com" => 3,
        "member.org.stacksets.cloudformation.amazonaws.com" => 5,
        _ => 1,
    }
}

pub(super) fn register(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (account, principal) = (member(org, input)?, principal(input)?);
    if account == org.management {
        return Err(error::constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"));
    }
    if org.account(account).is_some_and(|account| account.state != AccountState::Active) {
        return Err(error::constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"));
    }
    if !org.trusted.contains_key(principal) {
        return Err(error::constraint("SERVICE_ACCESS_NOT_ENABLED"));
    }
    let delegates = org.delegates.entry(principal.to_owned()).or_default();
    if delegates.contains_key(account) {
        let message = "The provided account is already a delegated administrator for your organization.";
        return Err(error::error("AccountAlreadyRegisteredException", message));
    }
    if delegates.len() >= limit(principal) {
        return Err(error::constraint("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"));
    }
    delegates.insert(account.to_owned(), Timestamp::now());
    Ok(json!({}))
}

pub(super) fn deregister(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (account, principal) = (member(org, input)?, principal(input)?);
    if org.delegates.get_mut(principal).and_then(|delegates| delegates.remove(account)).is_none() {
        let message = "The specified account is not a delegated administrator for this service.";
        return Err(error::error("AccountNotRegisteredException", message));
    }
    Ok(json!({}))
}

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let principal = input.optional("ServicePrincipal")?.map(|_| principal(input)).transpose()?;
    let of_service = org.delegates.iter().filter(|(service, _)| principal.is_none_or(|wanted| wanted == *service));
    let rows = of_service.flat_map(|(_, delegates)| delegates).filter_map(|(id, since)| {
        let mut row = shapes::account(org, org.account(id)?);
        row["DelegationEnabledDate"] = shapes::timestamp(*since).into();
        row.as_object_mut()?.remove("Paths");
        Some(row)
    });
    let rows = rows.collect();
    page(input, "ListDelegatedAdministrators", "DelegatedAdministrators", rows, org.settings.empty_first_pages)
}

fn member<'a>(org: &Org, input: Input<'a>) -> Result<&'a str, ApiError> {
    let id = input.id("AccountId", is_account_id)?;
    org.account(id).map(|_| id).ok_or_else(|| error::not_found("AccountNotFoundException", id))
}
