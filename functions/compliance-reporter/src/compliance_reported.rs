//! What is published of a sweep that is over: an event, and metrics.

use compliance_report::{AccountTotals, Checked, OrganizationTotals, Outcome, Report};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    error::Cause,
    gateway::{Event, EventType},
    runtime::metrics::{Metric, Metrics},
};

/// The most new findings that the event carries; the report has all of them.
const MAX_NEW: usize = 20;

/// A sweep is over, and its report is published.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ComplianceReported {
    /// The sweep.
    pub sweep_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Timestamp,
    /// Where the page is: `s3://bucket/key`.
    pub report: String,
    /// The numbers.
    pub totals: Totals,
    /// The sweep of the report before; left out of the first report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// The first findings that the report before did not have.
    pub new: Vec<New>,
    /// How many there are.
    pub new_count: usize,
    /// How many findings of the report before are gone.
    pub resolved_count: usize,
    #[serde(skip)]
    drifted: Vec<(String, usize)>,
    #[serde(skip)]
    locked_out: usize,
}

/// The numbers of a sweep.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Totals {
    /// How many accounts stand in which way.
    #[serde(flatten)]
    pub accounts: AccountTotals,
    /// The numbers of the organization checks; left out where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationTotals>,
}

/// A new finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct New {
    /// The account; of what is about the organization as a whole, the id of the organization.
    pub account_id: String,
    /// Its name.
    pub account_name: String,
    /// The control; left out when the account as a whole could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// What is wrong.
    pub headline: String,
}

impl Event for ComplianceReported {
    const TYPE: EventType = EventType::ComplianceReported;
}

impl ComplianceReported {
    /// The event about a report that was published in this folder of this bucket.
    pub(crate) fn of(report: &Report, bucket: &str, folder: &str) -> Self {
        let totals = &report.totals;
        let new = report.new.iter().take(MAX_NEW).map(|change| New {
            account_id: change.account_id.clone(),
            account_name: change.account_name.clone(),
            control: change.control.clone(),
            headline: change.headline.clone(),
        });
        Self {
            sweep_id: report.sweep.sweep_id.clone(),
            started_at: report.sweep.started_at,
            finished_at: report.sweep.finished_at,
            report: format!("s3://{bucket}/{folder}/report.html"),
            totals: Totals { accounts: totals.accounts, organization: totals.organization },
            compared_with: report.compared_with.clone(),
            new: new.collect(),
            new_count: report.new.len(),
            resolved_count: report.resolved.len(),
            locked_out: locked_out(report),
            drifted: totals.controls.iter().map(|c| (c.control.clone(), c.not_compliant())).collect(),
        }
    }

    /// The numbers for CloudWatch: of all accounts, and of each control.
    #[expect(clippy::cast_precision_loss, reason = "counts of accounts fit a double")]
    pub(crate) fn metrics(&self) -> Vec<Metrics> {
        let count = |metric, number: usize| (metric, number as f64);
        let took = self.finished_at.duration_since(self.started_at);
        let all = Metrics {
            dimensions: Vec::new(),
            values: vec![
                count(Metric::Accounts, self.totals.accounts.accounts),
                count(Metric::CompliantAccounts, self.totals.accounts.compliant),
                count(Metric::NotCompliantAccounts, self.totals.accounts.not_compliant),
                count(Metric::UnknownAccounts, self.totals.accounts.unknown),
                count(Metric::LockedOutAccounts, self.locked_out),
                (Metric::SweepDuration, took.as_secs_f64()),
            ],
            properties: vec![("SweepId", self.sweep_id.clone())],
        };
        let organization = self.totals.organization.map(|totals| Metrics {
            dimensions: Vec::new(),
            values: vec![
                count(Metric::NotCompliantOrganizationChecks, totals.not_compliant),
                count(Metric::UnknownOrganizationChecks, totals.unknown),
            ],
            properties: vec![("SweepId", self.sweep_id.clone())],
        });
        let by_control = self.drifted.iter().map(|(control, number)| Metrics {
            dimensions: vec![("Control", control.clone())],
            values: vec![count(Metric::NotCompliantAccounts, *number)],
            properties: vec![("SweepId", self.sweep_id.clone())],
        });
        std::iter::once(all).chain(organization).chain(by_control).collect()
    }
}

/// How many accounts could not be entered although they are old enough: somebody may have locked Steward out.
fn locked_out(report: &Report) -> usize {
    let locked = |outcome: &Outcome| matches!(outcome, Outcome::Unknown { failure, .. } if failure.cause == Cause::AccessRoleUnusable.name());
    let accounts = report.sweep.accounts.iter();
    accounts
        .filter(
            |account| matches!(&account.checked, Checked::Rows(rows) if rows.iter().any(|row| locked(&row.outcome))),
        )
        .count()
}

#[cfg(test)]
mod tests {
    use compliance_report::{Row, Sweep, Trigger};

    use super::*;

    #[test]
    fn the_checks_of_the_organization_have_metrics_of_their_own_and_are_in_the_event() {
        let row = |control: &str, outcome| Row { control: control.into(), outcome, notes: Vec::new(), since: None };
        let report = |number: i64, outcome: Outcome, previous: Option<&Report>| {
            let ended = Timestamp::from_second(number).unwrap();
            let rows = vec![row("trusted-access", Outcome::Compliant), row("organization-trail", outcome)];
            let sweep = Sweep {
                sweep_id: format!("sweep-{number}"),
                trigger: Trigger::Schedule,
                organization_id: "o-exampleorgid".into(),
                started_at: ended,
                finished_at: ended,
                note: None,
                controls: Vec::new(),
                organization: Some(Checked::Rows(rows).into()),
                accounts: Vec::new(),
            };
            Report::new(sweep, previous)
        };
        let before = report(1, Outcome::Compliant, None);
        let now = report(2, Outcome::Drifted { planned: vec!["make it".into()] }, Some(&before));
        let event = ComplianceReported::of(&now, "reports", "latest");
        let metrics = event.metrics();
        let values: Vec<_> = metrics.iter().flat_map(|metrics| &metrics.values).collect();
        for expected in [(Metric::NotCompliantOrganizationChecks, 1.0), (Metric::UnknownOrganizationChecks, 0.0)] {
            assert!(values.contains(&&expected), "{values:?}");
        }
        assert_eq!((event.new_count, event.new[0].account_id.as_str()), (1, "o-exampleorgid"));
        assert_eq!(event.totals.organization.map(|totals| totals.checks), Some(2));
    }
}
