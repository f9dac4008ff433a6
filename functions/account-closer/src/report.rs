//! What a person is answered.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::Serialize;
use steward::{
    baseline::Refusal,
    control::Mode,
    error::Failure,
    ids::AccountId,
    table::closures::{CalledOff, Closure, ClosureState},
};

use crate::{charges::Charges, stacks::Held};

/// How long a closure counts towards AWS's quota.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The least that AWS lets an organization close in that time: a fifth of its members is more where they are many.
const QUOTA_AT_LEAST: usize = 250;

/// What a person is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// About accounts that were named.
    Accounts(Box<Accounts>),
    /// About everything that is being closed, or was.
    List(Box<List>),
    /// About an event of AWS.
    Event {
        /// The account that it is about.
        account_id: AccountId,
        /// How far its closing has come; `NOT_CLOSED` where AWS does not show it as closed.
        state: &'static str,
    },
}

/// About accounts that were named, or that have gone on.
#[derive(Debug, Serialize)]
pub struct Accounts {
    /// Whether anything was to be changed.
    pub mode: Mode,
    /// That a newer baseline document was refused: what is protected is what the older one says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
    /// What AWS's quotas leave, as far as Steward knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// One row per account.
    pub rows: Vec<Row>,
}

/// Everything that is being closed, or was.
#[derive(Debug, Serialize)]
pub struct List {
    /// What AWS's quotas leave, as far as Steward knows.
    pub quota: Quota,
    /// What is being closed, in the order in which it is, and then what is closed.
    pub closures: Vec<Status>,
    /// The keys of items that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// What AWS's quotas leave, as far as Steward knows: AWS does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Accounts that were closed within 30 days, by whomever.
    pub closed_in_30_days: usize,
    /// How many more AWS closes in that time, at least: of organizations with more than 1,250 members it closes a fifth.
    pub left_at_least: usize,
    /// Accounts that AWS is closing; it closes three at once.
    pub in_progress: usize,
    /// Accounts that wait for it.
    pub waiting: usize,
}

impl Quota {
    /// What is left, by the closures that have not ended and by those that have.
    pub(crate) fn of(open: &[Closure], closed: &[Closure], now: Timestamp) -> Self {
        let is_recent = |closure: &&Closure| match closure.state {
            ClosureState::Closed { closed_at } => now.duration_since(closed_at) < WINDOW,
            _ => false,
        };
        let recent = open.iter().chain(closed).filter(is_recent).count();
        let in_progress = open.iter().filter(|closure| closure.state.is_with_aws()).count();
        let waiting = open.iter().filter(|closure| !closure.state.is_final()).count() - in_progress;
        let left_at_least = QUOTA_AT_LEAST.saturating_sub(recent + in_progress);
        Self { closed_in_30_days: recent, left_at_least, in_progress, waiting }
    }
}

/// What came of one account.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of one account.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// What would be done.
    Planned(Box<Plan>),
    /// It has begun, or goes on.
    UnderWay {
        /// How far it has come.
        #[serde(flatten)]
        status: Box<Status>,
        /// Why it could not go on now; it is tried again.
        #[serde(skip_serializing_if = "Option::is_none")]
        obstacle: Option<Box<Failure>>,
    },
    /// It is over.
    Ended(Box<Status>),
    /// It was not even tried.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
    /// It could not be found out whether it may be done.
    Failed(Box<Failure>),
}

/// Something that a plan shows, or why it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Shown<T> {
    /// This.
    Known(T),
    /// It could not be found out.
    Unknown {
        /// Why.
        unknown: String,
    },
}

/// What goes with an account, and what would be done.
#[derive(Debug, Default, Serialize)]
pub struct Plan {
    /// The path of the unit that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<String>,
    /// Since when it is in the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// How many days that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i64>,
    /// Its tags; None where they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The stack sets that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_sets: Option<Shown<Vec<Held>>>,
    /// What it has cost in the last calendar month; None where the stack may not ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_month: Option<Shown<Charges>>,
    /// When it is closed at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// What would be done, in this order.
    pub steps: Vec<String>,
}

/// How far the closing of an account has come.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The account; left out where it stands beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// How far it has come.
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// When it is closed at the earliest.
    pub closes_at: Timestamp,
    /// Until when it waits for AWS's quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for_quota_until: Option<Timestamp>,
    /// The day on which AWS removes it for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_on: Option<Date>,
    /// Whether somebody else has asked AWS to close it, before Steward was to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub past_steward: bool,
    /// Why it is closed.
    pub reason: String,
    /// Who asked, as they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// Who has called it off.
    #[serde(flatten)]
    pub called_off: CalledOff,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl From<&Closure> for Status {
    fn from(closure: &Closure) -> Self {
        let (called_off, failure) = match &closure.state {
            ClosureState::Keeping(called_off) | ClosureState::Kept(called_off) => (called_off.clone(), None),
            ClosureState::Failed { failure } => (CalledOff::default(), Some(failure.clone())),
            _ => (CalledOff::default(), None),
        };
        Self {
            account_id: Some(closure.account_id.clone()),
            account_name: Some(closure.account_name.clone()),
            state: closure.state.name(),
            since: closure.since,
            closes_at: closure.closes_at,
            waits_for_quota_until: closure.retry_at,
            gone_on: closure.gone_on(),
            past_steward: closure.past_steward,
            reason: closure.reason.clone(),
            requested_by: closure.requested_by.clone(),
            requested_at: closure.requested_at,
            called_off,
            failure,
        }
    }
}

impl Row {
    /// A row about an account that is or was being closed. `obstacle` is why it could not go on now.
    pub(crate) fn of(closure: &Closure, obstacle: Option<Failure>) -> Self {
        let status = Status { account_id: None, account_name: None, ..Status::from(closure) };
        let outcome = if closure.state.is_final() {
            Outcome::Ended(Box::new(status))
        } else {
            Outcome::UnderWay { status: Box::new(status), obstacle: obstacle.map(Box::new) }
        };
        Self { account_id: closure.account_id.clone(), account_name: Some(closure.account_name.clone()), outcome }
    }

    /// A row about an account that nothing is done with.
    pub(crate) fn with(account_id: &AccountId, account_name: Option<&str>, outcome: Outcome) -> Self {
        let account_name = account_name.map(ToOwned::to_owned);
        Self { account_id: account_id.clone(), account_name, outcome }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::table::closures::Told;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn closure(state: ClosureState) -> Closure {
        Closure {
            account_id: "222222222222".parse().unwrap(),
            account_name: "Shop".to_owned(),
            reason: "It is over".to_owned(),
            requested_by: None,
            requested_in: "i-1".to_owned(),
            requested_at: at("2026-11-01T00:00:00Z"),
            place: 0,
            from_unit: "ou-ab12-cdef3456".parse().unwrap(),
            closes_at: at("2026-11-08T00:00:00Z"),
            state,
            since: at("2026-11-01T00:00:00Z"),
            told: Told::End,
            past_steward: false,
            retry_at: None,
            revision: 1,
        }
    }

    #[test]
    fn the_quota_counts_closures_of_thirty_days_and_those_that_aws_has() {
        let closed = |day: &str| closure(ClosureState::Closed { closed_at: at(day) });
        let open = [ClosureState::Pending, ClosureState::Closing, ClosureState::Cooling, ClosureState::Suspending];
        let quota = Quota::of(
            &open.map(closure),
            &[closed("2026-10-31T00:00:01Z"), closed("2026-10-30T23:59:59Z")],
            at("2026-11-30T00:00:00Z"),
        );
        assert_eq!(quota, Quota { closed_in_30_days: 1, left_at_least: 247, in_progress: 2, waiting: 2 });
    }

    #[test]
    fn a_row_says_how_far_it_is_and_when_the_account_is_gone() {
        let row = |state| serde_json::to_value(Row::of(&closure(state), None)).unwrap();
        let cooling = row(ClosureState::Cooling);
        assert_eq!((&cooling["outcome"], &cooling["state"]), (&json!("under_way"), &json!("COOLING")), "{cooling}");
        assert_eq!(cooling["account_id"], "222222222222");
        let closed = row(ClosureState::Closed { closed_at: at("2026-11-09T08:00:00Z") });
        assert_eq!((&closed["outcome"], &closed["gone_on"]), (&json!("ended"), &json!("2027-02-07")), "{closed}");
        let called_off = CalledOff { call_off_reason: Some("still needed".to_owned()), called_off_by: None };
        assert_eq!(row(ClosureState::Kept(called_off))["call_off_reason"], "still needed");
    }
}
