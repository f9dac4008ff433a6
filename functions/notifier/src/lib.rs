//! Tells people by mail what happened on the stack's bus, from a severity on.

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsBatchResponse};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use steward::{
    activity::Severity,
    batch::work_off,
    clock,
    error::Failure,
    events::Trigger,
    gateway::{DynamoDbGateway, SnsGateway},
    notification::Notification,
    once::Once,
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

/// The function.
#[derive(Debug)]
pub struct Notifier {
    sns: SnsGateway,
    once: Once,
    topic_arn: String,
    from: Severity,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To whoever has sent an event by hand.
    Event(Notified),
}

/// What came of one event.
#[derive(Debug, Serialize)]
#[serde(tag = "notified", rename_all = "snake_case")]
pub enum Notified {
    /// A mail was sent.
    Sent {
        /// Its subject.
        subject: String,
    },
    /// It matters less than people want to hear of.
    BelowSeverity {
        /// How much it matters.
        severity: Severity,
    },
    /// A mail was sent before.
    Again,
}

#[derive(Serialize)]
struct Sent {
    subject: String,
}

impl Notifier {
    /// The function's name.
    pub const NAME: &'static str = "notifier";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let function = Self {
            sns: SnsGateway::of(config),
            once: Once::new(DynamoDbGateway::of(config, settings.table_name())),
            topic_arn: settings.alerts_topic_arn(),
            from: settings.notify_severity(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, or one event by hand.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => Ok(Answer::Batch(work_off(batch, async |body| self.message(body).await).await)),
            Trigger::Event(event) => self.notify(&event).await.map(Answer::Event),
            Trigger::ByHand(_) => {
                Err(Failure::not_understood("An event of Steward is expected, as in events/notifier."))
            }
        }
    }

    async fn message(&self, body: &str) -> Result<(), Failure> {
        match serde_json::from_str(body).ok().map(Trigger::of) {
            Some(Trigger::Event(event)) => self.notify(&event).await.map(drop),
            _ => Err(Failure::not_understood("It is no event.")),
        }
    }

    /// Sends the mail about one event, once.
    async fn notify(&self, event: &EventBridgeEvent<Value>) -> Result<Notified, Failure> {
        let mail = Notification::of(event);
        if mail.severity < self.from {
            return Ok(Notified::BelowSeverity { severity: mail.severity });
        }
        let (key, now) = (format!("notification#{}", mail.about), clock::now());
        let publish = async {
            self.sns.publish(&self.topic_arn, &mail.subject, &mail.text).await?;
            Ok(Sent { subject: mail.subject })
        };
        // Boxed for its size.
        let published = self.once.publish(&key, now, Box::pin(publish)).await?;
        Ok(published.map_or(Notified::Again, |Sent { subject }| Notified::Sent { subject }))
    }
}
