//! The part of the page about the organization as a whole: one line for each check.

use super::{Legend, legend, words};
use crate::{Checked, Failure, OrganizationTotals, Report, Row, Status};

/// What the checks came to.
pub(super) struct Checks<'a> {
    pub(super) totals: OrganizationTotals,
    pub(super) lines: Vec<Line<'a>>,
    /// Why none could be run.
    pub(super) failure: Option<&'a Failure>,
    /// Control, what was wrong when it could last be seen, and for how long.
    pub(super) last_known: Vec<(&'a str, &'a str, String)>,
}

/// One check.
pub(super) struct Line<'a> {
    pub(super) control: &'a str,
    pub(super) status: Legend,
    /// What differs, or was changed, or why nothing is known.
    pub(super) says: Vec<&'a str>,
    pub(super) remedy: Option<&'a str>,
    pub(super) notes: &'a [String],
    /// For how long it is so.
    pub(super) open_for: Option<String>,
}

impl<'a> Checks<'a> {
    /// None where there were no checks.
    pub(super) fn of(report: &'a Report) -> Option<Self> {
        let organization = report.sweep.organization.as_ref()?;
        let finished_at = report.sweep.finished_at;
        let (lines, failure) = match &organization.checked {
            Checked::Rows(rows) => (rows.iter().map(|row| line(row, report)).collect(), None),
            Checked::Unknown { failure } => (Vec::new(), Some(failure)),
            Checked::NotChecked { .. } => (Vec::new(), None),
        };
        let last_known = organization.last_known.iter();
        let last_known =
            last_known.map(|known| (&*known.control, &*known.headline, words::age(known.since, finished_at)));
        Some(Self { totals: report.totals.organization?, lines, failure, last_known: last_known.collect() })
    }
}

fn line<'a>(row: &'a Row, report: &Report) -> Line<'a> {
    let outcome = &row.outcome;
    let failure = outcome.failure();
    let mut says: Vec<&str> = outcome.differences().iter().chain(outcome.applied()).map(String::as_str).collect();
    says.extend(failure.map(|failure| failure.message.as_str()));
    if let crate::Outcome::Skipped { why } | crate::Outcome::Exempt { reason: why, .. } = outcome {
        says.push(why);
    }
    Line {
        control: &row.control,
        status: legend(outcome.status()),
        says,
        remedy: match outcome.status() {
            Status::Drifted => {
                Some("Call organization-preparer with {\"mode\": \"apply\"}; what begins with “by hand” is for people.")
            }
            _ => failure.map(|failure| failure.remedy.as_str()),
        },
        notes: &row.notes,
        open_for: row.since.map(|since| words::age(since, report.sweep.finished_at)),
    }
}
