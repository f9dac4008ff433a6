//! Begins a sweep: lists every account of the organization, in batches, and finds new ones that no event has announced.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, tz::TimeZone};
use lambda_runtime::{LambdaEvent, tracing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    account_creation::{BaselineMessage, Store},
    baseline::{BaselineSelectorUnmatched, DocumentCache, Selectors, TagSelectors, unmatched_in_words},
    clock, control,
    error::{Cause, Failure},
    gateway::{
        Account, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, S3Gateway, SqsGateway, StatesGateway,
    },
    ids::AccountId,
    organization::UnitNames,
    poll_backoff::PollBackoff,
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    sweep::{BATCH, Listed, Listing, RemediationLock, SweepBrake, SweepExecutions, SweepId, note},
    table::{
        account_index::AccountIndex,
        known_accounts::{Joining, KnownAccounts, joining},
    },
};

/// How many batches are written at once.
const AT_ONCE: usize = 8;

/// The function.
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
    baseline: SqsGateway,
    remediation_lock: RemediationLock,
    brake: SweepBrake,
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

impl AccountLister {
    /// The function's name.
    pub const NAME: &'static str = "account-lister";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let organizations = settings.management(config).organizations;
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
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
            requests: Store::new(table),
            baseline: SqsGateway::of(config, settings.baseline_queue_url()),
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
        let organization = self.organizations.describe_organization().await?;
        let list_begun_at = clock::now();
        let accounts = self.organizations.list_accounts().await?;
        // Requests look addresses up there. A sweep goes on without.
        if let Err(error) = self.index.replace(&accounts, list_begun_at).await {
            tracing::warn!("the index of accounts is not whole: {error}");
        }
        let joined = self.announce(&accounts, &organization.management_account, sweep.started_at).await?;
        let sweep_id = sweep.id;
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
        let management = &organization.management_account;
        let names = UnitNames::of(&self.organizations, &accounts).await;
        let listed = accounts.into_iter().map(|account| {
            let unit = names.path(&account);
            Listed::of(account, unit, management)
        });
        let accounts: Vec<Listed> = listed.collect();

        let to_check: Vec<&Listed> = accounts.iter().filter(|listed| listed.is_to_be_checked()).collect();
        let batches: Vec<_> = to_check.chunks(BATCH).zip(1..).collect();
        let write = |(batch, number): &(&[&Listed], usize)| {
            let (key, content) = (sweep_id.batch_key(*number), json(batch));
            async move { Ok::<_, Failure>(self.sweeps.put_object(&key, content?).await?) }
        };
        stream::iter(batches.iter().map(write)).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let batches: Vec<usize> = batches.into_iter().map(|(_, number)| number).collect();
        let listing = Listing {
            sweep_id: sweep_id.clone(),
            trigger: sweep.trigger,
            organization_id: organization.id,
            started_at: sweep.started_at,
            controls: control::ALL.iter().map(|control| control.id().to_owned()).collect(),
            note: note(
                &document.remediate.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
                remediates,
                document.refused.as_ref(),
                why_not.as_deref(),
            ),
            by_tag: TagSelectors::of(&document),
            batches: batches.len(),
            accounts,
        };
        self.sweeps.put_object(&sweep_id.listing_key(), json(&listing)?).await?;
        let (accounts, Joined { unannounced, before }) = (listing.accounts.len(), joined);
        Ok(Answer { sweep_id, batches, accounts, unannounced, joined_before: before })
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
