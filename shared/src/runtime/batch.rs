//! Working a queue's batch off: one bad message does not bring the others back.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::tracing;

use crate::error::Failure;

/// Hands the messages over one by one, by their bodies. Those that fail come again, and after some attempts end among the
/// dead letters; the function's mapping has to say `ReportBatchItemFailures`.
pub async fn process_batch(batch: SqsEvent, handle: impl AsyncFn(&str) -> Result<(), Failure>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for record in batch.records {
        if let Err(failure) = handle(record.body.as_deref().unwrap_or_default()).await {
            tracing::error!(message_id = record.message_id, cause = %failure.cause, "{failure}");
            response.add_failure(record.message_id.unwrap_or_default());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::SqsMessage;

    use super::*;
    use crate::error::Cause;

    #[tokio::test]
    async fn only_the_messages_that_failed_come_again() {
        let message = |id: &str, body: Option<&str>| {
            let mut message = SqsMessage::default();
            message.message_id = Some(id.to_owned());
            message.body = body.map(ToOwned::to_owned);
            message
        };
        let mut batch = SqsEvent::default();
        batch.records = vec![message("1", Some("good")), message("2", Some("bad")), message("3", None)];
        let response =
            process_batch(
                batch,
                async |body| {
                    if body == "good" { Ok(()) } else { Err(Failure::new(Cause::MessageNotUnderstood)) }
                },
            )
            .await;
        let failed: Vec<_> = response.batch_item_failures.iter().map(|f| f.item_identifier.as_str()).collect();
        assert_eq!(failed, ["2", "3"]);
    }
}
