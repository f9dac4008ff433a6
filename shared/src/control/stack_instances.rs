//! # stack-instances
//!
//! **What it does.** Keeps the account a current instance of stack sets, in the regions that are named.
//!
//! **Why.** A stack set puts the same stacks into every account. Whether it has come to an account, and why not, is otherwise seen
//! in the stack set alone, among all accounts.
//!
//! **Desired state.** `sets`, each the `name` of a stack set in us-east-1 and its `regions`. A missing or outdated instance of
//! a stack set with permissions of its own (`SELF_MANAGED`) is deployed, also again after a failure; of one that AWS
//! CloudFormation deploys to units (`SERVICE_MANAGED`) it is reported, with the reason in AWS's words: the stack set is changed
//! there, or the account is moved. An instance that AWS is at work on is not ready, and no drift.
//!
//! AWS takes one operation on a stack set at a time. A sweep that remediates this control asks for the instances of all
//! accounts in one operation for each stack set, when it lists the accounts and knows them; its id is made of the sweep's, so
//! that a sweep that is done again asks once. Accounts that are to have a stack set in the same regions are in one operation;
//! where there are several such groups, the largest is, and the others wait for the next sweep, unless managed execution of the
//! stack set is active. Where an override with this section selects by tags, the index of tags says whose it is and each
//! account is confirmed by its own tags before anything is deployed to it, at most 500 in a sweep. Accounts that are asked for
//! count as changed: where more lack one than the stack parameter `MaxChangedPercent` allows, the sweep asks for so many,
//! stops, and waits until somebody says that it goes on. New accounts, and those that are named by hand, get theirs one by one.
//!
//! **Calls.** In a sweep, one `DescribeStackSet` and a page of `ListStackInstances` for each hundred instances, once for all
//! accounts; an account costs nothing more, unless it is selected by tags and lacks one (`ListTagsForResource`). By hand, one
//! of each for each stack set; `DescribeAccount` where an instance of a stack set of units is missing.
//!
//! **Source.** AWS CloudFormation API reference, `ListStackInstances` (`StackInstanceSummary`) and `CreateStackInstances`
//! (`OperationId`); user guide, "Stack set operation options" and "`StackSets` concepts".

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, ManagementScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    clock,
    digest::sha256,
    error::{Cause, Failure},
    gateway::{CallError, StackInstance, StackSet},
    ids::{AccountId, OrganizationalUnitId, Region},
    input::Problem,
};

/// How many stack sets a section names at most, and how much of AWS's words is shown.
const MOST: usize = 20;
const SHOWN: usize = 300;

/// The `stack-instances` section of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackInstances {
    /// The stack sets: 1 to 20.
    #[schemars(length(min = 1, max = 20))]
    pub sets: Vec<WantedSet>,
}

/// A stack set that the account must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedSet {
    /// Its name in us-east-1 of the management account: a letter, then letters, digits and hyphens, at most 128 characters.
    pub name: String,
    /// Where the account must have an instance: at least one region.
    #[schemars(length(min = 1))]
    pub regions: Vec<Region>,
}

impl Validate for StackInstances {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.expect("sets", (1..=MOST).contains(&self.sets.len()), "must be 1 to 20 stack sets");
        for (position, set) in self.sets.iter().enumerate() {
            let field = |name: &str| format!("sets[{position}].{name}");
            let rest_fits = set.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            findings.expect(
                &field("name"),
                set.name.len() <= 128 && rest_fits && set.name.starts_with(|first: char| first.is_ascii_alphabetic()),
                "must be a letter, then letters, digits and hyphens, at most 128 characters",
            );
            findings.expect(&field("regions"), !set.regions.is_empty(), "must be at least one region");
            findings.distinct(&field("regions"), &set.regions);
        }
        findings.distinct("sets", self.sets.iter().map(|set| &set.name));
        findings.into_problems()
    }
}

/// What is known of one stack set, of all accounts that it was looked at for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetFacts {
    /// Its name.
    pub name: String,
    /// What there is of it.
    pub seen: SetSeen,
}

/// What there is of a stack set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetSeen {
    /// There is none of that name.
    Missing,
    /// It could not be found out.
    Failed(Failure),
    /// This.
    There {
        /// The stack set.
        set: StackSet,
        /// Its instances.
        instances: Vec<StackInstance>,
        /// What has been asked for since they were listed: operations that AWS has taken, and for which accounts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        operations: Vec<(String, BTreeSet<AccountId>)>,
    },
}

impl SetFacts {
    /// The same for these accounts alone.
    #[must_use]
    pub fn of_accounts(&self, accounts: &BTreeSet<AccountId>) -> Self {
        let seen = match &self.seen {
            SetSeen::There { set, instances, operations } => SetSeen::There {
                set: set.clone(),
                instances: instances.iter().filter(|it| accounts.contains(&it.account)).cloned().collect(),
                operations: operations.iter().map(|(id, asked)| (id.clone(), asked & accounts)).collect(),
            },
            other => other.clone(),
        };
        Self { name: self.name.clone(), seen }
    }

    /// Its instances by place, if it is one that can be deployed to single accounts.
    pub fn places(&self) -> Option<Places<'_>> {
        match &self.seen {
            SetSeen::There { set, instances, .. } if !set.is_service_managed => {
                Some(Places(instances.iter().map(|it| ((&it.account, &it.region), it)).collect()))
            }
            _ => None,
        }
    }
}

/// The instances of a stack set by account and region.
#[derive(Debug)]
pub struct Places<'a>(BTreeMap<(&'a AccountId, &'a Region), &'a StackInstance>);

impl Places<'_> {
    /// The regions of these in which an account lacks an instance that is to be deployed.
    pub fn lacking(&self, account: &AccountId, regions: &[Region]) -> Vec<Region> {
        let lacks = |region: &&Region| State::of(self.0.get(&(account, *region)).copied()) == State::Lacking;
        regions.iter().filter(lacks).cloned().collect()
    }
}

/// What an instance, or its absence, comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Current,
    UnderWay,
    Lacking,
    /// AWS deploys nothing to it.
    Suspended,
    /// AWS deletes and makes it no more: a person has to.
    Inoperable,
}

impl State {
    fn of(instance: Option<&StackInstance>) -> Self {
        let Some(instance) = instance else { return Self::Lacking };
        match (instance.status.as_str(), instance.detailed_status.as_str()) {
            (_, "PENDING" | "RUNNING") => Self::UnderWay,
            ("CURRENT", _) => Self::Current,
            (_, "SKIPPED_SUSPENDED_ACCOUNT") => Self::Suspended,
            ("INOPERABLE", _) | (_, "INOPERABLE") => Self::Inoperable,
            _ => Self::Lacking,
        }
    }
}

/// One stack set, and what there is of it in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    name: String,
    /// None when there is no such stack set.
    set: Option<StackSet>,
    /// Each region that is wanted, with the instance there.
    regions: Vec<(Region, Option<StackInstance>)>,
    /// The operation that was asked for the account since.
    asked: Option<String>,
}

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    account: AccountId,
    sets: Vec<Seen>,
    /// The units that hold the account, where that matters.
    units: Vec<OrganizationalUnitId>,
}

/// Deploys a stack set to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    name: String,
    regions: Vec<Region>,
    /// What the instances were, which makes the operation another one than the last.
    before: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let regions: Vec<_> = self.regions.iter().map(Region::as_str).collect();
        write!(f, "deploy the stack set {} to {}", self.name, regions.join(", "))
    }
}

/// The control `stack-instances`.
#[derive(Clone, Copy, Debug)]
pub struct StackInstancesControl;

impl Control for StackInstancesControl {
    const ID: &'static str = "stack-instances";
    const READS: &'static [&'static str] =
        &["cloudformation:DescribeStackSet", "cloudformation:ListStackInstances", "organizations:DescribeAccount"];
    const WRITES: &'static [&'static str] = &["cloudformation:CreateStackInstances"];
    type Scope = ManagementScope;
    type Desired = StackInstances;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&StackInstances> {
        baseline.stack_instances.as_ref()
    }

    fn not_in(&self, scope: &ManagementScope) -> Option<&'static str> {
        scope.is_own.then_some("stack sets are kept in member accounts")
    }

    async fn inspect(&self, scope: &ManagementScope, desired: &StackInstances) -> Result<Actual, CallError> {
        let mut sets = Vec::new();
        for wanted in &desired.sets {
            let facts = match &scope.known.stack_sets {
                Some(known) => of_sweep(known, &wanted.name)?,
                None => ask(scope, &wanted.name).await?,
            };
            sets.push(Seen::of(&scope.account_id, wanted, facts));
        }
        let is_missing = sets.iter().any(Seen::lacks_one_of_units);
        let units = match &scope.known.units[..] {
            [] if is_missing => scope.organizations.describe_account(&scope.account_id).await?.units,
            known => known.to_vec(),
        };
        Ok(Actual { account: scope.account_id.clone(), sets, units })
    }

    fn plan(&self, _: &ManagementScope, _desired: &StackInstances, actual: &Actual) -> Vec<Change> {
        actual.sets.iter().filter_map(Seen::change).collect()
    }

    async fn apply(&self, scope: &ManagementScope, change: &Change) -> Result<(), CallError> {
        // To the minute: a copy of this call asks once, and what somebody has undone since then is asked for anew.
        let minute = clock::now().strftime("%Y%m%d-%H%M").to_string();
        let of = sha256(&format!("{}/{change}/{}", scope.account_id, change.before));
        let of = of.get(..16).unwrap_or_default();
        let operation = format!("steward-{}-{minute}-{of}", scope.account_id);
        let accounts = std::slice::from_ref(&scope.account_id);
        scope.stack_sets.create_instances(&change.name, accounts, &change.regions, &operation).await
    }

    fn notes(&self, _desired: &StackInstances, actual: &Actual) -> Vec<String> {
        actual.sets.iter().flat_map(Seen::failed_before).collect()
    }

    fn by_hand(&self, _desired: &StackInstances, actual: &Actual) -> Vec<String> {
        actual.sets.iter().flat_map(|seen| seen.left_to_people(&actual.units)).collect()
    }

    fn pending(&self, _desired: &StackInstances, actual: &Actual) -> Option<Failure> {
        let words: Vec<_> = actual.sets.iter().filter_map(Seen::under_way).collect();
        (!words.is_empty()).then(|| Failure::with_detail(Cause::StackSetBusy, format_args!("{}.", words.join("; "))))
    }
}

/// What a sweep has found of a stack set.
fn of_sweep(known: &Arc<Vec<SetFacts>>, name: &str) -> Result<SetSeen, CallError> {
    const OPERATION: &str = "cloudformation:ListStackInstances";
    match known.iter().find(|facts| facts.name == name).map(|facts| facts.seen.clone()) {
        Some(SetSeen::Failed(failure)) => Err(CallError::unusable(OPERATION, failure.cause, failure.message)),
        Some(seen) => Ok(seen),
        None => {
            let detail = format!("the sweep began before the document named {name}");
            Err(CallError::unusable(OPERATION, Cause::NotVisibleYet, detail))
        }
    }
}

async fn ask(scope: &ManagementScope, name: &str) -> Result<SetSeen, CallError> {
    let Some(set) = scope.stack_sets.find_stack_set(name).await? else { return Ok(SetSeen::Missing) };
    let instances = scope.stack_sets.list_instances(name, Some(&scope.account_id)).await?;
    Ok(SetSeen::There { set, instances, operations: Vec::new() })
}

impl Seen {
    fn of(account: &AccountId, wanted: &WantedSet, seen: SetSeen) -> Self {
        let name = wanted.name.clone();
        let (set, instances, operations) = match seen {
            SetSeen::There { set, instances, operations } => (Some(set), instances, operations),
            SetSeen::Missing | SetSeen::Failed(_) => (None, Vec::new(), Vec::new()),
        };
        let of = |region: &Region| instances.iter().find(|it| it.account == *account && it.region == *region).cloned();
        let regions = wanted.regions.iter().map(|region| (region.clone(), of(region))).collect();
        let asked =
            operations.into_iter().find(|(_, accounts)| accounts.contains(account)).map(|(operation, _)| operation);
        Self { name, set, regions, asked }
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = &(Region, Option<StackInstance>)> {
        self.regions.iter().filter(move |(_, instance)| State::of(instance.as_ref()) == state)
    }

    /// Whether the account has no instance of a stack set that is deployed to units.
    fn lacks_one_of_units(&self) -> bool {
        self.is_of_units() && self.regions.iter().any(|(_, instance)| instance.is_none())
    }

    fn is_of_units(&self) -> bool {
        self.set.as_ref().is_some_and(|set| set.is_service_managed)
    }

    fn change(&self) -> Option<Change> {
        if self.set.is_none() || self.is_of_units() || self.asked.is_some() {
            return None;
        }
        let lacking: Vec<_> = self.in_state(State::Lacking).collect();
        let before = lacking.iter().map(|(_, instance)| {
            let last = instance.as_ref().and_then(|instance| instance.last_operation.as_deref());
            last.unwrap_or("none")
        });
        let before = before.collect::<Vec<_>>().join(",");
        let regions: Vec<_> = lacking.iter().map(|(region, _)| region.clone()).collect();
        (!regions.is_empty()).then(|| Change { name: self.name.clone(), regions, before })
    }

    /// What AWS says of instances that are to be deployed again.
    fn failed_before(&self) -> Vec<String> {
        if self.is_of_units() {
            return Vec::new();
        }
        let failed = self.in_state(State::Lacking).filter_map(|(region, instance)| Some((region, instance.as_ref()?)));
        failed.map(|(region, instance)| format!("{}.", self.in_words(region, instance))).collect()
    }

    /// What AWS says of an instance.
    fn in_words(&self, region: &Region, instance: &StackInstance) -> String {
        let StackInstance { status, detailed_status, .. } = instance;
        let detailed = if detailed_status.is_empty() { "no more said" } else { detailed_status };
        let name = &self.name;
        format!("the instance of the stack set {name} in {region} is {status} ({detailed}){}", reason(Some(instance)))
    }

    /// What AWS is at work on.
    fn under_way(&self) -> Option<String> {
        let regions = |state| self.in_state(state).map(|(region, _)| region.as_str()).collect::<Vec<_>>().join(", ");
        let (running, lacking) = (regions(State::UnderWay), regions(State::Lacking));
        match &self.asked {
            Some(operation) if !lacking.is_empty() => {
                Some(format!("the stack set {} is being deployed to {lacking} (operation {operation})", self.name))
            }
            _ if !running.is_empty() => Some(format!("the stack set {} is at work in {running}", self.name)),
            _ => None,
        }
    }

    fn left_to_people(&self, units: &[OrganizationalUnitId]) -> Vec<String> {
        let name = &self.name;
        let Some(set) = &self.set else {
            return vec![format!("there is no stack set {name} in us-east-1: make it, or take it out of the document")];
        };
        let mut found: Vec<_> = self.in_state(State::Inoperable).map(|(region, instance)| {
            format!(
                "the instance of the stack set {name} in {region} is INOPERABLE{}: delete it with its stack retained, and \
                 delete the stack in the account",
                reason(instance.as_ref())
            )
        }).collect();
        let suspended = self.in_state(State::Suspended).filter_map(|(region, it)| Some((region, it.as_ref()?)));
        found.extend(suspended.map(|(region, instance)| {
            format!(
                "{}: AWS deploys nothing to a suspended account; look why it is suspended, or delete the instance with its \
                 stack retained",
                self.in_words(region, instance)
            )
        }));
        if !set.is_service_managed {
            return found;
        }
        for (region, instance) in self.in_state(State::Lacking) {
            found.push(match instance {
                Some(instance) => format!(
                    "{}: correct what it says, and update the stack set for the account",
                    self.in_words(region, instance)
                ),
                None if set.units.iter().any(|unit| units.contains(unit)) => format!(
                    "there is no instance of the stack set {name} in {region}, although it is deployed to a unit that holds \
                     the account: check whether the stack set deploys to new accounts by itself and to that region"
                ),
                None => {
                    let targets: Vec<_> = set.units.iter().map(OrganizationalUnitId::as_str).collect();
                    let targets = if targets.is_empty() { "no unit".to_owned() } else { targets.join(", ") };
                    format!(
                        "there is no instance of the stack set {name} in {region}: it is deployed to {targets}, and none of \
                         them holds the account; move the account, or deploy the stack set to its unit"
                    )
                }
            });
        }
        found
    }
}

/// Why, in AWS's words.
fn reason(instance: Option<&StackInstance>) -> String {
    let reason = instance.and_then(|instance| instance.reason.as_deref());
    let shown = |reason: &str| reason.chars().filter(|c| !c.is_control()).take(SHOWN).collect::<String>();
    reason.map(|reason| format!(", {}", shown(reason))).unwrap_or_default()
}

#[cfg(test)]
mod tests;
