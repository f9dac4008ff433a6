//! Publishing something once, although what sets it off may come twice, late, or in two invocations at the same time.
//!
//! An item of the stack's table says that somebody is about to publish, and then that it was published. A failure that is
//! seen gives the claim back at once. An invocation that is killed between the two cannot: whoever finds its claim waits
//! until it cannot be alive any more and then publishes in its place, so that it is published twice rather than never.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::tracing;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    invocation,
};

/// How long a claim holds by itself. No function lives longer that uses it (300 s at most), and it is shorter than the six
/// minutes after which a queue shows a message of a killed invocation again: that look finds the claim free.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// How long it is remembered what was published: a queue keeps a message for fourteen days at most, an archive longer;
/// what is replayed after that is meant to be published again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether something may be published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Nobody has published it, and nobody else is about to.
    Granted,
    /// It was published.
    Completed,
    /// Somebody else is about to; look again in some minutes.
    UnderWay,
}

/// What was published, in the stack's table.
#[derive(Clone, Debug)]
pub struct Idempotency(DynamoDbGateway);

#[derive(Serialize)]
struct Item<'a, T> {
    completed: bool,
    claimed_at: i64,
    /// Whose claim it is: nobody's once it was given back.
    claim: String,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a T>,
}

#[derive(Deserialize)]
struct Found {
    completed: bool,
    #[serde(default)]
    claim: String,
}

impl Idempotency {
    /// What was published, in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Publishes what this key stands for, unless that was done: then nothing is done and None returned. `publish` gives
    /// what is to be remembered of it. When it fails, its claim is given back, so that the next try is a real one.
    ///
    /// # Errors
    ///
    /// The failure of `publish`; [`Cause::ConcurrentModification`] while another invocation is about to publish the same,
    /// so that the message comes again in case that one does not; and whatever keeps the table from being used.
    pub async fn publish<T: Serialize>(
        &self,
        key: &str,
        now: Timestamp,
        publish: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Option<T>, Failure> {
        match self.claim(key, now).await? {
            Claim::Granted => {}
            Claim::Completed => return Ok(None),
            Claim::UnderWay => {
                return Err(Failure::with_detail(
                    Cause::ConcurrentModification,
                    "Another invocation is publishing the same.",
                ));
            }
        }
        match publish.await {
            Ok(row) => {
                // Without a condition: whoever was granted the claim is the only one who gets here.
                let item = attributes(&item(true, now, Some(&row)))?;
                self.0.write(vec![Write::Put { pk: key.to_owned(), item, condition: None }]).await.map(drop)?;
                Ok(Some(row))
            }
            Err(failure) => {
                // The failure matters more than that the next try has to wait for the lease.
                if let Err(error) = self.give_back(key, now).await {
                    tracing::warn!(key, "the claim could not be given back: {error}");
                }
                Err(failure)
            }
        }
    }

    /// Asks for the right to publish what this key stands for.
    async fn claim(&self, key: &str, now: Timestamp) -> Result<Claim, CallError> {
        let abandoned = (now - LEASE).as_second();
        let values = HashMap::from([
            (":no".to_owned(), AttributeValue::Bool(false)),
            (":abandoned".to_owned(), AttributeValue::N(abandoned.to_string())),
        ]);
        let free = "attribute_not_exists(pk) OR (completed = :no AND claimed_at < :abandoned)".to_owned();
        let put = Write::Put {
            pk: key.to_owned(),
            item: attributes(&item::<()>(false, now, None))?,
            condition: Some((free, values)),
        };
        if self.0.write(vec![put]).await?.is_ok() {
            return Ok(Claim::Granted);
        }
        let found: Option<Found> = self.0.find(key).await?;
        Ok(match found {
            Some(Found { completed: true, .. }) => Claim::Completed,
            // The answer to the first try was lost, and the SDK has tried again.
            Some(Found { claim, .. }) if claim == token(now) => Claim::Granted,
            _ => Claim::UnderWay,
        })
    }

    /// Gives the claim back that was granted at `now`, and no other: a late answer must not free somebody else's.
    async fn give_back(&self, key: &str, now: Timestamp) -> Result<(), CallError> {
        let free: Item<'_, ()> = Item { claimed_at: 0, claim: String::new(), ..item(false, now, None) };
        let values = HashMap::from([
            (":no".to_owned(), AttributeValue::Bool(false)),
            (":mine".to_owned(), AttributeValue::S(token(now))),
        ]);
        let mine = "completed = :no AND claim = :mine".to_owned();
        let put = Write::Put { pk: key.to_owned(), item: attributes(&free)?, condition: Some((mine, values)) };
        // Refused: it is ours no more, which is as good.
        self.0.write(vec![put]).await.map(drop)
    }
}

fn item<T>(completed: bool, now: Timestamp, row: Option<&T>) -> Item<'_, T> {
    let expires_at = (now + REMEMBERED).as_second();
    Item { completed, claimed_at: now.as_second(), claim: token(now), expires_at, row }
}

/// What tells one claim of a key from the others: the invocation that asked for it, and the nanosecond. The clocks of two
/// environments differ, so that one nanosecond may be that of two invocations.
fn token(now: Timestamp) -> String {
    format!("{}#{}", invocation::request_id(), now.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            get_item::GetItemOutput,
            transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
        },
        types::{CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn idempotency(rules: &[&Rule]) -> Idempotency {
        Idempotency::new(DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "table"))
    }

    fn now() -> Timestamp {
        Timestamp::from_nanosecond(1_790_000_000_123_456_789).unwrap()
    }

    fn accepted(is_it: impl Fn(&HashMap<String, AttributeValue>, &str) -> bool + Send + Sync + 'static) -> Rule {
        let is_it = move |input: &TransactWriteItemsInput| {
            let put = input.transact_items()[0].put().unwrap();
            is_it(put.item(), put.condition_expression().unwrap_or_default())
        };
        mock!(Client::transact_write_items)
            .match_requests(is_it)
            .then_output(|| TransactWriteItemsOutput::builder().build())
    }

    fn claimed() -> Rule {
        accepted(|item, condition| item["completed"] == AttributeValue::Bool(false) && condition.contains(":abandoned"))
    }

    fn completed() -> Rule {
        accepted(|item, condition| item["completed"] == AttributeValue::Bool(true) && condition.is_empty())
    }

    /// Free for whoever asks next, and only if the claim is still this one.
    fn given_back() -> Rule {
        accepted(|item, condition| {
            item["completed"] == AttributeValue::Bool(false)
                && item["claimed_at"] == AttributeValue::N("0".to_owned())
                && condition == "completed = :no AND claim = :mine"
        })
    }

    fn refused() -> Rule {
        mock!(Client::transact_write_items).then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        })
    }

    fn holds(completed: bool, claim: String) -> Rule {
        mock!(Client::get_item).then_output(move || {
            let item = GetItemOutput::builder().item("completed", AttributeValue::Bool(completed));
            item.item("claim", AttributeValue::S(claim.clone())).build()
        })
    }

    async fn publish(rules: &[&Rule], outcome: Result<u8, Failure>) -> Result<Option<u8>, Failure> {
        idempotency(rules).publish("a", now(), async { outcome }).await
    }

    #[tokio::test]
    async fn the_first_to_ask_publishes_and_what_was_published_is_remembered() {
        let rules = [claimed(), completed()];
        assert_eq!(publish(&rules.each_ref(), Ok(7)).await.unwrap(), Some(7));
        assert!(rules.iter().all(|rule| rule.num_calls() == 1));
    }

    #[tokio::test]
    async fn a_failure_that_is_seen_gives_the_claim_back_at_once() {
        let rules = [claimed(), given_back()];
        let failure = publish(&rules.each_ref(), Err(Failure::new(Cause::Throttled))).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Throttled);
        assert_eq!(rules[1].num_calls(), 1);
    }

    #[tokio::test]
    async fn a_claim_that_cannot_be_given_back_hides_no_failure() {
        for given_back in [refused(), mock!(Client::transact_write_items).then_http_response(denied)] {
            let failure = publish(&[&claimed(), &given_back], Err(Failure::new(Cause::Throttled))).await.unwrap_err();
            assert_eq!((failure.cause, given_back.num_calls()), (Cause::Throttled, 1));
        }
    }

    fn denied() -> aws_smithy_runtime_api::client::orchestrator::HttpResponse {
        let body = r#"{"__type": "AccessDeniedException", "message": "no"}"#;
        aws_smithy_runtime_api::client::orchestrator::HttpResponse::new(400.try_into().unwrap(), body.into())
    }

    #[tokio::test]
    async fn what_was_published_and_what_is_about_to_be_are_two_answers() {
        let other = || format!("another{}", token(now()));
        assert_eq!(publish(&[&refused(), &holds(true, other())], Ok(7)).await.unwrap(), None);
        let under_way = publish(&[&refused(), &holds(false, other())], Ok(7)).await.unwrap_err();
        assert_eq!(under_way.cause, Cause::ConcurrentModification);
    }

    #[tokio::test]
    async fn a_claim_whose_answer_was_lost_is_still_ours() {
        let completed = completed();
        let rules = [&refused(), &holds(false, token(now())), &completed];
        assert_eq!(publish(&rules, Ok(7)).await.unwrap(), Some(7));
        assert_eq!(completed.num_calls(), 1);
    }
}
