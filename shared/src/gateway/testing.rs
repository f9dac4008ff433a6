//! What tests share: configurations that reach nothing, and what a service answers.

use aws_smithy_types::error::ErrorMetadata;

use super::DynamoDbGateway;

/// A configuration whose clients reach nothing; a call through one of them fails.
pub(crate) fn unreachable_config() -> aws_config::SdkConfig {
    let nobody = aws_smithy_http_client::test_util::infallible_client_fn(|_| {
        http::Response::builder().status(418).body("").expect("a response")
    });
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(
            aws_sdk_sts::config::Credentials::for_tests(),
        ))
        .http_client(nobody)
        .build()
}

/// The code and the message of an error. The SDK reads them from the answer; a mocked error has only what it is given.
pub(crate) fn said(code: &str, message: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).message(message).build()
}

/// What a service answers to a call that nothing allows.
pub(crate) fn denied() -> ErrorMetadata {
    said("AccessDenied", "no identity-based policy allows it")
}

/// A table in which there is nothing, and that takes every write, which no test of a control is about.
pub(crate) fn taking_every_write() -> DynamoDbGateway {
    use aws_sdk_dynamodb::{
        Client,
        operation::{get_item::GetItemOutput, transact_write_items::TransactWriteItemsOutput},
    };
    let nothing = aws_smithy_mocks::mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    let taken = aws_smithy_mocks::mock!(Client::transact_write_items)
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let client =
        aws_smithy_mocks::mock_client!(aws_sdk_dynamodb, aws_smithy_mocks::RuleMode::MatchAny, &[&nothing, &taken]);
    DynamoDbGateway::new(client, "table")
}
