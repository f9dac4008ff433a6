//! Sends again what was given up: dead letters to the queue that they came from, undeliverable events and failed
//! invocations to their target.

mod input;
pub mod replay;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use steward::{
    clock,
    control::Mode,
    error::Failure,
    gateway::{LambdaGateway, Received, SqsGateway},
    invocation,
    runtime::{
        budget::Budget,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
};

use input::Input;
use replay::{DeadLetter, Destination, ReplayFunction, Resend, Route, undeliverable};

/// What the queue of undeliverable events and failed invocations is called here.
const UNDELIVERABLE: &str = "undeliverable";
/// The time that is kept for the messages at hand, and for releasing those that stay, when no more are received.
const MARGIN: Duration = Duration::from_secs(30);
/// How often a queue must show nothing before it is taken to be empty: one look may miss what is there.
const EMPTY_LOOKS: usize = 2;

/// The handler of `dead-letter-replayer`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct DeadLetterReplayer {
    undeliverable: SqsGateway,
    lambda: LambdaGateway,
    routes: Vec<Route>,
    functions: Vec<ReplayFunction>,
    own_role_ids: Vec<String>,
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
    /// What stays where it is, but is not to be seen for some minutes: it could not be released.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Kept>,
    /// Queues that could not be read to their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// Messages that were asked for and not seen.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<String>,
    /// Whether more may lie there than this answer shows.
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
    /// What goes there.
    pub payload: Value,
}

/// A message that stays.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The queue that it lies in.
    pub from: String,
    /// Its id.
    pub message_id: String,
    /// The reason, as a sentence.
    pub why: String,
}

/// A queue that could not be read.
#[derive(Debug, Serialize)]
pub struct Unread {
    /// The queue.
    pub from: String,
    /// The reason, as a sentence.
    pub why: String,
}

/// One invocation.
struct Run {
    mode: Mode,
    wanted: Option<BTreeSet<String>>,
    budget: Budget,
    report: Report,
}

impl Run {
    fn new(input: &Input) -> Self {
        let report = Report {
            mode: input.mode,
            letters: Vec::new(),
            kept: Vec::new(),
            hidden: Vec::new(),
            unread: Vec::new(),
            missing: input.message_ids.clone().unwrap_or_default(),
            more: false,
        };
        Self { mode: input.mode, wanted: input.message_ids.clone(), budget: Budget::keeping(MARGIN), report }
    }

    /// How long what is received now is hidden: until this invocation is over, so that nothing is seen twice. A message
    /// that stays is released before.
    fn hidden() -> Duration {
        const AFTERWARDS: Duration = Duration::from_secs(30);
        (invocation::time_left() + AFTERWARDS).max(Duration::from_mins(1))
    }

    fn wants(&self, id: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(id))
    }

    /// Whether everything that was asked for by its id was seen.
    fn has_all(&self) -> bool {
        self.wanted.is_some() && self.report.missing.is_empty()
    }
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
            routes: settings.replay_routes().into_iter().map(Route::from).collect(),
            functions: settings.replay_functions().into_iter().map(ReplayFunction::from).collect(),
            own_role_ids: settings.own_role_ids(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Report, Failure> {
        let input = Input::read(event.payload, &self.names())?;
        if input.mode == Mode::Apply {
            invocation::allow_changes()?;
        }
        let mut run = Run::new(&input);
        for name in &input.queues {
            if !run.has_all() {
                self.empty(name, &mut run).await;
            }
        }
        Ok(run.report)
    }

    /// The queues that can be asked for.
    fn names(&self) -> Vec<&str> {
        self.routes.iter().map(|route| route.name.as_str()).chain([UNDELIVERABLE]).collect()
    }

    fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// Goes through one queue until it shows nothing any more, and releases what stays. Whatever fails is a line of the
    /// report.
    async fn empty(&self, name: &str, run: &mut Run) {
        let queue = match self.route(name) {
            Some(route) => self.undeliverable.at(&route.dead_letters),
            None => self.undeliverable.clone(),
        };
        // The receipts of what stays, by message: the newest of a message is the one that counts.
        let (begun, mut held, mut empty_looks) = (clock::now(), BTreeMap::new(), 0);
        while empty_looks < EMPTY_LOOKS && !run.has_all() {
            if !run.budget.has_room() {
                run.report.more = true;
                break;
            }
            let received = match queue.receive(Run::hidden()).await {
                Ok(received) => received,
                Err(error) => {
                    run.report.unread.push(Unread { from: name.to_owned(), why: Failure::from(error).to_string() });
                    run.report.more = true;
                    break;
                }
            };
            empty_looks = if received.is_empty() { empty_looks + 1 } else { 0 };
            for message in received {
                self.look_at(name, message, &queue, begun, &mut held, run).await;
            }
        }
        // Whoever looks next is to see at once what is still there.
        for (message_id, receipt) in held {
            if let Err(error) = queue.release(&receipt).await {
                let why = Failure::from(error).to_string();
                run.report.hidden.push(Kept { from: name.to_owned(), message_id, why });
            }
        }
    }

    /// Works on one message.
    async fn look_at(
        &self,
        name: &str,
        message: Received,
        queue: &SqsGateway,
        begun: Timestamp,
        held: &mut BTreeMap<String, String>,
        run: &mut Run,
    ) {
        let is_again = held.insert(message.id.clone(), message.receipt.clone()).is_some();
        // What was given up again while this runs is for the next time: otherwise it might never end.
        let is_new = message.sent_at.is_some_and(|sent| sent > begun);
        run.report.more |= is_new && !is_again;
        if is_again || is_new || !run.wants(&message.id) {
            return;
        }
        run.report.missing.remove(&message.id);
        match self.letter(name, &message, queue, run.mode).await {
            Ok(row) => {
                if run.mode == Mode::Apply {
                    held.remove(&message.id);
                }
                run.budget.spend(serde_json::to_vec(&row).map_or(0, |bytes| bytes.len()));
                run.report.letters.push(row);
            }
            Err(why) => run.report.kept.push(Kept { from: name.to_owned(), message_id: message.id, why }),
        }
    }

    /// Decides about one message and, unless it is only planned, sends it and then removes it: a message may be sent
    /// twice, never lost. An error says why it stays.
    async fn letter(&self, from: &str, message: &Received, queue: &SqsGateway, mode: Mode) -> Result<Row, String> {
        let Received { body, target_arn, schedule_arn, sender, .. } = message.clone();
        let dead_letter = DeadLetter { body, target_arn, schedule_arn, sender };
        let Resend { to, payload } = match self.route(from) {
            Some(route) => route.resend(dead_letter),
            None => undeliverable(dead_letter, &self.routes, &self.functions, &self.own_role_ids)?,
        };
        if mode == Mode::Apply {
            let sent = match &to {
                Destination::Queue(url) => self.undeliverable.at(url).send_text(&payload).await,
                Destination::Function(arn) => self.lambda.invoke_later(arn, &payload).await,
                Destination::Nowhere(_) => Ok(()),
            };
            sent.map_err(|error| Failure::from(error).to_string())?;
            let removed = queue.delete(&message.receipt).await;
            removed.map_err(|error| format!("It was sent, and could not be removed: {}", Failure::from(error)))?;
        }
        Ok(Row {
            from: from.to_owned(),
            message_id: message.id.clone(),
            sent_at: message.sent_at,
            event: event_kind(&message.body),
            to,
            payload: serde_json::from_str(&payload).unwrap_or(Value::String(payload)),
        })
    }
}

/// `aws.account Region Opt-In Status Change`; None for what is no event.
fn event_kind(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let event = body.get("requestPayload").unwrap_or(&body);
    Some(format!("{} {}", event["source"].as_str()?, event["detail-type"].as_str()?))
}
