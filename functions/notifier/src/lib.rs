//! Tells people by mail what happened on the stack's bus, from a severity on.

mod notification;

use std::time::Duration;

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsBatchResponse};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    clock,
    error::Failure,
    gateway::{DynamoDbGateway, SnsGateway, SqsGateway},
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    severity::Severity,
    table::{
        idempotency::Idempotency,
        keys,
        mail_budget::{MailBudget, Slot, Verdict},
    },
};

use notification::Notification;

/// After how long a reminder to sum up is looked at again: as late as SQS brings a message.
const LOOK_AGAIN: Duration = Duration::from_mins(15);

/// The handler of `notifier`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct Notifier {
    sns: SnsGateway,
    queue: SqsGateway,
    idempotency: Idempotency,
    budget: MailBudget,
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
    /// Its account has caused too many mails in this hour; one at the end of it sums up the rest.
    Held,
    /// A mail was sent before.
    Again,
}

#[derive(Serialize)]
struct Sent {
    subject: String,
    held: bool,
}

/// The function's reminder to itself to sum up what was not mailed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SumUp {
    sum_up: Slot,
}

impl Notifier {
    /// The function's name.
    pub const NAME: &'static str = "notifier";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            sns: SnsGateway::of(config),
            queue: SqsGateway::of(config, settings.notification_queue_url()),
            idempotency: Idempotency::new(table.clone()),
            budget: MailBudget::new(table),
            topic_arn: settings.alerts_topic_arn(),
            from: settings.notify_severity(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, or one event by hand.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body).await).await))
            }
            Trigger::Event(event) => self.notify(&event).await.map(Answer::Event),
            Trigger::Manual(_) => {
                Err(Failure::not_understood("The input must be an event of Steward, as in events/notifier."))
            }
        }
    }

    async fn message(&self, body: &str) -> Result<(), Failure> {
        match serde_json::from_str(body).ok().map(Trigger::of) {
            Some(Trigger::Event(event)) => self.notify(&event).await.map(drop),
            Some(Trigger::Manual(message)) => match serde_json::from_value(message) {
                Ok(SumUp { sum_up }) => self.sum_up(sum_up).await,
                Err(_) => Err(Failure::not_understood("It is no event.")),
            },
            _ => Err(Failure::not_understood("It is no event.")),
        }
    }

    /// Sends the mail about one event, once, unless its account has caused too many in this hour.
    async fn notify(&self, event: &EventBridgeEvent<Value>) -> Result<Notified, Failure> {
        let now = clock::now();
        let mail = Notification::of(event, now);
        if mail.severity < self.from {
            return Ok(Notified::BelowSeverity { severity: mail.severity });
        }
        let key = keys::NOTIFICATION.key(&mail.about);
        let publish = async {
            let subject = mail.subject.clone();
            if let Verdict::Hold { remind } = self.verdict(&mail, now).await? {
                if remind {
                    let sum_up = Slot::of(mail.caused_by.as_deref(), now);
                    self.queue.send(&SumUp { sum_up }, LOOK_AGAIN).await?;
                }
                return Ok(Sent { subject, held: true });
            }
            self.sns.publish(&self.topic_arn, &mail.subject, &mail.text).await?;
            Ok(Sent { subject, held: false })
        };
        // Boxed for its size.
        Ok(match self.idempotency.publish(&key, now, Box::pin(publish)).await? {
            None => Notified::Again,
            Some(Sent { held: true, .. }) => Notified::Held,
            Some(Sent { subject, .. }) => Notified::Sent { subject },
        })
    }

    async fn verdict(&self, mail: &Notification, now: Timestamp) -> Result<Verdict, Failure> {
        if mail.severity == Severity::Critical {
            return Ok(Verdict::Send);
        }
        let slot = Slot::of(mail.caused_by.as_deref(), now);
        Ok(self.budget.take(&slot, &mail.subject, now).await?)
    }

    /// Sends the mail that sums up an hour of an account, once it is over.
    async fn sum_up(&self, slot: Slot) -> Result<(), Failure> {
        let now = clock::now();
        if !slot.left(now).is_zero() {
            return Ok(self.queue.send(&SumUp { sum_up: slot }, LOOK_AGAIN).await?);
        }
        let Some(held) = self.budget.find(&slot).await?.filter(|held| held.held > 0) else { return Ok(()) };
        let (subject, text) = Notification::summary(&slot, &held);
        let key = keys::NOTIFICATION.key(format_args!("summary#{}#{}", slot.account, slot.hour));
        let publish = async {
            self.sns.publish(&self.topic_arn, &subject, &text).await?;
            Ok(Sent { subject: subject.clone(), held: false })
        };
        self.idempotency.publish(&key, now, Box::pin(publish)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(Notifier::NAME, ["an event"], |sample| match Trigger::of(sample.payload) {
            Trigger::Event(event) if !Notification::of(&event, clock::now()).text.is_empty() => Ok(["an event"]),
            _ => Err("no event of which there is a mail"),
        });
    }
}
