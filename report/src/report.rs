//! The report of a sweep.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Change, Checked, Gone, Outcome, Point, Sweep, Totals, csv, history, html};

/// The version of the schema of `report.json`. It changes when a field changes its meaning or goes; new fields leave it.
pub const SCHEMA_VERSION: u32 = 1;

/// How many sweeps the trend goes back, with the newest one.
pub const TREND_LENGTH: usize = 30;

/// What a sweep found, and how that differs from the report before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of the schema.
    pub schema_version: u32,
    /// The sweep before, with which this one was compared. None in a first report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// The numbers.
    #[serde(default)]
    pub totals: Totals,
    /// What the report before did not have.
    #[serde(default)]
    pub new: Vec<Change>,
    /// What the report before had, and is now as it should be.
    #[serde(default)]
    pub resolved: Vec<Change>,
    /// The accounts that are no longer there.
    #[serde(default)]
    pub gone: Vec<Gone>,
    /// Every exemption that was in force, the first to end first.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// The numbers of the last sweeps, the newest last.
    #[serde(default)]
    pub trend: Vec<Point>,
    /// The sweep itself, with every account once.
    pub sweep: Sweep,
}

/// A control that an account need not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exemption {
    /// The account.
    pub account_id: String,
    /// Its name.
    pub account_name: String,
    /// The control.
    pub control: String,
    /// The reason that the document gives.
    pub reason: String,
    /// The last day on which that holds.
    pub until: Date,
}

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The JSON.
    #[error("report.json: {0}")]
    Json(#[from] serde_json::Error),
    /// The CSV.
    #[error("report.csv: {0}")]
    Csv(#[from] ::sheet::Error),
    /// The page.
    #[error("report.html: {0}")]
    Html(#[from] askama::Error),
    /// The page of roles.
    #[error("access.html: {0}")]
    Access(#[source] askama::Error),
    /// The names and colors of accounts.
    #[error("access.json: {0}")]
    AccessJson(#[source] serde_json::Error),
}

impl Report {
    /// The report of a sweep, compared with the report before. A report of another organization is no ground for
    /// comparison and is left aside.
    pub fn new(sweep: Sweep, previous: Option<&Self>) -> Self {
        let previous = previous.filter(|previous| previous.sweep.organization_id == sweep.organization_id);
        let mut sweep = sweep.complete();
        history::date(&mut sweep, previous);
        let totals = Totals::of(&sweep);
        Self {
            schema_version: SCHEMA_VERSION,
            compared_with: previous.map(|previous| previous.sweep.sweep_id.clone()),
            new: history::new(&sweep, previous),
            resolved: history::resolved(&sweep, previous),
            gone: history::gone(&sweep, previous),
            exemptions: exemptions(&sweep),
            trend: trend(totals.point(&sweep), previous),
            totals,
            sweep,
        }
    }

    /// The schema of `report.json`, as `docs/report.schema.json` has it.
    pub fn json_schema() -> schemars::Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }

    /// Reads a `report.json`. What it has beside what this version knows is left aside.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        Ok(serde_json::from_str(json)?)
    }

    /// `report.json`, for programs and for the next report.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(self)?)
    }

    /// `report.csv`, for spreadsheets: a line for each account and control.
    pub fn to_csv(&self) -> Result<String, Error> {
        Ok(csv::write(self)?)
    }

    /// `report.html`, for people: one file that needs nothing beside it.
    pub fn to_html(&self) -> Result<String, Error> {
        html::write(self)
    }
}

fn exemptions(sweep: &Sweep) -> Vec<Exemption> {
    let mut exemptions = Vec::new();
    for account in &sweep.accounts {
        let Checked::Rows(rows) = &account.checked else { continue };
        for row in rows {
            if let Outcome::Exempt { reason, until } = &row.outcome {
                exemptions.push(Exemption {
                    account_id: account.id.clone(),
                    account_name: account.name.clone(),
                    control: row.control.clone(),
                    reason: reason.clone(),
                    until: *until,
                });
            }
        }
    }
    exemptions.sort_by_key(|exemption| exemption.until);
    exemptions
}

/// The points of the report before and the new one; a sweep that is reported again takes the place of its first report.
fn trend(newest: Point, previous: Option<&Report>) -> Vec<Point> {
    let mut trend = previous.map(|previous| previous.trend.clone()).unwrap_or_default();
    trend.retain(|point| point.sweep_id != newest.sweep_id);
    trend.push(newest);
    trend.drain(..trend.len().saturating_sub(TREND_LENGTH));
    trend
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_documents_is_that_of_the_report() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
        assert_eq!(schema, serde_json::to_value(Report::json_schema()).unwrap(), "stale: run `make docs`");
    }

    #[test]
    fn the_example_in_the_readme_is_what_two_sweeps_give() {
        let example = include_str!("../README.md").split("```json").nth(1).unwrap().split("```").next().unwrap();
        let report = Report::from_json(example).unwrap();
        let mut before = report.sweep.clone();
        before.sweep_id = "sweep-2027-01-02".into();
        before.finished_at = report.trend[0].finished_at;
        let Checked::Rows(rows) = &mut before.accounts[0].checked else { panic!("no rows") };
        rows[0].outcome = Outcome::Compliant;
        let again = Report::new(report.sweep.clone(), Some(&Report::new(before, None)));
        assert_eq!(again, report);
        // The names of the fields, too: a default would hide one that is written wrong.
        let shown: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), shown);
    }
}
