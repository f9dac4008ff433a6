//! Amazon SQS: the queues in which waiting happens.

mod policy;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    types::{Message, MessageSystemAttributeName},
};
use jiff::Timestamp;
use serde::Serialize;

use super::CallError;
use crate::error::Cause;

/// The longest delay that SQS gives a message.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// The seconds for which a message that was received is hidden from others.
const HELD: i32 = 60;
/// The attribute in which EventBridge says where it could not deliver an event to.
const TARGET_ARN: &str = "TARGET_ARN";

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id, the same in each receipt.
    pub id: String,
    /// What it is removed or released by.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// Where EventBridge could not deliver it to, if that is why it is here.
    pub target_arn: Option<String>,
}

impl From<Message> for Received {
    fn from(message: Message) -> Self {
        let sent = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
        let target = message.message_attributes().and_then(|all| all.get(TARGET_ARN)?.string_value());
        Self {
            sent_at: sent.and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok()),
            target_arn: target.map(ToOwned::to_owned),
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }
    }
}

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

    /// The door to another queue, through the same client.
    pub fn at(&self, queue_url: impl Into<String>) -> Self {
        Self::new(self.client.clone(), queue_url)
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

    /// Sends a text as it is, at once.
    pub async fn send_text(&self, body: &str) -> Result<(), CallError> {
        let answer = self.client.send_message().queue_url(&self.queue_url).message_body(body).send().await;
        answer.map(drop).map_err(|error| CallError::of("sqs:SendMessage", error))
    }

    /// Up to ten messages, which nobody else sees for a minute. None does not mean that the queue is empty for sure.
    pub async fn receive(&self) -> Result<Vec<Received>, CallError> {
        let call = self.client.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
        let call = call.visibility_timeout(HELD).message_attribute_names(TARGET_ARN);
        let call = call.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = call.send().await.map_err(|error| CallError::of("sqs:ReceiveMessage", error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(Received::from).collect())
    }

    /// Removes a message that was received.
    pub async fn delete(&self, receipt: &str) -> Result<(), CallError> {
        let answer = self.client.delete_message().queue_url(&self.queue_url).receipt_handle(receipt).send().await;
        answer.map(drop).map_err(|error| CallError::of("sqs:DeleteMessage", error))
    }

    /// Puts a message that was received back into everybody's sight.
    pub async fn release(&self, receipt: &str) -> Result<(), CallError> {
        let call = self.client.change_message_visibility().queue_url(&self.queue_url).receipt_handle(receipt);
        let answer = call.visibility_timeout(0).send().await;
        answer.map(drop).map_err(|error| CallError::of("sqs:ChangeMessageVisibility", error))
    }
}
