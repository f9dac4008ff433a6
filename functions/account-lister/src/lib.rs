//! Begins a sweep: lists every account of the organization, in batches, and finds new ones that no event has announced.

mod batches;
mod leaving;
mod listing;
mod stack_sets;

use jiff::{Timestamp, tz::TimeZone};
use lambda_runtime::{LambdaEvent, tracing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    account_creation::{Announced, BaselineMessage, Maker, NewlyNamed, Store},
    baseline::{BaselineSelectorUnmatched, DocumentCache, Selectors, TagSelectors, unmatched_in_words},
    clock, control,
    error::{Cause, Failure},
    gateway::{
        Account, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Origin, S3Gateway, SqsGateway,
        StatesGateway,
    },
    ids::{AccountId, OrganizationalUnitId},
    poll_backoff::PollBackoff,
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::Guards,
    sweep::{Listing, RemediationLock, SweepBrake, SweepExecutions, SweepId, note},
    table::{
        account_index::AccountIndex,
        closures::Closures,
        known_accounts::{Joining, KnownAccounts, joining},
    },
};

use batches::{Batches, json, read};
use listing::Accounts;
use stack_sets::{OfSweep, StackSets};

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
    /// How many batches there are.
    pub batches: usize,
    /// Whether it changes what it has found.
    pub remediates: bool,
    /// How many accounts there are.
    pub accounts: usize,
    /// New accounts that no event has announced; they get their baseline.
    pub unannounced: Vec<AccountId>,
    /// Accounts that had joined in the two weeks before the first sweep of this stack, and are left as they are. The first
    /// sweep alone says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joined_before: Vec<AccountId>,
}

impl Answer {
    fn of(listing: &Listing, Joined { unannounced, before }: Joined) -> Self {
        Self {
            sweep_id: listing.sweep_id.clone(),
            batches: listing.batches,
            remediates: listing.remediates,
            accounts: listing.accounts.len(),
            unannounced,
            joined_before: before,
        }
    }
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

    /// Lists the accounts for one execution of the state machine. What was listed once stays as it is: others are at work by it.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let input: Input = serde_json::from_value(event.payload).map_err(|error| {
            Failure::with_detail(Cause::InvalidRequest, format_args!("{error}; the state machine calls this function."))
        })?;
        let sweep = self.executions.under_way(&input.execution).await?;
        let sweep_id = sweep.id.clone();
        if let Some(listing) = self.find_listing(&sweep_id).await? {
            return Ok(Answer::of(&listing, Joined::default()));
        }
        let document = self.document.read(&self.bus).await?;
        let origin = self.organizations.origin().await?;
        let mut batches = Batches::new(&self.sweeps, &sweep_id, origin.account_arns());
        let Accounts { shown: accounts, mut listed, mut stack_sets } = self.list(&document, &mut batches).await?;
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
            let account_arns = origin.account_arns();
            let of = OfSweep {
                sweep_id: &sweep_id,
                document: &document,
                account_arns: &account_arns,
                accounts: &listed,
                now,
            };
            self.stack_sets.deploy(&self.brake, &mut stack_sets, of).await;
        }
        batches.write_all(&stack_sets).await?;
        for account in &mut listed {
            account.batch = batches.of(&account.id);
        }
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
            account_arns: origin.account_arns(),
            by_tag: TagSelectors::of(&document),
            checks_organization: matches!(origin, Origin::Organization(_)),
            batches: batches.count(),
            remediates,
            accounts: listed,
        };
        // The last thing: whoever finds it finds every batch.
        if self.sweeps.create_object(&sweep_id.listing_key(), json(&listing)?).await? {
            return Ok(Answer::of(&listing, joined));
        }
        let missing = || Failure::with_detail(Cause::NotFound, "The list of accounts was there, and is gone.");
        let listing = self.find_listing(&sweep_id).await?.ok_or_else(missing)?;
        Ok(Answer::of(&listing, joined))
    }

    async fn find_listing(&self, sweep_id: &SweepId) -> Result<Option<Listing>, Failure> {
        read(&self.sweeps, &sweep_id.listing_key()).await
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
            if self.known_accounts.known_since(account).await?.is_some()
                || self.requests.maker_of(account).await? != Maker::SomebodyElse
            {
                continue;
            }
            tracing::warn!(account_id = %account.id, "no event has announced this account; it gets its baseline now");
            let account_id = account.id.clone();
            let message = BaselineMessage::new(account_id, now);
            self.baseline.send(&message, self.backoff.poll).await?;
            // From now on it has somebody who writes.
            self.known_accounts.record(account, now).await?;
            joined.unannounced.push(account.id.clone());
        }
        Ok(joined)
    }
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
