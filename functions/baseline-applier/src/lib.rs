//! Gives accounts their baseline: on events for new accounts, and by hand for any.

mod conclusion;
mod input;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    account_creation::{Pace, Store},
    baseline::Baseline,
    control::{self, AnyControl, Engine, Mode, Row, Visit},
    error::{Cause, Failure},
    events::{BaselineApplied, BaselineIncomplete, Trigger},
    gateway::{DynamoDbGateway, EventBridgeGateway, SqsGateway},
    ids::{AccountId, RoleName},
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

use conclusion::{Conclusion, conclude};
use input::{ByHand, NewAccount};

/// The function.
#[derive(Debug)]
pub struct BaselineApplier {
    engine: Engine,
    queue: SqsGateway,
    bus: EventBridgeGateway,
    requests: Store,
    baseline: Baseline,
    pace: Pace,
    deadline: SignedDuration,
    access_role: RoleName,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To a person: what came of each control in each account.
    Report {
        /// What was done: `plan` or `apply`.
        mode: Mode,
        /// One row per account and control.
        rows: Vec<Row>,
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
        let threshold = settings.billing_threshold_usd();
        let baseline = settings.alert_email().map(|email| Baseline::of_parameters(email, threshold));
        let function = Self {
            engine: Engine::new(config, Self::NAME),
            queue: SqsGateway::of(config, settings.baseline_queue_url()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            requests: Store::new(DynamoDbGateway::of(config, settings.table_name())),
            baseline: baseline.unwrap_or_default(),
            pace: settings.pace(),
            deadline: settings.deadline(),
            access_role: settings.access_role_name(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages about new accounts, one event, or a person's input.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let invocation = event.context.request_id.as_str();
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => Ok(Answer::Batch(self.batch(batch, invocation).await)),
            Trigger::Event(event) => {
                let account = NewAccount::of_event(&event, &self.access_role)?;
                Ok(Answer::Event { rows: self.heard_of(account, invocation).await? })
            }
            Trigger::ByHand(input) => {
                let ByHand { account_ids, mode, controls } = ByHand::read(input)?;
                let mut rows = Vec::new();
                for account_id in &account_ids {
                    rows.extend(self.run(account_id, &self.access_role, &controls, mode, invocation).await);
                }
                Ok(Answer::Report { mode, rows })
            }
        }
    }

    async fn batch(&self, batch: SqsEvent, invocation: &str) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for record in batch.records {
            let account = NewAccount::of_message(record.body.as_deref().unwrap_or_default(), &self.access_role);
            let outcome = match account {
                Ok(account) => self.heard_of(account, invocation).await.map(drop),
                Err(failure) => Err(failure),
            };
            if let Err(failure) = outcome {
                tracing::error!(message_id = record.message_id, cause = %failure.cause, "{failure}");
                response.add_failure(record.message_id.unwrap_or_default());
            }
        }
        response
    }

    /// A new account: one that Steward made and put in its place, or one that joined in another way.
    async fn heard_of(&self, account: NewAccount, invocation: &str) -> Result<Vec<Row>, Failure> {
        let known = account.joined && self.requests.find_by_account(&account.account_id).await?.is_some();
        // At first hearing, an account may be Steward's own without Steward's knowing.
        let is_first = Timestamp::now().duration_since(account.since) < SignedDuration::from_secs(1);
        match (account.joined, known) {
            (true, true) => Ok(Vec::new()),
            (true, false) if is_first => {
                self.queue.send(&account, self.pace.announce_patience()).await?;
                Ok(Vec::new())
            }
            _ => self.new_account(NewAccount { joined: false, ..account }, invocation).await,
        }
    }

    /// Applies the whole baseline to a new account. What is not ready yet is looked at again later, until the
    /// deadline.
    async fn new_account(&self, account: NewAccount, invocation: &str) -> Result<Vec<Row>, Failure> {
        let now = Timestamp::now();
        let account_id = &account.account_id;
        let rows = self.run(account_id, &account.role_name, control::ALL, Mode::Apply, invocation).await;
        let request_id = account.request_id.clone();
        match conclude(&rows, account.since, now, self.deadline, self.pace) {
            Conclusion::Applied => {
                let event = BaselineApplied { account_id: account_id.clone(), request_id, controls: rows.clone() };
                self.bus.put(&event).await?;
            }
            Conclusion::LookAgain(wait) => {
                tracing::info!(%account_id, seconds = wait.as_secs(), "not ready, looking again");
                self.queue.send(&account, wait).await?;
            }
            Conclusion::Incomplete(failure) => {
                tracing::warn!(%account_id, cause = %failure.cause, "baseline incomplete");
                let controls = rows.clone();
                let event = BaselineIncomplete { account_id: account_id.clone(), request_id, failure, controls };
                self.bus.put(&event).await?;
            }
        }
        Ok(rows)
    }

    async fn run(
        &self,
        account_id: &AccountId,
        role: &RoleName,
        controls: &[&'static dyn AnyControl],
        mode: Mode,
        invocation: &str,
    ) -> Vec<Row> {
        let visit = Visit { account_id, role, invocation };
        self.engine.run(controls, visit, &self.baseline, mode).await
    }
}

/// A message or input that names nothing to do.
fn not_understood(detail: impl std::fmt::Display) -> Failure {
    Failure::with_detail(Cause::MessageNotUnderstood, detail)
}
