//! A sweep over all accounts: what its functions hand each other through Amazon S3. Pure.

mod brake;
mod execution;
mod offered;
mod remediation_lock;

use std::{collections::BTreeMap, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{Refusal, TagSelectors},
    control::{Row, stack_instances::SetFacts},
    error::Failure,
    gateway::{Account, AccountState},
    ids::{AccountId, NotValid, OrganizationalUnitId},
    organization::AccountFacts,
    organization_check::CheckRow,
};

pub use brake::{SweepBrake, SweepBraked};
pub use execution::{LONGEST_WORK, SweepExecution, SweepExecutions};
pub use offered::Offered;
pub use remediation_lock::{LONGEST_SWEEP, RemediationLock};

/// How many accounts one invocation looks at. In the slowest organization, where no account can be entered, the contacts of
/// so many are read from the management account within the time that an invocation has.
pub const BATCH: usize = 50;

/// The name of a sweep: `2026-11-26T05-00-00Z-1a2b3c4d`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SweepId(String);

impl SweepId {
    /// The name of the sweep that an execution of the state machine began at this time.
    pub fn of_execution(name: &str, started_at: Timestamp) -> Self {
        let tail: String = name.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        Self(format!("{}-{tail}", started_at.strftime("%Y-%m-%dT%H-%M-%SZ")))
    }

    /// As a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its accounts are listed.
    pub fn listing_key(&self) -> String {
        format!("sweeps/{}/accounts.json", self.0)
    }

    /// Where a batch of its accounts is, counted from 1.
    pub fn batch_key(&self, batch: usize) -> String {
        format!("sweeps/{}/batches/{batch:04}.json", self.0)
    }

    /// Where it is written what is to be changed in the accounts of a batch.
    pub fn changes_key(&self, batch: usize) -> String {
        format!("sweeps/{}/changes/{batch:04}.json", self.0)
    }

    /// Where it is written what came of the organization checks.
    pub fn organization_key(&self) -> String {
        format!("sweeps/{}/organization.json", self.0)
    }

    /// Where it is written what came of a batch.
    pub fn results_key(&self, batch: usize) -> String {
        format!("sweeps/{}/results/{batch:04}.json", self.0)
    }
}

impl FromStr for SweepId {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let fits = (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotValid::expected("the name of a sweep: letters, digits and hyphens"))
        }
    }
}

impl TryFrom<String> for SweepId {
    type Error = NotValid;

    fn try_from(text: String) -> Result<Self, NotValid> {
        text.parse()
    }
}

impl From<SweepId> for String {
    fn from(id: SweepId) -> Self {
        id.0
    }
}

impl std::fmt::Display for SweepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every account of the organization when the sweep began. Where it is written, every batch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The sweep.
    pub sweep_id: SweepId,
    /// What set it off: `schedule` or `by_hand`.
    pub trigger: String,
    /// The organization, or that there is none, as [`Origin::id`](crate::gateway::Origin::id) says it.
    pub organization_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The ids of the controls, in the order of the registry.
    pub controls: Vec<String>,
    /// What it may change, for people.
    pub note: String,
    /// What the ARNs of the organization's accounts begin with.
    pub account_arns: String,
    /// The tags that the document selects accounts by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_tag: Option<TagSelectors>,
    /// Whether the organization as a whole is looked at as well.
    #[serde(default)]
    pub checks_organization: bool,
    /// Every account.
    pub accounts: Vec<Listed>,
    /// How many batches there are.
    pub batches: usize,
    /// Whether the sweep changes what it has found.
    #[serde(default)]
    pub remediates: bool,
}

/// The accounts that one invocation looks at. It is written once, and never again: somebody may be at work on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// What the ARNs of the organization's accounts begin with.
    pub account_arns: String,
    /// What its accounts have of the stack sets that the document names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack_sets: Vec<SetFacts>,
    /// The accounts.
    pub accounts: Vec<Listed>,
}

/// An account of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its primary e-mail address.
    pub email: String,
    /// Its state.
    pub state: String,
    /// The path of the unit that holds it.
    pub unit: String,
    /// The units that hold it, from the root down.
    #[serde(default)]
    pub units: Vec<OrganizationalUnitId>,
    /// Why it is not looked at; None when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_checked: Option<String>,
    /// What could not be found out of it, so that it cannot be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it joined the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// The batch in which it is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
}

/// Whether an account may be remediated by a sweep. A new one is still being given its baseline, by somebody else: two that
/// write at the same time write twice. That goes on for the deadline, from when its joining became known: an event may
/// come days late.
pub fn may_be_remediated(
    account: &Account,
    known_since: Option<Timestamp>,
    deadline: SignedDuration,
    now: Timestamp,
) -> bool {
    [account.joined_at, known_since].into_iter().flatten().all(|time| now.duration_since(time) > deadline)
}

/// What a sweep may change, in words, and what else there is to know of the document that it goes by.
pub fn note(remediate: &[&str], remediates: bool, refused: Option<&Refusal>, why_not: Option<&str>) -> String {
    let mut note = match remediate.join(", ") {
        none if none.is_empty() => "Nothing was changed.".to_owned(),
        _ if !remediates && why_not.is_some() => "Nothing was changed.".to_owned(),
        controls if remediates => format!("Changed where it was not as it should be: {controls}."),
        controls => format!("Nothing was changed: another sweep was changing {controls} at the same time."),
    };
    for more in refused.map(Refusal::in_words).as_deref().into_iter().chain(why_not) {
        note.push(' ');
        note.push_str(more);
    }
    note
}

impl Listed {
    /// The account with the path of its unit. Those that are not active are listed, and not looked at.
    pub fn of(account: Account, unit: Result<String, Failure>) -> Self {
        let state = match &account.state {
            AccountState::Active => "ACTIVE".to_owned(),
            AccountState::Other(state) => state.clone(),
        };
        let not_checked = (account.state != AccountState::Active).then(|| format!("The account is {state}."));
        let (unit, failure) = match unit {
            Ok(unit) => (unit, None),
            Err(failure) => ("?".to_owned(), Some(failure)),
        };
        let Account { id, name, email, units, joined_at, .. } = account;
        Self { id, name, email, state, unit, units, not_checked, failure, joined_at, batch: None }
    }

    /// The account as it was listed.
    pub fn account(&self) -> Account {
        Account {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            state: if self.state == "ACTIVE" { AccountState::Active } else { AccountState::Other(self.state.clone()) },
            joined_at: self.joined_at,
            parent: self.units.last().cloned(),
            units: self.units.clone(),
        }
    }

    /// Whether it belongs in a batch.
    pub fn is_to_be_checked(&self) -> bool {
        self.not_checked.is_none() && self.failure.is_none()
    }

    /// Whether it may be remediated depends on these.
    pub fn facts(&self, tags: BTreeMap<String, String>) -> AccountFacts {
        let units = self.units.clone();
        AccountFacts { id: self.id.clone(), organizational_unit_path: self.unit.clone(), units, tags }
    }
}

/// What came of the organization checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedOrganization {
    /// One row per check.
    pub rows: Vec<CheckRow>,
}

/// What came of one account of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The account.
    pub id: AccountId,
    /// Its tags, where the document selects accounts by them; None when they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// What people can switch to in it, by the document; None when what holds for it could not be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
    /// What was found.
    pub checked: Checked,
}

/// What was found in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// One row per control.
    Rows(Vec<Row>),
    /// It is not to be looked at any more.
    NotChecked {
        /// The reason, as a sentence.
        why: String,
    },
    /// It could not be looked at.
    Unknown {
        /// What happened.
        failure: Failure,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;

    fn account(id: &str, state: AccountState) -> Account {
        let id = id.parse().unwrap();
        Account {
            id,
            name: "A".to_owned(),
            email: "a@example.com".to_owned(),
            state,
            joined_at: None,
            parent: None,
            units: Vec::new(),
        }
    }

    fn listed(id: &str, state: AccountState, unit: Result<String, Failure>) -> Listed {
        Listed::of(account(id, state), unit)
    }

    fn unit() -> String {
        "/Workloads".to_owned()
    }

    #[test]
    fn a_sweep_is_named_after_its_time_and_its_execution() {
        let id = SweepId::of_execution("5b9c1d-2e", Timestamp::from_second(1_790_000_000).unwrap());
        assert_eq!(id.as_str(), "2026-09-21T14-13-20Z-5b9c1d2e");
        assert_eq!(id.results_key(7), "sweeps/2026-09-21T14-13-20Z-5b9c1d2e/results/0007.json");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!("../latest".parse::<SweepId>().is_err());
    }

    #[test]
    fn accounts_that_are_not_active_are_listed_with_the_reason() {
        assert!(listed("222222222222", AccountState::Active, Ok(unit())).is_to_be_checked());
        let suspended = listed("222222222222", AccountState::Other("SUSPENDED".to_owned()), Ok(unit()));
        assert_eq!(suspended.not_checked.as_deref(), Some("The account is SUSPENDED."));
    }

    #[test]
    fn an_account_whose_place_is_not_known_is_not_looked_at_with_the_wrong_baseline() {
        let lost = listed("222222222222", AccountState::Active, Err(Failure::new(Cause::AccessDenied)));
        assert!(!lost.is_to_be_checked());
        assert_eq!(lost.failure.unwrap().cause, Cause::AccessDenied);
    }

    #[test]
    fn an_account_that_is_being_given_its_baseline_is_not_remediated_as_well() {
        let (now, deadline) = (Timestamp::from_second(1_790_000_000).unwrap(), SignedDuration::from_hours(2));
        let joined = |age| Account { joined_at: Some(now - age), ..account("222222222222", AccountState::Active) };
        let may = |age, known: Option<SignedDuration>| {
            may_be_remediated(&joined(age), known.map(|age| now - age), deadline, now)
        };
        let (short, long) = (SignedDuration::from_mins(119), SignedDuration::from_mins(121));
        assert!(!may(short, None) && may(long, None) && may(long, Some(long)));
        assert!(!may(SignedDuration::from_hours(48), Some(short)), "it was found late, and its baseline is on its way");
        assert!(may_be_remediated(&account("222222222222", AccountState::Active), None, deadline, now));
    }

    #[test]
    fn a_sweep_says_what_it_may_change() {
        assert_eq!(note(&[], true, None, None), "Nothing was changed.");
        assert_eq!(
            note(&["regions", "account-tags"], true, None, None),
            "Changed where it was not as it should be: regions, account-tags."
        );
        assert!(note(&["regions"], false, None, None).starts_with("Nothing was changed: another sweep"));
        let published = note(&["regions"], false, None, Some("Nothing in the organization is /Gone."));
        assert_eq!(published, "Nothing was changed. Nothing in the organization is /Gone.");
    }
}
