//! The document in force, and that people hear of one that was refused.

use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_runtime::tracing;
use tokio::sync::Mutex;

use super::{Baseline, BaselineDocumentRefused, Document, Source};
use crate::{
    error::Failure,
    gateway::{EventBridgeGateway, S3Gateway},
    ids::RoleName,
    settings::Settings,
};

/// The baseline document, and the refusal that has not reached the bus yet.
#[derive(Debug)]
pub struct InForce {
    source: Source,
    unsaid: Mutex<Option<BaselineDocumentRefused>>,
}

impl InForce {
    /// The document of the stack, for accounts that are entered through this role: the one in S3 or, in a stack that
    /// has none, the baseline that the stack's parameters make.
    pub fn of(config: &SdkConfig, settings: &mut Settings, access_role: &RoleName) -> Self {
        let threshold = settings.billing_threshold_usd();
        let parameters = settings.alert_email().map(|email| Baseline::of_parameters(email, threshold));
        let source = match settings.baseline_document() {
            Some((bucket, key)) => Source::object(S3Gateway::of(config, bucket), key, access_role.clone()),
            None => Source::fixed(parameters.unwrap_or_default()),
        };
        Self { source, unsaid: Mutex::default() }
    }

    /// The document in force; a failure when there is none, so that nothing is applied. A refusal is put on the bus
    /// once; one that could not be put there is put there next time.
    pub async fn read(&self, bus: &EventBridgeGateway) -> Result<Arc<Document>, Failure> {
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
