//! What a sweep found: the input of a report, and the part of it that names every account.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Failure, Outcome};

/// What set a sweep off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// A person, or anything else that a later version knows.
    #[serde(other)]
    Manual,
}

/// One look at all accounts of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// The name of the sweep, different for every one.
    pub sweep_id: String,
    /// What set it off.
    pub trigger: Trigger,
    /// The organization, as `o-exampleorgid`.
    pub organization_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When the last account was done.
    pub finished_at: Timestamp,
    /// How it was done, in words for a person: whether it changed anything, what it left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The controls that were looked at, in the order of their columns.
    pub controls: Vec<String>,
    /// What is true once, for the organization as a whole. None where there is no organization, or before it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Every account of the organization.
    pub accounts: Vec<Account>,
}

/// What was found of the organization as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// What was found: one row for each check.
    pub checked: Checked,
    /// Set by the report, where the organization as a whole could not be looked at: the end of the first sweep in a row
    /// that could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Set by the report: what earlier sweeps found and this one could not look at again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_known: Vec<LastKnown>,
}

impl From<Checked> for Organization {
    fn from(checked: Checked) -> Self {
        Self { checked, since: None, last_known: Vec::new() }
    }
}

/// One account, and what was found in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// The name in AWS Organizations.
    pub name: String,
    /// The mail address of the root user.
    pub email: String,
    /// The state in AWS Organizations: `ACTIVE`, `SUSPENDED` and so on.
    pub state: String,
    /// The path of the organizational unit: `/Workloads/Prod`.
    pub unit: String,
    /// The tags of the account.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What was found.
    pub checked: Checked,
    /// Set by the report, where the account as a whole could not be looked at: the end of the first sweep in a row that
    /// could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Set by the report: what earlier sweeps found and this one could not look at again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_known: Vec<LastKnown>,
}

/// What was found in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// It was looked at: one row for each control.
    Rows(Vec<Row>),
    /// It is not meant to be looked at.
    NotChecked {
        /// Why: it is suspended, or it is the management account.
        why: String,
    },
    /// It was to be looked at, and nothing came of it.
    Unknown {
        /// What happened.
        failure: Failure,
    },
}

/// What came of one control in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The control.
    pub control: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What a person should know beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Set by the report, where the row is not compliant or unknown: the end of the first sweep in a row that saw it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// What an earlier sweep found not compliant, where the newest one could not look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastKnown {
    /// The control.
    pub control: String,
    /// What was wrong.
    pub headline: String,
    /// The end of the first sweep in a row that saw it so.
    pub since: Timestamp,
}

impl Sweep {
    /// The sweep with every account once and, in each that was looked at, every control once. Of two answers the later
    /// one holds. A control without an answer is unknown, never compliant.
    pub(crate) fn complete(mut self) -> Self {
        self.accounts = last_of_each(std::mem::take(&mut self.accounts), |account| &account.id);
        let mut known: HashSet<String> = HashSet::new();
        self.controls.retain(|control| known.insert(control.clone()));
        if let Some(organization) = &mut self.organization {
            organization.since = None;
            organization.last_known.clear();
            if let Checked::Rows(rows) = &mut organization.checked {
                for row in rows.iter_mut() {
                    row.since = None;
                }
            }
        }
        for account in &mut self.accounts {
            account.since = None;
            account.last_known.clear();
            if let Checked::Rows(rows) = &mut account.checked {
                for row in rows.iter_mut() {
                    row.since = None;
                    if known.insert(row.control.clone()) {
                        self.controls.push(row.control.clone());
                    }
                }
            }
        }
        for account in &mut self.accounts {
            if let Checked::Rows(rows) = &mut account.checked {
                *rows = in_order(std::mem::take(rows), &self.controls);
            }
        }
        self
    }
}

impl Row {
    /// The row of a control that gave no answer.
    fn missing(control: &str) -> Self {
        let failure = Failure {
            cause: "NoAnswer".to_owned(),
            message: "The sweep has no answer of this control.".to_owned(),
            remedy: "Look at the log of the function that looks at accounts, and sweep again.".to_owned(),
            retryable: true,
        };
        let outcome = Outcome::Unknown { applied: Vec::new(), failure: failure.into() };
        Self { control: control.to_owned(), outcome, notes: Vec::new(), since: None }
    }
}

fn in_order(rows: Vec<Row>, controls: &[String]) -> Vec<Row> {
    let mut rows: HashMap<String, Row> = rows.into_iter().map(|row| (row.control.clone(), row)).collect();
    controls.iter().map(|control| rows.remove(control).unwrap_or_else(|| Row::missing(control))).collect()
}

/// The last item of each key, at the place of the first.
fn last_of_each<T>(items: Vec<T>, key: impl Fn(&T) -> &String) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(items.len());
    for item in items {
        if let Some(&place) = places.get(key(&item)) {
            kept[place] = item;
        } else {
            places.insert(key(&item).clone(), kept.len());
            kept.push(item);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, compliant, drifted, sweep};

    #[test]
    fn an_account_that_is_listed_twice_counts_once_with_its_later_answer() {
        let first = account("111111111111", vec![drifted("regions", "enable it")]);
        let later = account("111111111111", vec![compliant("regions")]);
        let complete = sweep(1, vec![first, account("222222222222", vec![compliant("regions")]), later]).complete();
        assert_eq!(
            complete.accounts.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(),
            ["111111111111", "222222222222"]
        );
        assert_eq!(complete.accounts[0].checked, Checked::Rows(vec![compliant("regions")]));
    }

    #[test]
    fn a_control_without_an_answer_is_unknown_and_one_that_was_not_announced_gets_a_column() {
        let mut sweep = sweep(1, vec![account("111111111111", vec![compliant("surprise")])]);
        sweep.controls = vec!["regions".into(), "regions".into()];
        let complete = sweep.complete();
        assert_eq!(complete.controls, ["regions", "surprise"]);
        let Checked::Rows(rows) = &complete.accounts[0].checked else { panic!("no rows") };
        assert_eq!(rows[0].outcome.failure().unwrap().cause, "NoAnswer");
        assert_eq!(rows[1], compliant("surprise"));
    }
}
