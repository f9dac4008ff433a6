//! Amazon SNS: topics and their e-mail subscriptions.

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, operation::get_topic_attributes::GetTopicAttributesError};

use super::CallError;

/// An e-mail subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSubscription {
    /// The address.
    pub endpoint: String,
    /// Whether its owner has yet to follow the link in the confirmation mail.
    pub pending: bool,
}

/// The door to Amazon SNS.
#[derive(Clone, Debug)]
pub struct SnsGateway(Client);

impl SnsGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// Whether the topic exists.
    pub async fn topic_exists(&self, topic_arn: &str) -> Result<bool, CallError> {
        match self.0.get_topic_attributes().topic_arn(topic_arn).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(GetTopicAttributesError::is_not_found_exception) => {
                Ok(false)
            }
            Err(error) => Err(CallError::of("sns:GetTopicAttributes", error)),
        }
    }

    /// Makes the topic; one of the same name is left as it is.
    pub async fn create_topic(&self, name: &str) -> Result<(), CallError> {
        let answer = self.0.create_topic().name(name).send().await;
        answer.map(drop).map_err(|error| CallError::of("sns:CreateTopic", error))
    }

    /// The topic's e-mail subscriptions.
    pub async fn list_email_subscriptions(&self, topic_arn: &str) -> Result<Vec<EmailSubscription>, CallError> {
        let mut pages = self.0.list_subscriptions_by_topic().topic_arn(topic_arn).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of("sns:ListSubscriptionsByTopic", error))?;
            let emails = page.subscriptions().iter().filter(|subscription| subscription.protocol() == Some("email"));
            found.extend(emails.map(|subscription| EmailSubscription {
                endpoint: subscription.endpoint().unwrap_or_default().to_owned(),
                // Until it is confirmed, a subscription has these words in place of its ARN.
                pending: !subscription.subscription_arn().unwrap_or_default().starts_with("arn:"),
            }));
        }
        Ok(found)
    }

    /// Sends a mail to everybody who has subscribed to the topic. The subject is at most 100 printable ASCII
    /// characters, the text at most 256 KB.
    pub async fn publish(&self, topic_arn: &str, subject: &str, text: &str) -> Result<(), CallError> {
        let call = self.0.publish().topic_arn(topic_arn).subject(subject).message(text);
        call.send().await.map(drop).map_err(|error| CallError::of("sns:Publish", error))
    }

    /// Subscribes an address; its owner gets a mail with a link that is good for two days.
    pub async fn subscribe_email(&self, topic_arn: &str, address: &str) -> Result<(), CallError> {
        let call = self.0.subscribe().topic_arn(topic_arn).protocol("email").endpoint(address);
        call.send().await.map(drop).map_err(|error| CallError::of("sns:Subscribe", error))
    }
}
