//! The stack sets that an account is in, and which it has to be out of before it is closed: afterwards AWS skips it, and its
//! instances stay for ever (AWS CloudFormation user guide, "Stack set status codes", `SKIPPED_SUSPENDED_ACCOUNT`).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use serde::Serialize;
use steward::{
    digest::sha256,
    error::{Cause, Failure},
    gateway::{CallError, ListedStackSet, StackInstance, StackSetsGateway},
    ids::{AccountId, Region},
    runtime::concurrency::as_they_come,
};

/// Up to how many accounts are asked about one by one; of more, stack sets are read as a whole.
const FEW: usize = 10;
/// How many lists are read at once.
const AT_ONCE: usize = 8;

/// What there is of one stack set in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The stack set, by its name in us-east-1.
    pub stack_set: String,
    /// Where the account has instances of it.
    pub regions: BTreeSet<Region>,
    /// Who takes the account out of it.
    pub taken_out_by: By,
    /// The last operations on the instances, which tell one try from the next.
    #[serde(skip)]
    last_operations: BTreeSet<String>,
    /// Whether AWS is at work on any of them: nothing is asked for before that is over, lest it be done twice.
    #[serde(skip)]
    is_under_way: bool,
}

/// Who takes an account out of a stack set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Steward, when its time has come: the stack's parameter `StackSetsToLeave` names the stack set.
    Steward,
    /// People; it is not closed before.
    People,
    /// AWS, which deploys it to units, when the account leaves them.
    Aws,
}

impl Held {
    /// What is to be done, as a step of a plan; None where that is AWS's.
    pub(crate) fn step(&self, account: &AccountId) -> Option<String> {
        let (set, regions) = (&self.stack_set, self.places(", "));
        match self.taken_out_by {
            By::Steward => Some(format!("take it out of the stack set {set} in {regions}; its stacks stay")),
            By::People => Some(format!(
                "wait until somebody has taken it out of the stack set {set}, by delete-stack-instances of AWS CloudFormation: \
                 --stack-set-name {set} --accounts {account} --regions {} --retain-stacks",
                self.places(" ")
            )),
            By::Aws => None,
        }
    }

    fn places(&self, separator: &str) -> String {
        self.regions.iter().map(Region::as_str).collect::<Vec<_>>().join(separator)
    }
}

/// The stack sets of the organization.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    gateway: StackSetsGateway,
    to_leave: Vec<String>,
}

impl Stacks {
    /// These stack sets, of which Steward takes accounts out of those with these names.
    pub(crate) fn new(gateway: StackSetsGateway, to_leave: Vec<String>) -> Self {
        Self { gateway, to_leave }
    }

    /// Every stack set of the management account in the region of the functions.
    pub(crate) async fn all(&self) -> Result<Vec<ListedStackSet>, CallError> {
        self.gateway.list_stack_sets().await
    }

    /// What these accounts have of these stack sets.
    pub(crate) async fn held(
        &self,
        sets: &[ListedStackSet],
        accounts: &[AccountId],
    ) -> Result<BTreeMap<AccountId, Vec<Held>>, CallError> {
        let whose: Vec<_> = if accounts.len() <= FEW { accounts.iter().map(Some).collect() } else { vec![None] };
        let lists = sets.iter().flat_map(|set| whose.iter().map(move |account| (set, *account)));
        let lists = lists.map(async |(set, account)| match self.gateway.list_instances(&set.name, account).await {
            // Somebody has deleted it meanwhile.
            Err(error) if error.cause == Cause::NotFound => Ok((set, Vec::new())),
            listed => listed.map(|instances| (set, instances)),
        });
        let mut came: Vec<_> = as_they_come(lists, AT_ONCE).collect().await;
        came.sort_by_key(|(position, _)| *position);
        let wanted: BTreeSet<_> = accounts.iter().collect();
        let mut found: BTreeMap<AccountId, Vec<Held>> = BTreeMap::new();
        for (_, listed) in came {
            let (set, instances) = listed?;
            for instance in instances.into_iter().filter(|instance| wanted.contains(&instance.account)) {
                let held = found.entry(instance.account.clone()).or_default();
                self.add(held, set, instance);
            }
        }
        Ok(found)
    }

    fn add(&self, held: &mut Vec<Held>, set: &ListedStackSet, instance: StackInstance) {
        let operation = instance.last_operation;
        let is_under_way = matches!(instance.detailed_status.as_str(), "PENDING" | "RUNNING");
        match held.last_mut().filter(|held| held.stack_set == set.name) {
            Some(held) => {
                held.regions.insert(instance.region);
                held.is_under_way |= is_under_way;
                held.last_operations.extend(operation);
            }
            None => held.push(Held {
                stack_set: set.name.clone(),
                regions: BTreeSet::from([instance.region]),
                taken_out_by: match set.is_service_managed {
                    true => By::Aws,
                    false if self.to_leave.contains(&set.name) => By::Steward,
                    false => By::People,
                },
                last_operations: operation.into_iter().collect(),
                is_under_way,
            }),
        }
    }

    /// Takes accounts out of a stack set, whose stacks stay.
    pub(crate) async fn release(&self, release: &Release) -> Result<(), CallError> {
        let (accounts, regions): (Vec<_>, Vec<_>) =
            (release.accounts.iter().cloned().collect(), release.regions.iter().cloned().collect());
        self.gateway.release_instances(&release.stack_set, &accounts, &regions, &release.operation).await
    }
}

/// What stands in the way of closing an account, by what it has of stack sets; None when nothing does.
pub(crate) fn obstacle(held: &[Held]) -> Option<Failure> {
    let named = |by: By| {
        let of = held.iter().filter(|held| held.taken_out_by == by);
        of.map(|held| format!("{} in {}", held.stack_set, held.places(", "))).collect::<Vec<_>>().join("; ")
    };
    let (people, steward) = (named(By::People), named(By::Steward));
    if !people.is_empty() {
        return Some(Failure::with_detail(Cause::StackInstancesLeft, format_args!("{people}.")));
    }
    (!steward.is_empty()).then(|| {
        let detail = format_args!("It has to be out of {steward} before it is closed.");
        Failure::with_detail(Cause::StackSetBusy, detail)
    })
}

/// One operation: accounts that are taken out of a stack set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) stack_set: String,
    pub(crate) regions: BTreeSet<Region>,
    pub(crate) accounts: BTreeSet<AccountId>,
    /// Its id: the same for the same work, so that AWS does it once, and another one after a try that has failed.
    pub(crate) operation: String,
}

/// The accounts that are to be taken out of stack sets in one run: with the last operations, by stack set and regions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Releases(BTreeMap<(String, BTreeSet<Region>), BTreeMap<AccountId, BTreeSet<String>>>);

impl Releases {
    /// Adds an account with what it has.
    pub(crate) fn add(&mut self, account: &AccountId, held: &[Held]) {
        for held in held.iter().filter(|held| held.taken_out_by == By::Steward && !held.is_under_way) {
            let key = (held.stack_set.clone(), held.regions.clone());
            self.0.entry(key).or_default().insert(account.clone(), held.last_operations.clone());
        }
    }

    /// One operation for each stack set, as AWS takes one at a time: that for most accounts.
    pub(crate) fn operations(&self) -> Vec<Release> {
        let mut found: BTreeMap<&str, Release> = BTreeMap::new();
        for ((stack_set, regions), accounts) in &self.0 {
            if found.get(stack_set.as_str()).is_some_and(|other| other.accounts.len() >= accounts.len()) {
                continue;
            }
            let of = sha256(&format!("{stack_set}/{regions:?}/{accounts:?}"));
            let operation = format!("steward-closing-{}", of.get(..32).unwrap_or_default());
            let accounts = accounts.keys().cloned().collect();
            let release = Release { stack_set: stack_set.clone(), regions: regions.clone(), accounts, operation };
            found.insert(stack_set, release);
        }
        found.into_values().collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Instances in us-east-1 of a stack set, after an operation.
    pub(crate) fn held(stack_set: &str, by: By, operation: &str) -> Held {
        Held {
            stack_set: stack_set.to_owned(),
            regions: BTreeSet::from([Region::us_east_1().clone()]),
            taken_out_by: by,
            last_operations: BTreeSet::from([operation.to_owned()]),
            is_under_way: false,
        }
    }

    fn id(n: usize) -> AccountId {
        format!("{n:012}").parse().unwrap()
    }

    #[test]
    fn what_people_have_to_do_comes_first_and_what_aws_does_is_in_nobodys_way() {
        let (own, others, units) =
            (held("own", By::Steward, "1"), held("others", By::People, "1"), held("units", By::Aws, "1"));
        let cause = |held: &[Held]| obstacle(held).map(|failure| failure.cause);
        assert_eq!(cause(&[own.clone(), others.clone()]), Some(Cause::StackInstancesLeft));
        assert_eq!(cause(&[own.clone(), units.clone()]), Some(Cause::StackSetBusy));
        assert_eq!(cause(std::slice::from_ref(&units)), None);
        let step = |held: &Held| held.step(&id(2)).unwrap_or_default();
        assert!(step(&own).contains("its stacks stay") && step(&units).is_empty());
        assert!(
            step(&others).contains("--accounts 000000000002 --regions us-east-1 --retain-stacks"),
            "{}",
            step(&others)
        );
    }

    #[test]
    fn many_accounts_leave_a_stack_set_in_one_operation_and_a_try_that_failed_is_another_one() {
        let releases = |operation: &str| {
            let mut releases = Releases::default();
            (0..3).for_each(|n| releases.add(&id(n), &[held("own", By::Steward, operation)]));
            let mut elsewhere = held("own", By::Steward, "1");
            elsewhere.regions = BTreeSet::from(["eu-west-1".parse().unwrap()]);
            releases.add(&id(9), &[elsewhere, held("others", By::People, "1"), held("second", By::Steward, "1")]);
            releases.operations()
        };
        let first = releases("1");
        let named: Vec<_> = first.iter().map(|one| (one.stack_set.as_str(), one.accounts.len())).collect();
        assert_eq!(named, [("own", 3), ("second", 1)]);
        assert_eq!(first, releases("1"), "asked for again, it is the same operation");
        assert_ne!(first[0].operation, releases("2")[0].operation);
        assert!(first[0].operation.len() <= 128);
    }

    #[test]
    fn what_aws_is_at_work_on_is_not_asked_for_again_and_still_keeps_the_account_open() {
        let leaving = Held { is_under_way: true, ..held("own", By::Steward, "1") };
        let mut releases = Releases::default();
        releases.add(&id(1), std::slice::from_ref(&leaving));
        assert!(releases.operations().is_empty());
        assert_eq!(obstacle(&[leaving]).map(|failure| failure.cause), Some(Cause::StackSetBusy));
    }
}
