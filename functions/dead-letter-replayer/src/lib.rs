//! Sends again what was given up: dead letters to the queue that they came from, undeliverable events and failed
//! invocations to their target.

mod input;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use steward::{
    budget::Budget,
    clock,
    control::Mode,
    error::Failure,
    gateway::{CallError, LambdaGateway, Received, SqsGateway},
    replay::{Destination, Letter, Resend, Route, undeliverable},
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

use input::Input;

/// What the queue of undeliverable events and failed invocations is called here.
const UNDELIVERABLE: &str = "undeliverable";
/// The time that is kept for the messages at hand when no more are received.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);

/// The function.
#[derive(Debug)]
pub struct DeadLetterReplayer {
    undeliverable: SqsGateway,
    lambda: LambdaGateway,
    routes: Vec<Route>,
    functions: Vec<String>,
}

/// What a person is answered.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether anything was sent.
    pub mode: Mode,
    /// What would be sent, or was.
    pub letters: Vec<Row>,
    /// What cannot be sent again, and stays where it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Whether there was no time for more.
    pub more: bool,
}

/// A message, and where it goes.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The queue that it lay in.
    pub from: String,
    /// Its id.
    pub message_id: String,
    /// When it was first sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// What kind of event it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Where it goes.
    pub to: Destination,
}

/// A message that stays.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The queue that it lies in.
    pub from: String,
    /// Its id.
    pub message_id: String,
    /// Why.
    pub why: String,
}

impl DeadLetterReplayer {
    /// The function's name.
    pub const NAME: &'static str = "dead-letter-replayer";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let function = Self {
            undeliverable: SqsGateway::of(config, settings.undeliverable_url()),
            lambda: LambdaGateway::of(config),
            routes: settings.replay_routes(),
            functions: settings.replay_functions(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Report, Failure> {
        let input = Input::read(event.payload, &self.names())?;
        let budget = Budget::until(event.context.deadline, MARGIN);
        let mut report = Report { mode: input.mode, letters: Vec::new(), kept: Vec::new(), more: false };
        for name in &input.queues {
            self.empty(name, &budget, &mut report).await?;
        }
        Ok(report)
    }

    /// The queues that can be asked for.
    fn names(&self) -> Vec<&str> {
        self.routes.iter().map(|route| route.name.as_str()).chain([UNDELIVERABLE]).collect()
    }

    fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// Goes through one queue, once: what is given up again while it runs is left for the next time.
    async fn empty(&self, name: &str, budget: &Budget, report: &mut Report) -> Result<(), CallError> {
        let queue = match self.route(name) {
            Some(route) => self.undeliverable.at(&route.dead_letters),
            None => self.undeliverable.clone(),
        };
        let (begun, mut seen, mut held) = (clock::now(), BTreeSet::new(), Vec::new());
        'queue: loop {
            if !budget.has_room(clock::now()) {
                report.more = true;
                break;
            }
            let received = queue.receive().await?;
            if received.is_empty() {
                break;
            }
            for message in received {
                let is_new = message.sent_at.is_some_and(|sent| sent > begun) || !seen.insert(message.id.clone());
                if is_new {
                    held.push(message.receipt);
                    break 'queue;
                }
                match self.letter(name, &message, &queue, report.mode).await {
                    Ok(row) => {
                        if report.mode == Mode::Plan {
                            held.push(message.receipt);
                        }
                        budget.spend(serde_json::to_vec(&row).map_or(0, |bytes| bytes.len()));
                        report.letters.push(row);
                    }
                    Err(why) => {
                        held.push(message.receipt);
                        report.kept.push(Kept { from: name.to_owned(), message_id: message.id, why });
                    }
                }
            }
        }
        // Whoever looks next is to see at once what is still there.
        for receipt in held {
            queue.release(&receipt).await?;
        }
        Ok(())
    }

    /// Decides about one message and, unless it is only planned, sends it and then removes it: a message may be sent
    /// twice, never lost. An error says why it stays.
    async fn letter(&self, from: &str, message: &Received, queue: &SqsGateway, mode: Mode) -> Result<Row, String> {
        let letter = Letter { body: message.body.clone(), target_arn: message.target_arn.clone() };
        let Resend { to, payload } = match self.route(from) {
            Some(route) => route.resend(letter),
            None => undeliverable(letter, &self.queue_urls(), &self.functions)?,
        };
        if mode == Mode::Apply {
            let sent = match &to {
                Destination::Queue(url) => self.undeliverable.at(url).send_text(&payload).await,
                Destination::Function(arn) => self.lambda.invoke_later(arn, &payload).await,
            };
            sent.map_err(|error| Failure::from(error).to_string())?;
            queue.delete(&message.receipt).await.map_err(|error| Failure::from(error).to_string())?;
        }
        let event = event_kind(&message.body);
        Ok(Row { from: from.to_owned(), message_id: message.id.clone(), sent_at: message.sent_at, event, to })
    }

    fn queue_urls(&self) -> Vec<&str> {
        self.routes.iter().map(|route| route.queue.as_str()).collect()
    }
}

/// `aws.account Region Opt-In Status Change`; None for what is no event.
fn event_kind(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let event = body.get("requestPayload").unwrap_or(&body);
    Some(format!("{} {}", event["source"].as_str()?, event["detail-type"].as_str()?))
}
