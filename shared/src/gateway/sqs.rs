//! Amazon SQS: the queues in which waiting happens.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use serde::Serialize;

use super::CallError;
use crate::error::Cause;

/// The longest delay that SQS gives a message.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// The door to one queue.
#[derive(Clone, Debug)]
pub struct SqsGateway {
    client: Client,
    queue_url: String,
}

impl SqsGateway {
    /// A gateway to one queue.
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into() }
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig, queue_url: impl Into<String>) -> Self {
        Self::new(Client::new(config), queue_url)
    }

    /// Sends a message that becomes visible after `delay` (15 minutes at most: a longer one is cut).
    pub async fn send<T: Serialize>(&self, message: &T, delay: Duration) -> Result<(), CallError> {
        const OPERATION: &str = "sqs:SendMessage";
        let body = serde_json::to_string(message)
            .map_err(|error| CallError::unusable(OPERATION, Cause::CallFailed, error.to_string()))?;
        let seconds = i32::try_from(delay.min(LONGEST_DELAY).as_secs()).unwrap_or(0);
        let call = self.client.send_message().queue_url(&self.queue_url).message_body(body);
        call.delay_seconds(seconds).send().await.map(drop).map_err(|error| CallError::of(OPERATION, error))
    }
}
