//! Rows as CSV in the stack's bucket of reports.

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
        let text = table(head, rows).map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
        let key = format!("{FOLDER}/{task}/{invocation}.csv");
        self.0.put_object(&key, text).await?;
        Ok(format!("s3://{}/{key}", self.0.bucket()))
    }
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(head)?;
    for row in rows {
        table.write_record(row.iter().map(|text| inert(text)))?;
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text that no spreadsheet takes for a formula.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_a_head_and_no_text_that_is_a_formula() {
        let rows = [["222222222222", "=cmd, \"x\""], ["333333333333", "+1 206"]];
        let rows = rows.map(|row| row.map(ToOwned::to_owned).to_vec());
        let text = table(&["account_id", "name"], rows).unwrap();
        assert_eq!(text, "account_id,name\n222222222222,\"'=cmd, \"\"x\"\"\"\n333333333333,'+1 206\n");
    }
}
