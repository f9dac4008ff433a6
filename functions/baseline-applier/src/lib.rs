//! Gives accounts their baseline: on events for new accounts, and by hand for any.

mod absent;
mod document;
mod groups;
mod input;
mod message;
mod report;
mod visits;

use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    account_creation::{BaselineMessage, Maker, NewlyNamed, Store},
    baseline::Selectors,
    baseline_runner::BaselineRunner,
    clock,
    control::{self, Conclusion, Mode, Row, another_look, conclude},
    error::{Cause, Failure, Retry},
    events::{BaselineApplied, BaselineIncomplete},
    gateway::{DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, SqsGateway},
    ids::AccountId,
    invocation,
    organization::UnitPaths,
    poll_backoff::PollBackoff,
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    session::{Guards, Sessions},
    table::{account_index::AccountIndex, known_accounts::KnownAccounts, looks::Looks, turn::Turns},
};

use input::Input;
use message::Message;
pub use report::{Failed, Report, Skip};

/// The handler of `baseline-applier`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct BaselineApplier {
    queue: SqsGateway,
    bus: EventBridgeGateway,
    requests: Store,
    known_accounts: KnownAccounts,
    newly_named: NewlyNamed,
    turns: Turns,
    looks: Looks,
    index: AccountIndex,
    runner: BaselineRunner,
    organizations: OrganizationsGateway,
    selectors: Selectors,
    units: UnitPaths,
    backoff: PollBackoff,
    deadline: SignedDuration,
    max_changed_percent: u32,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To a person: what came of each control in each account.
    Report(Report),
    /// To a document that was put in the bucket: the accounts that it names for the first time.
    Document {
        /// They get their baseline.
        new_accounts: Vec<AccountId>,
    },
    /// To an event: what came of it.
    Event {
        /// One row per control.
        rows: Vec<Row>,
    },
}

impl BaselineApplier {
    /// The function's name.
    pub const NAME: &'static str = "baseline-applier";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let management = settings.management(config);
        let organizations = management.organizations.clone();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let selectors = Selectors::new(organizations.clone(), table.clone());
        let sessions = Sessions::new(config, Self::NAME, Guards::of(&mut settings, config))
            .recording_in(DynamoDbGateway::of(config, settings.journal_table_name()));
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let queue = SqsGateway::of(config, settings.baseline_queue_url());
        let runner = BaselineRunner::new(config, &mut settings, management, sessions, &table, &bus);
        let function = Self {
            runner: runner.with_member_bus(settings.member_bus_arn()).with_own_role(settings.own_account_role_name()),
            bus,
            known_accounts: KnownAccounts::new(table.clone()),
            newly_named: NewlyNamed::new(table.clone(), queue.clone(), settings.poll_backoff()),
            queue,
            turns: Turns::new(table.clone(), Self::NAME),
            looks: Looks::new(table.clone(), Self::NAME),
            index: AccountIndex::new(table.clone()),
            requests: Store::new(table),
            selectors,
            organizations,
            units: UnitPaths::default(),
            backoff: settings.poll_backoff(),
            deadline: settings.deadline(),
            max_changed_percent: settings.max_changed_percent(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages about new accounts, one event, or a person's input. Messages and events change
    /// accounts, whoever sends them.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let id = event.context.request_id.as_str();
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                invocation::allow_changes()?;
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body, id).await).await))
            }
            Trigger::Event(event) if document::is_of_document(&event) => {
                invocation::allow_changes()?;
                Ok(Answer::Document { new_accounts: self.document_changed().await?.new })
            }
            Trigger::Event(event) => {
                let message = Message::of_event(&event)?;
                invocation::allow_changes()?;
                Ok(Answer::Event { rows: self.come(message, id).await? })
            }
            Trigger::Manual(input) => {
                let input = Input::read(input)?;
                if input.mode == Mode::Apply {
                    invocation::allow_changes()?;
                }
                Ok(Answer::Report(self.by_hand(&input, id).await?))
            }
        }
    }

    async fn message(&self, body: &str, invocation: &str) -> Result<(), Failure> {
        if document::is_about_document(body) {
            return self.document_changed().await.map(drop);
        }
        let message = Message::of_message(body)?;
        let Some(look) = message.look() else { return Ok(()) };
        let taken = async {
            match self.come(message.clone(), invocation).await {
                // What had no turn is no failure: a message that fails comes back after half an hour, and not for ever.
                Err(failure) if failure.cause == Cause::NoTimeLeft => self.put_off(message, failure).await,
                received => received.map(drop),
            }
        };
        // Boxed for its size.
        self.looks.take(&look, clock::now(), Box::pin(taken)).await
    }

    async fn come(&self, message: Message, invocation: &str) -> Result<Vec<Row>, Failure> {
        match message {
            Message::NewAccount(account) => self.joined(account, invocation).await,
            Message::Regroup(regroup) => self.regroup(regroup, invocation).await,
            Message::OfNobody => Ok(Vec::new()),
        }
    }

    /// Sends the message to itself again, until the deadline.
    async fn put_off(&self, message: Message, failure: Failure) -> Result<(), Failure> {
        let is_patient = |since| clock::now().duration_since(since) < self.deadline;
        tracing::info!("not reached, looking again: {failure}");
        match message {
            Message::NewAccount(account) if is_patient(account.since) => {
                Ok(self.queue.send(&account.again(), self.backoff.poll).await?)
            }
            Message::Regroup(regroup) if is_patient(regroup.since) => {
                Ok(self.queue.send(&regroup.again(), self.backoff.poll).await?)
            }
            _ => Err(failure),
        }
    }

    /// A new account: one that Steward made and put in its place, or one that joined in another way.
    async fn joined(&self, account: BaselineMessage, invocation: &str) -> Result<Vec<Row>, Failure> {
        self.believe(&account).await?;
        if account.joined {
            let Some(described) = self.described(&account, clock::now()).await? else { return Ok(Vec::new()) };
            let wait = match self.requests.maker_of(&described).await? {
                // It is announced again, once it is in its place.
                Maker::Steward => return Ok(Vec::new()),
                _ if !account.waited => Some(self.backoff.announce_patience()),
                Maker::NotKnownYet => another_look(account.since, clock::now(), self.deadline, self.backoff),
                Maker::SomebodyElse => None,
            };
            if let Some(wait) = wait {
                let reminder = BaselineMessage { waited: true, ..account };
                self.queue.send(&reminder.again(), wait).await?;
                return Ok(Vec::new());
            }
        }
        self.new_account(BaselineMessage { joined: false, ..account }, invocation).await
    }

    /// Whether Steward's own record shows that it made this account for this request. Anybody who may put events on the
    /// bus can say so.
    async fn believe(&self, account: &BaselineMessage) -> Result<(), Failure> {
        let (Some(request_id), account_id) = (&account.request_id, &account.account_id) else { return Ok(()) };
        if self.requests.shows(request_id, account_id).await? {
            return Ok(());
        }
        let detail = format_args!("The account {account_id} was not made for the request {request_id}.");
        Err(Failure::with_detail(Cause::NotInRecord, detail))
    }

    /// Applies the whole baseline to a new account. What is not ready yet is looked at again later, until the
    /// deadline.
    async fn new_account(&self, account: BaselineMessage, invocation: &str) -> Result<Vec<Row>, Failure> {
        let now = clock::now();
        let account_id = &account.account_id;
        // AWS tells of it when an organization is made. It is looked at by sweeps and by hand alone.
        if self.runner.is_management_account(account_id).await? {
            tracing::warn!(%account_id, "the management account is not given a baseline because an event names it");
            return Ok(Vec::new());
        }
        let document = self.runner.document().await?;
        let Some(described) = self.described(&account, now).await? else { return Ok(Vec::new()) };
        self.known_accounts.record(&described, now).await?;
        self.index.record(&described).await;
        if let Err(failure) = self.selectors.allow_changes(&document).await {
            return self.blocked(account, failure, now).await;
        }
        let applied = self.runner.run_in(&described, &document, control::ALL, Mode::Apply, invocation).await;
        let request_id = account.request_id.clone();
        let rows = match applied {
            Ok(mut rows) => {
                rows.extend(self.reach(account_id, &document, invocation).await);
                rows
            }
            // Closed or suspended since it joined: waiting does not help, and somebody should know.
            Err(failure) if failure.cause == Cause::AccountNotActive => {
                tracing::warn!(%account_id, "{failure}");
                let event = BaselineIncomplete {
                    account_id: account_id.clone(),
                    request_id,
                    failure,
                    controls: Vec::new(),
                    baseline_refused: document.refused.clone(),
                };
                self.bus.put(&event).await?;
                return Ok(Vec::new());
            }
            Err(failure) => return Err(failure),
        };
        match conclude(&rows, account.since, now, self.deadline, self.backoff) {
            Conclusion::Applied => {
                let event = BaselineApplied {
                    account_id: account_id.clone(),
                    request_id,
                    controls: rows.clone(),
                    baseline_refused: document.refused.clone(),
                };
                self.bus.put(&event).await?;
            }
            Conclusion::LookAgain(wait) => {
                tracing::info!(%account_id, seconds = wait.as_secs(), "not ready, looking again");
                self.queue.send(&account.again(), wait).await?;
            }
            Conclusion::Incomplete(failure) => {
                tracing::warn!(%account_id, cause = %failure.cause, "baseline incomplete");
                let controls = rows.clone();
                let baseline_refused = document.refused.clone();
                let account_id = account_id.clone();
                let event = BaselineIncomplete { account_id, request_id, failure, controls, baseline_refused };
                self.bus.put(&event).await?;
            }
        }
        Ok(rows)
    }

    /// A new account gets nothing for now. It is looked at again, in case the document is corrected or it could only not
    /// be found out, until the deadline.
    async fn blocked(&self, account: BaselineMessage, failure: Failure, now: Timestamp) -> Result<Vec<Row>, Failure> {
        let Retry::AfterSeconds(seconds) = failure.cause.row().retry else { return Err(failure) };
        if now.duration_since(account.since) < self.deadline {
            tracing::warn!(account_id = %account.account_id, "{failure}");
            self.queue.send(&account.again(), Duration::from_secs(seconds.into())).await?;
            return Ok(Vec::new());
        }
        let BaselineMessage { account_id, request_id, .. } = account;
        let event =
            BaselineIncomplete { account_id, request_id, failure, controls: Vec::new(), baseline_refused: None };
        self.bus.put(&event).await?;
        Ok(Vec::new())
    }
}
