//! Gives accounts their baseline: on events for new accounts, and by hand for any.

mod by_hand;
mod report;

use aws_lambda_events::sqs::SqsBatchResponse;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    account_creation::{Pace, Store},
    baseline::{Document, Facts, InForce},
    batch::work_off,
    budget::Budget,
    clock,
    control::{self, AnyControl, Conclusion, Engine, Mode, Row, Visit, conclude, organizational_unit::UnitPaths},
    error::Failure,
    events::{BaselineApplied, BaselineIncomplete, Trigger},
    gateway::{Account, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Rates, SqsGateway},
    heard_accounts::HeardAccounts,
    ids::RoleName,
    new_account::NewAccount,
    selection::{Target, obstacle},
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

use by_hand::ByHand;
use report::Visited;
pub use report::{Failed, Report, Skip};

/// The time that is kept for the accounts that are being worked on when no more are begun. A call may take 27 s, and
/// a control makes several.
const MARGIN: SignedDuration = SignedDuration::from_secs(45);
/// How many accounts are worked on at once. More would wait for the pace of the APIs that they share.
const AT_ONCE: usize = 8;

/// The function.
#[derive(Debug)]
pub struct BaselineApplier {
    engine: Engine,
    queue: SqsGateway,
    bus: EventBridgeGateway,
    requests: Store,
    heard: HeardAccounts,
    document: InForce,
    organizations: OrganizationsGateway,
    facts: Facts,
    units: UnitPaths,
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
    Report(Report),
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
        let access_role = settings.access_role_name();
        let document = InForce::of(config, &mut settings, &access_role);
        let organizations = OrganizationsGateway::of(config, Rates::default());
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            engine: Engine::new(config, Self::NAME, Rates::default()).recording_in(table.clone()),
            queue: SqsGateway::of(config, settings.baseline_queue_url()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            heard: HeardAccounts::new(table.clone()),
            requests: Store::new(table),
            document,
            facts: Facts::new(organizations.clone()),
            organizations,
            units: UnitPaths::default(),
            pace: settings.pace(),
            deadline: settings.deadline(),
            access_role,
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages about new accounts, one event, or a person's input.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let invocation = event.context.request_id.as_str();
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                Ok(Answer::Batch(work_off(batch, async |body| self.message(body, invocation).await).await))
            }
            Trigger::Event(event) => {
                let account = NewAccount::of_event(&event, &self.access_role)?;
                Ok(Answer::Event { rows: self.heard_of(account, invocation).await? })
            }
            Trigger::ByHand(input) => {
                let input = ByHand::read(input)?;
                let budget = Budget::until(event.context.deadline, MARGIN);
                Ok(Answer::Report(self.by_hand(&input, invocation, &budget).await?))
            }
        }
    }

    /// Runs controls in the accounts that a person selected, some at a time, for as long as there is time.
    async fn by_hand(&self, input: &ByHand, invocation: &str, budget: &Budget) -> Result<Report, Failure> {
        let document = self.document.read(&self.bus).await?;
        let targets = input.selection.targets(&self.organizations, &self.units).await?;
        let visits = targets.into_iter().map(|target| self.visit(target, input, &document, invocation, budget));
        let mut visits = stream::iter(visits).buffered(AT_ONCE);
        let mut report = Report::new(input.mode);
        while let Some(visited) = visits.next().await {
            report.add(visited);
        }
        Ok(report)
    }

    async fn visit(
        &self,
        target: Target,
        input: &ByHand,
        document: &Document,
        invocation: &str,
        budget: &Budget,
    ) -> Visited {
        let id = target.id().clone();
        if !budget.has_room(clock::now()) {
            return Visited::Left(id);
        }
        let account = match target.describe(&self.organizations).await {
            Ok(account) => account,
            Err(error) => return Visited::Failed(Failed { account_id: id, failure: error.into() }),
        };
        if let Some(why) = obstacle(&account) {
            return Visited::Skipped(Skip { account_id: id, why });
        }
        match self.run(&account, &self.access_role, &input.controls, document, input.mode, invocation).await {
            Ok(rows) => {
                budget.spend(serde_json::to_vec(&rows).map_or(0, |bytes| bytes.len()));
                Visited::Rows(rows)
            }
            Err(failure) => Visited::Failed(Failed { account_id: id, failure }),
        }
    }

    async fn message(&self, body: &str, invocation: &str) -> Result<(), Failure> {
        self.heard_of(NewAccount::of_message(body, &self.access_role)?, invocation).await.map(drop)
    }

    /// A new account: one that Steward made and put in its place, or one that joined in another way.
    async fn heard_of(&self, account: NewAccount, invocation: &str) -> Result<Vec<Row>, Failure> {
        let known = account.joined && self.requests.find_by_account(&account.account_id).await?.is_some();
        // At first hearing, an account may be Steward's own without Steward's knowing.
        let is_first = clock::now().duration_since(account.since) < SignedDuration::from_secs(1);
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
        let now = clock::now();
        let account_id = &account.account_id;
        let document = self.document.read(&self.bus).await?;
        let described = self.organizations.describe_account(account_id).await?;
        self.heard.record(account_id, now).await?;
        let rows = self.run(&described, &account.role_name, control::ALL, &document, Mode::Apply, invocation).await?;
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
        account: &Account,
        role: &RoleName,
        controls: &[&'static dyn AnyControl],
        document: &Document,
        mode: Mode,
        invocation: &str,
    ) -> Result<Vec<Row>, Failure> {
        let effective = self.facts.effective(account, document).await?;
        let visit = Visit { account_id: &account.id, role, invocation };
        Ok(self.engine.run(controls, visit, &effective, mode).await)
    }
}
