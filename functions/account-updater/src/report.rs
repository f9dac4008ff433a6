//! What is answered.

use aws_lambda_events::sqs::SqsBatchResponse;
use serde::Serialize;
use steward::{baseline::Refusal, control::Mode, ids::AccountId, runtime::concurrency::Progress};

use crate::{addresses::PlanRow, contacts::ContactsRow, event::Finding, regions::RegionsRow, status::StatusRow};

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To a person, or to the schedule.
    Report(Box<Report>),
}

/// What a person is answered.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was asked for.
    pub(crate) task: &'static str,
    /// Whether anything was to be changed.
    pub(crate) mode: Mode,
    /// That a newer baseline document was refused: what is protected is what the older one says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_refused: Option<Refusal>,
    /// What came of it as a whole, where it is done as a whole.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) finding: Option<Finding>,
    /// One row per account.
    pub(crate) rows: Rows,
    /// The accounts that there was no time for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left: Vec<AccountId>,
    /// How far it has come, where accounts are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Progress>,
    /// Records that cannot be read, by their keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<String>,
    /// Where the rows are in the stack's bucket of reports, as CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) csv: Option<String>,
}

/// The rows of an answer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Rows {
    /// What came of each account.
    Found(Vec<Row>),
    /// What is to become of each address.
    Plans(Vec<PlanRow>),
    /// Changes of addresses.
    Changes(Vec<StatusRow>),
    /// Contacts.
    Contacts(Vec<ContactsRow>),
    /// Regions.
    Regions(Vec<RegionsRow>),
}

/// What came of one account.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_name: Option<String>,
    #[serde(flatten)]
    pub(crate) finding: Finding,
}

impl Report {
    /// An answer with these rows.
    pub(crate) fn new(task: &'static str, mode: Mode, rows: Rows) -> Self {
        Self {
            task,
            mode,
            baseline_refused: None,
            finding: None,
            rows,
            left: Vec::new(),
            progress: None,
            unreadable: Vec::new(),
            csv: None,
        }
    }

    /// The same, of so many accounts that were worked on and these that there was no time for.
    pub(crate) fn leaving(self, done: usize, left: Vec<AccountId>) -> Self {
        Self { progress: Progress::of(done + left.len(), left.len()), left, ..self }
    }
}
