//! How people know accounts: their names and colors, as the last sweep has written them down beside its report.

use compliance_report::Directory;
use lambda_runtime::tracing;
use steward::gateway::{Found, S3Gateway};

/// Where they are, in the bucket of the reports.
const KEY: &str = "latest/access.json";
/// The most that is read. An account takes less than 150 bytes.
const MAX_BYTES: usize = 4 << 20;

/// Where names and colors come from.
#[derive(Clone, Debug)]
pub(crate) struct Names(pub(crate) S3Gateway);

impl Names {
    /// What the last sweep has found. Before the first one nothing is known, and who cannot read it goes without: a sheet names
    /// accounts by their ids then.
    pub(crate) async fn read(&self) -> Directory {
        let found = match self.0.find_object(KEY, None, MAX_BYTES).await {
            Ok(Found::Object { content, .. }) => serde_json::from_slice(&content).map_err(|error| error.to_string()),
            Ok(Found::Missing | Found::Unchanged) => Ok(Directory::default()),
            Err(error) => Err(error.to_string()),
        };
        found.unwrap_or_else(|error| {
            tracing::warn!("the names of accounts are not known: {error}");
            Directory::default()
        })
    }
}
