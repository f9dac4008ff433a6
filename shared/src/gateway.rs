//! The doors to AWS: one thin file per service, the only place that names SDK operations and reads their errors.

mod access_analyzer;
mod account;
mod billing;
mod budgets;
mod cloudtrail;
mod cloudwatch;
mod config_recorder;
mod cost_explorer;
mod dynamodb;
mod effective_policy;
mod event;
mod event_rules;
mod eventbridge;
mod iam;
mod lambda;
mod management;
mod organizations;
#[cfg(test)]
mod published;
mod rate_limiter;
mod s3;
mod s3control;
mod secretsmanager;
mod service_quotas;
mod sns;
mod sqs;
mod stack_sets;
mod states;
mod sts;
mod tagging;
#[cfg(test)]
pub(crate) mod testing;
mod uxc;

use std::error::Error;

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};

pub use access_analyzer::{AccessAnalyzerGateway, FindingWeight, PolicyFinding};
pub use account::{
    AccountGateway, AccountTarget, AlternateContact, ContactInformation, ContactKind, EmailCode, EmailUpdate,
    EmailUpdateStatus, RegionStatus,
};
pub use billing::{BillingAlertPreference, BillingGateway};
pub use budgets::{Budget, BudgetRest, BudgetsGateway, Measure, Threshold};
pub use cloudtrail::{CloudTrailGateway, Trail, TrailSettings, TrailStatus};
pub use cloudwatch::{AlarmRest, CloudWatchGateway, MetricAlarm};
pub use config_recorder::{ConfigRecorderGateway, DeliveryState, LastRecording, RecorderState};
pub use cost_explorer::{Cost, CostExplorerGateway, MonthlyCosts};
pub(crate) use dynamodb::attributes;
pub use dynamodb::{DynamoDbGateway, Queried, Refusal, Write};
pub use effective_policy::EffectivePolicyGateway;
pub use event::{Event, EventType, SOURCE};
pub use event_rules::{EventRule, EventRulesGateway, EventTarget};
pub use eventbridge::EventBridgeGateway;
pub use iam::{
    AccessKey, Group, GroupsAndPolicies, IamGateway, LoginProfile, NewRole, PasswordPolicy, PresentGroup,
    PresentPolicy, Role, RootCredentials, RootFeature, User,
};
pub use lambda::LambdaGateway;
pub use management::Management;
pub use organizations::{
    Account, AccountState, AccountToCreate, CreateAccountOutcome, CreateAccountStatus, NamedAccount, NamedAccounts,
    NewPolicy, Organization, OrganizationalUnit, OrganizationsGateway, Origin, Page, PolicyKind, PolicySummary,
    PolicyTypeState, PolicyTypes, Roster,
};
#[cfg(test)]
pub(crate) use published::Published;
pub(crate) use rate_limiter::Rates;
pub use s3::{Found, S3Gateway};
pub use s3control::{PublicAccessBlock, S3ControlGateway};
pub use secretsmanager::{OneTimePassword, Secret, SecretsGateway};
pub use service_quotas::{ServiceQuotasGateway, TemplateQuota};
pub use sns::{EmailSubscription, SnsGateway, Topic};
pub use sqs::{Received, SqsGateway};
pub use stack_sets::{ListedStackSet, StackInstance, StackSet, StackSetsGateway};
pub use states::{Execution, StatesGateway};
pub use sts::{RootSessionRequest, SessionRequest, StsGateway, TaskPolicy};
pub use tagging::{TaggingGateway, TagsOfAccounts};
pub use uxc::UxcGateway;

use serde_json::Value;

use crate::error::{Cause, Failure};

/// A call that gave no usable answer, classified once, with the SDK's own error kept as the source.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed ({cause}): {detail}")]
pub struct CallError {
    /// The call as an IAM action, for example `organizations:CreateAccount`.
    pub operation: &'static str,
    /// The row of the error catalogue.
    pub cause: Cause,
    /// The service's own error code and message.
    pub detail: String,
    /// Whether the service itself refused the call, so that it certainly had no effect. Without this, it may have.
    pub refused: bool,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CallError {
    /// Classifies an SDK error. `reason` reads the `Reason` member that some exceptions carry.
    pub(crate) fn with_reason<E>(
        operation: &'static str,
        error: SdkError<E, HttpResponse>,
        reason: impl Fn(&E) -> Option<&str>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let (cause, detail, refused) = match &error {
            SdkError::ServiceError(context) => {
                let service = context.err();
                let code = service.code().unwrap_or("an error without a code");
                let reason = reason(service);
                let status = context.raw().status().as_u16();
                // A status of 500 and above is the service's own fault, whatever it calls it.
                let fault = (status >= 500).then_some(Cause::ServiceFault);
                let known = Cause::of_service_error(code, reason).or(fault);
                let cause = known.unwrap_or(Cause::CallFailed);
                let message = service.message().map_or_else(|| format!("status {status}"), ToOwned::to_owned);
                let mut detail = format!("{code}: {message}");
                if let Some(reason) = reason {
                    detail = format!("{detail} (reason {reason})");
                }
                if let Some(fields) = refused_fields(context.raw()) {
                    detail = format!("{detail} ({fields})");
                }
                if let (Cause::WrongRegion, Some(region)) = (cause, right_region(context.raw())) {
                    detail = format!("{detail} (the bucket is in {region})");
                }
                // A fault of the service may have struck before or after it did the work.
                (cause, detail, known != Some(Cause::ServiceFault))
            }
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => {
                (Cause::Unreachable, DisplayErrorContext(&error).to_string(), false)
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                let cause = if status >= 500 { Cause::ServiceFault } else { Cause::Unreachable };
                (cause, format!("status {status}: {}", DisplayErrorContext(&error)), false)
            }
            _ => (Cause::CallFailed, DisplayErrorContext(&error).to_string(), true),
        };
        Self { operation, cause, detail, refused, source: Some(Box::new(error)) }
    }

    /// Classifies an SDK error of a service whose exceptions carry no `Reason`.
    pub(crate) fn of<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Self::with_reason(operation, error, |_| None)
    }

    /// An answer that lacks what its API model promises, or an entry of a batch that failed.
    pub(crate) fn unusable(operation: &'static str, cause: Cause, detail: impl Into<String>) -> Self {
        Self { operation, cause, detail: detail.into(), refused: false, source: None }
    }

    /// A call that was never made.
    pub(crate) fn not_sent(operation: &'static str, cause: Cause, detail: impl Into<String>) -> Self {
        Self { operation, cause, detail: detail.into(), refused: true, source: None }
    }
}

/// The most pages of a list that a member account can make as long as it likes. Nobody needs half of them.
const MAX_PAGES: usize = 20;

/// Whether one more page is read, after so many.
fn one_more_page(operation: &'static str, read: usize) -> Result<(), CallError> {
    let is_too_long = read >= MAX_PAGES;
    let detail = || format!("it has more than {MAX_PAGES} pages");
    if is_too_long { Err(CallError::unusable(operation, Cause::TooMuchToRead, detail())) } else { Ok(()) }
}

/// The fields that a `ValidationException` names, with what is wrong with each.
fn refused_fields(answer: &HttpResponse) -> Option<String> {
    let body: Value = serde_json::from_slice(answer.body().bytes()?).ok()?;
    let fields = body.get("fieldList").or_else(|| body.get("FieldList"))?.as_array()?;
    let text = |field: &Value, name: &str| field[name].as_str().unwrap_or_default().to_owned();
    let fields: Vec<_> =
        fields.iter().map(|field| format!("{}: {}", text(field, "name"), text(field, "message"))).collect();
    (!fields.is_empty()).then(|| fields.join("; "))
}

/// The region of a bucket that was looked for in another one (Amazon S3 API reference, "Error responses").
fn right_region(answer: &HttpResponse) -> Option<&str> {
    answer.headers().get("x-amz-bucket-region")
}

/// The answer of a call about something that need not be there; None when the service says that it is not.
pub(crate) fn unless_absent<T, E>(
    operation: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
    is_absent: impl Fn(&E) -> bool,
) -> Result<Option<T>, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_service_error().is_some_and(is_absent) => Ok(None),
        Err(error) => Err(CallError::of(operation, error)),
    }
}

impl From<&CallError> for Failure {
    fn from(error: &CallError) -> Self {
        Self::with_detail(error.cause, format_args!("{} answered {}", error.operation, error.detail))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::{
        Client,
        config::{Credentials, Region},
    };
    use aws_smithy_http_client::test_util::infallible_client_fn;

    use super::*;

    #[tokio::test]
    async fn the_fields_that_a_service_refuses_are_named_with_what_is_wrong_with_them() {
        let http = infallible_client_fn(|_| {
            let body = r#"{"message": "1 validation error", "reason": "fieldValidationFailed",
                "fieldList": [{"name": "phoneNumber", "message": "is not a number"}]}"#;
            let answer = http::Response::builder().status(400).header("x-amzn-errortype", "ValidationException");
            answer.header("content-type", "application/json").body(body).unwrap()
        });
        let config = aws_sdk_account::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(aws_sdk_sns::config::retry::RetryConfig::disabled())
            .http_client(http);
        let client = aws_sdk_account::Client::from_conf(config.build());
        let error = CallError::of("account:ListRegions", client.list_regions().send().await.unwrap_err());
        assert_eq!(error.cause, Cause::InputRefused);
        assert!(error.detail.ends_with("(phoneNumber: is not a number)"), "{}", error.detail);
    }

    #[tokio::test]
    async fn a_bucket_in_another_region_is_a_cause_of_its_own_that_names_the_right_one() {
        let http = infallible_client_fn(|_| {
            let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
            http::Response::builder().status(301).header("x-amz-bucket-region", "eu-west-1").body(body).unwrap()
        });
        let config = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(aws_sdk_sns::config::retry::RetryConfig::disabled())
            .http_client(http);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let error = client.get_bucket_policy().bucket("logs").send().await.unwrap_err();
        let error = CallError::of("s3:GetBucketPolicy", error);
        assert_eq!(error.cause, Cause::WrongRegion);
        assert!(error.detail.ends_with("(the bucket is in eu-west-1)"), "{}", error.detail);
    }

    /// What the SDK makes of an answer, and [`CallError`] of that.
    async fn answered(status: u16, body: &'static str) -> CallError {
        let http = infallible_client_fn(move |_| http::Response::builder().status(status).body(body).unwrap());
        let config = aws_sdk_sns::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(aws_sdk_sns::config::retry::RetryConfig::disabled())
            .http_client(http);
        let error = Client::from_conf(config.build()).create_topic().name("a").send().await.unwrap_err();
        CallError::of("sns:CreateTopic", error)
    }

    #[tokio::test]
    async fn a_fault_of_the_service_is_never_a_refusal_whatever_it_is_called() {
        const UNKNOWN_TO_AWS: &str = "<ErrorResponse><Error><Code>BackendGone</Code></Error></ErrorResponse>";
        for (status, body) in [(500, UNKNOWN_TO_AWS), (502, "<html>Bad Gateway</html>"), (503, "")] {
            let error = answered(status, body).await;
            assert_eq!((error.cause, error.refused), (Cause::ServiceFault, false), "{status} {body}");
            assert!(error.detail.contains(&status.to_string()), "{}", error.detail);
        }
        let error = answered(400, UNKNOWN_TO_AWS).await;
        assert_eq!((error.cause, error.refused), (Cause::CallFailed, true));
    }
}
