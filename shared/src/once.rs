//! Telling something once, although what sets it off may come twice, late, or in two invocations at the same time.
//!
//! An item of the stack's table says that somebody is about to tell, and then that it was told. Whoever finds the first
//! without the second waits until the teller cannot be alive any more, and then tells in its place: a kill between the
//! two tells twice rather than never.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, Write, attributes},
};

/// No invocation lives longer (AWS Lambda developer guide, "Lambda quotas").
const LONGEST_INVOCATION: SignedDuration = SignedDuration::from_mins(15);
/// How long it is remembered what was told: a queue keeps a message for fourteen days at most, an archive longer; what
/// is replayed after that is meant to be told again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether something may be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Nobody has told it, and nobody else is about to.
    Granted,
    /// It was told.
    Told,
    /// Somebody else is about to; look again in some minutes.
    UnderWay,
}

/// What was told, in the stack's table.
#[derive(Clone, Debug)]
pub struct Once(DynamoDbGateway);

#[derive(Serialize)]
struct Item<'a, T> {
    told: bool,
    claimed_at: i64,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a T>,
}

#[derive(Deserialize)]
struct Found {
    told: bool,
}

impl Once {
    /// What was told, in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Asks for the right to tell what this key stands for.
    async fn claim(&self, key: &str, now: Timestamp) -> Result<Claim, CallError> {
        let abandoned = (now - LONGEST_INVOCATION).as_second();
        let values = HashMap::from([
            (":no".to_owned(), AttributeValue::Bool(false)),
            (":abandoned".to_owned(), AttributeValue::N(abandoned.to_string())),
        ]);
        let free = "attribute_not_exists(pk) OR (told = :no AND claimed_at < :abandoned)".to_owned();
        let put = Write::Put {
            pk: key.to_owned(),
            item: attributes(&item::<()>(false, None, now))?,
            condition: Some((free, values)),
        };
        if self.0.write(vec![put]).await?.is_ok() {
            return Ok(Claim::Granted);
        }
        let found: Option<Found> = self.0.find(key).await?;
        Ok(if found.is_some_and(|found| found.told) { Claim::Told } else { Claim::UnderWay })
    }

    /// Asks for that right and says whether to go on: not when it was told. That somebody else is about to tell it is a
    /// failure, so that the message comes again in case they do not.
    pub async fn begin(&self, key: &str, now: Timestamp) -> Result<bool, Failure> {
        match self.claim(key, now).await? {
            Claim::Granted => Ok(true),
            Claim::Told => Ok(false),
            Claim::UnderWay => {
                Err(Failure::with_detail(Cause::ConcurrentModification, "Another invocation is telling of it."))
            }
        }
    }

    /// Records that it was told, with what there is to know of it.
    pub async fn told<T: Serialize>(&self, key: &str, row: &T, now: Timestamp) -> Result<(), CallError> {
        let item = attributes(&item(true, Some(row), now))?;
        // Without a condition: whoever was granted the claim is the only one who gets here.
        self.0.write(vec![Write::Put { pk: key.to_owned(), item, condition: None }]).await.map(drop)
    }
}

fn item<T>(told: bool, row: Option<&T>, now: Timestamp) -> Item<'_, T> {
    Item { told, claimed_at: now.as_second(), expires_at: (now + REMEMBERED).as_second(), row }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            get_item::GetItemOutput,
            transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
        },
        types::{CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn once(rules: &[&Rule]) -> Once {
        Once::new(DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "table"))
    }

    fn refused() -> Rule {
        mock!(Client::transact_write_items).then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        })
    }

    fn holds(told: bool) -> Rule {
        mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().item("told", AttributeValue::Bool(told)).build())
    }

    #[tokio::test]
    async fn the_first_to_ask_may_tell() {
        let put = mock!(Client::transact_write_items).then_output(|| TransactWriteItemsOutput::builder().build());
        assert_eq!(once(&[&put]).claim("a", crate::clock::now()).await.unwrap(), Claim::Granted);
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn what_was_told_and_what_is_about_to_be_told_are_two_answers() {
        for (told, claim) in [(true, Claim::Told), (false, Claim::UnderWay)] {
            assert_eq!(once(&[&refused(), &holds(told)]).claim("a", crate::clock::now()).await.unwrap(), claim);
        }
    }
}
