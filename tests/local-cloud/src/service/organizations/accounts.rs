//! Member accounts: list, describe, move, close.

use std::sync::Arc;

use serde_json::{Value, json};

use super::error;
use super::input::{Input, is_parent_id};
use super::paging::page_of;
use super::shapes;
use super::state::{Account, AccountState, Org};
use crate::core::Core;
use crate::front::answer::ApiError;
use crate::identity::is_account_id;

/// Closures that may be in progress at once.
const CLOSURES_AT_ONCE: usize = 3;

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

pub(super) fn close(core: &Arc<Core>, org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let account = find(org, input)?;
    let (id, state) = (account.id.clone(), account.state);
    if id == org.management {
        return Err(error::constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    }
    match state {
        AccountState::Closed => {
            return Err(error::error("AccountAlreadyClosedException", "The account is already closed."));
        }
        AccountState::PendingClosure => {
            return Err(error::error("ConflictException", "The account is already being closed."));
        }
        AccountState::Active => {}
    }
    let closing = org.accounts.iter().filter(|account| account.state == AccountState::PendingClosure).count();
    if closing >= CLOSURES_AT_ONCE {
        return Err(error::constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"));
    }
    if let Some(account) = org.account_mut(&id) {
        account.state = AccountState::PendingClosure;
    }
    let (core, management, time) = (core.clone(), org.management.clone(), org.settings.closing_time);
    tokio::spawn(async move {
        core.clock.sleep(time).await;
        core.services.organizations.with(&management, |org| {
            if let Some(account) = org.account_mut(&id) {
                account.state = AccountState::Closed;
            }
        });
    });
    Ok(json!({}))
}

fn find<'a>(org: &'a Org, input: Input<'_>) -> Result<&'a Account, ApiError> {
    let id = input.id("AccountId", is_account_id)?;
    org.account(id).ok_or_else(|| error::not_found("AccountNotFoundException", id))
}
