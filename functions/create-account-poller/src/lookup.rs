//! Looking at AWS for what a call whose answer was lost has done, without listing the organization.

use steward::{
    account_creation::{Evidence, Request, calls_of},
    error::Cause,
    gateway::{Account, CallError, CreateAccountOutcome, CreateAccountStatus, OrganizationsGateway},
    ids::AccountId,
    table::account_index::AccountIndex,
};

/// How many pages of calls one look reads: ten seconds at the published rate, twenty at the half of it that a process has.
/// The next look goes on from there.
const PAGES: usize = 50;

/// What AWS shows: the account that the index has by the request's address, or the account of a call of the request's
/// name, if AWS says that it has the address; else the calls themselves, which carry names but no addresses.
pub(crate) async fn look(
    organizations: &OrganizationsGateway,
    index: &AccountIndex,
    request: &Request,
) -> Result<Evidence, CallError> {
    if let Some(entry) = index.by_email(&request.spec.email, None).await?
        && let Some(account) = ours(organizations, request, &entry.account_id).await?
    {
        return Ok(Evidence { account: Some(account), ..Evidence::default() });
    }
    let mut token = request.search_from.clone();
    let mut calls = Vec::new();
    for _ in 0..PAGES {
        let page = match organizations.create_account_statuses(token.as_deref()).await {
            // The place in the list is not accepted any more: the search begins anew.
            Err(error) if token.is_some() && error.cause == Cause::InputRefused => {
                token = None;
                continue;
            }
            // What was read is kept, and the next look goes on from there.
            Err(error) if token != request.search_from && error.cause == Cause::NoTimeLeft => break,
            page => page?,
        };
        let found: Vec<CreateAccountStatus> =
            calls_of(request, &page.items, request.first_requested_at).cloned().collect();
        for call in &found {
            if let CreateAccountOutcome::Succeeded(id) = &call.outcome
                && let Some(account) = ours(organizations, request, id).await?
            {
                return Ok(Evidence { account: Some(account), ..Evidence::default() });
            }
        }
        calls.extend(found);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(Evidence { account: None, calls, more: token })
}

/// The account, if AWS says that it has the request's address.
async fn ours(
    organizations: &OrganizationsGateway,
    request: &Request,
    id: &AccountId,
) -> Result<Option<Account>, CallError> {
    let account = organizations.find_account(id).await?;
    Ok(account.filter(|account| account.has_email(&request.spec.email)))
}

#[cfg(test)]
mod tests;
