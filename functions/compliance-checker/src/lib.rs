//! Looks at the accounts of one batch of a sweep, and puts right what the document says.

mod changes;
mod remediation;

use std::{collections::BTreeMap, num::NonZeroUsize, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use jiff::tz::TimeZone;
use lambda_runtime::{LambdaEvent, tracing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    baseline::Document,
    baseline_runner::BaselineRunner,
    clock,
    control::{self, Control, Known, Mode, Outcome, Row, jump_groups::JumpGroups, switch_roles::SwitchRolesControl},
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
    sweep::{Batch, Checked, Found as OfAccount, Listed, Listing, Offered, SweepExecutions, SweepId},
};

use changes::{Changes, NOT_YET};
use remediation::{OfSweep, Remediation, drifted};

/// How many accounts are looked at at once.
const AT_ONCE: usize = 16;
/// The time that is kept for the accounts that are being looked at when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);
/// The largest object that is read: the list of fifty thousand accounts.
const MAX_OBJECT: usize = 64 * 1024 * 1024;

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
    task: Task,
    /// The batch, counted from 1.
    batch: usize,
    /// How many batches lie between this one and the next one of the same worker.
    every: NonZeroUsize,
}

/// What is done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    /// Its accounts are looked at.
    Look,
    /// What has drifted is changed, in it or in the next one that has anything.
    Change,
}

/// What the state machine is answered; what was found is in Amazon S3.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The batch.
    pub batch: usize,
    /// The batch to go on with.
    pub next: usize,
    /// How far the worker has come.
    pub progress: Progress,
    /// How many accounts were looked at, or tried to be changed.
    pub checked: usize,
    /// How many there was no time for.
    pub left: usize,
}

/// How far a worker of a sweep has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// There may be more.
    Working,
    /// The batch is not there yet: the accounts are still being listed.
    Waiting,
    /// There are no more batches, or no time for more.
    Done,
}

impl Answer {
    /// Nothing was done for the batch.
    fn without_work(input: &Input, progress: Progress) -> Self {
        Self { batch: input.batch, next: input.batch, progress, checked: 0, left: 0 }
    }
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

    /// Looks at one batch, or changes what has drifted. The same batch again is looked at again, and what was found takes the
    /// place of what was found before.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let input: Input = serde_json::from_value(event.payload).map_err(|error| {
            Failure::with_detail(Cause::InvalidRequest, format_args!("{error}; the state machine calls this function."))
        })?;
        let sweep = self.executions.under_way(&input.execution).await?;
        if !sweep.has_time(clock::now()) {
            // What is not looked at is unknown, and what is not changed says so already.
            tracing::warn!(batch = input.batch, "the sweep has worked for as long as it may, and is reported");
            return Ok(Answer::without_work(&input, Progress::Done));
        }
        let sweep_id = sweep.id;
        let invocation = &event.context.request_id;
        match input.task {
            Task::Look => self.look_at(&sweep_id, &input, invocation).await,
            Task::Change => self.change(&sweep_id, &input, invocation).await,
        }
    }

    async fn look_at(&self, sweep_id: &SweepId, input: &Input, invocation: &str) -> Result<Answer, Failure> {
        let budget = Budget::keeping(MARGIN);
        let batch = input.batch;
        let accounts = match self.batch(sweep_id, batch).await? {
            Ok(accounts) => accounts,
            Err(progress) => return Ok(Answer::without_work(input, progress)),
        };
        let document = self.runner.document().await?;
        let holds_jump_account = document
            .access
            .as_ref()
            .is_some_and(|access| accounts.accounts.iter().any(|one| one.id == access.jump_account));
        let listing = if holds_jump_account { self.read::<Listing>(&sweep_id.listing_key()).await? } else { None };
        if holds_jump_account && listing.is_none() {
            return Ok(Answer::without_work(input, Progress::Waiting));
        }
        let index = self.index(&accounts, &document).await;
        let of =
            OfSweep::new(sweep_id, &document, invocation, &self.tagging, Arc::new(accounts.stack_sets)).among(listing);
        let visits = accounts.accounts.into_iter().map(|account| self.visit(account, &index, &of, &budget));
        let mut came = pin!(as_they_come(visits, AT_ONCE));
        let (mut found, mut changes) = (Found::default(), Changes::new());
        // Written as it comes: whoever is killed loses little.
        while let Some((position, (one, drifted))) = came.next().await {
            if !drifted.is_empty() {
                changes.insert(one.id.clone(), drifted);
            }
            found.insert(position, one);
            if found.len() % WRITTEN_AFTER == 0 {
                self.write(sweep_id, batch, &found, &changes).await?;
            }
        }
        self.write(sweep_id, batch, &found, &changes).await?;
        let is_left = |found: &&OfAccount| matches!(&found.checked, Checked::Unknown { failure } if failure.cause == Cause::NoTimeLeft);
        let left = found.values().filter(is_left).count();
        let (next, progress) = (batch + input.every.get(), Progress::Working);
        Ok(Answer { batch, next, progress, checked: found.len() - left, left })
    }

    async fn write(&self, sweep_id: &SweepId, batch: usize, found: &Found, changes: &Changes) -> Result<(), Failure> {
        if !changes.is_empty() {
            self.sweeps.put_object(&sweep_id.changes_key(batch), json(changes)?).await?;
        }
        let all: Vec<&OfAccount> = found.values().collect();
        Ok(self.sweeps.put_object(&sweep_id.results_key(batch), json(&all)?).await?)
    }

    /// A batch; how far the worker has come where there is none.
    async fn batch(&self, sweep_id: &SweepId, batch: usize) -> Result<Result<Batch, Progress>, Failure> {
        let key = sweep_id.batch_key(batch);
        if let Some(batch) = self.read(&key).await? {
            return Ok(Ok(batch));
        }
        let listed = self.sweeps.find_object(&sweep_id.listing_key(), None, 0).await?;
        if listed == gateway::Found::Missing {
            return Ok(Err(Progress::Waiting));
        }
        // The list is written last: this one may have been written between the two.
        Ok(self.read(&key).await?.ok_or(Progress::Done))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        match self.sweeps.find_object(key, None, MAX_OBJECT).await? {
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

    /// What was found in an account, and the controls that the sweep is to change there.
    async fn visit(
        &self,
        account: Listed,
        index: &TagsOfAccounts,
        of: &OfSweep<'_>,
        budget: &Budget,
    ) -> (OfAccount, Vec<String>) {
        let (tags, mut checked) = if budget.has_room() {
            self.check(&account, index.get(&account.id), of).await
        } else {
            (None, Checked::Unknown { failure: Failure::new(Cause::NoTimeLeft) })
        };
        let mut changes = Vec::new();
        if let Checked::Rows(rows) = &mut checked {
            changes = drifted(rows, of.document);
            for row in rows.iter_mut().filter(|row| changes.iter().any(|id| id == row.control.as_str())) {
                row.notes.push(NOT_YET.to_owned());
            }
        }
        let offered = offered(&account, tags.as_ref(), &checked, of.document);
        (OfAccount { id: account.id, tags, offered, checked }, changes)
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
        let groups = of.jump_groups(&account.account(), &self.runner).await;
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
        (Some(tags), Checked::Rows(rows))
    }

    /// The same rows, unless something has drifted by a section that the index of tags alone has chosen, and AWS
    /// Organizations knows other tags: then what was found by those. It takes few such calls in a second.
    async fn confirmed(
        &self,
        account: &Listed,
        indexed: Option<&Tags>,
        groups: Option<&JumpGroups>,
        of: &OfSweep<'_>,
        (tags, rows): (Tags, Vec<Row>),
    ) -> Result<(Tags, Vec<Row>), Failure> {
        let may_differ = |row: &Row| !row.outcome.is_settled() && of.document.selects_on_tags_for(row.control.as_str());
        if indexed.is_none() || !rows.iter().any(may_differ) {
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

fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::with_detail(Cause::CallFailed, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(ComplianceChecker::NAME, ["a batch", "changes"], |sample| {
            let input: Input = serde_json::from_value(sample.payload)?;
            Ok::<_, serde_json::Error>([if input.task == Task::Look { "a batch" } else { "changes" }])
        });
    }
}
