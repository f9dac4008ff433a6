//! Amazon SNS: topics and their e-mail subscriptions.

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, operation::get_topic_attributes::GetTopicAttributesError};

use super::{CallError, one_more_page, unless_absent};

/// A topic, as far as it decides whether what is published reaches anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// Who may publish to it, as a policy; None when AWS shows none.
    pub policy: Option<String>,
    /// The key that encrypts it, named as whoever set it named it: by its id, its alias or the ARN of either. None when
    /// it is not encrypted.
    pub kms_key: Option<String>,
}

/// An e-mail subscription of a topic that has not ended.
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

    /// The topic; None when there is none.
    pub async fn find_topic(&self, topic_arn: &str) -> Result<Option<Topic>, CallError> {
        let answer = self.0.get_topic_attributes().topic_arn(topic_arn).send().await;
        let answer = unless_absent("sns:GetTopicAttributes", answer, GetTopicAttributesError::is_not_found_exception)?;
        Ok(answer.map(|answer| {
            let attribute = |name: &str| answer.attributes()?.get(name).filter(|value| !value.is_empty()).cloned();
            Topic { policy: attribute("Policy"), kms_key: attribute("KmsMasterKeyId") }
        }))
    }

    /// Replaces the topic's policy.
    pub async fn set_topic_policy(&self, topic_arn: &str, policy: &str) -> Result<(), CallError> {
        let call = self.0.set_topic_attributes().topic_arn(topic_arn).attribute_name("Policy").attribute_value(policy);
        call.send().await.map(drop).map_err(|error| CallError::of("sns:SetTopicAttributes", error))
    }

    /// Makes the topic; one of the same name is left as it is.
    pub async fn create_topic(&self, name: &str) -> Result<(), CallError> {
        let answer = self.0.create_topic().name(name).send().await;
        answer.map(drop).map_err(|error| CallError::of("sns:CreateTopic", error))
    }

    /// The topic's e-mail subscriptions.
    pub async fn list_email_subscriptions(&self, topic_arn: &str) -> Result<Vec<EmailSubscription>, CallError> {
        const OPERATION: &str = "sns:ListSubscriptionsByTopic";
        let mut pages = self.0.list_subscriptions_by_topic().topic_arn(topic_arn).into_paginator().send();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            one_more_page(OPERATION, read)?;
            read += 1;
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            let emails = page.subscriptions().iter().filter(|subscription| subscription.protocol() == Some("email"));
            // In place of its ARN, a subscription has these words until it is confirmed, and once it has ended.
            let is_there = emails.filter(|subscription| subscription.subscription_arn() != Some("Deleted"));
            found.extend(is_there.map(|subscription| EmailSubscription {
                endpoint: subscription.endpoint().unwrap_or_default().to_owned(),
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
