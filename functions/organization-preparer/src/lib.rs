//! Shows what an organization lacks, and puts it right when a person says so. A sweep has it look as well.

mod event;
mod input;

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    baseline::{Document, DocumentCache, Refusal},
    control::{Mode, Outcome},
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, Organization, Origin, S3Gateway, StatesGateway},
    ids::{AccountId, RoleName},
    invocation,
    organization::UnitPaths,
    organization_check::{
        self, CheckRow, ManualStep, OrganizationGateways, OrganizationScope, OrganizationSection, OwnCalls,
        actions_to_apply, manual_steps,
    },
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::{Guards, Sessions},
    sweep::{CheckedOrganization, SweepExecutions},
    table::journal::Journal,
};

pub use event::OrganizationPrepared;
use input::{Asked, Input};

/// The handler of `organization-preparer`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct OrganizationPreparer {
    gateways: OrganizationGateways,
    document: DocumentCache,
    access_role: RoleName,
    units: Arc<UnitPaths>,
    bus: EventBridgeGateway,
    sessions: Sessions,
    writer: RoleName,
    journal: Journal,
    executions: SweepExecutions,
    sweeps: S3Gateway,
    /// Who may be given power over others. IAM knows it as well.
    delegated_administrators: Vec<AccountId>,
}

/// What a person is answered, and the state machine.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether steps were taken.
    pub mode: Mode,
    /// The organization.
    pub organization_id: String,
    /// What came of each check.
    pub checks: Vec<CheckRow>,
    /// What only a person can do or see.
    pub by_hand: Vec<ManualStep>,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl OrganizationPreparer {
    /// The function's name.
    pub const NAME: &'static str = "organization-preparer";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let journal = DynamoDbGateway::of(config, settings.journal_table_name());
        let table = DynamoDbGateway::of(config, settings.table_name());
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let access_role = settings.access_role_name();
        let organizations = settings.management(config).organizations;
        let function = Self {
            gateways: OrganizationGateways::of(config, organizations),
            // Who begins a sweep has recorded the document, and so does whoever applies it to accounts.
            document: DocumentCache::of(config, &mut settings, &table, &access_role).recorded_by_others(),
            access_role,
            units: Arc::default(),
            journal: Journal::new(journal, bus.clone()),
            bus,
            delegated_administrators: settings.delegated_administrators(),
            sessions: Sessions::new(config, Self::NAME, Guards::of(&mut settings, config)),
            writer: settings.writer_role_name(),
            executions: SweepExecutions::new(StatesGateway::of(config)),
            sweeps: S3Gateway::of(config, settings.reports_bucket()),
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person, or looks for a sweep.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Input::read(event.payload, &self.delegated_administrators)? {
            Input::Sweep(execution) => self.look_for_sweep(&execution).await,
            Input::Person(asked) => self.do_as_asked(&asked, &event.context.request_id).await,
        }
    }

    /// Looks once for a sweep, and writes what was found to where its report is put together. Without an organization there is
    /// nothing to look at, which is no failure of the sweep: its listing says so as well.
    async fn look_for_sweep(&self, execution: &str) -> Result<Answer, Failure> {
        if self.gateways.organizations.expect_organization().is_err() {
            return Ok(Answer {
                mode: Mode::Plan,
                organization_id: Origin::Document.id().to_owned(),
                checks: Vec::new(),
                by_hand: Vec::new(),
                baseline_refused: None,
            });
        }
        let sweep_id = self.executions.under_way(execution).await?.id;
        let document = self.document.read(&self.bus).await?;
        let scope = self.scope(self.own_organization().await?, &document);
        let checks = organization_check::run(organization_check::ALL, &scope, &document.organization, Mode::Plan).await;
        let found = CheckedOrganization { rows: checks.clone() };
        let content = serde_json::to_string(&found).map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
        self.sweeps.put_object(&sweep_id.organization_key(), content).await?;
        Ok(answer(Mode::Plan, &scope.organization, checks, document.refused.clone()))
    }

    async fn do_as_asked(&self, asked: &Asked, invocation: &str) -> Result<Answer, Failure> {
        if asked.mode == Mode::Apply {
            invocation::allow_changes()?;
        }
        let organization = self.own_organization().await?;
        let document = self.document.read(&self.bus).await?;
        let section = asked.section(&document.organization);
        let scope = self.scope(organization, &document);
        let mut checks = organization_check::run(&asked.checks, &scope, &section, Mode::Plan).await;
        if asked.mode == Mode::Apply {
            if !scope.organization.all_features {
                return Err(Failure::new(Cause::OrganizationNotInAllFeaturesMode));
            }
            let planned: Vec<String> = checks.iter().flat_map(planned).collect();
            if !planned.is_empty() {
                checks = self.apply(asked, &scope, &section, planned, invocation).await?;
            }
        }
        Ok(answer(asked.mode, &scope.organization, checks, document.refused.clone()))
    }

    fn scope(&self, organization: Organization, document: &Document) -> OrganizationScope {
        let Organization { id, management_account, .. } = &organization;
        OrganizationScope {
            own_calls: Arc::new(OwnCalls::of(document, &self.access_role, id, management_account)),
            files: self.document.files().cloned(),
            units: Arc::clone(&self.units),
            organization,
            allowed_administrators: self.delegated_administrators.clone(),
            read: self.gateways.clone(),
            write: self.gateways.clone(),
        }
    }

    /// The organization, if this is its management account: members can describe it, and nothing else.
    async fn own_organization(&self) -> Result<Organization, Failure> {
        self.gateways.organizations.expect_organization()?;
        let organization = self.gateways.organizations.describe_organization().await?;
        let own = self.sessions.own_account().await?;
        if *own == organization.management_account {
            return Ok(organization);
        }
        let Organization { id, management_account, .. } = organization;
        let detail = format_args!("This is account {own}; {id} is managed by {management_account}.");
        Err(Failure::with_detail(Cause::NotManagementAccount, detail))
    }

    /// Takes the steps, and keeps that before and after. One that fails does not keep other checks from being put right.
    async fn apply(
        &self,
        asked: &Asked,
        scope: &OrganizationScope,
        section: &OrganizationSection,
        planned: Vec<String>,
        invocation: &str,
    ) -> Result<Vec<CheckRow>, Failure> {
        let mut prepared = OrganizationPrepared {
            invocation: invocation.to_owned(),
            organization_id: scope.organization.id.clone(),
            planned,
            applied: Vec::new(),
            failed: Vec::new(),
        };
        self.sessions.allow_changes().await?;
        self.journal.begin(&prepared).await?;
        let actions = actions_to_apply(&asked.checks);
        let config = match self.sessions.assume_own(&self.writer, &actions, invocation).await {
            Ok(config) => config,
            Err(error) => {
                prepared.failed = vec![error.to_string()];
                self.journal.end(&prepared).await?;
                return Err(error.into());
            }
        };
        let scope = OrganizationScope { write: scope.read.in_another_role(&config), ..scope.clone() };
        let checks = organization_check::run(&asked.checks, &scope, section, Mode::Apply).await;
        for row in &checks {
            let (applied, failed) = came_of(row);
            for step in applied {
                tracing::info!("done: {step}");
            }
            prepared.applied.extend_from_slice(applied);
            prepared.failed.extend(failed);
        }
        self.journal.end(&prepared).await?;
        Ok(checks)
    }
}

fn answer(mode: Mode, of: &Organization, checks: Vec<CheckRow>, baseline_refused: Option<Refusal>) -> Answer {
    Answer { mode, organization_id: of.id.clone(), checks, by_hand: manual_steps(of.all_features), baseline_refused }
}

/// The steps that Steward would take, without what is left to people.
fn planned(row: &CheckRow) -> Vec<String> {
    match &row.outcome {
        Outcome::Drifted { planned } if !row.outcome.is_left_to_people() => planned.clone(),
        _ => Vec::new(),
    }
}

/// The steps that were taken, and why not all of them were.
fn came_of(row: &CheckRow) -> (&[String], Vec<String>) {
    match &row.outcome {
        Outcome::Fixed { applied } => (applied, Vec::new()),
        // What is left to people was not tried.
        Outcome::NotConverged { applied, .. } if row.outcome.is_left_to_people() => (applied, Vec::new()),
        Outcome::NotConverged { applied, remaining } => {
            (applied, remaining.iter().map(|what| format!("{}: {what}", row.control)).collect())
        }
        Outcome::NotReady { applied, failure, .. } | Outcome::Unknown { applied, failure } => {
            (applied, vec![format!("{}: {}", row.control, failure.message)])
        }
        Outcome::Compliant | Outcome::Drifted { .. } | Outcome::Exempt { .. } | Outcome::Skipped { .. } => {
            (&[], Vec::new())
        }
    }
}
