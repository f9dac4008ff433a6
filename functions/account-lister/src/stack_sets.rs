//! Stack sets: looked at once for a whole sweep, and deployed to all accounts that lack them in one operation each.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::join_all, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use lambda_runtime::tracing;
use steward::{
    baseline::Document,
    control::stack_instances::{SetFacts, SetSeen},
    error::Failure,
    gateway::{CallError, DynamoDbGateway, OrganizationsGateway, StackSetsGateway, TaggingGateway, TagsOfAccounts},
    ids::{AccountId, Region},
    runtime::start::SdkConfig,
    session::{Guards, Sessions},
    sweep::{Listed, SweepBrake, SweepId, may_be_remediated},
    table::known_accounts::KnownAccounts,
};

/// The control, by its name in the document.
const CONTROL: &str = "stack-instances";
/// How many accounts are asked about at once, before something is deployed to them.
const AT_ONCE: usize = 32;
/// How many accounts are asked for their tags before something is deployed to them: that takes two minutes at the rate that
/// a sweep may take of those that AWS publishes. The others wait for the next sweep.
const CONFIRMED: usize = 500;

/// The stack sets that the document names.
#[derive(Debug)]
pub(crate) struct StackSets {
    gateway: StackSetsGateway,
    organizations: OrganizationsGateway,
    tagging: TaggingGateway,
    sessions: Sessions,
    known_accounts: KnownAccounts,
    deadline: SignedDuration,
}

/// By what a sweep goes.
#[derive(Clone, Copy)]
pub(crate) struct OfSweep<'a> {
    pub(crate) sweep_id: &'a SweepId,
    pub(crate) document: &'a Document,
    /// What the ARNs of the accounts begin with.
    pub(crate) account_arns: &'a str,
    pub(crate) accounts: &'a [Listed],
    pub(crate) now: Timestamp,
}

/// The accounts that are to have a stack set in the same regions, and lack it in some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    accounts: BTreeSet<AccountId>,
    /// The regions in which any of them lacks it: all of them are to have it there.
    regions: BTreeSet<Region>,
}

/// Those groups, by the stack set and all the regions in which it is to be.
type Lacking = BTreeMap<(String, BTreeSet<Region>), Group>;

impl StackSets {
    pub(crate) fn new(
        config: &SdkConfig,
        (organizations, tagging): (OrganizationsGateway, TaggingGateway),
        guards: Guards,
        table: &DynamoDbGateway,
        deadline: SignedDuration,
    ) -> Self {
        Self {
            gateway: StackSetsGateway::of(config),
            organizations,
            tagging,
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
        Ok(SetSeen::There { set, instances, operations: Vec::new() })
    }

    /// Has each stack set deployed to the accounts that lack it, as far as the brake lets a sweep change them, in one operation for
    /// all accounts that are to have it in the same regions. What was asked for is noted in the facts. What AWS does not take is left
    /// for the next sweep.
    pub(crate) async fn deploy(&self, brake: &SweepBrake, facts: &mut [SetFacts], of: OfSweep<'_>) {
        let tags = match self.tags(of).await {
            Ok(tags) => tags,
            Err(error) => {
                tracing::warn!("the index of tags cannot be read, and no stack set is deployed: {error}");
                return;
            }
        };
        let lacking = lacking(facts, tags.as_ref(), of);
        let mut all: BTreeSet<&AccountId> = lacking.values().flat_map(|group| &group.accounts).collect();
        if tags.is_some() && all.len() > CONFIRMED {
            tracing::info!(
                accounts = all.len(),
                now = CONFIRMED,
                "more accounts lack a stack set than are confirmed at once"
            );
            all = all.into_iter().take(CONFIRMED).collect();
        }
        let may_be = self.changeable(&all, tags.as_ref(), of).await;
        let taken = match brake.take_some(of.sweep_id, may_be.len()).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!("it cannot be counted whom stack sets are deployed to, and none is: {error}");
                return;
            }
        };
        let may_be: BTreeSet<AccountId> = may_be.into_iter().take(taken).collect();
        for facts in facts {
            let groups = lacking.iter().filter(|((name, _), _)| *name == facts.name);
            let groups = groups.map(|(_, group)| (&group.accounts & &may_be, &group.regions));
            let mut groups: Vec<_> = groups.filter(|(accounts, _)| !accounts.is_empty()).collect();
            groups.sort_by_key(|(accounts, _)| std::cmp::Reverse(accounts.len()));
            self.deploy_one(facts, groups, of.sweep_id).await;
        }
    }

    /// Has one stack set deployed to groups of accounts, the largest first. Unless AWS queues operations, it takes one at a time.
    async fn deploy_one(
        &self,
        facts: &mut SetFacts,
        groups: Vec<(BTreeSet<AccountId>, &BTreeSet<Region>)>,
        sweep_id: &SweepId,
    ) {
        let SetSeen::There { set, operations, .. } = &mut facts.seen else { return };
        let most = if set.queues { usize::MAX } else { 1 };
        if groups.len() > most {
            tracing::info!(
                stack_set = facts.name,
                waiting = groups.len() - most,
                "the other groups wait for the next sweep"
            );
        }
        for (number, (accounts, regions)) in (1..).zip(groups.into_iter().take(most)) {
            let operation =
                if number == 1 { format!("steward-{sweep_id}") } else { format!("steward-{sweep_id}-{number}") };
            let list: Vec<AccountId> = accounts.iter().cloned().collect();
            let regions: Vec<Region> = regions.iter().cloned().collect();
            match self.gateway.create_instances(&facts.name, &list, &regions, &operation).await {
                Ok(()) => {
                    tracing::info!(stack_set = facts.name, accounts = list.len(), operation, "it is being deployed");
                    operations.push((operation, accounts));
                }
                Err(error) => tracing::warn!(stack_set = facts.name, "it could not be deployed: {error}"),
            }
        }
    }

    /// The tags of all accounts as the index has them, where it takes them to tell which stack sets an account is to have.
    async fn tags(&self, of: OfSweep<'_>) -> Result<Option<TagsOfAccounts>, CallError> {
        if !of.document.selects_stack_sets_on_tags() {
            return Ok(None);
        }
        let checked = of.accounts.iter().filter(|account| account.is_to_be_checked());
        let ids: Vec<AccountId> = checked.map(|account| account.id.clone()).collect();
        self.tagging.tags_of_accounts(of.account_arns, &ids).await.map(Some)
    }

    /// Those of these accounts that a sweep may change, and that have the tags which the index has shown.
    async fn changeable(
        &self,
        accounts: &BTreeSet<&AccountId>,
        tags: Option<&TagsOfAccounts>,
        of: OfSweep<'_>,
    ) -> BTreeSet<AccountId> {
        let listed = of.accounts.iter().filter(|account| accounts.contains(&account.id));
        let asked = stream::iter(listed.map(async |account| match self.may_be_changed(account, tags, of).await {
            Ok(may_be) => may_be.then(|| account.id.clone()),
            Err(failure) => {
                tracing::warn!(account_id = %account.id, "no stack set is deployed to it: {failure}");
                None
            }
        }));
        asked.buffer_unordered(AT_ONCE).filter_map(async |id| id).collect().await
    }

    async fn may_be_changed(
        &self,
        account: &Listed,
        tags: Option<&TagsOfAccounts>,
        of: OfSweep<'_>,
    ) -> Result<bool, Failure> {
        let account = account.account();
        let admission = self.sessions.admit(&account, &of.document.protected).await?;
        if admission.is_own() || admission.protection().is_some() {
            return Ok(false);
        }
        let known_since = self.known_accounts.known_since(&account).await?;
        if !may_be_remediated(&account, known_since, self.deadline, of.now) {
            return Ok(false);
        }
        // The index lags behind: nothing is deployed because of it alone.
        match tags.map(|tags| tags.get(&account.id)) {
            Some(indexed) => Ok(Some(&self.organizations.list_tags(&account.id).await?) == indexed),
            None => Ok(true),
        }
    }
}

/// Which accounts lack what, by what the document says for each of them.
fn lacking(facts: &[SetFacts], tags: Option<&TagsOfAccounts>, of: OfSweep<'_>) -> Lacking {
    let today = of.now.to_zoned(TimeZone::UTC).date();
    let places: BTreeMap<_, _> = facts.iter().filter_map(|facts| Some((&facts.name, facts.places()?))).collect();
    let mut lacking = Lacking::new();
    for account in of.accounts.iter().filter(|account| account.is_to_be_checked()) {
        let tags = tags.and_then(|tags| tags.get(&account.id)).cloned().unwrap_or_default();
        let effective = of.document.for_account(&account.facts(tags), today);
        if effective.exemptions.contains_key(CONTROL) {
            continue;
        }
        for wanted in effective.baseline.stack_instances.iter().flat_map(|section| &section.sets) {
            let Some(places) = places.get(&wanted.name) else { continue };
            let regions = places.lacking(&account.id, &wanted.regions);
            if !regions.is_empty() {
                let all = wanted.regions.iter().cloned().collect();
                let group = lacking.entry((wanted.name.clone(), all)).or_default();
                group.accounts.insert(account.id.clone());
                group.regions.extend(regions);
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
        Listed::of(account, Ok("/Workloads".to_owned()))
    }

    fn of<'a>(accounts: &'a [Listed], document: &'a Document, sweep_id: &'a SweepId) -> OfSweep<'a> {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        OfSweep { sweep_id, document, account_arns: "arn:", accounts, now }
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
                set: StackSet { is_service_managed, units: Vec::new(), queues: false },
                instances: instances.clone(),
                operations: Vec::new(),
            },
        };
        let sweep_id = "2026-11-29T05-00-00Z-1a2b3c4d".parse().unwrap();
        let document =
            document(serde_json::json!({"stack-instances": {"sets": [{"name": "logging", "regions": ["us-east-1"]}]}}));
        let found = lacking(&[facts(false)], None, of(&accounts, &document, &sweep_id));
        let regions = BTreeSet::from(["us-east-1".parse().unwrap()]);
        let both = BTreeSet::from([accounts[1].id.clone(), accounts[3].id.clone()]);
        let group = Group { accounts: both, regions: regions.clone() };
        assert_eq!(found, Lacking::from([(("logging".to_owned(), regions), group)]));
        assert!(
            lacking(&[facts(true)], None, of(&accounts, &document, &sweep_id)).is_empty(),
            "AWS deploys it to units"
        );
    }
    fn nothing_of(name: &str) -> SetFacts {
        let set = StackSet { is_service_managed: false, units: Vec::new(), queues: false };
        SetFacts { name: name.to_owned(), seen: SetSeen::There { set, instances: Vec::new(), operations: Vec::new() } }
    }

    #[test]
    fn accounts_that_are_to_have_it_in_the_same_regions_are_one_group_wherever_each_lacks_it() {
        let accounts: Vec<_> = (0..3).map(account).collect();
        let mut logging = nothing_of("logging");
        let SetSeen::There { instances, .. } = &mut logging.seen else { panic!() };
        // The first has it here, the second there.
        for (account, region) in accounts.iter().zip(["us-east-1", "eu-west-1"]) {
            instances.push(StackInstance {
                account: account.id.clone(),
                region: region.parse().unwrap(),
                status: "CURRENT".to_owned(),
                detailed_status: "SUCCEEDED".to_owned(),
                reason: None,
                last_operation: None,
            });
        }
        let sweep_id = "2026-11-29T05-00-00Z-1a2b3c4d".parse().unwrap();
        let regions = ["us-east-1", "eu-west-1"];
        let document =
            document(serde_json::json!({"stack-instances": {"sets": [{"name": "logging", "regions": regions}]}}));
        let found = lacking(&[logging], None, of(&accounts, &document, &sweep_id));
        let [group] = &found.values().collect::<Vec<_>>()[..] else { panic!("{found:?}") };
        assert_eq!((group.accounts.len(), group.regions.len()), (3, 2), "{found:?}");
    }

    #[test]
    fn an_override_that_selects_by_tags_counts_for_the_accounts_that_have_them() {
        let accounts: Vec<_> = (0..3).map(account).collect();
        let sweep_id = "2026-11-29T05-00-00Z-1a2b3c4d".parse().unwrap();
        let mut document = document(serde_json::json!({}));
        let entry = serde_json::json!({"match": {"tag": {"team": "blue"}},
            "stack-instances": {"sets": [{"name": "logging", "regions": ["us-east-1"]}]}});
        document.overrides.push(serde_json::from_value(entry).unwrap());
        assert!(document.selects_stack_sets_on_tags());
        let team = |team: &str| BTreeMap::from([("team".to_owned(), team.to_owned())]);
        let tags =
            TagsOfAccounts::from([(accounts[0].id.clone(), team("blue")), (accounts[1].id.clone(), team("red"))]);
        let found = lacking(&[nothing_of("logging")], Some(&tags), of(&accounts, &document, &sweep_id));
        let [group] = &found.values().collect::<Vec<_>>()[..] else { panic!("{found:?}") };
        assert_eq!(group.accounts, BTreeSet::from([accounts[0].id.clone()]));
    }
}
