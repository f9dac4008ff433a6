//! AWS Lambda: invoking functions of the stack, and how many may run.

use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client,
    primitives::Blob,
    types::{AccountLimit, InvocationType},
};

use super::CallError;
use crate::error::Cause;

/// The door to AWS Lambda.
#[derive(Clone, Debug)]
pub struct LambdaGateway(Client);

impl LambdaGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// How many invocations this account may have at once in this region beside those that functions have reserved.
    pub async fn unreserved_concurrency(&self) -> Result<i32, CallError> {
        const OPERATION: &str = "lambda:GetAccountSettings";
        let answer = self.0.get_account_settings().send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let limit = answer.account_limit().and_then(AccountLimit::unreserved_concurrent_executions);
        limit.ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without AccountLimit"))
    }

    /// Invokes a function asynchronously: Lambda takes the payload, 1 MB at most, and retries by itself.
    pub async fn invoke_later(&self, function_arn: &str, payload: &str) -> Result<(), CallError> {
        let call = self.0.invoke().function_name(function_arn).invocation_type(InvocationType::Event);
        let answer = call.payload(Blob::new(payload)).send().await;
        answer.map(drop).map_err(|error| CallError::of("lambda:InvokeFunction", error))
    }
}
