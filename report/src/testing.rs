//! Short ways to write sweeps down in tests.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::date, tz::TimeZone};

use crate::{Account, Checked, Failure, Outcome, Row, Sweep, Trigger};

/// Noon of a day of January 2027.
pub(crate) fn day(day: i8) -> Timestamp {
    date(2027, 1, day).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The sweep of a day, whose controls are those of its rows.
pub(crate) fn sweep(number: i8, accounts: Vec<Account>) -> Sweep {
    Sweep {
        sweep_id: format!("sweep-{number}"),
        trigger: Trigger::Schedule,
        organization_id: "o-exampleorgid".into(),
        started_at: day(number) - jiff::SignedDuration::from_mins(4),
        finished_at: day(number),
        note: None,
        controls: Vec::new(),
        organization: None,
        accounts,
    }
}

pub(crate) fn account(id: &str, rows: Vec<Row>) -> Account {
    Account {
        id: id.into(),
        name: format!("Account {id}"),
        email: format!("aws+{id}@example.com"),
        state: "ACTIVE".into(),
        unit: "/Workloads/Prod".into(),
        tags: BTreeMap::from([("team".into(), "blue".into())]),
        checked: Checked::Rows(rows),
        since: None,
        last_known: Vec::new(),
    }
}

pub(crate) fn not_checked(id: &str) -> Account {
    Account { checked: Checked::NotChecked { why: "The account is suspended.".into() }, ..account(id, Vec::new()) }
}

pub(crate) fn unreachable(id: &str) -> Account {
    Account { checked: Checked::Unknown { failure: failure() }, ..account(id, Vec::new()) }
}

pub(crate) fn failure() -> Failure {
    Failure {
        cause: "DeadlineExceeded".into(),
        message: "It took longer than Steward waits.".into(),
        remedy: "Sweep again.".into(),
        retryable: true,
    }
}

fn row(control: &str, outcome: Outcome) -> Row {
    Row { control: control.into(), outcome, notes: Vec::new(), since: None }
}

pub(crate) fn compliant(control: &str) -> Row {
    row(control, Outcome::Compliant)
}

pub(crate) fn drifted(control: &str, planned: &str) -> Row {
    row(control, Outcome::Drifted { planned: vec![planned.into()] })
}

pub(crate) fn fixed(control: &str, applied: &str) -> Row {
    row(control, Outcome::Fixed { applied: vec![applied.into()] })
}

pub(crate) fn unknown(control: &str) -> Row {
    row(control, Outcome::Unknown { applied: Vec::new(), failure: failure().into() })
}

pub(crate) fn exempt(control: &str, until: &str) -> Row {
    row(control, Outcome::Exempt { reason: "migration".into(), until: until.parse().unwrap() })
}
