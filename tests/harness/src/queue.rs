//! A queue of a test's own, which a service is told to send to.

use local_cloud::{AwsClient, AwsError};
use serde_json::{Value, json};

/// A queue that one service may send to.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    client: AwsClient,
    url: String,
    pub(crate) arn: String,
}

impl Queue {
    /// Makes it for messages of `sender`, such as `events.amazonaws.com`.
    pub(crate) async fn new(client: &AwsClient, name: &str, sender: &str) -> Result<Self, AwsError> {
        // Twelve hours, the most that SQS takes: however slow the machine, no message is seen again before it is deleted.
        let attributes = json!({"VisibilityTimeout": "43200"});
        let queue = client.json("sqs", "CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await?;
        let url = queue["QueueUrl"].as_str().unwrap_or_default().to_owned();
        let attributes = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
        let answer = client.json("sqs", "GetQueueAttributes", attributes).await?;
        let arn = answer["Attributes"]["QueueArn"].as_str().unwrap_or_default().to_owned();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": sender}, "Action": "sqs:SendMessage", "Resource": arn
        }]});
        let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy.to_string()}});
        client.json("sqs", "SetQueueAttributes", input).await?;
        Ok(Self { client: client.clone(), url, arn })
    }

    /// Takes every message out of it, as JSON.
    pub(crate) async fn take_all(&self) -> Result<Vec<Value>, AwsError> {
        let mut taken = Vec::new();
        loop {
            let input = json!({"QueueUrl": self.url, "MaxNumberOfMessages": 10});
            let answer = self.client.json("sqs", "ReceiveMessage", input).await?;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(taken);
            }
            for message in messages {
                let body = message["Body"].as_str().unwrap_or_default();
                taken.push(serde_json::from_str(body).unwrap_or(Value::Null));
                let handle = json!({"QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"]});
                self.client.json("sqs", "DeleteMessage", handle).await?;
            }
        }
    }
}
