//! Root work without root: features, credentials, recovery and locked policies, each as a request with a reason.

mod backups;
mod credentials;
mod guard;
mod input;
mod policies;
mod report;
mod resource;
mod root_task;
mod shown;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use steward::{
    baseline::DocumentCache,
    closed_set::ClosedSet,
    control::{
        Mode,
        brake::{Brake, Came},
    },
    error::Failure,
    gateway::{DynamoDbGateway, EventBridgeGateway, IamGateway, OrganizationsGateway, RootFeature, S3Gateway},
    ids::AccountId,
    invocation,
    organization::{Target, UnitPaths},
    runtime::{
        budget::Budget,
        concurrency::{Progress, as_they_come, in_order},
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::{Admission, Guards, Protected, Sessions},
    table::journal::Journal,
};

use backups::Backups;
use credentials::Credentials;
use guard::{Admitted, Guard};
use input::{Input, Work};
use policies::Policies;
pub use report::{Report, Row};
pub use root_task::RootTaskPerformed;
use root_task::{Finding, Task, plan_features};

/// How many accounts are worked on at once; AWS throttles `AssumeRoot`.
const AT_ONCE: usize = 8;
/// The time that is kept for the accounts that are being worked on when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);

/// The handler of `root-task-runner`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct RootTaskRunner {
    document: DocumentCache,
    bus: EventBridgeGateway,
    journal: Journal,
    organizations: OrganizationsGateway,
    units: UnitPaths,
    iam: IamGateway,
    guard: Guard,
    credentials: Credentials,
    policies: Policies,
    max_changed_percent: u32,
}

/// One invocation.
struct Run<'a> {
    input: &'a Input,
    invocation: &'a str,
    protected: &'a Protected,
    budget: Budget,
}

impl RootTaskRunner {
    /// The function's name.
    pub const NAME: &'static str = "root-task-runner";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let organizations = settings.management(config).organizations;
        let table = DynamoDbGateway::of(config, settings.table_name());
        let journal = DynamoDbGateway::of(config, settings.journal_table_name());
        let sessions =
            Sessions::new(config, Self::NAME, Guards::of(&mut settings, config)).recording_in(journal.clone());
        let function = Self {
            document: DocumentCache::of(config, &mut settings, &table, &access_role),
            journal: Journal::new(journal.clone(), bus.clone()),
            bus,
            guard: Guard::new(organizations.clone(), sessions.clone()),
            organizations,
            units: UnitPaths::default(),
            iam: IamGateway::of(config),
            credentials: Credentials { sessions: sessions.clone() },
            policies: Policies {
                sessions,
                backups: Backups::new(S3Gateway::of(config, settings.backup_bucket()), journal),
            },
            max_changed_percent: settings.max_changed_percent(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Report, Failure> {
        let input = Input::read(event.payload)?;
        if !input.only_looks() {
            invocation::allow_changes()?;
        }
        let document = self.document.read(&self.bus).await?;
        let run = Run {
            input: &input,
            invocation: &event.context.request_id,
            protected: &document.protected,
            budget: Budget::keeping(MARGIN),
        };
        let mut report = Report::new(input.task, input.mode, document.refused.clone());
        match &input.work {
            Work::Features => {
                let finding = self.features(&run).await?;
                report.rows.push(Row { account_id: None, account_name: None, finding });
            }
            Work::Credentials(selection, _) => {
                let targets = selection.targets(&self.organizations, &self.units).await?;
                let (plan, said) = (input.plan(selection, document.etag()), input.confirmation.as_ref());
                let brake = Brake::new(selection, targets.len(), self.max_changed_percent, plan, said)?;
                let selected = targets.len();
                let visits = targets.into_iter().map(|target| self.braked(target, &run, &brake));
                let came: Vec<_> = as_they_come(visits, AT_ONCE)
                    .map(|(position, visited)| visited.map(|visited| (position, visited)))
                    .try_collect()
                    .await?;
                for visited in in_order(came) {
                    report.add(visited);
                }
                report.progress = Progress::of(selected, report.left.len());
                report.brake = brake.summary(input.mode).map(Box::new);
            }
            Work::Unlock(account, _) | Work::Restore { account, .. } => {
                report.add(self.visit(Target::Id(account.clone()), &run, input.mode).await?);
            }
        }
        report.finish(input.csv)
    }

    /// Works on one of many accounts, as far as the brake lets it.
    async fn braked(&self, target: Target, run: &Run<'_>, brake: &Brake) -> Result<Result<Row, AccountId>, Failure> {
        let visited = self.visit(target, run, brake.mode(run.input.mode)).await?;
        if let Ok(row) = &visited {
            brake.count(Came::from(&row.finding));
        }
        Ok(visited)
    }

    /// Works on one account; the account alone when there was no time for it. A failure to keep the record ends the run:
    /// nothing is done that is not kept.
    async fn visit(&self, target: Target, run: &Run<'_>, mode: Mode) -> Result<Result<Row, AccountId>, Failure> {
        let id = target.id().clone();
        if !run.budget.has_room() {
            return Ok(Err(id));
        }
        let mut attempt = attempt(run, mode, Some(id.clone()));
        let account_name = match self.guard.look(target, run).await {
            Ok(Admitted { admission, name }) => {
                if mode == Mode::Apply && !run.input.task.only_reads() {
                    self.journal.begin(&attempt).await?;
                }
                attempt.finding = self.work(&admission, run, mode).await;
                Some(name)
            }
            Err(finding) => {
                attempt.finding = finding;
                None
            }
        };
        self.journal.end(&attempt).await?;
        let row = Row { account_id: Some(id), account_name, finding: attempt.finding };
        run.budget.spend(serde_json::to_vec(&row).map_or(0, |bytes| bytes.len()));
        Ok(Ok(row))
    }

    async fn work(&self, account: &Admission, run: &Run<'_>, mode: Mode) -> Finding {
        match (&run.input.work, run.input.task) {
            (Work::Credentials(_, kinds), Task::DeleteCredentials) => {
                self.credentials.delete(account, kinds, mode).await
            }
            (Work::Credentials(..), Task::AllowPasswordRecovery) => {
                self.credentials.allow_recovery(account, mode).await
            }
            (Work::Credentials(..) | Work::Features, _) => self.credentials.audit(account).await,
            (Work::Unlock(_, resource), _) => self.policies.unlock(account, resource, mode).await,
            (Work::Restore { resource, backup, replace, .. }, _) => {
                self.policies.restore(account, resource, backup, *replace, mode).await
            }
        }
    }

    /// Shows or switches the organization's features.
    async fn features(&self, run: &Run<'_>) -> Result<Finding, Failure> {
        let mut attempt = attempt(run, run.input.mode, None);
        let enabled = self.iam.list_root_features().await?;
        let names = |features: &[RootFeature]| features.iter().map(|f| f.name().to_owned()).collect::<Vec<_>>();
        let enable = run.input.task == Task::Enable;
        let change = plan_features(enable, &enabled);
        let verb = |word: &str| names(&change).into_iter().map(|name| format!("{word} {name}")).collect::<Vec<_>>();
        attempt.finding = if run.input.task == Task::Status {
            let enabled: Vec<_> = enabled.into_iter().collect();
            let why = match names(&enabled).join(", ") {
                none if none.is_empty() => "Neither feature is enabled.".to_owned(),
                some => format!("Enabled: {some}."),
            };
            Finding::NothingToDo { why }
        } else if change.is_empty() {
            Finding::NothingToDo {
                why: format!("Both features are {} already.", if enable { "enabled" } else { "disabled" }),
            }
        } else if run.input.mode == Mode::Plan {
            let steps = verb(if enable { "enable" } else { "disable" });
            Finding::planned(steps)
        } else {
            self.guard.allow_changes().await?;
            self.journal.begin(&attempt).await?;
            self.switch(enable, &change).await
        };
        self.journal.end(&attempt).await?;
        Ok(attempt.finding)
    }

    /// Enables or disables features, one after the other, up to the first failure.
    async fn switch(&self, enable: bool, change: &[RootFeature]) -> Finding {
        let mut steps = Vec::new();
        for feature in change {
            let (answer, word) = if enable {
                (self.iam.enable_root_feature(*feature).await, "enabled")
            } else {
                (self.iam.disable_root_feature(*feature).await, "disabled")
            };
            match answer {
                Ok(()) => steps.push(format!("{word} {}", feature.name())),
                Err(error) => return Finding::failed(steps, error),
            }
        }
        Finding::done(steps)
    }
}

fn attempt(run: &Run<'_>, mode: Mode, account_id: Option<AccountId>) -> RootTaskPerformed {
    let Input { task, reason, requested_by, work, .. } = run.input;
    RootTaskPerformed {
        invocation: run.invocation.to_owned(),
        task: *task,
        mode,
        reason: reason.clone(),
        requested_by: requested_by.clone(),
        account_id,
        target: match work {
            Work::Unlock(_, resource) | Work::Restore { resource, .. } => Some(resource.arn()),
            Work::Features | Work::Credentials(..) => None,
        },
        finding: Finding::Begun,
    }
}
