//! What came of accounts that a person selected.

use serde::Serialize;
use steward::{
    baseline::{Refusal, Unmatched},
    control::{Mode, Row, brake::Braked},
    error::{Cause, Failure},
    ids::AccountId,
    runtime::concurrency::Progress,
};

/// What a person is answered.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was done: `plan` or `apply`.
    pub mode: Mode,
    /// That a newer baseline document was refused, so that an older one was gone by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Box<Refusal>>,
    /// What the baseline document names and is not in the organization.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Unmatched>,
    /// One row per account and control.
    pub rows: Vec<Row>,
    /// The accounts that were not looked at: for their state, or because another invocation is at work there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skip>,
    /// The accounts that could not be looked at at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// That the brake has stopped an apply, or would stop it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brake: Option<Box<Braked>>,
    /// The accounts that there was no time for, or no room in the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<AccountId>,
    /// How far it has come, where accounts are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// An account that was not looked at.
#[derive(Debug, Serialize)]
pub struct Skip {
    /// The account.
    pub account_id: AccountId,
    /// The reason, as a sentence.
    pub why: String,
}

/// An account of which it could not be found out what its baseline is.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// The account.
    pub account_id: AccountId,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Report {
    /// A report of nothing yet.
    pub(crate) fn new(mode: Mode, baseline_refused: Option<Refusal>, unmatched: Vec<Unmatched>) -> Self {
        Self {
            mode,
            baseline_refused: baseline_refused.map(Box::new),
            unmatched,
            rows: Vec::new(),
            skipped: Vec::new(),
            failed: Vec::new(),
            brake: None,
            left: Vec::new(),
            progress: None,
        }
    }

    /// Takes in what came of one account.
    pub(crate) fn add(&mut self, visited: Visited) {
        match visited {
            Visited::Rows(rows) => self.rows.extend(rows),
            Visited::Skipped(skip) => self.skipped.push(skip),
            Visited::Failed(failed) => self.failed.push(failed),
            Visited::Left(account_id) => self.left.push(account_id),
        }
    }
}

/// What came of one account.
pub(crate) enum Visited {
    /// One row per control.
    Rows(Vec<Row>),
    /// It was not looked at.
    Skipped(Skip),
    /// Its baseline could not be found out.
    Failed(Failed),
    /// There was no time for it.
    Left(AccountId),
}

impl Visited {
    /// An account of which nothing was found out, and why.
    pub(crate) fn not_looked_at(account_id: AccountId, failure: Failure) -> Self {
        if failure.cause == Cause::NoTimeLeft {
            Self::Left(account_id)
        } else {
            Self::Failed(Failed { account_id, failure })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_account_is_in_the_answer_whatever_came_of_it() {
        let id: AccountId = "123456789012".parse().unwrap();
        let mut report = Report::new(Mode::Plan, None, Vec::new());
        assert_eq!(serde_json::to_value(&report).unwrap(), json!({"mode": "plan", "rows": []}));
        report.add(Visited::Skipped(Skip { account_id: id.clone(), why: "the account is SUSPENDED".to_owned() }));
        report.add(Visited::not_looked_at(id.clone(), Failure::new(Cause::AccessDenied)));
        report.add(Visited::not_looked_at(id, Failure::new(Cause::NoTimeLeft)));
        let shown = serde_json::to_value(&report).unwrap();
        assert_eq!(shown["skipped"], json!([{"account_id": "123456789012", "why": "the account is SUSPENDED"}]));
        assert_eq!(shown["failed"][0]["cause"], "AccessDenied");
        assert_eq!(shown["left"], json!(["123456789012"]));
    }
}
