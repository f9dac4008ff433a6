//! The regions of accounts as they are.

use std::collections::BTreeMap;

use serde::Serialize;
use steward::{
    error::Failure,
    gateway::{AccountTarget, RegionStatus},
    ids::{AccountId, Region},
    organization::{Selection, UnitPaths},
};

use crate::{
    contacts::Seen,
    event::Finding,
    report::{Report, Rows},
    updates::{Run, Updates},
};

/// The regions of one account.
#[derive(Debug, Serialize)]
pub(crate) struct RegionsRow {
    pub(crate) account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_name: Option<String>,
    /// Its regions, or why they are not seen.
    #[serde(flatten)]
    pub(crate) seen: Seen<Regions>,
}

/// Every region that AWS knows, with its status in the account.
#[derive(Debug, Serialize)]
pub(crate) struct Regions {
    regions: BTreeMap<Region, &'static str>,
}

fn in_a_word(status: RegionStatus) -> &'static str {
    match status {
        RegionStatus::EnabledByDefault => "ENABLED_BY_DEFAULT",
        RegionStatus::Enabled => "ENABLED",
        RegionStatus::Enabling => "ENABLING",
        RegionStatus::Disabling => "DISABLING",
        RegionStatus::Disabled => "DISABLED",
    }
}

impl RegionsRow {
    /// The columns of a sheet: one row per account and region.
    pub(crate) const HEAD: [&str; 4] = ["account_id", "account_name", "region", "status"];

    /// Its rows of a sheet.
    pub(crate) fn sheet(&self) -> Vec<Vec<String>> {
        let (id, name) = (self.account_id.to_string(), self.account_name.clone().unwrap_or_default());
        match &self.seen {
            Seen::Yes(Regions { regions }) => {
                let row = |(region, status): (&Region, &&str)| {
                    vec![id.clone(), name.clone(), region.to_string(), (*status).to_owned()]
                };
                regions.iter().map(row).collect()
            }
            Seen::No(finding) => {
                let why = match finding {
                    Finding::Refused { why } => why.clone(),
                    Finding::Failed { failure } => failure.message.clone(),
                    _ => String::new(),
                };
                vec![vec![id, name, String::new(), format!("not seen: {why}")]]
            }
        }
    }
}

impl Updates {
    /// Shows the regions of the accounts that are meant.
    pub(crate) async fn regions(&self, meant: &Selection, units: &UnitPaths, run: &Run<'_>) -> Result<Report, Failure> {
        let see = async |target: AccountTarget| {
            let found = self.accounts.list_regions(&target).await?;
            let regions = found.into_iter().map(|(region, status)| (region, in_a_word(status))).collect();
            Ok(Regions { regions })
        };
        let (rows, left) = self.see(meant, units, run, see).await?;
        let done = rows.len();
        let row = |(account_id, account_name, seen)| RegionsRow { account_id, account_name, seen };
        let rows = Rows::Regions(rows.into_iter().map(row).collect());
        Ok(Report::new(run.task, run.mode, rows).leaving(done, left))
    }
}
