//! The brake of a sweep, which works in many invocations at once: its counters are an item of the stack's table.
//!
//! A sweep that has stopped waits for people: no sweep changes anything by the same version of the baseline document until
//! one is started with `{"continue": "<the sweep that stopped>"}`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    control::brake::{is_failing, may_change},
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, Event, EventType, Write, attributes},
    sweep::SweepId,
    table::keys,
};

/// How long it is remembered that a sweep has stopped. Whoever has not looked by then is not held up for ever.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How often what others change at the same moment is read anew.
const TRIES: usize = 10;

/// The counters of the sweep that remediates, in the stack's table.
#[derive(Clone, Debug)]
pub struct SweepBrake(DynamoDbGateway);

/// What may be changed by a sweep, and what was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counters {
    /// The sweep.
    sweep_id: SweepId,
    /// The `ETag` of the baseline document.
    etag: String,
    /// How many accounts it may change; None when a person has said that it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    may_change: Option<usize>,
    /// How many accounts it has begun to change.
    begun: usize,
    /// How many of these it could not change.
    failed: usize,
    /// Why it has stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
    expires_at: i64,
}

/// Why a sweep has stopped changing accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stopped {
    TooMany,
    Failing,
}

/// A sweep has stopped changing accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SweepBraked {
    /// The sweep, which is also what goes on is said with.
    #[schemars(with = "String")]
    pub sweep_id: SweepId,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// How many accounts it has changed, or tried to.
    pub changed: usize,
    /// How many of these it could not change.
    pub failed: usize,
}

impl Event for SweepBraked {
    const TYPE: EventType = EventType::SweepBraked;
}

impl Counters {
    /// How many of so many changes it may still make.
    fn free(&self, wanted: usize) -> usize {
        match (self.stopped, self.may_change) {
            (Some(_), _) => 0,
            (None, Some(may_change)) => wanted.min(may_change.saturating_sub(self.begun)),
            (None, None) => wanted,
        }
    }

    /// The event about a sweep that has stopped; None when it has not.
    fn event(&self) -> Option<SweepBraked> {
        let Self { sweep_id, begun, failed, .. } = self;
        let why = match self.stopped? {
            Stopped::TooMany => format!("It has changed {begun} accounts, as many as may be without a word."),
            Stopped::Failing => format!("Of {begun} accounts {failed} could not be changed."),
        };
        let detail = format_args!("{why} It goes on with {{\"continue\": \"{sweep_id}\"}}.");
        let failure = Failure::with_detail(Cause::SweepBraked, detail);
        Some(SweepBraked { sweep_id: sweep_id.clone(), failure, changed: *begun, failed: *failed })
    }
}

/// How a sweep begins, given what the table holds of the one before.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    /// With as many changes as its share of the accounts is, or all of them.
    With(Option<usize>),
    /// As it has begun before: the same sweep asks again.
    Again,
    /// It changes nothing.
    Not(String),
}

fn beginning(
    before: Option<&Counters>,
    sweep: &SweepId,
    etag: &str,
    share: usize,
    continues: Option<&str>,
) -> Beginning {
    let stopped = before.filter(|before| before.etag == etag).and_then(Counters::event);
    match (before, stopped, continues) {
        (Some(before), _, _) if before.sweep_id == *sweep => Beginning::Again,
        (_, Some(stopped), Some(id)) if stopped.sweep_id.as_str() == id => Beginning::With(None),
        (_, _, Some(id)) => Beginning::Not(format!("No sweep {id:?} has stopped with the present baseline document.")),
        (_, Some(SweepBraked { sweep_id, failure, .. }), None) => {
            Beginning::Not(format!("The sweep {sweep_id} has stopped and waits. {}", failure.message))
        }
        (_, None, None) => Beginning::With(Some(share)),
    }
}

impl SweepBrake {
    /// The counters in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Begins to count for a sweep over so many accounts. Why it may change nothing, when one before it waits or it is to
    /// go on where none has stopped.
    pub async fn begin(
        &self,
        sweep: &SweepId,
        etag: &str,
        (accounts, percent): (usize, u32),
        continues: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<String>, CallError> {
        let before = self.find().await?;
        match beginning(before.as_ref(), sweep, etag, may_change(accounts, percent), continues) {
            Beginning::Not(why) => return Ok(Some(why)),
            Beginning::Again => {}
            Beginning::With(may_change) => {
                let expires_at = (now + REMEMBERED).as_second();
                let (sweep_id, etag) = (sweep.clone(), etag.to_owned());
                let item = Counters { sweep_id, etag, may_change, begun: 0, failed: 0, stopped: None, expires_at };
                let put =
                    Write::Put { pk: keys::SWEEP_BRAKE.key().to_owned(), item: attributes(&item)?, condition: None };
                self.0.write(vec![put]).await.map(drop)?;
            }
        }
        Ok(None)
    }

    /// Takes one of the changes that the sweep may make; why there is none.
    pub async fn take(&self, sweep: &SweepId) -> Result<Option<String>, CallError> {
        const FREE: &str = "attribute_not_exists(stopped) AND (attribute_not_exists(may_change) OR begun < may_change)";
        let event = |counters: &Counters| counters.event().map(|event| event.failure.message);
        match self.of(sweep).await? {
            None => return Ok(Some("Another sweep, or none, may change accounts at this time.".to_owned())),
            Some(counters) if counters.stopped.is_some() => return Ok(event(&counters)),
            Some(_) => {}
        }
        if self.add(sweep, "begun", Some(FREE)).await? {
            return Ok(None);
        }
        self.stop(sweep, Stopped::TooMany).await?;
        let stopped = self.of(sweep).await?;
        Ok(stopped.as_ref().and_then(event).or_else(|| Some("Another sweep has begun.".to_owned())))
    }

    /// Takes as many of so many changes as the sweep may still make; where that is fewer, it stops there. How many it has taken.
    pub async fn take_some(&self, sweep: &SweepId, wanted: usize) -> Result<usize, CallError> {
        const UNCHANGED: &str = "attribute_not_exists(stopped) AND begun = :before";
        for _ in 0..TRIES {
            let Some(counters) = self.of(sweep).await? else { break };
            let taken = counters.free(wanted);
            let number = |number: usize| AttributeValue::N(number.to_string());
            let values = [(":taken", number(taken)), (":before", number(counters.begun))];
            let values = values.map(|(name, value)| (name.to_owned(), value)).into();
            if taken > 0 && !self.update(sweep, "ADD begun :taken".to_owned(), values, Some(UNCHANGED)).await? {
                continue;
            }
            if taken < wanted {
                self.stop(sweep, Stopped::TooMany).await?;
            }
            return Ok(taken);
        }
        Ok(0)
    }

    /// Counts an account that could not be changed.
    pub async fn failed(&self, sweep: &SweepId) -> Result<(), CallError> {
        self.add(sweep, "failed", None).await?;
        match self.of(sweep).await? {
            // Whoever was told that it goes on is not stopped for what was known.
            Some(Counters { may_change: Some(_), begun, failed, .. }) if is_failing(begun, failed) => {
                self.stop(sweep, Stopped::Failing).await
            }
            _ => Ok(()),
        }
    }

    /// What there is to tell of a sweep that has stopped; None when it has not.
    pub async fn event(&self, sweep: &SweepId) -> Result<Option<SweepBraked>, CallError> {
        Ok(self.of(sweep).await?.as_ref().and_then(Counters::event))
    }

    async fn of(&self, sweep: &SweepId) -> Result<Option<Counters>, CallError> {
        Ok(self.find().await?.filter(|counters| counters.sweep_id == *sweep))
    }

    async fn find(&self) -> Result<Option<Counters>, CallError> {
        self.0.find(keys::SWEEP_BRAKE.key()).await
    }

    /// Adds one, for this sweep and if this holds; whether it did.
    async fn add(&self, sweep: &SweepId, counter: &str, also: Option<&str>) -> Result<bool, CallError> {
        let expression = format!("ADD {counter} :one");
        let values = HashMap::from([(":one".to_owned(), AttributeValue::N("1".to_owned()))]);
        self.update(sweep, expression, values, also).await
    }

    async fn stop(&self, sweep: &SweepId, why: Stopped) -> Result<(), CallError> {
        let why = serde_dynamo::to_attribute_value(why)
            .map_err(|error| CallError::unusable("dynamodb:PutItem", Cause::CallFailed, error.to_string()))?;
        let values = HashMap::from([(":why".to_owned(), why)]);
        // What stopped it first stays.
        let also = Some("attribute_not_exists(stopped)");
        self.update(sweep, "SET stopped = :why".to_owned(), values, also).await.map(drop)
    }

    async fn update(
        &self,
        sweep: &SweepId,
        expression: String,
        mut values: HashMap<String, AttributeValue>,
        also: Option<&str>,
    ) -> Result<bool, CallError> {
        values.insert(":sweep".to_owned(), AttributeValue::S(sweep.as_str().to_owned()));
        let condition = also.map_or("sweep_id = :sweep".to_owned(), |also| format!("sweep_id = :sweep AND {also}"));
        let update =
            Write::Update { pk: keys::SWEEP_BRAKE.key().to_owned(), expression, condition: Some(condition), values };
        Ok(self.0.write(vec![update]).await?.is_ok())
    }
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
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn id(name: &str) -> SweepId {
        SweepId::of_execution(name, Timestamp::UNIX_EPOCH)
    }

    fn counters(stopped: Option<Stopped>) -> Counters {
        let (sweep_id, etag) = (id("before"), "\"1\"".to_owned());
        Counters { sweep_id, etag, may_change: Some(10), begun: 10, failed: 2, stopped, expires_at: 0 }
    }

    #[test]
    fn a_sweep_may_change_its_share_of_the_accounts_unless_the_one_before_it_waits() {
        let (fine, stopped) = (counters(None), counters(Some(Stopped::TooMany)));
        for before in [None, Some(&fine)] {
            assert_eq!(beginning(before, &id("now"), "\"1\"", 25, None), Beginning::With(Some(25)));
        }
        let Beginning::Not(why) = beginning(Some(&stopped), &id("now"), "\"1\"", 25, None) else { panic!() };
        assert!(why.contains(id("before").as_str()) && why.contains("10 accounts"), "{why}");
        let other_document = beginning(Some(&stopped), &id("now"), "\"2\"", 25, None);
        assert_eq!(other_document, Beginning::With(Some(25)), "it was corrected");
        assert_eq!(beginning(Some(&stopped), &id("before"), "\"1\"", 25, None), Beginning::Again);
    }

    #[test]
    fn it_goes_on_when_somebody_names_the_sweep_that_has_stopped_and_no_other() {
        let (fine, stopped) = (counters(None), counters(Some(Stopped::Failing)));
        let before = id("before");
        let of = |counters, etag, id: &str| beginning(counters, &self::id("now"), etag, 25, Some(id));
        assert_eq!(of(Some(&stopped), "\"1\"", before.as_str()), Beginning::With(None));
        for beginning in [
            of(Some(&stopped), "\"1\"", "another"),
            of(Some(&stopped), "\"2\"", before.as_str()),
            of(Some(&fine), "\"1\"", before.as_str()),
            of(None, "\"1\"", before.as_str()),
        ] {
            assert!(matches!(beginning, Beginning::Not(_)), "{beginning:?}");
        }
    }

    #[test]
    fn of_many_changes_a_sweep_takes_as_many_as_are_left() {
        let begun = |begun| Counters { begun, ..counters(None) };
        assert_eq!([0, 4, 10, 12].map(|number| begun(number).free(8)), [8, 6, 0, 0]);
        assert_eq!(Counters { may_change: None, ..counters(None) }.free(8), 8, "a person has said that it goes on");
        assert_eq!(Counters { may_change: None, ..counters(Some(Stopped::Failing)) }.free(8), 0);
    }

    #[tokio::test]
    async fn some_are_taken_of_what_is_left_after_somebody_else_has_taken_one() {
        let read = |begun| {
            mock!(Client::get_item).then_output(move || {
                let item = attributes(&Counters { begun, ..counters(None) }).unwrap();
                GetItemOutput::builder().set_item(Some(item)).build()
            })
        };
        let taken = |number: &'static str| {
            mock!(Client::transact_write_items).match_requests(move |input| {
                let update = input.transact_items().first().and_then(|write| write.update());
                let values = update.and_then(|update| update.expression_attribute_values());
                values.is_some_and(|values| values.get(":taken") == Some(&AttributeValue::N(number.to_owned())))
            })
        };
        let overtaken = taken("6").then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        });
        let written = taken("5").then_output(|| TransactWriteItemsOutput::builder().build());
        let stopped = mock!(Client::transact_write_items)
            .match_requests(|input| {
                let update = input.transact_items().first().and_then(|write| write.update());
                update.is_some_and(|update| update.update_expression() == "SET stopped = :why")
            })
            .then_output(|| TransactWriteItemsOutput::builder().build());
        let (four, five) = (read(4), read(5));
        let rules = [&four, &overtaken, &five, &written, &stopped];
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules);
        let brake = SweepBrake::new(DynamoDbGateway::new(client, "table"));
        assert_eq!(brake.take_some(&id("before"), 6).await.unwrap(), 5);
        assert_eq!(stopped.num_calls(), 1, "it is one too few");
    }

    #[test]
    fn what_is_reported_says_how_it_goes_on() {
        let event = counters(Some(Stopped::Failing)).event().unwrap();
        assert_eq!((event.failure.cause, event.changed, event.failed), (Cause::SweepBraked, 10, 2));
        let event = event.failure.message;
        assert!(event.contains(&format!("{{\"continue\": \"{}\"}}", id("before"))), "{event}");
        assert_eq!(counters(None).event(), None);
    }
}
