//! The document in force, and that people hear of one that was refused.

use std::sync::Arc;

use lambda_runtime::tracing;
use steward::{
    baseline::{BaselineDocumentRefused, Document, Source},
    error::Failure,
    gateway::EventBridgeGateway,
};
use tokio::sync::Mutex;

/// The baseline document, and the refusal that has not reached the bus yet.
#[derive(Debug)]
pub(crate) struct InForce {
    source: Source,
    unsaid: Mutex<Option<BaselineDocumentRefused>>,
}

impl InForce {
    /// The document of this source.
    pub(crate) fn of(source: Source) -> Self {
        Self { source, unsaid: Mutex::default() }
    }

    /// The document in force; a failure when there is none, so that nothing is applied. A refusal is put on the bus
    /// once; one that could not be put there is put there next time.
    pub(crate) async fn read(&self, bus: &EventBridgeGateway) -> Result<Arc<Document>, Failure> {
        let reading = self.source.read().await;
        let mut unsaid = self.unsaid.lock().await;
        if let Some(refused) = reading.refused {
            tracing::warn!(document = refused.document, etag = refused.etag, "{}", refused.failure);
            *unsaid = Some(refused);
        }
        if let Some(refused) = unsaid.as_ref() {
            bus.put(refused).await?;
        }
        *unsaid = None;
        reading.document
    }
}
