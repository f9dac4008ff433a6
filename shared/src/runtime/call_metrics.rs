//! Counts the calls of a function, on the way out to AWS: attempts of the SDK's retries, and sessions in other accounts,
//! are counted like all others.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream, config_bag::ConfigBag};

use crate::{
    error,
    runtime::metrics::{Metric, Metrics},
};

/// The calls since they were last taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    calls: Arc<AtomicU64>,
    throttles: Arc<AtomicU64>,
}

impl Wire {
    /// The same client, whose calls are counted.
    pub(super) fn counting(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Counting { client, wire: self.clone() })
    }

    /// The calls since they were last taken; None when there were none.
    #[expect(clippy::cast_precision_loss, reason = "counts of calls fit a double")]
    pub(super) fn take(&self, function: &str) -> Option<Metrics> {
        let (calls, throttles) = (self.calls.swap(0, Ordering::Relaxed), self.throttles.swap(0, Ordering::Relaxed));
        (calls > 0).then(|| Metrics {
            dimensions: Vec::new(),
            values: vec![(Metric::ApiCalls, calls as f64), (Metric::Throttles, throttles as f64)],
            properties: vec![("Function", function.to_owned())],
        })
    }
}

#[derive(Debug)]
struct Counting {
    client: SharedHttpClient,
    wire: Wire,
}

impl HttpClient for Counting {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(CountingConnector { connector, wire: self.wire.clone() })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.client, components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.client, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct CountingConnector {
    connector: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for CountingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.wire.calls.fetch_add(1, Ordering::Relaxed);
        let (answer, throttles) = (self.connector.call(request), Arc::clone(&self.wire.throttles));
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            if is_throttling(&mut answer).await? {
                throttles.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer)
        })
    }
}

/// Looks at the status and, of an answer that may be one, into the body, which stays readable.
async fn is_throttling(answer: &mut HttpResponse) -> Result<bool, ConnectorError> {
    match answer.status().as_u16() {
        429 => return Ok(true),
        400 | 403 | 503 => {}
        _ => return Ok(false),
    }
    let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
    let content = ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let text = String::from_utf8_lossy(&content);
    let header = answer.headers().get("x-amzn-errortype").unwrap_or_default();
    let found = names_throttling(header) || names_throttling(&text);
    *answer.body_mut() = SdkBody::from(content);
    Ok(found)
}

/// Whether one of the words of an answer is a code of throttling: between tags, behind `#`, or in quotes.
fn names_throttling(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(error::is_throttling)
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::{Client, config::Credentials, error::ProvideErrorMetadata};
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use aws_smithy_runtime_api::client::http::SharedHttpClient;

    use super::*;

    const THROTTLING: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
        <Message>Rate exceeded</Message></Error></ErrorResponse>";

    fn client(http: SharedHttpClient) -> Client {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_sts::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(aws_sdk_sts::config::retry::RetryConfig::disabled())
            .http_client(http);
        Client::from_conf(config.build())
    }

    #[test]
    fn a_code_is_a_whole_word_of_the_answer() {
        assert!(names_throttling(r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"no"}"#));
        assert!(names_throttling("<Code>RequestLimitExceeded</Code>"));
        assert!(!names_throttling(r#"{"__type":"com.amazonaws.iam#LimitExceededException"}"#));
        assert!(!names_throttling("<Code>NotThrottlingAtAll</Code>"));
    }

    #[tokio::test]
    async fn calls_and_throttled_ones_are_counted_and_the_error_is_still_read() {
        let wire = Wire::default();
        let throttled = infallible_client_fn(|_| http::Response::builder().status(400).body(THROTTLING).unwrap());
        let throttled = client(wire.counting(throttled));
        for _ in 0..2 {
            let error = throttled.get_caller_identity().send().await.unwrap_err();
            assert_eq!(error.code(), Some("Throttling"));
        }
        let denied = THROTTLING.replace("Throttling", "AccessDenied");
        let denied = infallible_client_fn(move |_| http::Response::builder().status(403).body(denied.clone()).unwrap());
        client(wire.counting(denied)).get_caller_identity().send().await.unwrap_err();
        let taken = wire.take("a-function").unwrap();
        assert_eq!(taken.values, [(Metric::ApiCalls, 3.0), (Metric::Throttles, 2.0)]);
        assert_eq!(wire.take("a-function"), None, "what was taken is not counted again");
    }
}
