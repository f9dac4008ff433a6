//! Member accounts: list, describe, move.

use serde_json::{Value, json};

use super::error;
use super::input::{Input, is_parent_id};
use super::paging::page_of;
use super::shapes;
use super::state::{Account, Org};
use crate::front::answer::ApiError;
use crate::identity::is_account_id;

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let shape = |account| shapes::account(org, account);
    page_of(input, "ListAccounts", "Accounts", org.accounts.iter(), shape, org.settings.empty_first_pages)
}

pub(super) fn list_for_parent(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let parent = input.id("ParentId", is_parent_id)?;
    if !org.is_parent(parent) {
        return Err(error::not_found("ParentNotFoundException", parent));
    }
    let inside = org.accounts.iter().filter(|account| account.parent == parent);
    let shape = |account| shapes::account(org, account);
    page_of(input, "ListAccountsForParent", "Accounts", inside, shape, org.settings.empty_first_pages)
}

pub(super) fn describe(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let account = find(org, input)?;
    Ok(json!({ "Account": shapes::account(org, account) }))
}

pub(super) fn relocate(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.id("AccountId", is_account_id)?;
    let source = input.id("SourceParentId", is_parent_id)?;
    let destination = input.id("DestinationParentId", is_parent_id)?;
    if !org.is_parent(source) {
        return Err(error::not_found("SourceParentNotFoundException", source));
    }
    if !org.is_parent(destination) {
        return Err(error::not_found("DestinationParentNotFoundException", destination));
    }
    let account = org.account_mut(id).ok_or_else(|| error::not_found("AccountNotFoundException", id))?;
    if account.parent == destination {
        let message = "That account is already present in the specified destination.";
        return Err(error::error("DuplicateAccountException", message));
    }
    if account.parent != source {
        return Err(error::not_found("SourceParentNotFoundException", source));
    }
    destination.clone_into(&mut account.parent);
    Ok(json!({}))
}

pub(super) fn find<'a>(org: &'a Org, input: Input<'_>) -> Result<&'a Account, ApiError> {
    let id = input.id("AccountId", is_account_id)?;
    org.account(id).ok_or_else(|| error::not_found("AccountNotFoundException", id))
}
