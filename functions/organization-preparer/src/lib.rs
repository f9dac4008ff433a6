//! Shows what an organization lacks for Steward, and enables it.

mod event;
mod input;
mod survey;

use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    control::Mode,
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, EventBridgeGateway, IamGateway, Organization, OrganizationsGateway},
    ids::{AccountId, RoleName},
    invocation,
    organization_setup::{Change, ManualStep, manual_steps, plan},
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::{Guards, Sessions},
    table::journal::Journal,
};

pub use event::OrganizationPrepared;
use input::Input;
use survey::Survey;

/// What the steps call. The function's own role may do none of it.
const WRITES: &[&str] = &[
    "iam:EnableOrganizationsRootCredentialsManagement",
    "iam:EnableOrganizationsRootSessions",
    "organizations:EnableAWSServiceAccess",
    "organizations:RegisterDelegatedAdministrator",
];

/// The function.
#[derive(Debug)]
pub struct OrganizationPreparer {
    survey: Survey,
    sessions: Sessions,
    writer: RoleName,
    journal: Journal,
    /// Who may be given power over others. IAM knows it as well.
    delegated_administrators: Vec<AccountId>,
}

/// What a person is answered.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether steps were taken.
    pub mode: Mode,
    /// The organization.
    pub organization_id: String,
    /// The steps that would be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Vec<Step>>,
    /// The steps that were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Vec<Step>>,
    /// The steps that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// What was read back afterwards and is still to be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remaining: Vec<Step>,
    /// What only a person can do or see.
    pub by_hand: Vec<ManualStep>,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Step {
    /// What.
    pub what: String,
    /// What it is needed for.
    pub needed_for: &'static str,
}

/// One step that failed.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// What.
    pub what: String,
    /// Why, and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl From<&Change> for Step {
    fn from(change: &Change) -> Self {
        Self { what: change.to_string(), needed_for: change.needed_for() }
    }
}

impl OrganizationPreparer {
    /// The function's name.
    pub const NAME: &'static str = "organization-preparer";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.journal_table_name());
        let function = Self {
            journal: Journal::new(table, EventBridgeGateway::of(config, settings.bus_name())),
            delegated_administrators: settings.delegated_administrators(),
            survey: Survey { organizations: settings.management(config).organizations, iam: IamGateway::of(config) },
            sessions: Sessions::new(config, Self::NAME, Guards::of(&mut settings, config)),
            writer: settings.writer_role_name(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let input = Input::read(event.payload, &self.delegated_administrators)?;
        if input.mode == Mode::Apply {
            invocation::allow_changes()?;
        }
        let organization = self.own_organization().await?;
        let actual = self.survey.take(&organization, &input.desired).await?;
        let changes = plan(&input.desired, &actual);
        let mut answer = Answer {
            mode: input.mode,
            organization_id: organization.id.clone(),
            planned: None,
            applied: None,
            failed: Vec::new(),
            remaining: Vec::new(),
            by_hand: manual_steps(&actual),
        };
        match input.mode {
            Mode::Plan => answer.planned = Some(changes.iter().map(Step::from).collect()),
            Mode::Apply if !organization.all_features => {
                return Err(Failure::new(Cause::OrganizationNotInAllFeaturesMode));
            }
            Mode::Apply => {
                (answer.applied, answer.failed) =
                    self.apply(&organization, &changes, &event.context.request_id).await?;
                if !changes.is_empty() {
                    let actual = self.survey.take(&organization, &input.desired).await?;
                    answer.remaining = plan(&input.desired, &actual).iter().map(Step::from).collect();
                }
            }
        }
        Ok(answer)
    }

    /// The organization, if this is its management account: members can describe it, and nothing else.
    async fn own_organization(&self) -> Result<Organization, Failure> {
        let organization = self.survey.organization().await?;
        let own = self.sessions.own_account().await?;
        if *own == organization.management_account {
            return Ok(organization);
        }
        let Organization { id, management_account, .. } = organization;
        let detail = format_args!("This is account {own}; {id} is managed by {management_account}.");
        Err(Failure::with_detail(Cause::NotManagementAccount, detail))
    }

    /// Takes the steps, and keeps that before and after. One that fails does not keep the others from being tried.
    async fn apply(
        &self,
        organization: &Organization,
        changes: &[Change],
        invocation: &str,
    ) -> Result<(Option<Vec<Step>>, Vec<Failed>), Failure> {
        let (mut applied, mut failed) = (Vec::new(), Vec::new());
        if changes.is_empty() {
            return Ok((Some(applied), failed));
        }
        let mut prepared = OrganizationPrepared {
            invocation: invocation.to_owned(),
            organization_id: organization.id.clone(),
            planned: changes.iter().map(ToString::to_string).collect(),
            applied: Vec::new(),
            failed: Vec::new(),
        };
        self.sessions.allow_changes().await?;
        self.journal.begin(&prepared).await?;
        let config = match self.sessions.assume_own(&self.writer, WRITES, invocation).await {
            Ok(config) => config,
            Err(error) => {
                prepared.failed = vec![error.to_string()];
                self.journal.end(&prepared).await?;
                return Err(error.into());
            }
        };
        let writer =
            Writer { organizations: self.survey.organizations.in_another_role(&config), iam: IamGateway::of(&config) };
        for change in changes {
            match writer.make(change).await {
                Ok(()) => {
                    tracing::info!("done: {change}");
                    applied.push(Step::from(change));
                }
                Err(error) => failed.push(Failed { what: change.to_string(), failure: error.into() }),
            }
        }
        prepared.applied = applied.iter().map(|step| step.what.clone()).collect();
        prepared.failed = failed.iter().map(|step| format!("{}: {}", step.what, step.failure.message)).collect();
        self.journal.end(&prepared).await?;
        Ok((Some(applied), failed))
    }
}

/// The gateways with the credentials that may write.
struct Writer {
    organizations: OrganizationsGateway,
    iam: IamGateway,
}

impl Writer {
    async fn make(&self, change: &Change) -> Result<(), CallError> {
        match change {
            Change::EnableTrustedAccess(service) => self.organizations.enable_trusted_access(service.principal()).await,
            Change::EnableRootFeature(feature) => self.iam.enable_root_feature(*feature).await,
            Change::RegisterDelegatedAdministrator(service, account) => {
                self.organizations.register_delegated_administrator(account, service.principal()).await
            }
        }
    }
}
