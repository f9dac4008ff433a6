//! AWS Step Functions: what it knows of an execution of a state machine.

use aws_config::SdkConfig;
use aws_sdk_sfn::{Client, operation::describe_execution::DescribeExecutionError, types::ExecutionStatus};
use jiff::Timestamp;
use serde_json::Value;

use super::CallError;
use crate::error::Cause;

/// The door to AWS Step Functions.
#[derive(Clone, Debug)]
pub struct StatesGateway(Client);

/// An execution of a state machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its name.
    pub name: String,
    /// When it began, to the millisecond.
    pub started_at: Timestamp,
    /// Whether it has not ended.
    pub is_running: bool,
    /// What it was started with; null when that is not JSON.
    pub input: Value,
}

impl StatesGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The execution with this ARN; None when there is none, or it ended more than 90 days ago (AWS Step Functions API
    /// reference, `DescribeExecution`).
    pub async fn find_execution(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        const OPERATION: &str = "states:DescribeExecution";
        let answer = match self.0.describe_execution().execution_arn(arn).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let gone = error.as_service_error().is_some_and(DescribeExecutionError::is_execution_does_not_exist);
                return if gone { Ok(None) } else { Err(CallError::of(OPERATION, error)) };
            }
        };
        let started_at = Timestamp::from_millisecond(answer.start_date().to_millis().unwrap_or_default());
        let started_at = started_at.map_err(|_| CallError::unusable(OPERATION, Cause::CallFailed, "no start date"))?;
        Ok(Some(Execution {
            name: answer.name().unwrap_or_default().to_owned(),
            started_at,
            is_running: *answer.status() == ExecutionStatus::Running,
            input: answer.input().and_then(|input| serde_json::from_str(input).ok()).unwrap_or_default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::config::{Credentials, Region};
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    async fn found(status: u16, body: &'static str) -> Result<Option<Execution>, CallError> {
        let http = infallible_client_fn(move |_: http::Request<SdkBody>| {
            http::Response::builder().status(status).body(body).unwrap()
        });
        let config = aws_sdk_sfn::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .http_client(http)
            .build();
        StatesGateway::new(Client::from_conf(config)).find_execution("arn:aws:states:x").await
    }

    #[tokio::test]
    async fn an_execution_is_what_aws_says_of_it() {
        let body = r#"{"executionArn":"arn","stateMachineArn":"arn","name":"5b9c","status":"RUNNING",
            "startDate":1790000000.5,"input":"{\"trigger\":\"schedule\"}"}"#;
        let execution = found(200, body).await.unwrap().unwrap();
        assert!(execution.is_running && execution.name == "5b9c" && execution.input["trigger"] == "schedule");
        assert_eq!(execution.started_at.as_millisecond(), 1_790_000_000_500);
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_none_and_a_denial_is_an_error() {
        let gone = r#"{"__type":"com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist","message":"no"}"#;
        assert_eq!(found(400, gone).await.unwrap(), None);
        let denied = found(400, r#"{"__type":"AccessDeniedException","message":"no"}"#).await.unwrap_err();
        assert_eq!(denied.cause, Cause::AccessDenied);
    }
}
