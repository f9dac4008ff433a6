//! What a stack publishes: a queue behind a rule on its bus.

use std::time::Duration;

use local_cloud::AwsError;
use serde_json::{Value, json};

use crate::{Stack, eventually, queue::Queue};

/// An event that was published.
#[derive(Clone, Debug)]
pub struct PublishedEvent {
    /// What has happened.
    pub detail_type: String,
    /// The particulars.
    pub detail: Value,
}

/// Receives every event of a stack from the moment it was made.
#[derive(Debug)]
pub struct Listener {
    queue: Queue,
    received: std::sync::Mutex<Vec<PublishedEvent>>,
}

impl Listener {
    /// Starts to listen. `name` tells listeners of one stack apart.
    pub async fn new(stack: &Stack, name: &str) -> Result<Self, AwsError> {
        let client = &stack.client;
        let queue = Queue::new(client, &format!("listener-{name}"), "events.amazonaws.com").await?;
        let bus = stack.output("BusName");
        let pattern = json!({"source": ["steward"]}).to_string();
        let rule = json!({"Name": format!("listener-{name}"), "EventBusName": bus, "EventPattern": pattern});
        client.json("events", "PutRule", rule).await?;
        let targets = json!({"Rule": format!("listener-{name}"), "EventBusName": bus, "Targets": [{"Id": "1", "Arn": queue.arn}]});
        client.json("events", "PutTargets", targets).await?;
        Ok(Self { queue, received: std::sync::Mutex::default() })
    }

    /// Every event of this type about this request or account that was received so far.
    ///
    /// # Panics
    ///
    /// When the queue cannot be read.
    pub async fn received(&self, detail_type: &str, field: &str, value: &str) -> Vec<PublishedEvent> {
        let all = self.all(detail_type).await;
        all.into_iter().filter(|published| published.detail[field] == value).collect()
    }

    /// Every event of this type that was received so far.
    ///
    /// # Panics
    ///
    /// When the queue cannot be read.
    pub async fn all(&self, detail_type: &str) -> Vec<PublishedEvent> {
        self.collect().await.expect("the listener's queue can be read");
        let received = self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        received.iter().filter(|published| published.detail_type == detail_type).cloned().collect()
    }

    /// Waits for the first event of this type about this request or account.
    pub async fn wait_for(&self, detail_type: &str, field: &str, value: &str, within: Duration) -> PublishedEvent {
        self.wait_for_any(&[detail_type], field, value, within).await
    }

    /// Waits for the first event of one of these types about this request or account.
    pub async fn wait_for_any(
        &self,
        detail_types: &[&str],
        field: &str,
        value: &str,
        within: Duration,
    ) -> PublishedEvent {
        let what = format!("{} with {field} {value}", detail_types.join(" or "));
        eventually(&what, within, async || {
            for detail_type in detail_types {
                if let Some(published) = self.received(detail_type, field, value).await.into_iter().next() {
                    return Some(published);
                }
            }
            None
        })
        .await
    }

    async fn collect(&self) -> Result<(), AwsError> {
        let published = self.queue.take_all().await?.into_iter().map(|event| PublishedEvent {
            detail_type: event["detail-type"].as_str().unwrap_or_default().to_owned(),
            detail: event["detail"].clone(),
        });
        self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(published);
        Ok(())
    }
}
