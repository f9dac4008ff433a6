//! A document that was put in the bucket: the accounts that it names for the first time get their baseline.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;
use steward::{
    account_creation::Announced,
    error::{Cause, Failure},
    runtime::trigger::as_event,
};

use crate::BaselineApplier;

/// Whether an event says that somebody has put an object into a bucket (Amazon S3 user guide, "Using EventBridge"). Which
/// one does not matter: what counts is the document that is in force.
pub(crate) fn is_of_document(event: &EventBridgeEvent<Value>) -> bool {
    event.source == "aws.s3" && event.detail_type == "Object Created"
}

/// The same of a message of the queue.
pub(crate) fn is_about_document(body: &str) -> bool {
    let event = serde_json::from_str::<Value>(body).ok().and_then(|body| as_event(&body));
    event.is_some_and(|event| is_of_document(&event))
}

impl BaselineApplier {
    /// Has accounts that the document in force names for the first time get their baseline. A document that is refused
    /// leaves the last good one in force, which names nobody new.
    pub(crate) async fn document_changed(&self) -> Result<Announced, Failure> {
        if self.organizations.expect_organization().is_ok() {
            let why = "The accounts come from AWS Organizations here, and a document names none.";
            return Err(Failure::with_detail(Cause::MessageNotUnderstood, why));
        }
        let document = self.runner.document().await?;
        self.newly_named.announce(&document).await
    }
}
