//! What every function does once, before its first event.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::{AppName, BehaviorVersion, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder as HttpClientBuilder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;

use super::{call_metrics::Wire, log, metrics};
use crate::invocation;

/// How long one attempt of a call may take, in seconds.
const ATTEMPT: u64 = 8;
/// How long a call may take, in seconds: as long as the SDK's three attempts and the waits between them, of one and two
/// seconds at most. A call that ends before its attempts do ends without what the service has said last.
const CALL: u64 = 3 * ATTEMPT + 1 + 2;

/// Starts the log, loads the AWS configuration, makes the function and serves events until the sandbox ends.
///
/// The function's name becomes the app name in the user agent of every call, so that CloudTrail shows who called.
pub async fn serve<F, A, H>(
    name: &'static str,
    make: impl FnOnce(&SdkConfig) -> Result<F, crate::runtime::settings::NotConfigured>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    A: Serialize,
    H: AsyncFn(&F, LambdaEvent<Value>) -> Result<A, crate::error::Failure>,
{
    log::start();
    let wire = Wire::default();
    let config = aws_configuration(name, &wire).await?;
    let function = make(&config)?;
    let (function, handle, wire) = (&function, &handle, &wire);
    // Boxed: the futures of the SDK nest so deep that the compiler gives up on laying them all out in one.
    let answer = |event: LambdaEvent<Value>| {
        Box::pin(async move {
            let context = event.context.clone();
            let answer = invocation::of(&context, handle(function, event)).await.map_err(Diagnostic::from);
            metrics::emit(wire.take(name).as_slice());
            answer
        })
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// The AWS configuration of a function. The SDK has no timeout of its own for a call or an answer, and as it is built
/// here, no TLS stack.
async fn aws_configuration(name: &'static str, wire: &Wire) -> Result<SdkConfig, lambda_runtime::Error> {
    let https = HttpClientBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let loader = aws_config::defaults(BehaviorVersion::latest()).app_name(AppName::new(name)?);
    Ok(loader.http_client(wire.counting(https)).timeout_config(timeouts()).load().await)
}

/// How long a call may take.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(ATTEMPT))
        .operation_timeout(Duration::from_secs(CALL))
        .build()
}
