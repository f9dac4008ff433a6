//! One sweep at a time remediates. Two that remediate the same account would write twice; the second one only looks.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    sweep::SweepId,
    table::keys,
};

/// How long a sweep may take: the state machine ends it then. Whoever has not said by then that it is over is not at
/// work any more.
pub const LONGEST_SWEEP: SignedDuration = SignedDuration::from_hours(6);

/// The sweep that remediates, in the stack's table.
#[derive(Clone, Debug)]
pub struct RemediationLock(DynamoDbGateway);

#[derive(Serialize)]
struct Item<'a> {
    sweep_id: &'a str,
    remediates_until: i64,
    expires_at: i64,
}

#[derive(Deserialize)]
struct Held {
    sweep_id: String,
    remediates_until: i64,
}

impl RemediationLock {
    /// The sweep that remediates, in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Asks for the right to remediate; no, when another sweep is at it. The same sweep may ask again.
    pub async fn begin(&self, sweep: &SweepId, now: Timestamp) -> Result<bool, CallError> {
        let values = HashMap::from([
            (":sweep".to_owned(), AttributeValue::S(sweep.as_str().to_owned())),
            (":now".to_owned(), AttributeValue::N(now.as_second().to_string())),
        ]);
        let free = "attribute_not_exists(pk) OR remediates_until < :now OR sweep_id = :sweep";
        self.put(sweep, now + LONGEST_SWEEP, free, values).await
    }

    /// Whether this sweep has the right to remediate. Whoever remediates for it asks.
    pub async fn is_at(&self, sweep: &SweepId, now: Timestamp) -> Result<bool, CallError> {
        let held = self.0.find::<Held>(keys::REMEDIATING_SWEEP.key()).await?;
        Ok(held.is_some_and(|held| held.sweep_id == sweep.as_str() && now.as_second() < held.remediates_until))
    }

    /// Says that the sweep is over. That another one remediates by now changes nothing.
    pub async fn end(&self, sweep: &SweepId, now: Timestamp) -> Result<(), CallError> {
        let values = HashMap::from([(":sweep".to_owned(), AttributeValue::S(sweep.as_str().to_owned()))]);
        self.put(sweep, now - SignedDuration::from_secs(1), "sweep_id = :sweep", values).await.map(drop)
    }

    async fn put(
        &self,
        sweep: &SweepId,
        until: Timestamp,
        condition: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<bool, CallError> {
        let until = until.as_second();
        let item = Item { sweep_id: sweep.as_str(), remediates_until: until, expires_at: until };
        let put = Write::Put {
            pk: keys::REMEDIATING_SWEEP.key().to_owned(),
            item: attributes(&item)?,
            condition: Some((condition.to_owned(), values)),
        };
        Ok(self.0.write(vec![put]).await?.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
        types::{CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn remediation_lock(rule: &Rule) -> RemediationLock {
        RemediationLock::new(DynamoDbGateway::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]),
            "table",
        ))
    }

    #[tokio::test]
    async fn the_first_sweep_remediates_and_one_beside_it_does_not() {
        let sweep = SweepId::of_execution("a", Timestamp::UNIX_EPOCH);
        let put = mock!(Client::transact_write_items).then_output(|| TransactWriteItemsOutput::builder().build());
        assert!(remediation_lock(&put).begin(&sweep, crate::clock::now()).await.unwrap());
        let refused = mock!(Client::transact_write_items).then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        });
        assert!(!remediation_lock(&refused).begin(&sweep, crate::clock::now()).await.unwrap());
    }
}
