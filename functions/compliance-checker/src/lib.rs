//! Looks at the accounts of one batch of a sweep, and puts right what the document says.

mod remediation;

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use jiff::tz::TimeZone;
use lambda_runtime::{LambdaEvent, tracing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    baseline::Document,
    baseline_runner::BaselineRunner,
    clock,
    control::{
        self, Control, Known, Mode, Outcome, Row, jump_groups::JumpGroups, stack_instances::SetFacts,
        switch_roles::SwitchRolesControl,
    },
    error::{Cause, Failure},
    gateway::{
        self, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, S3Gateway, StatesGateway, TaggingGateway,
        TagsOfAccounts,
    },
    ids::AccountId,
    runtime::{
        budget::Budget,
        concurrency::as_they_come,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::{Guards, Sessions, ineligibility},
    sweep::{Batch, Checked, Found as OfAccount, Listed, Offered, SweepExecutions},
};

use remediation::{Means, OfSweep, Remediation};

/// How many accounts are looked at at once.
const AT_ONCE: usize = 16;
/// The time that is kept for the accounts that are being looked at when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);
/// The largest batch that is read.
const MAX_BATCH: usize = 1024 * 1024;

/// After how many accounts what was found is written.
const WRITTEN_AFTER: usize = 10;

/// What was found, by the position of the account in the batch.
type Found = BTreeMap<usize, OfAccount>;
type Tags = BTreeMap<String, String>;

/// The handler of `compliance-checker`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct ComplianceChecker {
    executions: SweepExecutions,
    runner: BaselineRunner,
    remediation: Remediation,
    organizations: OrganizationsGateway,
    tagging: TaggingGateway,
    sweeps: S3Gateway,
}

/// What the state machine says.
#[derive(Debug, Deserialize)]
struct Input {
    /// The ARN of the sweep's execution.
    execution: String,
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
        let management = settings.management(config);
        let table = DynamoDbGateway::of(config, settings.table_name());
        let sessions = Sessions::new(config, Self::NAME, Guards::of(&mut settings, config))
            .recording_in(DynamoDbGateway::of(config, settings.journal_table_name()));
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let runner = BaselineRunner::new(config, &mut settings, management.clone(), sessions, &table, &bus);
        let function = Self {
            executions: SweepExecutions::new(StatesGateway::of(config)),
            remediation: Remediation::new(management.organizations.clone(), &table, settings.deadline()),
            runner: runner
                .with_member_bus(settings.member_bus_arn())
                .with_own_role(settings.own_account_role_name())
                .recorded_by_others(),
            tagging: settings.tagging(config),
            organizations: management.organizations,
            sweeps: S3Gateway::of(config, settings.reports_bucket()),
        };
        settings.finish().map(|()| function)
    }

    /// Looks at one batch. The same batch again is looked at again, and what was found takes the place of what was found
    /// before.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let Input { execution, batch } = serde_json::from_value(event.payload).map_err(|error| {
            Failure::with_detail(Cause::InvalidRequest, format_args!("{error}; the state machine calls this function."))
        })?;
        let budget = Budget::keeping(MARGIN);
        let sweep_id = self.executions.under_way(&execution).await?.id;
        let accounts = self.batch(&sweep_id.batch_key(batch)).await?;
        let document = self.runner.document().await?;
        let stack_sets = self.stack_sets(&sweep_id.stack_sets_key(batch), &document).await?;
        let of = OfSweep::new(&sweep_id, &document, &event.context.request_id, stack_sets);
        let index = self.index(&accounts, &document).await;
        let visits = accounts.accounts.into_iter().map(|account| self.visit(account, &index, &of, &budget));
        let mut came = pin!(as_they_come(visits, AT_ONCE));
        let mut found = Found::default();
        // Written as it comes: whoever is killed loses little.
        while let Some((position, one)) = came.next().await {
            found.insert(position, one);
            if found.len() % WRITTEN_AFTER == 0 {
                self.write(&sweep_id.results_key(batch), &found).await?;
            }
        }
        self.write(&sweep_id.results_key(batch), &found).await?;
        let is_left = |found: &&OfAccount| matches!(&found.checked, Checked::Unknown { failure } if failure.cause == Cause::NoTimeLeft);
        let left = found.values().filter(is_left).count();
        Ok(Answer { batch, checked: found.len() - left, left })
    }

    async fn write(&self, key: &str, found: &Found) -> Result<(), Failure> {
        let all: Vec<&OfAccount> = found.values().collect();
        let content = serde_json::to_string(&all).map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
        Ok(self.sweeps.put_object(key, content).await?)
    }

    async fn batch(&self, key: &str) -> Result<Batch, Failure> {
        let missing = || Failure::with_detail(Cause::NotFound, format_args!("There is no batch {key}."));
        self.read(key).await?.ok_or_else(missing)
    }

    /// What the accounts of the batch have of the stack sets that the document names; nothing where it has come to name them
    /// since the sweep began.
    async fn stack_sets(&self, key: &str, document: &Document) -> Result<Arc<Vec<SetFacts>>, Failure> {
        let read = if document.stack_sets().is_empty() { None } else { self.read(key).await? };
        Ok(Arc::new(read.unwrap_or_default()))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        match self.sweeps.find_object(key, None, MAX_BATCH).await? {
            gateway::Found::Object { content, .. } => serde_json::from_slice(&content)
                .map(Some)
                .map_err(|error| Failure::with_detail(Cause::InputRefused, format_args!("{key}: {error}."))),
            gateway::Found::Missing | gateway::Found::Unchanged => Ok(None),
        }
    }

    /// The tags of all accounts of the batch, in one call, where the document looks at tags. Without it, each account is
    /// asked for its own.
    async fn index(&self, batch: &Batch, document: &Document) -> TagsOfAccounts {
        if !document.looks_at_tags() {
            return TagsOfAccounts::new();
        }
        let ids: Vec<AccountId> = batch.accounts.iter().map(|account| account.id.clone()).collect();
        self.tagging.tags_of_accounts(&batch.account_arns, &ids).await.unwrap_or_else(|error| {
            tracing::warn!("the index of tags cannot be read, each account is asked for its own: {error}");
            TagsOfAccounts::new()
        })
    }

    async fn visit(&self, account: Listed, index: &TagsOfAccounts, of: &OfSweep<'_>, budget: &Budget) -> OfAccount {
        let (tags, checked) = if budget.has_room() {
            self.check(&account, index.get(&account.id), of).await
        } else {
            (None, Checked::Unknown { failure: Failure::new(Cause::NoTimeLeft) })
        };
        let offered = offered(&account, tags.as_ref(), &checked, of.document);
        OfAccount { id: account.id, tags, offered, checked }
    }

    /// What was found in an account, and the tags by which it was known what holds for it.
    async fn check(&self, account: &Listed, indexed: Option<&Tags>, of: &OfSweep<'_>) -> (Option<Tags>, Checked) {
        let unknown = |failure| Checked::Unknown { failure };
        let known = of.known(account, indexed.cloned());
        // With the wrong baseline it is not looked at.
        let tags = match indexed {
            Some(tags) if of.document.selects_on_tags() => tags.clone(),
            _ => match self.runner.facts().tags(&account.id, of.document).await {
                Ok(tags) => tags,
                Err(failure) => return (None, unknown(failure)),
            },
        };
        let groups = self.runner.facts().jump_groups(&account.id, of.document).await;
        let first = match self.look(account, (&tags, &known), groups.as_ref(), of).await {
            Ok(rows) => rows,
            Err(failure) => return (Some(tags), unknown(failure)),
        };
        let (tags, rows) = match self.confirmed(account, indexed, groups.as_ref(), of, (tags, first)).await {
            Ok(confirmed) => confirmed,
            Err(failure) => return (None, unknown(failure)),
        };
        // An account that was closed since it was listed refuses everything, and that is no finding.
        if rows.iter().any(|row| matches!(row.outcome, Outcome::NotReady { .. } | Outcome::Unknown { .. }))
            && let Ok(described) = self.organizations.describe_account(&account.id).await
            && let Some(why) = ineligibility(&described)
        {
            return (Some(tags), Checked::NotChecked { why: format!("Since the sweep began, {why}.") });
        }
        let means = Means { runner: &self.runner, groups: groups.as_ref() };
        (Some(tags), Checked::Rows(self.remediation.after(rows, &account.id, of, means).await))
    }

    /// The same rows, unless something has drifted by a baseline that the index of tags alone has chosen, and AWS
    /// Organizations knows other tags: then what was found by those.
    async fn confirmed(
        &self,
        account: &Listed,
        indexed: Option<&Tags>,
        groups: Option<&JumpGroups>,
        of: &OfSweep<'_>,
        (tags, rows): (Tags, Vec<Row>),
    ) -> Result<(Tags, Vec<Row>), Failure> {
        let is_settled = |row: &Row| row.outcome.is_settled();
        if indexed.is_none() || !of.document.selects_on_tags() || rows.iter().all(is_settled) {
            return Ok((tags, rows));
        }
        let shown = self.runner.facts().tags(&account.id, of.document).await?;
        if shown == tags {
            return Ok((tags, rows));
        }
        let known = of.known(account, Some(shown.clone()));
        let rows = self.look(account, (&shown, &known), groups, of).await?;
        Ok((shown, rows))
    }

    /// Runs every control in a session that may only read.
    async fn look(
        &self,
        account: &Listed,
        (tags, known): (&Tags, &Known),
        groups: Option<&JumpGroups>,
        of: &OfSweep<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let now = clock::now();
        let mut effective = of.document.for_account(&account.facts(tags.clone()), now.to_zoned(TimeZone::UTC).date());
        effective.baseline.jump_groups = groups.cloned();
        let listed = account.account();
        let admission = self.runner.admit(&listed, of.document).await?;
        let visit = self.runner.visit(&admission, &listed, of.invocation).knowing(known);
        Ok(self.runner.run(control::ALL, visit, &effective, Mode::Plan).await)
    }
}

/// What people can switch to in an account, also in one that could not be looked at. None when its tags decide that, and are
/// not known. Where `switch-roles` makes no roles, there are none.
fn offered(account: &Listed, tags: Option<&Tags>, checked: &Checked, document: &Document) -> Option<Offered> {
    let tags = match tags {
        Some(tags) => tags.clone(),
        None if document.selects_on_tags() => return None,
        None => Tags::new(),
    };
    let today = clock::now().to_zoned(TimeZone::UTC).date();
    let offered = Offered::of(&document.for_account(&account.facts(tags), today).baseline);
    let makes_none =
        |row: &Row| row.control.as_str() == SwitchRolesControl::ID && matches!(row.outcome, Outcome::Skipped { .. });
    let has_none = matches!(checked, Checked::Rows(rows) if rows.iter().any(makes_none));
    Some(if has_none { Offered { color: offered.color, ..Offered::default() } } else { offered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(ComplianceChecker::NAME, ["a batch"], |sample| {
            serde_json::from_value::<Input>(sample.payload).map(|_| ["a batch"])
        });
    }
}
