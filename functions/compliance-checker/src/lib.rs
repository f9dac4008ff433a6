//! Looks at the accounts of one batch of a sweep, and mends what the document says.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, tz::TimeZone};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    baseline::{Document, DocumentCache, Facts},
    budget::Budget,
    clock,
    control::{self, AnyControl, Engine, Mode, Outcome, Row, Visit, ineligibility, is_settling},
    error::{Cause, Failure},
    gateway::{self, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, S3Gateway},
    ids::RoleName,
    settings::{NotConfigured, Settings},
    start::SdkConfig,
    sweep::{Checked, Found, Listed, SweepId},
};

/// How many accounts are looked at at once.
const AT_ONCE: usize = 8;
/// The time that is kept for the accounts that are being looked at when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);
/// The largest batch that is read.
const MAX_BATCH: usize = 1024 * 1024;

type Tags = BTreeMap<String, String>;

/// The function.
#[derive(Debug)]
pub struct ComplianceChecker {
    engine: Engine,
    document: DocumentCache,
    bus: EventBridgeGateway,
    organizations: OrganizationsGateway,
    facts: Facts,
    sweeps: S3Gateway,
    access_role: RoleName,
    settling: SignedDuration,
}

/// What the state machine says.
#[derive(Debug, Deserialize)]
struct Input {
    sweep_id: SweepId,
    batch: usize,
}

/// What the state machine is answered; what was found is in Amazon S3.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The batch.
    pub batch: usize,
    /// How many accounts were looked at.
    pub checked: usize,
    /// How many there was no time for.
    pub left: usize,
}

impl ComplianceChecker {
    /// The function's name.
    pub const NAME: &'static str = "compliance-checker";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let management = settings.management(config);
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            engine: Engine::new(config, Self::NAME, management.clone()).recording_in(table.clone()),
            document: DocumentCache::of(config, &mut settings, &table, &access_role).recorded_by_others(),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            facts: Facts::new(management.organizations.clone()),
            organizations: management.organizations,
            sweeps: S3Gateway::of(config, settings.reports_bucket()),
            access_role,
            settling: settings.settling(),
        };
        settings.finish().map(|()| function)
    }

    /// Looks at one batch. The same batch again is looked at again, and what was found takes the place of what was found
    /// before.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let Input { sweep_id, batch } = serde_json::from_value(event.payload).map_err(|error| {
            Failure::with_detail(Cause::InvalidRequest, format_args!("{error}; the state machine calls this function."))
        })?;
        let budget = Budget::keeping(MARGIN);
        let accounts = self.accounts(&sweep_id.batch_key(batch)).await?;
        let document = self.document.read(&self.bus).await?;
        let (document, budget, invocation) = (&document, &budget, event.context.request_id.as_str());
        let visits = accounts.into_iter().map(|account| self.visit(account, document, budget, invocation));
        let found: Vec<Found> = stream::iter(visits).buffered(AT_ONCE).collect().await;

        let is_left = |found: &&Found| matches!(&found.checked, Checked::Unknown { failure } if failure.cause == Cause::NoTimeLeft);
        let left = found.iter().filter(is_left).count();
        let content = serde_json::to_string(&found).map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
        self.sweeps.put_object(&sweep_id.results_key(batch), content).await?;
        Ok(Answer { batch, checked: found.len() - left, left })
    }

    async fn accounts(&self, key: &str) -> Result<Vec<Listed>, Failure> {
        match self.sweeps.find_object(key, None, MAX_BATCH).await? {
            gateway::Found::Object { content, .. } => serde_json::from_slice(&content)
                .map_err(|error| Failure::with_detail(Cause::InputRefused, format_args!("{key}: {error}."))),
            gateway::Found::Missing | gateway::Found::Unchanged => {
                Err(Failure::with_detail(Cause::NotFound, format_args!("There is no batch {key}.")))
            }
        }
    }

    async fn visit(&self, account: Listed, document: &Document, budget: &Budget, invocation: &str) -> Found {
        let unknown = |failure| Checked::Unknown { failure };
        let (tags, checked) = if budget.has_room() {
            // With the wrong baseline it is not looked at.
            match self.facts.tags(&account.id, document).await {
                Ok(tags) => (tags.clone(), self.check(&account, tags, document, invocation).await),
                Err(failure) => (BTreeMap::new(), unknown(failure)),
            }
        } else {
            (BTreeMap::new(), unknown(Failure::new(Cause::NoTimeLeft)))
        };
        Found { id: account.id, tags, checked }
    }

    async fn check(&self, account: &Listed, tags: Tags, document: &Document, invocation: &str) -> Checked {
        let rows = match self.look(account, tags, document, invocation).await {
            Ok(rows) => rows,
            Err(failure) => return Checked::Unknown { failure },
        };
        // An account that was closed since it was listed refuses everything, and that is no finding.
        if rows.iter().any(|row| matches!(row.outcome, Outcome::NotReady { .. } | Outcome::Unknown { .. }))
            && let Ok(described) = self.organizations.describe_account(&account.id).await
            && let Some(why) = ineligibility(&described)
        {
            return Checked::NotChecked { why: format!("Since the sweep began, {why}.") };
        }
        Checked::Rows(rows)
    }

    /// Runs every control: in sessions that may only read, but for those that are to be mended.
    async fn look(
        &self,
        account: &Listed,
        tags: Tags,
        document: &Document,
        invocation: &str,
    ) -> Result<Vec<Row>, Failure> {
        let today = clock::now().to_zoned(TimeZone::UTC).date();
        let effective = document.for_account(&account.facts(tags), today);
        let listed = account.account();
        let is_settling = is_settling(&listed, self.settling, clock::now());
        let visit = Visit::to(&listed, &self.access_role, invocation, is_settling)?;
        let (mend, watch): (Vec<&'static dyn AnyControl>, Vec<_>) =
            control::ALL.iter().partition(|control| account.mend && document.remediates(control.id()));
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        for (controls, mode) in [(watch, Mode::Plan), (mend, Mode::Apply)] {
            if !controls.is_empty() {
                let found = self.engine.run(&controls, visit, &effective, mode).await;
                rows.extend(found.into_iter().map(|row| (row.control.as_str(), row)));
            }
        }
        Ok(control::ALL.iter().filter_map(|control| rows.remove(control.id())).collect())
    }
}
