//! What a stack tells the world: a queue behind a rule on its bus.

use std::time::Duration;

use local_cloud::AwsError;
use serde_json::{Value, json};

use crate::{Stack, eventually};

/// An event that was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// What has happened.
    pub detail_type: String,
    /// The particulars.
    pub detail: Value,
}

/// Hears every event of a stack from the moment it was made.
#[derive(Debug)]
pub struct Listener {
    stack: Stack,
    queue_url: String,
    heard: std::sync::Mutex<Vec<Told>>,
}

impl Listener {
    /// Starts to listen. `name` tells listeners of one stack apart.
    pub async fn new(stack: &Stack, name: &str) -> Result<Self, AwsError> {
        let client = &stack.client;
        let queue = client.json("sqs", "CreateQueue", json!({"QueueName": format!("listener-{name}")})).await?;
        let queue_url = queue["QueueUrl"].as_str().unwrap_or_default().to_owned();
        let attributes = json!({"QueueUrl": queue_url, "AttributeNames": ["QueueArn"]});
        let answer = client.json("sqs", "GetQueueAttributes", attributes).await?;
        let arn = answer["Attributes"]["QueueArn"].as_str().unwrap_or_default();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn
        }]});
        let input = json!({"QueueUrl": queue_url, "Attributes": {"Policy": policy.to_string()}});
        client.json("sqs", "SetQueueAttributes", input).await?;
        let bus = stack.output("BusName");
        let pattern = json!({"source": ["steward"]}).to_string();
        let rule = json!({"Name": format!("listener-{name}"), "EventBusName": bus, "EventPattern": pattern});
        client.json("events", "PutRule", rule).await?;
        let targets =
            json!({"Rule": format!("listener-{name}"), "EventBusName": bus, "Targets": [{"Id": "1", "Arn": arn}]});
        client.json("events", "PutTargets", targets).await?;
        Ok(Self { stack: stack.clone(), queue_url, heard: std::sync::Mutex::default() })
    }

    /// Every event of this type about this request or account that was heard so far.
    ///
    /// # Panics
    ///
    /// When the queue cannot be read.
    pub async fn heard(&self, detail_type: &str, field: &str, value: &str) -> Vec<Told> {
        let all = self.all(detail_type).await;
        all.into_iter().filter(|told| told.detail[field] == value).collect()
    }

    /// Every event of this type that was heard so far.
    ///
    /// # Panics
    ///
    /// When the queue cannot be read.
    pub async fn all(&self, detail_type: &str) -> Vec<Told> {
        self.collect().await.expect("the listener's queue can be read");
        let heard = self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        heard.iter().filter(|told| told.detail_type == detail_type).cloned().collect()
    }

    /// Waits for the first event of this type about this request or account.
    pub async fn wait_for(&self, detail_type: &str, field: &str, value: &str, within: Duration) -> Told {
        self.wait_for_any(&[detail_type], field, value, within).await
    }

    /// Waits for the first event of one of these types about this request or account.
    pub async fn wait_for_any(&self, detail_types: &[&str], field: &str, value: &str, within: Duration) -> Told {
        let what = format!("{} with {field} {value}", detail_types.join(" or "));
        eventually(&what, within, async || {
            for detail_type in detail_types {
                if let Some(told) = self.heard(detail_type, field, value).await.into_iter().next() {
                    return Some(told);
                }
            }
            None
        })
        .await
    }

    async fn collect(&self) -> Result<(), AwsError> {
        loop {
            let input = json!({"QueueUrl": self.queue_url, "MaxNumberOfMessages": 10});
            let answer = self.stack.client.json("sqs", "ReceiveMessage", input).await?;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages {
                let body = message["Body"].as_str().unwrap_or_default();
                let event: Value = serde_json::from_str(body).unwrap_or(Value::Null);
                let told = Told {
                    detail_type: event["detail-type"].as_str().unwrap_or_default().to_owned(),
                    detail: event["detail"].clone(),
                };
                self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(told);
                let handle = json!({"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]});
                self.stack.client.json("sqs", "DeleteMessage", handle).await?;
            }
        }
    }
}
