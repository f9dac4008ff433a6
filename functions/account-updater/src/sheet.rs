//! Rows as CSV in the stack's bucket of reports.

use ::sheet::Terminator;
use steward::{
    error::{Cause, Failure},
    gateway::S3Gateway,
    invocation,
};

/// Where the sheets are kept for thirty days.
const FOLDER: &str = "account-updater";

/// The sheets, in the stack's bucket of reports.
#[derive(Clone, Debug)]
pub(crate) struct Sheets(S3Gateway);

impl Sheets {
    pub(crate) fn new(bucket: S3Gateway) -> Self {
        Self(bucket)
    }

    /// Keeps a table; its key. Called by an alias, the function keeps none.
    pub(crate) async fn keep(
        &self,
        task: &str,
        invocation: &str,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<String, Failure> {
        invocation::allow_changes()?;
        let text = ::sheet::table(Terminator::Any(b'\n'), head, rows)
            .map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
        let key = format!("{FOLDER}/{task}/{invocation}.csv");
        self.0.put_object(&key, text).await?;
        Ok(format!("s3://{}/{key}", self.0.bucket()))
    }
}
