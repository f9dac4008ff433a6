//! AWS Lambda: invoking functions of the stack.

use aws_config::SdkConfig;
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};

use super::CallError;

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

    /// Invokes a function asynchronously: Lambda takes the payload, 1 MB at most, and retries by itself.
    pub async fn invoke_later(&self, function_arn: &str, payload: &str) -> Result<(), CallError> {
        let call = self.0.invoke().function_name(function_arn).invocation_type(InvocationType::Event);
        let answer = call.payload(Blob::new(payload)).send().await;
        answer.map(drop).map_err(|error| CallError::of("lambda:InvokeFunction", error))
    }
}
