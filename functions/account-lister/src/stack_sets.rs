//! Stack sets: looked at once for a whole sweep, and deployed to all accounts that lack them in one operation each.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::join_all, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use lambda_runtime::tracing;
use steward::{
    baseline::Document,
    control::stack_instances::{SetFacts, SetSeen},
    error::Failure,
    gateway::{CallError, DynamoDbGateway, StackSetsGateway},
    ids::{AccountId, Region},
    runtime::start::SdkConfig,
    session::{Guards, Sessions},
    sweep::{Listed, SweepId, may_be_remediated},
    table::known_accounts::KnownAccounts,
};

/// The control, by its name in the document.
const CONTROL: &str = "stack-instances";
/// How many accounts are asked about at once, before something is deployed to them.
const AT_ONCE: usize = 32;

/// The stack sets that the document names.
#[derive(Debug)]
pub(crate) struct StackSets {
    gateway: StackSetsGateway,
    sessions: Sessions,
    known_accounts: KnownAccounts,
    deadline: SignedDuration,
}

/// By what a sweep goes.
#[derive(Clone, Copy)]
pub(crate) struct OfSweep<'a> {
    pub(crate) sweep_id: &'a SweepId,
    pub(crate) document: &'a Document,
    pub(crate) accounts: &'a [Listed],
    /// How many accounts it may change.
    pub(crate) may_change: usize,
    pub(crate) now: Timestamp,
}

/// Accounts that lack the same stack set in the same regions.
type Lacking = BTreeMap<(String, Vec<Region>), BTreeSet<AccountId>>;

impl StackSets {
    pub(crate) fn new(config: &SdkConfig, guards: Guards, table: &DynamoDbGateway, deadline: SignedDuration) -> Self {
        Self {
            gateway: StackSetsGateway::of(config),
            sessions: Sessions::new(config, crate::AccountLister::NAME, guards),
            known_accounts: KnownAccounts::new(table.clone()),
            deadline,
        }
    }

    /// What there is of every stack set that the document names. One that cannot be read does not stop the others.
    pub(crate) async fn look(&self, document: &Document) -> Vec<SetFacts> {
        join_all(document.stack_sets().into_iter().map(async |name| {
            let seen = self.find(name).await.unwrap_or_else(|error| SetSeen::Failed(Failure::from(error)));
            SetFacts { name: name.to_owned(), seen }
        }))
        .await
    }

    async fn find(&self, name: &str) -> Result<SetSeen, CallError> {
        let Some(set) = self.gateway.find_stack_set(name).await? else { return Ok(SetSeen::Missing) };
        let instances = self.gateway.list_instances(name, None).await?;
        Ok(SetSeen::There { set, instances, asked: None })
    }

    /// Has each stack set deployed to the accounts that lack it, as far as a sweep may change them, in one operation. What was
    /// asked for is noted in the facts. What AWS does not take is left for the next sweep.
    pub(crate) async fn deploy(&self, facts: &mut [SetFacts], of: OfSweep<'_>) {
        if of.document.selects_on_tags() {
            tracing::info!("accounts are selected by tags, which are not known here: no stack set is deployed");
            return;
        }
        let lacking = lacking(facts, of);
        let all: BTreeSet<&AccountId> = lacking.values().flatten().collect();
        if all.len() > of.may_change {
            tracing::warn!(
                accounts = all.len(),
                may_change = of.may_change,
                "more accounts lack a stack set than may be changed"
            );
            return;
        }
        let may_be: BTreeSet<AccountId> = self.changeable(&all, of).await;
        for facts in facts {
            // AWS takes one operation at a time: the one that most accounts wait for.
            let groups = lacking.iter().filter(|((name, _), _)| *name == facts.name);
            let groups = groups.map(|((_, regions), accounts)| (regions, accounts & &may_be));
            let Some((regions, accounts)) = groups.max_by_key(|(_, accounts)| accounts.len()) else { continue };
            if accounts.is_empty() {
                continue;
            }
            let operation = format!("steward-{}", of.sweep_id);
            let list: Vec<AccountId> = accounts.iter().cloned().collect();
            match self.gateway.create_instances(&facts.name, &list, regions, &operation).await {
                Ok(()) => {
                    tracing::info!(stack_set = facts.name, accounts = list.len(), operation, "it is being deployed");
                    if let SetSeen::There { asked, .. } = &mut facts.seen {
                        *asked = Some((operation, accounts));
                    }
                }
                Err(error) => tracing::warn!(stack_set = facts.name, "it could not be deployed: {error}"),
            }
        }
    }

    /// Those of these accounts that a sweep may change.
    async fn changeable(&self, accounts: &BTreeSet<&AccountId>, of: OfSweep<'_>) -> BTreeSet<AccountId> {
        let listed = of.accounts.iter().filter(|account| accounts.contains(&account.id));
        let asked = stream::iter(listed.map(async |account| match self.may_be_changed(account, of).await {
            Ok(may_be) => may_be.then(|| account.id.clone()),
            Err(failure) => {
                tracing::warn!(account_id = %account.id, "no stack set is deployed to it: {failure}");
                None
            }
        }));
        asked.buffer_unordered(AT_ONCE).filter_map(async |id| id).collect().await
    }

    async fn may_be_changed(&self, account: &Listed, of: OfSweep<'_>) -> Result<bool, Failure> {
        let account = account.account();
        let admission = self.sessions.admit(&account, &of.document.protected).await?;
        if admission.is_own() || admission.protection().is_some() {
            return Ok(false);
        }
        let known_since = self.known_accounts.known_since(&account).await?;
        Ok(may_be_remediated(&account, known_since, self.deadline, of.now))
    }
}

/// Which accounts lack what, by what the document says for each of them.
fn lacking(facts: &[SetFacts], of: OfSweep<'_>) -> Lacking {
    let today = of.now.to_zoned(TimeZone::UTC).date();
    let mut lacking = Lacking::new();
    for account in of.accounts.iter().filter(|account| account.is_to_be_checked()) {
        let effective = of.document.for_account(&account.facts(BTreeMap::new()), today);
        if effective.exemptions.contains_key(CONTROL) {
            continue;
        }
        for wanted in effective.baseline.stack_instances.iter().flat_map(|section| &section.sets) {
            let Some(facts) = facts.iter().find(|facts| facts.name == wanted.name) else { continue };
            let regions = facts.lacking(&account.id, &wanted.regions);
            if !regions.is_empty() {
                lacking.entry((wanted.name.clone(), regions)).or_default().insert(account.id.clone());
            }
        }
    }
    lacking
}

#[cfg(test)]
mod tests {
    use steward::{
        baseline::Baseline,
        gateway::{Account, AccountState, StackInstance, StackSet},
    };

    use super::*;

    fn account(n: u64) -> Listed {
        let account = Account {
            id: format!("{:012}", 222_222_222_222 + n).parse().unwrap(),
            name: "A".to_owned(),
            email: "a@example.com".to_owned(),
            state: AccountState::Active,
            joined_at: None,
            parent: None,
            units: Vec::new(),
        };
        Listed::of(account, Ok("/Workloads".to_owned()), &"111111111111".parse().unwrap())
    }

    fn of<'a>(accounts: &'a [Listed], document: &'a Document, sweep_id: &'a SweepId) -> OfSweep<'a> {
        OfSweep { sweep_id, document, accounts, may_change: 10, now: Timestamp::from_second(1_790_000_000).unwrap() }
    }

    fn document(sections: serde_json::Value) -> Document {
        Document::of_defaults(serde_json::from_value::<Baseline>(sections).unwrap())
    }

    #[test]
    fn accounts_that_lack_the_same_are_deployed_to_together_and_nothing_is_where_aws_is_at_work() {
        let accounts: Vec<_> = (0..4).map(account).collect();
        let instance = |account: &Listed, status: &str, detailed: &str| StackInstance {
            account: account.id.clone(),
            region: "us-east-1".parse().unwrap(),
            status: status.to_owned(),
            detailed_status: detailed.to_owned(),
            reason: None,
            last_operation: None,
        };
        let instances = vec![
            instance(&accounts[0], "CURRENT", "SUCCEEDED"),
            instance(&accounts[1], "OUTDATED", "FAILED"),
            instance(&accounts[2], "OUTDATED", "RUNNING"),
        ];
        let facts = |is_service_managed| SetFacts {
            name: "logging".to_owned(),
            seen: SetSeen::There {
                set: StackSet { is_service_managed, units: Vec::new() },
                instances: instances.clone(),
                asked: None,
            },
        };
        let sweep_id = "2026-11-29T05-00-00Z-1a2b3c4d".parse().unwrap();
        let document =
            document(serde_json::json!({"stack-instances": {"sets": [{"name": "logging", "regions": ["us-east-1"]}]}}));
        let found = lacking(&[facts(false)], of(&accounts, &document, &sweep_id));
        let regions = vec!["us-east-1".parse().unwrap()];
        let both = BTreeSet::from([accounts[1].id.clone(), accounts[3].id.clone()]);
        assert_eq!(found, Lacking::from([(("logging".to_owned(), regions), both)]));
        assert!(lacking(&[facts(true)], of(&accounts, &document, &sweep_id)).is_empty(), "AWS deploys it to units");
    }
}
