//! Begins a sweep: lists every account of the organization, in batches, and finds new ones that no event has announced.

mod leaving;
mod stack_sets;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join;
use jiff::{Timestamp, tz::TimeZone};
use lambda_runtime::{LambdaEvent, tracing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    account_creation::{Announced, BaselineMessage, NewlyNamed, Store},
    baseline::{BaselineSelectorUnmatched, DocumentCache, Selectors, TagSelectors, unmatched_in_words},
    clock,
    control::{self, brake::may_change, stack_instances::SetFacts},
    error::{Cause, Failure},
    gateway::{
        Account, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Origin, S3Gateway, SqsGateway,
        StatesGateway,
    },
    ids::{AccountId, OrganizationalUnitId},
    organization::UnitNames,
    poll_backoff::PollBackoff,
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::Guards,
    sweep::{BATCH, Batch, Listed, Listing, RemediationLock, SweepBrake, SweepExecutions, SweepId, note},
    table::{
        account_index::AccountIndex,
        closures::{Closure, Closures},
        known_accounts::{Joining, KnownAccounts, joining},
    },
};

use stack_sets::{OfSweep, StackSets};

/// How long requests leave the listing to a sweep: ten thousand accounts take a minute and a half.
const LISTED_WITHIN: Duration = Duration::from_mins(3);

/// The handler of `account-lister`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct AccountLister {
    executions: SweepExecutions,
    document: DocumentCache,
    bus: EventBridgeGateway,
    organizations: OrganizationsGateway,
    selectors: Selectors,
    sweeps: S3Gateway,
    known_accounts: KnownAccounts,
    index: AccountIndex,
    requests: Store,
    closures: Closures,
    suspended_unit: Option<OrganizationalUnitId>,
    baseline: SqsGateway,
    newly_named: NewlyNamed,
    remediation_lock: RemediationLock,
    brake: SweepBrake,
    stack_sets: StackSets,
    max_changed_percent: u32,
    backoff: PollBackoff,
}

/// What the state machine says.
#[derive(Debug, Deserialize)]
struct Input {
    /// The ARN of its execution.
    execution: String,
}

/// What the state machine goes on with.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The sweep.
    pub sweep_id: SweepId,
    /// The numbers of the batches.
    pub batches: Vec<usize>,
    /// How many accounts there are.
    pub accounts: usize,
    /// New accounts that no event has announced; they get their baseline.
    pub unannounced: Vec<AccountId>,
    /// Accounts that had joined in the two weeks before the first sweep of this stack, and are left as they are. The first
    /// sweep alone says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joined_before: Vec<AccountId>,
}

/// What has become of new accounts.
#[derive(Debug, Default)]
struct Joined {
    unannounced: Vec<AccountId>,
    before: Vec<AccountId>,
}

impl From<Announced> for Joined {
    fn from(Announced { new, before }: Announced) -> Self {
        Self { unannounced: new, before }
    }
}

impl AccountLister {
    /// The function's name.
    pub const NAME: &'static str = "account-lister";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let organizations = settings.management(config).organizations;
        let table = DynamoDbGateway::of(config, settings.table_name());
        let guards = Guards::of(&mut settings, config);
        let baseline = SqsGateway::of(config, settings.baseline_queue_url());
        let function = Self {
            stack_sets: StackSets::new(
                config,
                (organizations.clone(), settings.tagging(config)),
                guards,
                &table,
                settings.deadline(),
            ),
            executions: SweepExecutions::new(StatesGateway::of(config)),
            document: DocumentCache::of(config, &mut settings, &table, &access_role),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            selectors: Selectors::new(organizations.clone(), table.clone()),
            organizations,
            sweeps: S3Gateway::of(config, settings.reports_bucket()),
            known_accounts: KnownAccounts::new(table.clone()),
            index: AccountIndex::new(table.clone()),
            remediation_lock: RemediationLock::new(table.clone()),
            brake: SweepBrake::new(table.clone()),
            max_changed_percent: settings.max_changed_percent(),
            closures: Closures::new(table.clone()),
            suspended_unit: settings.suspended_unit(),
            newly_named: NewlyNamed::new(table.clone(), baseline.clone(), settings.poll_backoff()),
            requests: Store::new(table),
            baseline,
            backoff: settings.poll_backoff(),
        };
        settings.finish().map(|()| function)
    }

    /// Lists the accounts for one execution of the state machine. The same execution again lists them again.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let input: Input = serde_json::from_value(event.payload).map_err(|error| {
            Failure::with_detail(Cause::InvalidRequest, format_args!("{error}; the state machine calls this function."))
        })?;
        let sweep = self.executions.under_way(&input.execution).await?;
        let document = self.document.read(&self.bus).await?;
        let origin = self.organizations.origin().await?;
        let sweep_id = sweep.id;
        let (listed, mut stack_sets) = join(self.list(&sweep_id, &origin), self.stack_sets.look(&document)).await;
        let (accounts, listed, batches) = listed?;
        let joined = match origin.management_account() {
            Some(management) => self.announce(&accounts, management, sweep.started_at).await?,
            None => self.newly_named.announce(&document).await?.into(),
        };
        let now = clock::now();
        let ids = accounts.iter().map(|account| &account.id).collect();
        let today = now.to_zoned(TimeZone::UTC).date();
        let unmatched = self.selectors.of_sweep(&document, &ids, today).await?;
        if let Some(event) = BaselineSelectorUnmatched::of(&document, unmatched.clone()) {
            self.bus.put(&event).await?;
        }
        // Where an override stands for nothing, the defaults would be put in the place of what was meant.
        let allowed = self.selectors.allow_remediation(&document).await;
        let mut why_not =
            unmatched_in_words(&unmatched).or_else(|| allowed.as_ref().err().map(|why| why.message.clone()));
        let mut remediates =
            allowed.is_ok() && !document.remediate.is_empty() && self.remediation_lock.begin(&sweep_id, now).await?;
        if remediates {
            let of = (accounts.len(), self.max_changed_percent);
            let continues = sweep.continues.as_deref();
            if let Some(why) = self.brake.begin(&sweep_id, document.etag(), of, continues, now).await? {
                (remediates, why_not) = (false, Some(why));
            }
        }
        if remediates && document.remediates("stack-instances") {
            let continues = sweep.continues.is_some();
            let may_change = if continues { usize::MAX } else { may_change(accounts.len(), self.max_changed_percent) };
            let account_arns = origin.account_arns();
            let of = OfSweep {
                sweep_id: &sweep_id,
                document: &document,
                account_arns: &account_arns,
                accounts: &listed,
                may_change,
                now,
            };
            self.stack_sets.deploy(&mut stack_sets, of).await;
        }
        self.write_stack_sets(&sweep_id, &stack_sets, &batches).await?;
        let batches = batches.len();
        let listing = Listing {
            sweep_id: sweep_id.clone(),
            trigger: sweep.trigger,
            organization_id: origin.id().to_owned(),
            started_at: sweep.started_at,
            controls: control::ALL.iter().map(|control| control.id().to_owned()).collect(),
            note: note(
                &document.remediate.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
                remediates,
                document.refused.as_ref(),
                why_not.as_deref(),
            ),
            by_tag: TagSelectors::of(&document),
            checks_organization: matches!(origin, Origin::Organization(_)),
            batches,
            accounts: listed,
        };
        self.sweeps.put_object(&sweep_id.listing_key(), json(&listing)?).await?;
        let (accounts, Joined { unannounced, before }) = (listing.accounts.len(), joined);
        let batches = (1..=batches).collect();
        Ok(Answer { sweep_id, batches, accounts, unannounced, joined_before: before })
    }

    /// Lists every account, and writes the batches as the pages come: AWS gives 20 accounts a page and eight pages a second,
    /// so that whatever else there is to do is done while the next page is on its way.
    async fn list(
        &self,
        sweep_id: &SweepId,
        origin: &Origin,
    ) -> Result<(Vec<Account>, Vec<Listed>, Vec<BTreeSet<AccountId>>), Failure> {
        let begun_at = clock::now();
        match self.index.spare_others(LISTED_WITHIN).await {
            Ok(true) => {}
            Ok(false) => tracing::info!("a request lists the accounts at the same time"),
            Err(error) => tracing::warn!("requests may list the accounts at the same time: {error}"),
        }
        let mut batches = Batches { lister: self, sweep_id, account_arns: origin.account_arns(), full: Vec::new() };
        let (mut names, mut waiting, mut is_whole) = (UnitNames::default(), Vec::new(), true);
        let (mut accounts, mut listed) = (Vec::new(), Vec::new());
        let leaving = self.leaving().await;
        let mut page = self.organizations.accounts_page(None).await?;
        loop {
            let next = async {
                match page.next.as_deref() {
                    Some(token) => self.organizations.accounts_page(Some(token)).await.map(Some),
                    None => Ok(None),
                }
            };
            let work = async {
                // Requests look addresses up there. A sweep goes on without.
                if is_whole && let Err(error) = self.index.record_all(&page.items).await {
                    tracing::warn!("the index of accounts is not whole: {error}");
                    is_whole = false;
                }
                names.learn(&self.organizations, &page.items).await;
                for account in &page.items {
                    let mut one = Listed::of(account.clone(), names.path(account));
                    let why = leaving::why(account, leaving.get(&account.id), self.suspended_unit.as_ref());
                    one.not_checked = why.or(one.not_checked);
                    if one.is_to_be_checked() {
                        waiting.push(one.clone());
                    }
                    listed.push(one);
                }
                batches.write_full(&mut waiting).await
            };
            let (next, written) = join(next, work).await;
            written?;
            accounts.append(&mut page.items);
            match next? {
                Some(next) => page = next,
                None => break,
            }
        }
        batches.write_rest(waiting).await?;
        if is_whole && let Err(error) = self.index.is_whole(begun_at).await {
            tracing::warn!("the index of accounts is not whole: {error}");
        }
        tracing::info!(accounts = accounts.len(), batches = batches.full.len(), "every account is listed");
        Ok((accounts, listed, batches.full))
    }

    /// The accounts that are being closed or were, as far as that is known. A sweep goes on without: an account in the unit
    /// for those that are to be closed is changed by nobody.
    async fn leaving(&self) -> BTreeMap<AccountId, Closure> {
        let mut found = BTreeMap::new();
        for queried in [self.closures.open().await, self.closures.closed().await] {
            match queried {
                Ok(queried) => {
                    found.extend(queried.items.into_iter().map(|closure| (closure.account_id.clone(), closure)));
                }
                Err(error) => tracing::warn!("which accounts are being closed is not known: {error}"),
            }
        }
        found
    }

    /// Writes beside each batch what its accounts have of the stack sets, where the document names any.
    async fn write_stack_sets(
        &self,
        sweep_id: &SweepId,
        stack_sets: &[SetFacts],
        batches: &[BTreeSet<AccountId>],
    ) -> Result<(), Failure> {
        if stack_sets.is_empty() {
            return Ok(());
        }
        for (number, accounts) in (1..).zip(batches) {
            let of_batch: Vec<_> = stack_sets.iter().map(|facts| facts.of_accounts(accounts)).collect();
            self.sweeps.put_object(&sweep_id.stack_sets_key(number), json(&of_batch)?).await?;
        }
        Ok(())
    }

    /// Sends the new accounts that nobody has heard of to get their baseline. Those that had joined before this stack
    /// watched the organization are left: installing it changes no account.
    async fn announce(
        &self,
        accounts: &[Account],
        management: &AccountId,
        began_at: Timestamp,
    ) -> Result<Joined, Failure> {
        let now = clock::now();
        let installation = self.known_accounts.installation(began_at).await?;
        let mut joined = Joined::default();
        for account in accounts {
            match joining(account, management, installation, now) {
                Joining::Due => {}
                Joining::BeforeInstallation if installation.is_new => {
                    tracing::info!(account_id = %account.id, "it joined before the first sweep and is left as it is");
                    joined.before.push(account.id.clone());
                    continue;
                }
                Joining::BeforeInstallation | Joining::NotDue => continue,
            }
            // What Steward makes itself is announced when it is in its place.
            if self.known_accounts.known_since(account).await?.is_some() || self.requests.has_made(account).await? {
                continue;
            }
            tracing::warn!(account_id = %account.id, "no event has announced this account; it gets its baseline now");
            let account_id = account.id.clone();
            let message = BaselineMessage { account_id, request_id: None, since: now, joined: false, waited: false };
            self.baseline.send(&message, self.backoff.poll).await?;
            // From now on it has somebody who writes.
            self.known_accounts.record(account, now).await?;
            joined.unannounced.push(account.id.clone());
        }
        Ok(joined)
    }
}

/// The batches of a sweep, written as they get full.
struct Batches<'a> {
    lister: &'a AccountLister,
    sweep_id: &'a SweepId,
    account_arns: String,
    /// The accounts of those that have been written.
    full: Vec<BTreeSet<AccountId>>,
}

impl Batches<'_> {
    async fn write_full(&mut self, waiting: &mut Vec<Listed>) -> Result<(), Failure> {
        while waiting.len() >= BATCH {
            let rest = waiting.split_off(BATCH);
            self.write(std::mem::replace(waiting, rest)).await?;
        }
        Ok(())
    }

    async fn write_rest(&mut self, waiting: Vec<Listed>) -> Result<(), Failure> {
        if waiting.is_empty() { Ok(()) } else { self.write(waiting).await }
    }

    async fn write(&mut self, accounts: Vec<Listed>) -> Result<(), Failure> {
        let ids = accounts.iter().map(|account| account.id.clone()).collect();
        let batch = Batch { account_arns: self.account_arns.clone(), accounts };
        self.full.push(ids);
        Ok(self.lister.sweeps.put_object(&self.sweep_id.batch_key(self.full.len()), json(&batch)?).await?)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::with_detail(Cause::CallFailed, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(AccountLister::NAME, ["by the state machine"], |sample| {
            serde_json::from_value::<Input>(sample.payload).map(|_| ["by the state machine"])
        });
    }
}
