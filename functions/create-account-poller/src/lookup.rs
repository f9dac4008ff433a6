//! Looking at AWS for what a call whose answer was lost has done.

use steward::{
    account_creation::{Evidence, Request},
    gateway::{CallError, CreateAccountProgress, OrganizationsGateway},
};

/// What AWS shows. The calls that AWS tracks carry names but no addresses, accounts carry both.
pub(crate) async fn look(organizations: &OrganizationsGateway, request: &Request) -> Result<Evidence, CallError> {
    let accounts = organizations.list_accounts().await?;
    let account = accounts.into_iter().find(|account| account.email.eq_ignore_ascii_case(request.wish.email.as_str()));
    if account.is_some() {
        return Ok(Evidence { account, calls: Vec::new() });
    }
    let mut calls = organizations.list_create_account_status(CreateAccountProgress::InProgress).await?;
    calls.extend(organizations.list_create_account_status(CreateAccountProgress::Failed).await?);
    Ok(Evidence { account: None, calls })
}
