//! How many accounts are as they should be.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Account, Checked, Kind, Organization, Status, Sweep};

/// How an account stands as a whole. Every account stands in exactly one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// At least one control found something wrong.
    NotCompliant,
    /// Nothing was found wrong, and something could not be found out.
    Unknown,
    /// Every control is as it should be, or need not be.
    Compliant,
    /// It is not looked at.
    NotChecked,
}

impl Account {
    /// How the account stands.
    pub fn standing(&self) -> Standing {
        match &self.checked {
            Checked::NotChecked { .. } => Standing::NotChecked,
            Checked::Unknown { .. } => Standing::Unknown,
            // No row at all is no ground to call an account compliant.
            Checked::Rows(rows) if rows.is_empty() => Standing::Unknown,
            Checked::Rows(rows) => {
                let has = |kind| rows.iter().any(|row| row.outcome.status().kind() == Some(kind));
                match (has(Kind::NotCompliant), has(Kind::Unknown)) {
                    (true, _) => Standing::NotCompliant,
                    (false, true) => Standing::Unknown,
                    (false, false) => Standing::Compliant,
                }
            }
        }
    }
}

/// How many accounts stand in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountTotals {
    /// All accounts; the four numbers below add up to it.
    pub accounts: usize,
    /// Those in which every control is as it should be, or need not be.
    pub compliant: usize,
    /// Those in which something was found wrong.
    pub not_compliant: usize,
    /// Those in which nothing was found wrong, and something could not be found out.
    pub unknown: usize,
    /// Those that are not looked at.
    pub not_checked: usize,
}

impl AccountTotals {
    fn count(&mut self, standing: Standing) {
        self.accounts += 1;
        *match standing {
            Standing::Compliant => &mut self.compliant,
            Standing::NotCompliant => &mut self.not_compliant,
            Standing::Unknown => &mut self.unknown,
            Standing::NotChecked => &mut self.not_checked,
        } += 1;
    }
}

/// The numbers of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Totals {
    /// How many accounts stand in which way.
    #[serde(flatten)]
    pub accounts: AccountTotals,
    /// How many organization checks came to what. None where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationTotals>,
    /// The same for each control, in the order of the sweep.
    pub controls: Vec<ControlTotals>,
}

/// The numbers of the organization checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationTotals {
    /// All of them that were asked for; the three numbers below add up to it. One where they could not be run at all.
    pub checks: usize,
    /// Those that found everything as it should be.
    pub compliant: usize,
    /// Those that found something wrong.
    pub not_compliant: usize,
    /// Those that could not find out.
    pub unknown: usize,
}

impl OrganizationTotals {
    fn of(organization: &Organization) -> Self {
        let statuses: Vec<Status> = match &organization.checked {
            Checked::Rows(rows) => rows.iter().map(|row| row.outcome.status()).collect(),
            Checked::Unknown { .. } => vec![Status::Unknown],
            Checked::NotChecked { .. } => Vec::new(),
        };
        let asked = statuses.iter().filter(|status| !matches!(status, Status::Skipped | Status::NotChecked));
        let count = |kind| asked.clone().filter(|status| status.kind() == kind).count();
        Self {
            checks: asked.clone().count(),
            compliant: count(None),
            not_compliant: count(Some(Kind::NotCompliant)),
            unknown: count(Some(Kind::Unknown)),
        }
    }
}

/// The numbers of one control: in how many accounts it came to what. They add up to the number of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the names of the outcomes")]
pub struct ControlTotals {
    pub control: String,
    pub compliant: usize,
    pub fixed: usize,
    pub drifted: usize,
    pub not_converged: usize,
    pub not_ready: usize,
    pub unknown: usize,
    pub exempt: usize,
    pub skipped: usize,
    pub not_checked: usize,
}

impl ControlTotals {
    /// In how many accounts something was found wrong.
    pub fn not_compliant(&self) -> usize {
        self.drifted + self.not_converged + self.not_ready
    }

    fn count(&mut self, status: Status) {
        let number = match status {
            Status::Compliant => &mut self.compliant,
            Status::Fixed => &mut self.fixed,
            Status::Drifted => &mut self.drifted,
            Status::NotConverged => &mut self.not_converged,
            Status::NotReady => &mut self.not_ready,
            Status::Unknown => &mut self.unknown,
            Status::Exempt => &mut self.exempt,
            Status::Skipped => &mut self.skipped,
            Status::NotChecked => &mut self.not_checked,
        };
        *number += 1;
    }
}

/// The numbers of one sweep among several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The sweep.
    pub sweep_id: String,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How its accounts stood.
    #[serde(flatten)]
    pub accounts: AccountTotals,
}

impl Totals {
    pub(crate) fn of(sweep: &Sweep) -> Self {
        let named = |control: &String| ControlTotals { control: control.clone(), ..ControlTotals::default() };
        let mut totals = Self { controls: sweep.controls.iter().map(named).collect(), ..Self::default() };
        totals.organization = sweep.organization.as_ref().map(OrganizationTotals::of);
        for account in &sweep.accounts {
            totals.count(account);
        }
        totals
    }

    /// Counts an account whose rows are in the order of the controls.
    fn count(&mut self, account: &Account) {
        self.accounts.count(account.standing());
        for (place, control) in self.controls.iter_mut().enumerate() {
            control.count(match &account.checked {
                Checked::Rows(rows) => rows.get(place).map_or(Status::Unknown, |row| row.outcome.status()),
                Checked::NotChecked { .. } => Status::NotChecked,
                Checked::Unknown { .. } => Status::Unknown,
            });
        }
    }

    pub(crate) fn point(&self, sweep: &Sweep) -> Point {
        Point { sweep_id: sweep.sweep_id.clone(), finished_at: sweep.finished_at, accounts: self.accounts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, compliant, drifted, exempt, not_checked, sweep, unknown, unreachable};

    #[test]
    fn an_account_stands_as_the_worst_that_is_known_of_it() {
        let rows = |rows| account("111111111111", rows).standing();
        assert_eq!(rows(vec![compliant("a"), exempt("b", "2027-01-01")]), Standing::Compliant);
        assert_eq!(rows(vec![compliant("a"), unknown("b")]), Standing::Unknown);
        assert_eq!(rows(vec![drifted("a", "x"), unknown("b")]), Standing::NotCompliant);
        assert_eq!(rows(vec![]), Standing::Unknown);
        assert_eq!(not_checked("111111111111").standing(), Standing::NotChecked);
        assert_eq!(unreachable("111111111111").standing(), Standing::Unknown);
    }

    #[test]
    fn the_numbers_of_each_control_add_up_to_all_accounts() {
        let totals = Totals::of(
            &sweep(
                1,
                vec![
                    account("1", vec![compliant("regions"), drifted("tags", "x")]),
                    account("2", vec![exempt("regions", "2027-01-01")]),
                    not_checked("3"),
                    unreachable("4"),
                ],
            )
            .complete(),
        );
        assert_eq!(
            totals.accounts,
            AccountTotals { accounts: 4, compliant: 0, not_compliant: 1, unknown: 2, not_checked: 1 }
        );
        assert_eq!(
            totals.controls,
            [
                ControlTotals {
                    control: "regions".into(),
                    compliant: 1,
                    exempt: 1,
                    unknown: 1,
                    not_checked: 1,
                    ..ControlTotals::default()
                },
                ControlTotals {
                    control: "tags".into(),
                    drifted: 1,
                    unknown: 2,
                    not_checked: 1,
                    ..ControlTotals::default()
                },
            ]
        );
    }
}
