//! What a person is answered.

use serde::Serialize;
use sheet::Terminator;
use steward::{
    baseline::Refusal,
    closed_set::ClosedSet,
    control::{Mode, brake::Braked},
    error::{Cause, Failure},
    ids::AccountId,
    runtime::concurrency::Progress,
};

use crate::root_task::{CredentialKind, Finding, Task};

/// What a person is answered.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was asked for.
    pub task: Task,
    /// Whether anything was to be changed.
    pub mode: Mode,
    /// That a newer baseline document was refused: what is protected is what the older one says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
    /// One row per account.
    pub rows: Vec<Row>,
    /// That the brake has stopped an apply, or would stop it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brake: Option<Box<Braked>>,
    /// The accounts that there was no time for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<AccountId>,
    /// How far it has come, where accounts are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The rows of an audit as CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
}

/// What came of one account, or of the organization.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Report {
    /// A report of nothing yet.
    pub(crate) fn new(task: Task, mode: Mode, baseline_refused: Option<Refusal>) -> Self {
        Self {
            task,
            mode,
            baseline_refused,
            rows: Vec::new(),
            brake: None,
            left: Vec::new(),
            progress: None,
            csv: None,
        }
    }

    /// Takes in what came of one account.
    pub(crate) fn add(&mut self, visited: Result<Row, AccountId>) {
        match visited {
            Ok(row) => self.rows.push(row),
            Err(left) => self.left.push(left),
        }
    }

    /// The whole, with the rows as CSV if that was asked for.
    pub(crate) fn finish(mut self, csv: bool) -> Result<Self, Failure> {
        if csv {
            let text = table(&self.rows).map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
            self.csv = Some(text);
        }
        Ok(self)
    }
}

fn table(rows: &[Row]) -> Result<String, sheet::Error> {
    let kinds = CredentialKind::ALL.iter().map(|kind| kind.name());
    let head = ["account_id", "account_name", "outcome"].into_iter().chain(kinds).chain(["detail"]);
    let cells = rows.iter().map(|row| {
        let (outcome, present, detail) = match &row.finding {
            Finding::Audited { present } => ("audited", Some(present), String::new()),
            Finding::Refused { why } => ("refused", None, why.clone()),
            Finding::Failed { failure, .. } => ("failed", None, failure.to_string()),
            _ => ("other", None, String::new()),
        };
        // What was not seen is neither yes nor no.
        let said = |kind: &CredentialKind| match present {
            Some(present) if present.contains(kind) => "yes",
            Some(_) => "no",
            None => "",
        };
        let id = row.account_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let first = [id, row.account_name.clone().unwrap_or_default(), outcome.to_owned()];
        let said = CredentialKind::ALL.iter().map(|kind| said(kind).to_owned());
        first.into_iter().chain(said).chain([detail]).collect::<Vec<_>>()
    });
    sheet::table(Terminator::Any(b'\n'), head, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_a_table_in_which_the_unknown_is_empty() {
        let row = |name: &str, finding| Row {
            account_id: Some("222222222222".parse().unwrap()),
            account_name: Some(name.to_owned()),
            finding,
        };
        let rows = [
            row("=cmd, \"x\"", Finding::Audited { present: vec![CredentialKind::Mfa] }),
            row("B", Finding::Refused { why: "no".to_owned() }),
        ];
        assert_eq!(
            table(&rows).unwrap(),
            "account_id,account_name,outcome,login-profile,access-keys,signing-certificates,mfa,detail\n\
             222222222222,\"'=cmd, \"\"x\"\"\",audited,no,no,no,yes,\n\
             222222222222,B,refused,,,,,no\n"
        );
    }
}
