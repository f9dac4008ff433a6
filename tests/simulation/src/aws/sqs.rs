//! Amazon SQS: queues with delays, visibility, receive counts and dead letters.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    fault::Kind,
    template::{self, last, stack},
    time,
};

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) receipt: String,
    pub(crate) visible_at: Timestamp,
    pub(crate) received: u64,
    pub(crate) sent_at: Timestamp,
    /// What EventBridge says of a message that it could not deliver.
    pub(crate) target: Option<String>,
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) messages: Vec<Message>,
    pub(crate) visibility: Duration,
    pub(crate) redrive: Option<(String, u64)>,
    /// Tells whoever waits for messages that there may be one.
    pub(crate) arrived: Arc<Notify>,
    name: String,
    receipts: u64,
}

fn after(wait: Duration) -> Timestamp {
    time::now() + SignedDuration::try_from(wait).expect("a short wait")
}

impl Queue {
    pub(crate) fn new(name: &str, declared: &template::Queue) -> Self {
        Self {
            messages: Vec::new(),
            visibility: Duration::from_secs(declared.visibility),
            redrive: declared.redrive.clone(),
            arrived: Arc::default(),
            name: name.to_owned(),
            receipts: 0,
        }
    }

    pub(crate) fn send(&mut self, id: String, body: String, delay: Duration) {
        let (visible_at, sent_at) = (after(delay), time::now());
        let receipt = String::new();
        self.messages.push(Message { id, body, receipt, visible_at, received: 0, sent_at, target: None });
        self.arrived.notify_one();
    }

    /// Takes up to `most` messages. Those that were received too often are handed out apart, for the dead letters.
    pub(crate) fn receive(&mut self, most: usize, visibility: Duration) -> (Vec<Message>, Vec<Message>) {
        let now = time::now();
        let (mut taken, mut given_up) = (Vec::new(), Vec::new());
        let limit = self.redrive.as_ref().map_or(u64::MAX, |(_, limit)| *limit);
        self.messages.retain_mut(|message| {
            if taken.len() == most || message.visible_at > now {
                return true;
            }
            if message.received >= limit {
                given_up.push(message.clone());
                return false;
            }
            self.receipts += 1;
            message.receipt = format!("{}-{}", self.name, self.receipts);
            message.received += 1;
            message.visible_at = after(visibility);
            taken.push(message.clone());
            true
        });
        (taken, given_up)
    }

    /// When the next message can be received.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.messages.iter().map(|message| message.visible_at).min()
    }

    pub(crate) fn delete(&mut self, receipt: &str) {
        self.messages.retain(|message| message.receipt != receipt);
    }
}

/// Takes messages out of a queue of the stack; those that were received too often go to the dead letters.
pub(crate) fn receive(state: &mut State, name: &str, most: usize, visibility: Option<Duration>) -> Vec<Message> {
    let queue = state.queues.get_mut(name).expect("a queue of the stack");
    let visibility = visibility.unwrap_or(queue.visibility);
    let (taken, given_up) = queue.receive(most, visibility);
    if let (Some((dead_letters, _)), false) = (queue.redrive.clone(), given_up.is_empty()) {
        for message in given_up {
            state.note(name, format_args!("gives up {}", message.body));
            let now = time::now();
            let dead = Message { visible_at: now, received: 0, ..message };
            state.queues.get_mut(&dead_letters).expect("a queue of the stack").messages.push(dead);
        }
    }
    taken
}

/// Puts a message into a queue of the stack; twice, if the run has it so: a standard queue delivers at least once, to two
/// invocations at the same time as well (Amazon SQS developer guide, "At-least-once delivery").
pub(crate) fn send(state: &mut State, name: &str, id: &str, body: &str, delay: Duration) {
    let is_doubled = state.strike_event(name).contains(&Kind::Doubled);
    let again = is_doubled.then(|| state.draws.millis("message again", 1, 300));
    let queue = state.queues.get_mut(name).expect("a queue of the stack");
    queue.send(id.to_owned(), body.to_owned(), delay);
    if let Some(after) = again {
        queue.send(id.to_owned(), body.to_owned(), delay + after);
    }
}

/// There is no such queue.
pub(super) fn missing() -> Refusal {
    Refusal::new(400, "QueueDoesNotExist", "The specified queue does not exist.")
        .once_called("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let name = last(call.text("QueueUrl")).to_owned();
    if !state.queues.contains_key(&name) {
        return Err(missing());
    }
    match call.operation.as_str() {
        "SendMessage" => {
            let id = state.draws.id("message", "0123456789abcdef", 32);
            let delay = Duration::from_secs(call.input["DelaySeconds"].as_u64().unwrap_or(0));
            state.note(&name, format_args!("in {} s: {}", delay.as_secs(), call.text("MessageBody")));
            if state.principals.get(&call.key).is_some_and(|who| who.function == "DeadLetterReplayer") {
                state.sent_again.insert(call.text("MessageBody").to_owned());
            }
            send(state, &name, &id, call.text("MessageBody"), delay);
            Ok(Answer::json(&json!({"MessageId": id})))
        }
        "ReceiveMessage" => {
            let most = call.input["MaxNumberOfMessages"].as_u64().unwrap_or(1);
            let visibility = call.input["VisibilityTimeout"].as_u64().map(Duration::from_secs);
            let taken = receive(state, &name, usize::try_from(most).expect("small"), visibility);
            let shown: Vec<Value> = taken.iter().map(shown).collect();
            Ok(Answer::json(&if shown.is_empty() { json!({}) } else { json!({"Messages": shown}) }))
        }
        "DeleteMessage" => {
            let (receipt, queue) = (call.text("ReceiptHandle"), state.queues.get_mut(&name).ok_or_else(missing)?);
            let removed = queue.messages.iter().find(|message| message.receipt == receipt);
            let removed = removed.map(|message| message.body.clone());
            queue.delete(receipt);
            if stack().is_for_dead_letters(&name) {
                let sent = &state.sent_again;
                state.removed_unsent.extend(removed.filter(|body| !sent.contains(body)));
            }
            Ok(Answer::json(&json!({})))
        }
        "ChangeMessageVisibility" => {
            let wait = Duration::from_secs(call.input["VisibilityTimeout"].as_u64().unwrap_or(0));
            let queue = state.queues.get_mut(&name).ok_or_else(missing)?;
            let message = queue.messages.iter_mut().find(|message| message.receipt == call.text("ReceiptHandle"));
            match message {
                Some(message) => message.visible_at = after(wait),
                None => return Err(Refusal::new(400, "ReceiptHandleIsInvalid", "The receipt handle is not valid.")),
            }
            queue.arrived.notify_one();
            Ok(Answer::json(&json!({})))
        }
        _ => {
            let who = Principal { account: String::new(), function: name, actions: None, bounds: None };
            Err(unknown(state, &who, call))
        }
    }
}

fn shown(message: &Message) -> Value {
    let mut attributes = Map::new();
    if let Some(target) = &message.target {
        attributes.insert("TARGET_ARN".to_owned(), json!({"DataType": "String", "StringValue": target}));
    }
    let mut shown = json!({"MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body,
        "Attributes": {"SentTimestamp": message.sent_at.as_millisecond().to_string()}});
    if !attributes.is_empty() {
        shown["MessageAttributes"] = attributes.into();
    }
    shown
}

/// A batch as Lambda hands it to a function.
pub(crate) fn batch(queue: &str, messages: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({"messageId": message.id, "receiptHandle": message.receipt, "body": message.body,
            "attributes": {"ApproximateReceiveCount": message.received.to_string(),
                "SentTimestamp": message.sent_at.as_millisecond().to_string()},
            "messageAttributes": {}, "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:111111111111:{queue}"), "awsRegion": "us-east-1"})
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}
