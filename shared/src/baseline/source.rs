//! Where a function has its document from.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Baseline, Document, MAX_BYTES};
use crate::{
    error::{Cause, Failure},
    events::Event,
    gateway::{Found, S3Gateway},
    ids::RoleName,
    input::{Problem, in_words},
};

/// The most problems that an event carries; a bus takes 256 KB.
const MAX_PROBLEMS: usize = 100;
/// The most problems that a message spells out.
const MAX_PROBLEMS_IN_WORDS: usize = 10;

/// A new document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineDocumentRefused {
    /// Where the document is: `s3://bucket/key`.
    pub document: String,
    /// The `ETag` of the one that was refused.
    pub etag: String,
    /// The `ETag` of the one that stays in force; left out when there is none, so that nothing is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<String>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// What is wrong with it, the first hundred problems.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: usize,
}

impl Event for BaselineDocumentRefused {
    const DETAIL_TYPE: &'static str = "BaselineDocumentRefused";
}

/// What a look at the source gave.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The document in force; an error when there is none, so that nothing may be applied.
    pub document: Result<Arc<Document>, Failure>,
    /// That a new document was refused. It is said once per document, to be put on the bus.
    pub refused: Option<BaselineDocumentRefused>,
}

/// Where a function has its document from. A warm function asks at each invocation, and reads only what has changed.
#[derive(Debug)]
pub struct Source(Kind);

#[derive(Debug)]
enum Kind {
    Fixed(Arc<Document>),
    Object(Box<Object>),
}

#[derive(Debug)]
struct Object {
    s3: S3Gateway,
    key: String,
    access_role: RoleName,
    seen: Mutex<Seen>,
}

/// What a warm function remembers.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The last good document and its `ETag`.
    good: Option<(Arc<Document>, String)>,
    /// The document that was refused after it.
    refused: Option<BaselineDocumentRefused>,
}

impl Seen {
    /// The `ETag` of the last document that was read, good or not.
    fn etag(&self) -> Option<&str> {
        let good = self.good.as_ref().map(|(_, etag)| etag.as_str());
        self.refused.as_ref().map(|refused| refused.etag.as_str()).or(good)
    }

    /// The document in force.
    fn in_force(&self) -> Result<Arc<Document>, Failure> {
        match (&self.good, &self.refused) {
            (Some((document, _)), _) => Ok(Arc::clone(document)),
            (None, Some(refused)) => Err(refused.failure.clone()),
            (None, None) => Err(Failure::new(Cause::BaselineDocumentMissing)),
        }
    }
}

impl Source {
    /// The baseline of a stack that has no document.
    pub fn fixed(baseline: Baseline) -> Self {
        Self(Kind::Fixed(Arc::new(Document::of_defaults(baseline))))
    }

    /// A document in S3, for accounts that are entered through this role.
    pub fn object(s3: S3Gateway, key: impl Into<String>, access_role: RoleName) -> Self {
        Self(Kind::Object(Box::new(Object { s3, key: key.into(), access_role, seen: Mutex::default() })))
    }

    /// The document in force. A document that is refused leaves the last good one of this warm function in force; one
    /// that is missing, or that could not be read, is a failure, because nobody knows what it would say.
    pub async fn read(&self) -> Reading {
        match &self.0 {
            Kind::Fixed(document) => Reading { document: Ok(Arc::clone(document)), refused: None },
            Kind::Object(object) => object.read().await,
        }
    }
}

impl Object {
    async fn read(&self) -> Reading {
        let Self { s3, key, access_role, seen } = self;
        let mut state = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let location = format!("s3://{}/{key}", s3.bucket());
        let failed = |failure| Reading { document: Err(failure), refused: None };
        let refused = match s3.find_object(key, state.etag(), MAX_BYTES).await {
            Err(error) => return failed(error.into()),
            Ok(Found::Missing) => return failed(Failure::with_detail(Cause::BaselineDocumentMissing, location)),
            Ok(Found::Unchanged) => None,
            Ok(Found::Object { etag, content }) => match Document::read(&content, access_role) {
                Ok(document) => {
                    state = Seen { good: Some((Arc::new(document), etag)), refused: None };
                    None
                }
                Err(problems) => {
                    let in_force = state.good.as_ref().map(|(_, etag)| etag.clone());
                    state.refused = Some(refusal(location, etag, in_force, problems));
                    state.refused.clone()
                }
            },
        };
        let document = state.in_force();
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = state;
        Reading { document, refused }
    }
}

fn refusal(
    document: String,
    etag: String,
    in_force: Option<String>,
    mut problems: Vec<Problem>,
) -> BaselineDocumentRefused {
    let problem_count = problems.len();
    problems.truncate(MAX_PROBLEMS);
    let shown = &problems[..problem_count.min(MAX_PROBLEMS_IN_WORDS)];
    let more = match problem_count - shown.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let detail = format!("{document} (ETag {etag}): {}{more}.", in_words(shown));
    let failure = Failure::with_detail(Cause::BaselineDocumentRefused, detail);
    BaselineDocumentRefused { document, etag, in_force, failure, problems, problem_count }
}

#[cfg(test)]
mod tests;
