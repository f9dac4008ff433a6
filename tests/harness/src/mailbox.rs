//! The mails that a stack sends: a queue in the place of a person who has subscribed.

use std::{sync::Mutex, time::Duration};

use local_cloud::AwsError;

use crate::{Stack, eventually, queue::Queue};

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// Gets every mail of a stack from the moment it was made.
#[derive(Debug)]
pub struct Mailbox {
    queue: Queue,
    arrived: Mutex<Vec<Mail>>,
}

impl Mailbox {
    /// Subscribes. `name` tells mailboxes of one stack apart.
    pub async fn new(stack: &Stack, name: &str) -> Result<Self, AwsError> {
        let queue = Queue::new(&stack.client, &format!("mailbox-{name}"), "sns.amazonaws.com").await?;
        let input = [("TopicArn", stack.output("AlertsTopic")), ("Protocol", "sqs"), ("Endpoint", &queue.arn)];
        stack.client.query("sns", "Subscribe", "2010-03-31", &input).await?;
        Ok(Self { queue, arrived: Mutex::default() })
    }

    /// Every mail that has arrived so far.
    ///
    /// # Panics
    ///
    /// When the queue cannot be read.
    pub async fn all(&self) -> Vec<Mail> {
        let taken = self.queue.take_all().await.expect("the mailbox can be read");
        let mails = taken.into_iter().map(|envelope| Mail {
            subject: envelope["Subject"].as_str().unwrap_or_default().to_owned(),
            text: envelope["Message"].as_str().unwrap_or_default().to_owned(),
        });
        let mut arrived = self.arrived.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        arrived.extend(mails);
        arrived.clone()
    }

    /// Waits for the first mail whose subject contains this.
    pub async fn wait_for(&self, subject: &str, within: Duration) -> Mail {
        eventually(&format!("a mail about {subject}"), within, async || {
            self.all().await.into_iter().find(|mail| mail.subject.contains(subject))
        })
        .await
    }
}
