//! What an account is called, where its mail goes and whom AWS asks: shown and changed by hand, many at once where that is
//! wanted.

mod addresses;
mod contacts;
mod domain;
mod email_change;
mod event;
mod guard;
mod input;
mod names;
mod regions;
mod report;
mod sheet;
mod status;
mod updates;
mod visits;

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use steward::{
    baseline::{Document, DocumentCache},
    error::Failure,
    gateway::{DynamoDbGateway, EventBridgeGateway, S3Gateway, SqsGateway},
    ids::EmailDomain,
    invocation,
    organization::UnitPaths,
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    session::{Guards, Sessions},
    table::{account_index::AccountIndex, journal::Journal},
};

use addresses::PlanRow;
use contacts::ContactsRow;
use email_change::EmailChanges;
use event::Finding;
pub use event::{AccountUpdated, EmailChangesAbandoned};
use guard::Guard;
use input::{Input, Task};
use regions::RegionsRow;
pub use report::{Answer, Report};
use report::{Row, Rows};
use sheet::Sheets;
use status::StatusRow;
use updates::{Message, Run, Updates};

/// The handler of `account-updater`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct AccountUpdater {
    document: DocumentCache,
    domains: Vec<EmailDomain>,
    units: UnitPaths,
    sheets: Sheets,
    updates: Updates,
}

impl AccountUpdater {
    /// The function's name.
    pub const NAME: &'static str = "account-updater";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let table = DynamoDbGateway::of(config, settings.table_name());
        let journal = DynamoDbGateway::of(config, settings.journal_table_name());
        let management = settings.management(config);
        let guards = Guards::of(&mut settings, config);
        let function = Self {
            document: DocumentCache::of(config, &mut settings, &table, &access_role),
            domains: settings.email_domains(),
            units: UnitPaths::default(),
            sheets: Sheets::new(S3Gateway::of(config, settings.reports_bucket())),
            updates: Updates {
                accounts: management.accounts,
                changes: EmailChanges::new(table.clone()),
                guard: Guard {
                    organizations: management.organizations,
                    sessions: Sessions::new(config, Self::NAME, guards),
                },
                index: AccountIndex::new(table),
                journal: Journal::new(journal, bus.clone()),
                queue: SqsGateway::of(config, settings.account_update_queue_url()),
                bus,
            },
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person, the schedule or the function's own queue.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let invocation = event.context.request_id.as_str();
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                invocation::allow_changes()?;
                let document = self.document.read(&self.updates.bus).await?;
                let go_on = async |body: &str| self.message(body, &document, invocation).await;
                Ok(Answer::Batch(process_batch(batch, go_on).await))
            }
            Trigger::Event(_) => Err(Failure::not_understood("It is an event, which this function takes none of.")),
            Trigger::Manual(input) => {
                let input = Input::read(input, &self.domains)?;
                // What the schedule asks for has nothing to do where nothing could be begun.
                if !matches!(input.task, Task::EmailChanges | Task::FollowEmailChanges) {
                    self.updates.guard.organizations.expect_organization()?;
                }
                // The records are followed while the switch is on: that changes no account.
                if matches!(input.task, Task::FollowEmailChanges) && !input.only_looks() {
                    invocation::allow_changes()?;
                } else if !input.only_looks() {
                    self.updates.guard.allow_changes().await?;
                }
                let document = self.document.read(&self.updates.bus).await?;
                let report = Box::pin(self.by_hand(&input, &document, invocation)).await?;
                let report = Report { baseline_refused: document.refused.clone(), ..report };
                self.with_sheet(report, &input, invocation).await.map(|report| Answer::Report(Box::new(report)))
            }
        }
    }

    async fn message(&self, body: &str, document: &Document, invocation: &str) -> Result<(), Failure> {
        let message: Message =
            serde_json::from_str(body).map_err(|error| Failure::not_understood(format_args!("{error}.")))?;
        Box::pin(self.updates.go_on(&message, document, invocation)).await
    }

    async fn by_hand(&self, input: &Input, document: &Document, invocation: &str) -> Result<Report, Failure> {
        let (updates, units) = (&self.updates, &self.units);
        let run = Run {
            task: input.task.name(),
            mode: input.mode,
            asked: &input.asked,
            protected: &document.protected,
            invocation,
        };
        let one = |id: &steward::ids::AccountId, finding: Finding| {
            let row = Row { account_id: id.clone(), account_name: None, finding };
            Report::new(run.task, run.mode, Rows::Found(vec![row]))
        };
        match &input.task {
            Task::StartEmailChange(id, email) => Ok(one(id, updates.start_one(id, email, &run).await?)),
            Task::AcceptEmailChange(id, code) => Ok(one(id, updates.accept(id, code, &run).await?)),
            Task::ResendEmailChange(id) => Ok(one(id, updates.resend(id, &run).await?)),
            Task::ForgetEmailChange(id) => Ok(one(id, updates.forget(id, &run).await?)),
            Task::EmailChanges => updates.statuses(&run).await,
            Task::FollowEmailChanges => updates.follow(&run).await,
            Task::ChangeEmailDomain(meant, change) => updates.change_domain(meant, change, units, &run).await,
            Task::Rename(names) => updates.rename(names, &run).await,
            Task::Contacts(meant) => updates.contacts(meant, units, &run).await,
            Task::SetContact(ids, kind, contact) => updates.keep_contact(ids, *kind, Some(contact), &run).await,
            Task::DeleteContact(ids, kind) => updates.keep_contact(ids, *kind, None, &run).await,
            Task::Regions(meant) => updates.regions(meant, units, &run).await,
        }
    }

    /// The same answer, its rows kept as CSV as well where that is wanted.
    async fn with_sheet(&self, report: Report, input: &Input, invocation: &str) -> Result<Report, Failure> {
        if !input.csv {
            return Ok(report);
        }
        let task = input.task.name();
        let key = match &report.rows {
            Rows::Found(_) => return Ok(report),
            Rows::Plans(rows) => {
                self.sheets.keep(task, invocation, &PlanRow::HEAD, rows.iter().map(PlanRow::sheet)).await?
            }
            Rows::Changes(rows) => {
                self.sheets.keep(task, invocation, &StatusRow::HEAD, rows.iter().map(StatusRow::sheet)).await?
            }
            Rows::Contacts(rows) => {
                let head = ContactsRow::head();
                let head: Vec<_> = head.iter().map(String::as_str).collect();
                self.sheets.keep(task, invocation, &head, rows.iter().map(ContactsRow::sheet)).await?
            }
            Rows::Regions(rows) => {
                self.sheets.keep(task, invocation, &RegionsRow::HEAD, rows.iter().flat_map(RegionsRow::sheet)).await?
            }
        };
        Ok(Report { csv: Some(key), ..report })
    }
}
