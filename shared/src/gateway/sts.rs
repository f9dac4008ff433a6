//! AWS STS: the way into other accounts.

mod task_policy;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sts::{
    Client,
    config::{Builder, Credentials, retry::RetryConfig, timeout::TimeoutConfig},
    types::PolicyDescriptorType,
};

pub use task_policy::TaskPolicy;

use super::CallError;
use crate::{
    error::Cause,
    ids::{AccountId, RoleName},
};

/// How often a root session is asked for: the waits between come to 18 s at most.
const ROOT_ATTEMPTS: u32 = 8;
/// The longest wait between two of them.
const ROOT_BACKOFF: Duration = Duration::from_secs(3);
/// How long one of them may take.
const ROOT_ATTEMPT: Duration = Duration::from_secs(4);
/// How long all of them may take. It never ends before they do, so that the service's last answer is the one that is returned.
const ROOT_OPERATION: Duration = Duration::from_secs(50);

/// What a session is asked for with.
#[derive(Clone, Debug)]
pub struct SessionRequest<'a> {
    /// The account to enter.
    pub account: &'a AccountId,
    /// The role to assume there.
    pub role: &'a RoleName,
    /// The name that CloudTrail shows: 2 to 64 characters of `[\w+=,.@-]`.
    pub session_name: &'a str,
    /// The inline session policy, 2,048 characters at most.
    pub policy: &'a str,
    /// How long the session lasts: 900 s or more.
    pub seconds: i32,
}

/// What a root session is asked for with.
#[derive(Clone, Debug)]
pub struct RootSessionRequest<'a> {
    /// The member account whose root user acts.
    pub account: &'a AccountId,
    /// The one of the task policies of AWS that bounds the session.
    pub task_policy_arn: &'a str,
    /// How long the session lasts: 900 s at most.
    pub seconds: i32,
}

/// The door to AWS STS.
#[derive(Clone, Debug)]
pub struct StsGateway(Client);

impl StsGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// Temporary credentials of a role in another account.
    pub async fn assume_role(&self, request: &SessionRequest<'_>) -> Result<Credentials, CallError> {
        const OPERATION: &str = "sts:AssumeRole";
        let answer = self
            .0
            .assume_role()
            .role_arn(format!("arn:aws:iam::{}:role/{}", request.account, request.role))
            .role_session_name(request.session_name)
            .policy(request.policy)
            .duration_seconds(request.seconds)
            .send()
            .await
            .map_err(|error| CallError::of(OPERATION, error))?;
        credentials(OPERATION, answer.credentials())
    }

    /// Temporary credentials of the root user of a member account, for one task. Regional endpoints alone offer
    /// this; they are what the SDK calls.
    pub async fn assume_root(&self, request: &RootSessionRequest<'_>) -> Result<Credentials, CallError> {
        const OPERATION: &str = "sts:AssumeRoot";
        let policy = PolicyDescriptorType::builder().arn(request.task_policy_arn).build();
        let call = self.0.assume_root().target_principal(request.account.as_str()).task_policy_arn(policy);
        // AWS throttles this call sooner than others; it has no effect that a repetition would double.
        let patient = Builder::new()
            .retry_config(RetryConfig::standard().with_max_attempts(ROOT_ATTEMPTS).with_max_backoff(ROOT_BACKOFF))
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(ROOT_ATTEMPT)
                    .operation_timeout(ROOT_OPERATION)
                    .build(),
            );
        let answer = call.duration_seconds(request.seconds).customize().config_override(patient).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        credentials(OPERATION, answer.credentials())
    }

    /// The account whose credentials these calls are made with. Nothing can deny this call.
    pub async fn find_own_account(&self) -> Result<AccountId, CallError> {
        const OPERATION: &str = "sts:GetCallerIdentity";
        let answer = self.0.get_caller_identity().send().await.map_err(|error| CallError::of(OPERATION, error))?;
        let id = answer.account().and_then(|id| id.parse().ok());
        id.ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without Account"))
    }
}

fn credentials(
    operation: &'static str,
    given: Option<&aws_sdk_sts::types::Credentials>,
) -> Result<Credentials, CallError> {
    let given =
        given.ok_or_else(|| CallError::unusable(operation, Cause::CallFailed, "an answer without Credentials"))?;
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        given.expiration().to_owned().try_into().ok(),
        operation,
    ))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::config::{AsyncSleep, Region, SharedAsyncSleep, Sleep};
    use aws_smithy_http_client::test_util::infallible_client_fn;

    use super::*;

    /// Sleeps by the clock of the runtime, which a test can pause.
    #[derive(Debug)]
    struct RuntimeSleep;

    impl AsyncSleep for RuntimeSleep {
        fn sleep(&self, duration: Duration) -> Sleep {
            Sleep::new(tokio::time::sleep(duration))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_service_has_said_last_is_reported_after_all_attempts() {
        const FAULT: &str =
            "<ErrorResponse><Error><Code>InternalFailure</Code><Message>try later</Message></Error></ErrorResponse>";
        let http = infallible_client_fn(|_| http::Response::builder().status(500).body(FAULT).unwrap());
        // The timeouts of a function, which are shorter than so many attempts.
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build();
        let config = aws_sdk_sts::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .sleep_impl(SharedAsyncSleep::new(RuntimeSleep))
            .timeout_config(timeouts)
            .http_client(http);
        let gateway = StsGateway::new(Client::from_conf(config.build()));
        let account = "222222222222".parse().unwrap();
        let request =
            RootSessionRequest { account: &account, task_policy_arn: "arn:aws:iam::aws:policy/x", seconds: 900 };
        let error = gateway.assume_root(&request).await.unwrap_err();
        assert_eq!(error.cause, Cause::ServiceFault);
        assert!(error.detail.contains("InternalFailure: try later"), "{}", error.detail);
    }
}
