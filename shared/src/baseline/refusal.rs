//! That a document is refused: as an event, and as what is said beside everything that is done by an older one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Cause, Failure},
    gateway::{Event, EventType},
    input::{Problem, in_words},
};

/// The most problems that an event carries; a bus takes 256 KB.
const MAX_PROBLEMS: usize = 100;
/// The most problems that a message spells out.
const MAX_PROBLEMS_IN_WORDS: usize = 10;

/// A newer document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Where the document is: `s3://bucket/key`.
    pub document: String,
    /// The `ETag` of the one that was refused.
    pub etag: String,
    /// Its version in the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that stays in force; left out when there is none, so that nothing is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<String>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Refusal {
    /// The failure of whoever has no older document to go by, and why.
    pub(super) fn because(&self, why: &str) -> Failure {
        let mut failure = self.failure.clone();
        failure.message = format!("{} {why}", failure.message);
        failure
    }

    /// For whoever reads what was done by the older document.
    pub fn in_words(&self) -> String {
        let in_force = self.in_force.as_deref().unwrap_or("none");
        format!("A newer baseline document was refused, and version {in_force} holds. {}", self.failure.message)
    }
}

/// A new document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineDocumentRefused {
    /// Which document, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// What is wrong with it, the first hundred problems.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: usize,
}

impl Event for BaselineDocumentRefused {
    const TYPE: EventType = EventType::BaselineDocumentRefused;
}

impl BaselineDocumentRefused {
    /// The refusal of this document, before it is known what holds instead.
    pub(super) fn new(document: String, etag: String, version: Option<String>, mut problems: Vec<Problem>) -> Self {
        let problem_count = problems.len();
        problems.truncate(MAX_PROBLEMS);
        let shown = &problems[..problem_count.min(MAX_PROBLEMS_IN_WORDS)];
        let more = match problem_count - shown.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let named = version.as_ref().map_or_else(|| format!("ETag {etag}"), |version| format!("version {version}"));
        let detail = format!("{document} ({named}): {}{more}.", in_words(shown));
        let failure = Failure::with_detail(Cause::BaselineDocumentRefused, detail);
        Self { refusal: Refusal { document, etag, version, in_force: None, failure }, problems, problem_count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{baseline::Document, ids::RoleName};

    #[test]
    fn a_refusal_fits_into_an_event_whatever_is_in_the_document() {
        let keys = (0..20_000).map(|n| format!("k{n}: 1")).collect::<Vec<_>>().join("\n");
        let problems = Document::read(keys.as_bytes(), &RoleName::organization_account_access()).unwrap_err();
        let refused = BaselineDocumentRefused::new("s3://bucket/a".to_owned(), "\"1\"".to_owned(), None, problems);
        assert_eq!((refused.problems.len(), refused.problem_count), (100, 20_001));
        let message = &refused.refusal.failure.message;
        assert!(message.contains("and 19991 more"), "{message}");
        assert!(serde_json::to_string(&refused).unwrap().len() < 100_000);
    }
}
