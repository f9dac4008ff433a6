//! AWS IAM: account settings, roles, and the credentials of the root user. Every call goes to us-east-1.

mod features;
mod groups;
mod roles;
mod root;
mod user_credentials;
mod users;

use aws_config::SdkConfig;
use aws_sdk_iam::{
    Client,
    operation::{
        create_account_alias::CreateAccountAliasError, get_account_password_policy::GetAccountPasswordPolicyError,
    },
};

use super::{CallError, unless_absent};
use crate::error::Cause;

pub use features::RootFeature;
pub use groups::{GroupsAndPolicies, PresentGroup, PresentPolicy};
pub use roles::{NewRole, Role};
pub use root::RootCredentials;
pub use user_credentials::AccessKey;
pub use users::{Group, LoginProfile, User};

/// The rules for the passwords of IAM users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API has these")]
pub struct PasswordPolicy {
    /// The fewest characters.
    pub minimum_length: i32,
    /// Whether a symbol is needed.
    pub require_symbols: bool,
    /// Whether a digit is needed.
    pub require_numbers: bool,
    /// Whether an upper-case letter is needed.
    pub require_uppercase: bool,
    /// Whether a lower-case letter is needed.
    pub require_lowercase: bool,
    /// Whether users may change their own password.
    pub users_may_change: bool,
    /// Days after which a password expires; None for never.
    pub max_age_days: Option<i32>,
    /// How many former passwords may not come back; None for all may.
    pub reuse_prevention: Option<i32>,
    /// Whether an expired password can be renewed by an administrator alone.
    pub hard_expiry: bool,
}

/// The door to AWS IAM.
#[derive(Clone, Debug)]
pub struct IamGateway(Client);

impl IamGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The account's alias; None when it has none. AWS allows one.
    pub async fn find_account_alias(&self) -> Result<Option<String>, CallError> {
        let answer = self.0.list_account_aliases().send().await;
        let answer = answer.map_err(|error| CallError::of("iam:ListAccountAliases", error))?;
        Ok(answer.account_aliases().first().cloned())
    }

    /// Gives the account an alias in place of the present one. One that another account has gives [`Cause::AccountAliasTaken`].
    pub async fn create_account_alias(&self, alias: &str) -> Result<(), CallError> {
        let answer = self.0.create_account_alias().account_alias(alias).send().await;
        answer.map(drop).map_err(|error| {
            let is_taken = CreateAccountAliasError::is_entity_already_exists_exception;
            let is_taken = error.as_service_error().is_some_and(is_taken);
            let mut error = CallError::of("iam:CreateAccountAlias", error);
            if is_taken {
                error.cause = Cause::AccountAliasTaken;
            }
            error
        })
    }

    /// The account's password policy; None when it has none of its own.
    pub async fn find_password_policy(&self) -> Result<Option<PasswordPolicy>, CallError> {
        const OPERATION: &str = "iam:GetAccountPasswordPolicy";
        let answer = self.0.get_account_password_policy().send().await;
        let answer = unless_absent(OPERATION, answer, GetAccountPasswordPolicyError::is_no_such_entity_exception)?;
        let policy = answer.map(|answer| {
            let policy = answer
                .password_policy()
                .ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without PasswordPolicy"))?;
            Ok(PasswordPolicy {
                minimum_length: policy.minimum_password_length().unwrap_or_default(),
                require_symbols: policy.require_symbols(),
                require_numbers: policy.require_numbers(),
                require_uppercase: policy.require_uppercase_characters(),
                require_lowercase: policy.require_lowercase_characters(),
                users_may_change: policy.allow_users_to_change_password(),
                // A zero is how some answers say that there is no such rule.
                max_age_days: policy.max_password_age().filter(|days| *days > 0),
                reuse_prevention: policy.password_reuse_prevention().filter(|passwords| *passwords > 0),
                hard_expiry: policy.hard_expiry().unwrap_or_default(),
            })
        });
        policy.transpose()
    }

    /// Writes the account's password policy as a whole.
    pub async fn put_password_policy(&self, policy: &PasswordPolicy) -> Result<(), CallError> {
        let answer = self
            .0
            .update_account_password_policy()
            .minimum_password_length(policy.minimum_length)
            .require_symbols(policy.require_symbols)
            .require_numbers(policy.require_numbers)
            .require_uppercase_characters(policy.require_uppercase)
            .require_lowercase_characters(policy.require_lowercase)
            .allow_users_to_change_password(policy.users_may_change)
            .set_max_password_age(policy.max_age_days)
            .set_password_reuse_prevention(policy.reuse_prevention)
            .hard_expiry(policy.hard_expiry)
            .send()
            .await;
        answer.map(drop).map_err(|error| CallError::of("iam:UpdateAccountPasswordPolicy", error))
    }
}

#[cfg(test)]
mod tests;
