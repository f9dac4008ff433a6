//! Where a function has its document from, and what holds when a newer one is refused.
//!
//! The last good version is recorded in the stack's table, so that every function, warm or cold, answers by the same
//! one while a newer one is refused. A version is recorded by whoever reads it first, and only once it has been found
//! valid. A writer has read the record before it has seen in Amazon S3, which is strongly consistent, that its version
//! is the newest, and writes only where the record is still the same: so nobody puts an older version back.

use std::{ops::Deref, sync::Arc};

use aws_config::SdkConfig;
use futures_util::future::join;
use lambda_runtime::tracing;
use tokio::sync::Mutex;

use super::{
    Baseline, Document, MAX_BYTES,
    last_good::{LastGood, LastGoodRecord},
    refusal::{BaselineDocumentRefused, Refusal},
};
use crate::{
    account_source::AccountSource,
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, EventBridgeGateway, Found, Roster, S3Gateway},
    ids::RoleName,
    input::Problem,
    runtime::settings::Settings,
};

/// The document of a function. A warm function asks at each invocation, and reads only what has changed. Where the document
/// names the accounts, the gateways have them from here.
#[derive(Debug)]
pub struct DocumentCache(Kind);

#[derive(Debug)]
enum Kind {
    /// The baseline of a stack that has no document.
    OfParameters(Arc<Document>),
    /// A document in Amazon S3.
    Stored(Box<Stored>),
}

/// The document in force, and what is to be said with everything that is done by it.
#[derive(Clone, Debug)]
pub struct DocumentInForce {
    document: Arc<Document>,
    etag: String,
    /// That a newer document was refused, so that this is an older one.
    pub refused: Option<Refusal>,
}

impl Deref for DocumentInForce {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.document
    }
}

impl DocumentInForce {
    pub(super) fn new(document: Arc<Document>, etag: String, refused: Option<Refusal>) -> Self {
        Self { document, etag, refused }
    }

    /// What tells this document from others; empty for the baseline of a stack that has no document.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}

impl DocumentCache {
    /// The document of the stack, for accounts that are entered through this role: the one in S3 or, in a stack that
    /// has none, the baseline that the stack's parameters make. `table` is the stack's table.
    pub fn of(config: &SdkConfig, settings: &mut Settings, table: &DynamoDbGateway, access_role: &RoleName) -> Self {
        let threshold = settings.billing_threshold_usd();
        let parameters = settings.alert_email().map(|email| Baseline::of_parameters(email, threshold));
        match settings.baseline_document() {
            Some((bucket, key)) => {
                let s3 = S3Gateway::of(config, bucket);
                Self::stored(s3, key, table.clone(), access_role.clone()).naming_accounts(settings.roster())
            }
            None => Self::of_parameters(parameters.unwrap_or_default()),
        }
    }

    fn of_parameters(baseline: Baseline) -> Self {
        Self(Kind::OfParameters(Arc::new(Document::of_defaults(baseline))))
    }

    fn stored(s3: S3Gateway, key: impl Into<String>, table: DynamoDbGateway, access_role: RoleName) -> Self {
        let record = LastGoodRecord::new(table);
        Self(Kind::Stored(Box::new(Stored {
            s3,
            record,
            key: key.into(),
            access_role,
            roster: None,
            records: true,
            held: Mutex::default(),
        })))
    }

    /// The same for a document that names the accounts, where there is a roster to keep them in.
    fn naming_accounts(mut self, roster: Option<Roster>) -> Self {
        if let Kind::Stored(stored) = &mut self.0 {
            stored.roster = roster;
        }
        self
    }

    /// The same for a function that runs after one that has recorded what it has read, and need not do it again.
    #[must_use]
    pub fn recorded_by_others(mut self) -> Self {
        if let Kind::Stored(stored) = &mut self.0 {
            stored.records = false;
        }
        self
    }

    /// The bucket of the document, in which files stand beside it; None in a stack that has no document.
    pub fn files(&self) -> Option<&S3Gateway> {
        match &self.0 {
            Kind::OfParameters(_) => None,
            Kind::Stored(stored) => Some(&stored.s3),
        }
    }

    /// The document in force; a failure when there is none, so that nothing is applied. A newer one that is refused
    /// leaves the last good one in force, and is put on the bus once; one that could not be put there is put there next
    /// time. A document that is missing, or that could not be read, is a failure: nobody knows what it would say.
    pub async fn read(&self, bus: &EventBridgeGateway) -> Result<DocumentInForce, Failure> {
        match &self.0 {
            Kind::OfParameters(document) => Ok(DocumentInForce::new(Arc::clone(document), String::new(), None)),
            Kind::Stored(stored) => stored.read(bus).await,
        }
    }
}

#[derive(Debug)]
struct Stored {
    s3: S3Gateway,
    record: LastGoodRecord,
    key: String,
    access_role: RoleName,
    /// Where the accounts go that the document names; None where an organization has them.
    roster: Option<Roster>,
    /// Whether this function records what it finds.
    records: bool,
    held: Mutex<Held>,
}

/// What a warm function remembers.
#[derive(Debug, Default)]
struct Held {
    good: Option<Good>,
    /// The newest document, when it was refused.
    refused: Option<Newer>,
    /// Whether the record says that `good` is the last good one.
    is_recorded: bool,
}

#[derive(Clone, Debug)]
struct Good {
    document: Arc<Document>,
    etag: String,
    version: Option<String>,
}

/// A newer document that was refused.
#[derive(Debug)]
struct Newer {
    event: BaselineDocumentRefused,
    /// Whether it has reached the bus.
    is_said: bool,
}

impl Held {
    /// The `ETag` of the newest document that was read, good or not.
    fn etag(&self) -> Option<&str> {
        let good = self.good.as_ref().map(|good| good.etag.as_str());
        self.refused.as_ref().map(|newer| newer.event.refusal.etag.as_str()).or(good)
    }
}

impl Stored {
    async fn read(&self, bus: &EventBridgeGateway) -> Result<DocumentInForce, Failure> {
        let mut held = self.held.lock().await;
        held.is_recorded |= !self.records;
        // A cold function asks both at the same time.
        let is_cold = !held.is_recorded;
        let recorded = async { if is_cold { self.record.find().await.ok().flatten() } else { None } };
        let (looked, recorded) = join(self.look(&mut held), recorded).await;
        looked?;
        if held.refused.is_none() {
            held.is_recorded |= !self.records || recorded.is_some_and(|recorded| self.says(&recorded, &held));
            if !held.is_recorded {
                // It is good, whether or not others hear of it now.
                match self.record(&held).await {
                    Ok(is_recorded) => held.is_recorded = is_recorded,
                    Err(error) => tracing::warn!("the document in force could not be recorded: {error}"),
                }
            }
        } else {
            let last_good = self.last_good(&mut held).await;
            if let Some(newer) = &mut held.refused {
                newer.event.refusal.in_force = last_good.as_ref().ok().cloned().flatten();
                if !newer.is_said {
                    let BaselineDocumentRefused { refusal, .. } = &newer.event;
                    tracing::warn!(document = refusal.document, etag = refusal.etag, "{}", refusal.failure);
                    bus.put(&newer.event).await?;
                    newer.is_said = true;
                }
            }
            last_good?;
        }
        let refused = held.refused.as_ref().map(|newer| newer.event.refusal.clone());
        match &held.good {
            Some(good) => {
                if let Some(roster) = &self.roster {
                    roster.replace(good.document.named_accounts());
                }
                Ok(DocumentInForce::new(Arc::clone(&good.document), good.etag.clone(), refused))
            }
            None => Err(Failure::new(Cause::BaselineDocumentMissing)),
        }
    }

    fn parsed(&self, content: &[u8]) -> Result<Document, Vec<Problem>> {
        let source = if self.roster.is_some() { AccountSource::Document } else { AccountSource::Organization };
        Document::read_for(content, &self.access_role, source)
    }

    /// Checks whether there is a newer document, and reads it.
    async fn look(&self, held: &mut Held) -> Result<(), Failure> {
        match self.s3.find_object(&self.key, held.etag(), MAX_BYTES).await? {
            Found::Unchanged => {}
            Found::Missing => {
                // A warm function that is given the same document again has to say again that it is in force.
                held.is_recorded = false;
                return Err(Failure::with_detail(Cause::BaselineDocumentMissing, self.location()));
            }
            Found::Object { etag, version, content } => match self.parsed(&content) {
                Ok(document) => {
                    *held = Held {
                        good: Some(Good { document: Arc::new(document), etag, version }),
                        refused: None,
                        is_recorded: false,
                    };
                }
                Err(problems) => {
                    let event = BaselineDocumentRefused::new(self.location(), etag, version, problems);
                    held.refused = Some(Newer { event, is_said: false });
                }
            },
        }
        Ok(())
    }

    /// Whether the record says that what is held is the last good one.
    fn says(&self, record: &LastGood, held: &Held) -> bool {
        let is = |good: &Good| record.version == good.version && record.etag == good.etag;
        record.key == self.key && held.good.as_ref().is_some_and(is)
    }

    /// Records that what is held is the last good one; false when a newer one has come in the meantime.
    async fn record(&self, held: &Held) -> Result<bool, CallError> {
        let Some(good) = &held.good else { return Ok(false) };
        let read = self.record.find().await?;
        if read.as_ref().is_some_and(|read| self.says(read, held)) {
            return Ok(true);
        }
        // The record was read: now it must be the newest still.
        match self.s3.find_object(&self.key, Some(&good.etag), MAX_BYTES).await? {
            Found::Unchanged => {}
            Found::Missing | Found::Object { .. } => return Ok(false),
        }
        let (version, etag) = (good.version.clone(), good.etag.clone());
        let good = LastGood { key: self.key.clone(), version, etag, revision: 0 };
        self.record.replace(read.as_ref(), good).await
    }

    /// Holds the last good document, as it is recorded, and says which version it is.
    async fn last_good(&self, held: &mut Held) -> Result<Option<String>, Failure> {
        let refused = held.refused.as_ref().map(|newer| newer.event.refusal.clone());
        let refused = refused.ok_or_else(|| Failure::new(Cause::BaselineDocumentMissing))?;
        let Some(record) = self.record.find().await?.filter(|record| record.key == self.key) else {
            held.good = None;
            return Err(refused.failure);
        };
        if record.etag == refused.etag {
            held.good = None;
            let why = "Another version of Steward took this very document: it is in force where that one runs.";
            return Err(refused.because(why));
        }
        if held.good.as_ref().is_none_or(|good| good.version != record.version || good.etag != record.etag) {
            held.good = None;
            held.good = Some(self.fetch(record, refused).await?);
        }
        Ok(held.good.as_ref().and_then(|good| good.version.clone()))
    }

    /// Reads the version that is recorded.
    async fn fetch(&self, record: LastGood, refused: Refusal) -> Result<Good, Failure> {
        let version = record.version.clone().unwrap_or_default();
        let found = match &record.version {
            Some(version) => self.s3.find_version(&self.key, version, MAX_BYTES).await?,
            None => Found::Missing,
        };
        match found {
            Found::Object { content, .. } => match self.parsed(&content) {
                Ok(document) => Ok(Good { document: Arc::new(document), etag: record.etag, version: record.version }),
                Err(_) => {
                    Err(refused
                        .because(&format!("The last good one, version {version}, is not valid any more either.")))
                }
            },
            Found::Missing | Found::Unchanged => {
                let detail = format!("{} The last good one was version {version:?}.", refused.failure.message);
                Err(Failure::with_detail(Cause::BaselineDocumentLost, detail))
            }
        }
    }

    fn location(&self) -> String {
        format!("s3://{}/{}", self.s3.bucket(), self.key)
    }
}

#[cfg(test)]
mod tests;
