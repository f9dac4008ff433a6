//! AWS Secrets Manager: passwords that are made there, kept until they are handed over, and never read by Steward.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{
    Client,
    operation::{
        create_secret::CreateSecretError, delete_secret::DeleteSecretError, describe_secret::DescribeSecretError,
    },
    types::{Filter, FilterNameStringType},
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use super::{CallError, one_more_page, unless_absent};
use crate::error::Cause;

/// What IAM does not count as a symbol, and what people and shells read wrongly: left are
/// `! # $ % & ( ) * + - = @ [ ] ^ _ { | }`.
const EXCLUDED: &str = "\"'\\/`~<>,.:;?";

/// A password that somebody signs in with once. It is shown nowhere: it has no text but for the calls that take it.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimePassword(String);

impl OneTimePassword {
    /// The password itself, for a call that sets or keeps it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimePassword(..)")
    }
}

#[cfg(test)]
impl OneTimePassword {
    /// A password of a test's own.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A secret, as far as it may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// When its value was last put there.
    pub changed_at: Timestamp,
}

/// The door to AWS Secrets Manager.
#[derive(Clone, Debug)]
pub struct SecretsGateway(Client);

impl SecretsGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// A new password of this length, with letters of both cases, a digit and a symbol that IAM takes for one.
    pub async fn new_password(&self, length: i64) -> Result<OneTimePassword, CallError> {
        const OPERATION: &str = "secretsmanager:GetRandomPassword";
        let call = self.0.get_random_password().password_length(length).exclude_characters(EXCLUDED);
        let answer = call.require_each_included_type(true).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let password = answer.random_password().filter(|password| !password.is_empty());
        let unusable = || CallError::unusable(OPERATION, Cause::CallFailed, "an answer without RandomPassword");
        password.map(|password| OneTimePassword(password.to_owned())).ok_or_else(unusable)
    }

    /// The secret of this name, without its value; None when there is none.
    pub async fn find(&self, name: &str) -> Result<Option<Secret>, CallError> {
        const OPERATION: &str = "secretsmanager:DescribeSecret";
        let answer = self.0.describe_secret().secret_id(name).send().await;
        let answer = unless_absent(OPERATION, answer, DescribeSecretError::is_resource_not_found_exception)?;
        let secret =
            answer.map(|answer| secret(OPERATION, answer.name(), answer.last_changed_date().or(answer.created_date())));
        secret.transpose()
    }

    /// The secrets whose names begin so, without their values.
    pub async fn list(&self, beginning: &str) -> Result<Vec<Secret>, CallError> {
        const OPERATION: &str = "secretsmanager:ListSecrets";
        let filter = Filter::builder().key(FilterNameStringType::Name).values(beginning).build();
        let mut pages = self.0.list_secrets().max_results(100).filters(filter).into_paginator().send();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            one_more_page(OPERATION, read)?;
            read += 1;
            for one in page.map_err(|error| CallError::of(OPERATION, error))?.secret_list() {
                found.push(secret(OPERATION, one.name(), one.last_changed_date().or(one.created_date()))?);
            }
        }
        // The filter takes a name for words.
        found.retain(|secret| secret.name.starts_with(beginning));
        Ok(found)
    }

    /// Keeps a password under this name, in place of what is there. The SDK gives each call a token of its own, so that one
    /// whose answer was lost is not done twice.
    pub async fn keep(&self, name: &str, description: &str, password: &OneTimePassword) -> Result<(), CallError> {
        let call = self.0.create_secret().name(name).description(description).secret_string(password.reveal());
        let is_there = CreateSecretError::is_resource_exists_exception;
        if unless_absent("secretsmanager:CreateSecret", call.send().await, is_there)?.is_some() {
            return Ok(());
        }
        let answer = self.0.put_secret_value().secret_id(name).secret_string(password.reveal()).send().await;
        answer.map(drop).map_err(|error| CallError::of("secretsmanager:PutSecretValue", error))
    }

    /// Deletes a secret for good, so that its name is free again. No error when there is none.
    pub async fn delete(&self, name: &str) -> Result<(), CallError> {
        let answer = self.0.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await;
        let is_absent = DeleteSecretError::is_resource_not_found_exception;
        unless_absent("secretsmanager:DeleteSecret", answer, is_absent).map(drop)
    }
}

fn secret(operation: &'static str, name: Option<&str>, changed: Option<&DateTime>) -> Result<Secret, CallError> {
    let changed = changed.and_then(|time| Timestamp::from_second(time.secs()).ok());
    match (name, changed) {
        (Some(name), Some(changed_at)) => Ok(Secret { name: name.to_owned(), changed_at }),
        _ => Err(CallError::unusable(operation, Cause::CallFailed, "a secret without Name or LastChangedDate")),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::{
        operation::{
            get_random_password::GetRandomPasswordOutput, list_secrets::ListSecretsOutput,
            put_secret_value::PutSecretValueOutput,
        },
        types::{SecretListEntry, error::ResourceExistsException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn gateway(rules: &[&Rule]) -> SecretsGateway {
        SecretsGateway::new(mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, rules))
    }

    #[tokio::test]
    async fn a_password_has_every_kind_of_character_that_a_policy_of_iam_may_ask_for_and_is_not_shown() {
        let made = mock!(Client::get_random_password)
            .match_requests(|input| {
                let excluded = input.exclude_characters().unwrap_or_default();
                let symbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars().filter(|c| !excluded.contains(*c));
                input.password_length() == Some(24)
                    && input.require_each_included_type() == Some(true)
                    && symbols.into_iter().all(|symbol| "!@#$%^&*()_+-=[]{}|'".contains(symbol))
            })
            .then_output(|| GetRandomPasswordOutput::builder().random_password("Secret#1").build());
        let password = gateway(&[&made]).new_password(24).await.unwrap();
        assert_eq!((password.reveal(), format!("{password:?}").contains("Secret")), ("Secret#1", false));
    }

    #[tokio::test]
    async fn a_secret_that_is_there_gets_another_value() {
        let there = mock!(Client::create_secret)
            .then_error(|| CreateSecretError::ResourceExistsException(ResourceExistsException::builder().build()));
        let put = mock!(Client::put_secret_value)
            .match_requests(|input| input.secret_string() == Some("Secret#1") && input.client_request_token().is_some())
            .then_output(|| PutSecretValueOutput::builder().build());
        let gateway = gateway(&[&there, &put]);
        gateway.keep("/steward/steward/users/alice", "words", &OneTimePassword::of("Secret#1")).await.unwrap();
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn secrets_of_other_names_that_the_filter_lets_through_are_left_out() {
        let list = mock!(Client::list_secrets).then_output(|| {
            let entry = |name: &str| SecretListEntry::builder().name(name).created_date(DateTime::from_secs(7)).build();
            ListSecretsOutput::builder().secret_list(entry("/a/users/x")).secret_list(entry("/b/a/users/x")).build()
        });
        let found = gateway(&[&list]).list("/a/users/").await.unwrap();
        assert_eq!(found, [Secret { name: "/a/users/x".to_owned(), changed_at: Timestamp::from_second(7).unwrap() }]);
    }
}
