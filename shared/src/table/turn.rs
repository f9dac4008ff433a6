//! One invocation at a time works on an account by hand. Two that begin at the same moment both see what is missing, and
//! would both make it: a second mail that asks to confirm a subscription, twice the calls that AWS counts.
//!
//! Whoever begins says so in the stack's table, and whoever finds that leaves the account alone. An invocation that is
//! killed cannot give its turn back; it holds no longer than the invocation could have lived.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    ids::AccountId,
    table::keys,
};

/// The turns of one function's invocations, in the stack's table.
#[derive(Clone, Debug)]
pub struct Turns {
    table: DynamoDbGateway,
    function: &'static str,
}

#[derive(Serialize)]
struct Item<'a> {
    invocation: &'a str,
    held_until: i64,
    expires_at: i64,
}

impl Turns {
    /// The turns of this function, in this table.
    pub fn new(table: DynamoDbGateway, function: &'static str) -> Self {
        Self { table, function }
    }

    /// Asks for the turn to work on an account, while this invocation can last; no, when another one is at it. The
    /// same invocation may ask again: its first answer may have been lost.
    pub async fn begin(
        &self,
        account: &AccountId,
        invocation: &str,
        left: Duration,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let ends_at = now + SignedDuration::try_from(left).unwrap_or(SignedDuration::ZERO);
        let values = HashMap::from([
            (":mine".to_owned(), AttributeValue::S(invocation.to_owned())),
            (":now".to_owned(), AttributeValue::N(now.as_second().to_string())),
        ]);
        let free = "attribute_not_exists(pk) OR held_until < :now OR invocation = :mine";
        self.put(account, invocation, ends_at, free, values).await
    }

    /// Gives the turn back. One that is another invocation's by now is left alone.
    pub async fn end(&self, account: &AccountId, invocation: &str, now: Timestamp) -> Result<(), CallError> {
        let values = HashMap::from([(":mine".to_owned(), AttributeValue::S(invocation.to_owned()))]);
        let before = now - SignedDuration::from_secs(1);
        self.put(account, invocation, before, "invocation = :mine", values).await.map(drop)
    }

    async fn put(
        &self,
        account: &AccountId,
        invocation: &str,
        until: Timestamp,
        condition: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<bool, CallError> {
        let until = until.as_second();
        let item = Item { invocation, held_until: until, expires_at: until };
        let put = Write::Put {
            pk: keys::TURN.key(format_args!("{}#{account}", self.function)),
            item: attributes(&item)?,
            condition: Some((condition.to_owned(), values)),
        };
        Ok(self.table.write(vec![put]).await?.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
        types::{CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn turns(rule: &Rule) -> Turns {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]);
        Turns::new(DynamoDbGateway::new(client, "table"), "baseline-applier")
    }

    fn account() -> AccountId {
        "222222222222".parse().unwrap()
    }

    fn item<'a>(input: &'a TransactWriteItemsInput, name: &str) -> Option<&'a AttributeValue> {
        input.transact_items().first()?.put()?.item().get(name)
    }

    #[tokio::test]
    async fn the_first_invocation_has_the_turn_and_one_beside_it_has_not() {
        let (now, left) = (Timestamp::from_second(1_790_000_000).unwrap(), Duration::from_mins(5));
        let put = mock!(Client::transact_write_items)
            .match_requests(|input| {
                item(input, "pk") == Some(&AttributeValue::S("turn#baseline-applier#222222222222".to_owned()))
                    && item(input, "held_until") == Some(&AttributeValue::N("1790000300".to_owned()))
            })
            .then_output(|| TransactWriteItemsOutput::builder().build());
        assert!(turns(&put).begin(&account(), "one", left, now).await.unwrap());
        let refused = mock!(Client::transact_write_items).then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        });
        assert!(!turns(&refused).begin(&account(), "other", left, now).await.unwrap());
    }

    #[tokio::test]
    async fn a_turn_that_was_given_back_holds_no_longer() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let put = mock!(Client::transact_write_items)
            .match_requests(|input| {
                let condition = input.transact_items().first().and_then(|write| write.put()?.condition_expression());
                condition == Some("invocation = :mine")
                    && item(input, "held_until") == Some(&AttributeValue::N("1789999999".to_owned()))
            })
            .then_output(|| TransactWriteItemsOutput::builder().build());
        turns(&put).end(&account(), "one", now).await.unwrap();
    }
}
