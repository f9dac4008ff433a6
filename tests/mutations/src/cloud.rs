//! An AWS that refuses everything, or one in which there is nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use http::{Request, Response};

/// An AWS behind the SDK's HTTP client, which counts the calls.
#[derive(Clone, Debug)]
pub struct Cloud {
    is_empty: bool,
    calls: Arc<AtomicUsize>,
}

impl Cloud {
    /// One that denies every call.
    pub fn refusing() -> Self {
        Self { is_empty: false, calls: Arc::default() }
    }

    /// One that takes what is written, and holds nothing of what is asked for.
    pub fn empty() -> Self {
        Self { is_empty: true, calls: Arc::default() }
    }

    /// How many calls it was sent.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// A configuration of the SDK that reaches it.
    pub(crate) fn configuration(&self) -> SdkConfig {
        let (is_empty, calls) = (self.is_empty, Arc::clone(&self.calls));
        let client = infallible_client_fn(move |request| {
            calls.fetch_add(1, Ordering::Relaxed);
            if is_empty { nothing(&request) } else { refusal(&request) }
        });
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "mutations");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build())
            .http_client(client)
            .build()
    }
}

/// The name of the operation in a call of a JSON protocol.
fn target(request: &Request<SdkBody>) -> Option<&str> {
    request.headers().get("x-amz-target")?.to_str().ok()
}

fn refusal(request: &Request<SdkBody>) -> Response<SdkBody> {
    let xml = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let body = if target(request).is_some() || is_rest_json(request) {
        r#"{"__type": "AccessDeniedException", "message": "no"}"#
    } else {
        xml
    };
    answer(403, body)
}

fn nothing(request: &Request<SdkBody>) -> Response<SdkBody> {
    match target(request) {
        Some(target) if target.ends_with("PutEvents") => {
            answer(200, r#"{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}"#)
        }
        Some(target) if target.ends_with("SendMessage") => {
            answer(200, r#"{"MessageId": "1", "MD5OfMessageBody": "d41d8cd98f00b204e9800998ecf8427e"}"#)
        }
        Some(target) if target.ends_with("DescribeAccount") => {
            answer(400, r#"{"__type": "AccountNotFoundException", "Message": "none"}"#)
        }
        Some(_) => answer(200, "{}"),
        None if is_rest_json(request) => answer(404, r#"{"message": "none"}"#),
        None if request.uri().contains_host("s3") => answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
        None => answer(200, "<Response><Result></Result></Response>"),
    }
}

/// Account Management and AWS Lambda.
fn is_rest_json(request: &Request<SdkBody>) -> bool {
    request.uri().contains_host("account.") || request.uri().contains_host("lambda.")
}

fn answer(status: u16, body: &'static str) -> Response<SdkBody> {
    let json = if body.starts_with('{') { "application/x-amz-json-1.1" } else { "text/xml" };
    let built = Response::builder().status(status).header("content-type", json).body(SdkBody::from(body));
    built.expect("a status and a header")
}

trait Host {
    fn contains_host(&self, part: &str) -> bool;
}

impl Host for http::Uri {
    fn contains_host(&self, part: &str) -> bool {
        self.host().is_some_and(|host| host.contains(part))
    }
}
