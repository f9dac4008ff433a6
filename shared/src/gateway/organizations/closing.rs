//! Closing accounts, and what is asked and marked before.

use aws_sdk_organizations::{
    config::{Builder, retry::RetryConfig},
    operation::close_account::CloseAccountError as Refused,
    types::ConstraintViolationExceptionReason,
};

use super::{Account, OrganizationsGateway, account};
use crate::{
    gateway::CallError,
    ids::{AccountId, OrganizationalUnitId},
};

impl OrganizationsGateway {
    /// Asks AWS to close a member account. AWS takes the call at once and closes the account some time later: its state is
    /// `PENDING_CLOSURE`, then `CLOSED` (AWS Organizations API reference, `CloseAccount`).
    ///
    /// AWS takes one call in twenty seconds, and the SDK's retries are off: one of its own would come too soon. The call may be
    /// repeated: an account that is being closed gives [`Cause::Conflict`](crate::error::Cause::Conflict), and one that is closed
    /// [`Cause::AccountNotActive`](crate::error::Cause::AccountNotActive).
    pub async fn close_account(&self, id: &AccountId) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:CloseAccount";
        self.aws(OPERATION)?.limiters.close_account.turn(OPERATION).await?;
        let call = self.aws(OPERATION)?.client.close_account().account_id(id.as_str()).customize();
        let answer = call.config_override(Builder::new().retry_config(RetryConfig::disabled())).send().await;
        answer.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                Refused::ConstraintViolationException(e) => e.reason().map(ConstraintViolationExceptionReason::as_str),
                _ => None,
            })
        })
    }

    /// Takes a tag from an account. No error when it has no such tag.
    pub async fn remove_tag(&self, id: &AccountId, key: &str) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:UntagResource";
        self.aws(OPERATION)?.limiters.untag_resource.turn(OPERATION).await?;
        let answer = self.aws(OPERATION)?.client.untag_resource().resource_id(id.as_str()).tag_keys(key).send().await;
        answer.map(drop).map_err(|error| CallError::of(OPERATION, error))
    }

    /// Every account that sits in a unit itself, closed ones as well, which AWS shows for 90 days.
    pub async fn list_accounts_in(&self, unit: &OrganizationalUnitId) -> Result<Vec<Account>, CallError> {
        const OPERATION: &str = "organizations:ListAccountsForParent";
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            self.aws(OPERATION)?.limiters.list_accounts_for_parent.turn(OPERATION).await?;
            let call =
                self.aws(OPERATION)?.client.list_accounts_for_parent().parent_id(unit.as_str()).set_next_token(token);
            let page = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.accounts() {
                found.push(account(OPERATION, entry)?);
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// The accounts that administer any service for the organization.
    pub async fn list_all_delegated_administrators(&self) -> Result<Vec<AccountId>, CallError> {
        self.delegated_administrators(None).await
    }
}
