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

/// How long a receipt waits for messages, in seconds. Any wait asks all of SQS's servers; without one, some are asked and
/// what the others hold is not seen (Amazon SQS developer guide, "Short and long polling").
const WAIT: i32 = 1;
/// The attribute in which EventBridge and its scheduler say what they could not deliver to.
const TARGET_ARN: &str = "TARGET_ARN";
/// The attribute in which the scheduler says which schedule it was.
const SCHEDULE_ARN: &str = "SCHEDULE_ARN";

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
    /// Where EventBridge or its scheduler could not deliver it to, if that is why it is here.
    pub target_arn: Option<String>,
    /// The schedule that it comes from, if it comes from one.
    pub schedule_arn: Option<String>,
    /// Who has sent it: `<unique id>:<session name>` for a role's session, another id for other senders.
    pub sender: Option<String>,
}

impl From<Message> for Received {
    fn from(message: Message) -> Self {
        let system = |name: MessageSystemAttributeName| message.attributes()?.get(&name).cloned();
        let said = |name| Some(message.message_attributes()?.get(name)?.string_value()?.to_owned());
        let sent = system(MessageSystemAttributeName::SentTimestamp);
        Self {
            sent_at: sent.and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok()),
            target_arn: said(TARGET_ARN),
            schedule_arn: said(SCHEDULE_ARN),
            sender: system(MessageSystemAttributeName::SenderId),
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

    /// Up to ten messages, which nobody else sees for `hidden` (twelve hours at most), waiting a second for the first. None
    /// means that there is nothing to be seen, which a busy queue may say once too often.
    pub async fn receive(&self, hidden: Duration) -> Result<Vec<Received>, CallError> {
        const LONGEST: i32 = 12 * 3600;
        let hidden = i32::try_from(hidden.as_secs()).unwrap_or(LONGEST).min(LONGEST);
        let call = self.client.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
        let call = call.wait_time_seconds(WAIT).visibility_timeout(hidden);
        let call = call.message_attribute_names(TARGET_ARN).message_attribute_names(SCHEDULE_ARN);
        let call = call
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::SenderId);
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
