//! The progress of a request, read from its record.

use jiff::Timestamp;
use local_cloud::AwsError;
use serde_json::Value;

use crate::Stack;

/// A state that a request has entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its name.
    pub state: String,
    /// When.
    pub at: Timestamp,
}

/// How far a request has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The states it has entered.
    pub history: Vec<Passed>,
    /// The whole record.
    pub record: Value,
}

impl Progress {
    /// Reads the record of a request; None when there is none.
    pub async fn of(stack: &Stack, request_id: &str) -> Result<Option<Self>, AwsError> {
        let Some(record) = stack.item(&format!("request#{request_id}")).await? else { return Ok(None) };
        let passed = |entry: &Value| {
            Some(Passed { state: entry["state"].as_str()?.to_owned(), at: entry["at"].as_str()?.parse().ok()? })
        };
        let history = record["history"].as_array().into_iter().flatten().filter_map(passed).collect();
        Ok(Some(Self { history, record }))
    }

    /// The state it is in.
    pub fn state(&self) -> &str {
        self.record["state"]["name"].as_str().unwrap_or_default()
    }

    /// Whether it has ended and everybody was told.
    pub fn is_over(&self) -> bool {
        self.record["announced"] == true
    }

    /// The account, as soon as it is known.
    pub fn account_id(&self) -> Option<&str> {
        self.record["state"]["account_id"].as_str()
    }
}
