//! Reading a report for comparison: ten thousand accounts are some 25 MB of JSON, of which few bytes matter for that.

use std::fmt;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use crate::{Account, Checked, Error, Organization, Outcome, Point, Report, SCHEMA_VERSION, Sweep, Totals, Trigger};

#[derive(Deserialize)]
struct Before {
    #[serde(default)]
    compared_with: Option<String>,
    #[serde(default)]
    trend: Vec<Point>,
    sweep: SweepBefore,
}

#[derive(Deserialize)]
struct SweepBefore {
    sweep_id: String,
    trigger: Trigger,
    organization_id: String,
    started_at: Timestamp,
    finished_at: Timestamp,
    #[serde(default)]
    organization: Option<Organization>,
    accounts: Accounts,
}

/// Accounts, each reduced as soon as it is read.
struct Accounts(Vec<Account>);

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Accounts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("accounts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut accounts: A) -> Result<Accounts, A::Error> {
                let mut read = Vec::new();
                while let Some(account) = accounts.next_element()? {
                    read.push(reduced(account));
                }
                Ok(Accounts(read))
            }
        }
        deserializer.deserialize_seq(One)
    }
}

/// What was open in an account, and what it was called.
fn reduced(account: Account) -> Account {
    let checked = match account.checked {
        Checked::Rows(mut rows) => {
            rows.retain(|row| row.outcome.status().kind().is_some());
            rows.shrink_to_fit();
            for row in &mut rows {
                row.notes = Vec::new();
                // The headline of one difference is the difference.
                if matches!(&row.outcome, Outcome::Drifted { planned } if planned.len() > 1) {
                    row.outcome = Outcome::Drifted { planned: vec![row.outcome.headline()] };
                }
            }
            Checked::Rows(rows)
        }
        other => other,
    };
    Account { checked, email: String::new(), state: String::new(), tags: std::collections::BTreeMap::new(), ..account }
}

impl Report {
    /// Reads as much of a `report.json` as the next report is compared with: what was open in which account, and the trend.
    /// Everything else of it is empty.
    pub fn for_comparison(json: &[u8]) -> Result<Self, Error> {
        let Before { compared_with, trend, sweep } = serde_json::from_slice(json)?;
        let SweepBefore { sweep_id, trigger, organization_id, started_at, finished_at, organization, accounts } = sweep;
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            compared_with,
            totals: Totals::default(),
            new: Vec::new(),
            resolved: Vec::new(),
            gone: Vec::new(),
            exemptions: Vec::new(),
            trend,
            sweep: Sweep {
                sweep_id,
                trigger,
                organization_id,
                started_at,
                finished_at,
                note: None,
                controls: Vec::new(),
                organization,
                accounts: accounts.0,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, compliant, drifted, sweep};

    #[test]
    fn a_report_that_is_compared_with_what_was_read_for_that_is_the_same_as_with_the_whole() {
        let two = drifted("tags", "a");
        let mut two = crate::Row { notes: vec!["n".to_owned()], ..two };
        two.outcome = Outcome::Drifted { planned: vec!["a".to_owned(), "b".to_owned()] };
        let failure = crate::Failure {
            cause: "Throttled".to_owned(),
            message: "m".to_owned(),
            remedy: "r".to_owned(),
            retryable: true,
        };
        let unknown = Outcome::Unknown { applied: Vec::new(), failure: failure.clone().into() };
        let unknown = crate::Row { outcome: unknown, ..compliant("regions") };
        let rows = |rows: Vec<crate::Row>| account("1", rows);
        let named = |id: &str, checked: Checked| Account { checked, ..account(id, Vec::new()) };
        let first = Report::new(sweep(1, vec![rows(vec![compliant("regions"), two.clone()])]), None);
        let before = vec![
            rows(vec![unknown.clone(), two]),
            account("2", vec![compliant("regions"), drifted("tags", "x")]),
            named("3", Checked::Unknown { failure }),
            named("4", Checked::NotChecked { why: "closed".to_owned() }),
        ];
        let before = Report::new(sweep(2, before), Some(&first));
        let read = Report::for_comparison(before.to_json().unwrap().as_bytes()).unwrap();
        let now = || sweep(3, vec![rows(vec![compliant("regions"), unknown.clone()]), account("3", vec![])]);
        let compared = Report::new(now(), Some(&before));
        assert_eq!(Report::new(now(), Some(&read)), compared);
        assert!(!compared.resolved.is_empty() && compared.gone.len() == 2, "{compared:?}");
        assert!(Report::for_comparison(b"{}").is_err());
    }
}
