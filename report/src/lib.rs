//! What a sweep over all accounts of the organization found, as `report.json`, `report.csv` and `report.html`, and which
//! roles people can switch to in them, as `access.html`, `aws-config` and `extend-switch-roles.ini`.
//!
//! [`Report::new`] compares a [`Sweep`] with the report before it and knows from the two what is new, what was resolved
//! and since when each thing is wrong. Everything that the next report needs is in the report itself, so only the newest
//! one has to be kept. Nothing here reads a clock, a file or the network.

mod access;
mod csv;
mod history;
mod html;
mod outcome;
mod previous;
mod report;
mod sweep;
#[cfg(test)]
mod testing;
mod totals;

pub use access::{Access, Offered};
pub use history::{Change, Gone, Kind};
pub use outcome::{Failure, Outcome, Status};
pub use report::{Error, Exemption, Report, SCHEMA_VERSION, TREND_LENGTH};
pub use sweep::{Account, Checked, LastKnown, Organization, Row, Sweep, Trigger};
pub use totals::{AccountTotals, ControlTotals, OrganizationTotals, Point, Standing, Totals};
