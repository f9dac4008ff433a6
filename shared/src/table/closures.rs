//! The accounts that are being closed, or were: one item each. Who closes them writes it before it calls AWS; others find in it
//! that an account is on its way out, that Steward has closed it, and when it is gone for good.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::{
    error::Failure,
    gateway::{CallError, DynamoDbGateway, Queried, Write, attributes},
    ids::{AccountId, OrganizationalUnitId},
    table::keys::{self, OPEN_INDEX},
};

/// After how long AWS removes a closed account for good; until then AWS Support can open it again (AWS Account Management
/// reference guide, "Close an AWS account").
const GONE_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long the item of a closed account is kept after it was closed: AWS shows the account some time longer than it says.
const CLOSED_KEPT: SignedDuration = SignedDuration::from_hours(120 * 24);
/// How long the item of a closure that has ended in another way is kept.
const ENDED_KEPT: SignedDuration = SignedDuration::from_hours(100 * 24);

/// The reason in the record of an account that was closed past Steward.
pub const PAST_STEWARD: &str = "It was closed past Steward.";

/// What an item has in the key of the sparse index while something is left to do.
const OPEN: &str = "closure";
/// What it has there once the account is closed.
const CLOSED: &str = "closed-account";

/// Who has called a closing off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalledOff {
    /// Why, in the words of whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_off_reason: Option<String>,
    /// Who asked, as they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_off_by: Option<String>,
}

/// How far the closing of an account has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "name", rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ClosureState {
    /// Recorded. The account is tagged and moved to the unit for accounts that are to be closed, or will be.
    Suspending,
    /// It sits in that unit, and waits there for the end of the cooling-off time, and then for its turn.
    Cooling,
    /// Written before AWS is asked to close it. Whoever finds it so does not know whether AWS took the call.
    Closing,
    /// AWS is closing it.
    Pending,
    /// It is closed.
    Closed {
        /// When that was seen.
        closed_at: Timestamp,
    },
    /// Called off. The account is moved back and its tag taken away, or will be.
    Keeping(CalledOff),
    /// Called off, and the account is where it was.
    Kept(CalledOff),
    /// It stopped.
    Failed {
        /// Why, and what to do.
        failure: Failure,
    },
}

impl ClosureState {
    /// The state's name in answers, events and the table.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Whether nothing follows by itself.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Kept(_) | Self::Failed { .. })
    }

    /// Whether AWS may count the account among the three that it closes at once.
    pub fn is_with_aws(&self) -> bool {
        matches!(self, Self::Closing | Self::Pending)
    }
}

/// What people were told of a closure, in the order in which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// Nothing.
    Nothing,
    /// That the account will be closed, and when.
    Begun,
    /// That it will be closed within a day.
    Due,
    /// That it is not closed, although its time has come, until somebody has done something.
    Held,
    /// How it ended.
    End,
}

/// The closing of one account, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The account.
    pub account_id: AccountId,
    /// Its name when it was asked for.
    pub account_name: String,
    /// Why it is closed, in the words of whoever asked.
    pub reason: String,
    /// Who asked, as they say; CloudTrail knows who invoked the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The invocation that recorded it.
    pub requested_in: String,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// Its place among those that were asked for in the same invocation.
    pub place: u32,
    /// The unit, or root, that it was in; of one that is kept, the one that it is in.
    pub from_unit: OrganizationalUnitId,
    /// The end of the cooling-off time.
    pub closes_at: Timestamp,
    /// How far it has come.
    pub state: ClosureState,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// What people were told.
    pub told: Told,
    /// Whether somebody else has asked AWS to close it, before Steward was to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub past_steward: bool,
    /// Until when AWS is not asked again, where it has said that the quota is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// One more with each write, which names the one that it has read.
    pub revision: u64,
}

impl Closure {
    /// The same in another state. Before Steward asks AWS, it says so: an account that AWS closes without that was closed past
    /// Steward.
    #[must_use]
    pub fn entered(&self, state: ClosureState, now: Timestamp) -> Self {
        let is_with_aws = state.is_with_aws() || matches!(state, ClosureState::Closed { .. });
        let is_own = self.state.is_with_aws() || state == ClosureState::Closing;
        let past_steward = self.past_steward || is_with_aws && !is_own;
        Self { state, since: now, past_steward, retry_at: None, revision: self.revision + 1, ..self.clone() }
    }

    /// The same, with people told of this.
    #[must_use]
    pub fn told(&self, told: Told) -> Self {
        Self { told, revision: self.revision + 1, ..self.clone() }
    }

    /// The same, not to be asked for until then.
    #[must_use]
    pub fn put_off(&self, until: Timestamp) -> Self {
        Self { retry_at: Some(until), revision: self.revision + 1, ..self.clone() }
    }

    /// Whether AWS was asked here to close it, or is about to be.
    pub fn is_closed_here(&self) -> bool {
        let is_on_its_way = self.state.is_with_aws() || matches!(self.state, ClosureState::Closed { .. });
        is_on_its_way && !self.past_steward
    }

    /// Whether something is left to do.
    pub fn is_open(&self) -> bool {
        !self.state.is_final() || self.told < Told::End
    }

    /// The day on which AWS removes the account for good; None while it is not closed.
    pub fn gone_on(&self) -> Option<Date> {
        let ClosureState::Closed { closed_at } = self.state else { return None };
        Some(day(closed_at + GONE_AFTER))
    }

    /// In which order accounts are closed: as they were asked for.
    pub fn order(&self) -> (Timestamp, Timestamp, u32, &str) {
        (self.closes_at, self.requested_at, self.place, self.account_id.as_str())
    }

    fn expires_at(&self) -> Option<i64> {
        let kept = match &self.state {
            ClosureState::Closed { .. } => CLOSED_KEPT,
            ClosureState::Kept(_) | ClosureState::Failed { .. } => ENDED_KEPT,
            _ => return None,
        };
        (!self.is_open()).then(|| (self.since + kept).as_second())
    }

    fn index_key(&self) -> Option<&'static str> {
        match self.state {
            _ if self.is_open() => Some(OPEN),
            ClosureState::Closed { .. } => Some(CLOSED),
            _ => None,
        }
    }
}

/// The day (UTC) of a moment.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    closure: &'a Closure,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// The closures in the stack's table.
#[derive(Clone, Debug)]
pub struct Closures(DynamoDbGateway);

impl Closures {
    /// Those in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// The closing of an account.
    pub async fn find(&self, id: &AccountId) -> Result<Option<Closure>, CallError> {
        self.0.find(&keys::CLOSURE.key(id)).await
    }

    /// Every closure with something left to do, in their order. Read from an index, so a change of the last second may be missing.
    pub async fn open(&self) -> Result<Queried<Closure>, CallError> {
        let mut found = self.queried(OPEN).await?;
        found.items.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(found)
    }

    /// Every account that is known to be closed and not gone for good yet, from the same index.
    pub async fn closed(&self) -> Result<Queried<Closure>, CallError> {
        self.queried(CLOSED).await
    }

    /// Writes a closure over the one of the revision before it, or a new one where there is none; no, when somebody else has
    /// written it meanwhile.
    pub async fn write(&self, closure: &Closure) -> Result<bool, CallError> {
        let (open, expires_at) = (closure.index_key(), closure.expires_at());
        let condition = if closure.revision == 1 {
            ("attribute_not_exists(pk)".to_owned(), HashMap::new())
        } else {
            let expected = AttributeValue::N((closure.revision - 1).to_string());
            ("revision = :expected".to_owned(), HashMap::from([(":expected".to_owned(), expected)]))
        };
        let put = Write::Put {
            pk: keys::CLOSURE.key(&closure.account_id),
            item: attributes(&Item { closure, open, expires_at })?,
            condition: Some(condition),
        };
        Ok(self.0.write(vec![put]).await?.is_ok())
    }

    async fn queried(&self, value: &str) -> Result<Queried<Closure>, CallError> {
        let (index, key) = OPEN_INDEX;
        self.0.query_index(index, key, value).await
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            query::QueryOutput,
            transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
        },
        types::{CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn closure() -> Closure {
        Closure {
            account_id: "222222222222".parse().unwrap(),
            account_name: "Shop".to_owned(),
            reason: "The project has ended".to_owned(),
            requested_by: None,
            requested_in: "i-1".to_owned(),
            requested_at: at("2026-11-01T00:00:00Z"),
            place: 0,
            from_unit: "ou-ab12-cdef3456".parse().unwrap(),
            closes_at: at("2026-11-08T00:00:00Z"),
            state: ClosureState::Suspending,
            since: at("2026-11-01T00:00:00Z"),
            told: Told::Nothing,
            past_steward: false,
            retry_at: None,
            revision: 1,
        }
    }

    fn closures(rule: &Rule) -> Closures {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]);
        Closures::new(DynamoDbGateway::new(client, "table"))
    }

    fn put(input: &TransactWriteItemsInput) -> &aws_sdk_dynamodb::types::Put {
        input.transact_items()[0].put().unwrap()
    }

    fn taken() -> TransactWriteItemsOutput {
        TransactWriteItemsOutput::builder().build()
    }

    #[tokio::test]
    async fn a_new_closure_is_written_over_nothing_and_found_among_the_open_ones() {
        let rule = mock!(Client::transact_write_items)
            .match_requests(|input| {
                let put = put(input);
                let text = |name: &str| put.item()[name].as_s().unwrap().as_str();
                put.condition_expression() == Some("attribute_not_exists(pk)")
                    && (text("pk"), text("open"), text("reason"))
                        == ("closure#222222222222", "closure", "The project has ended")
                    && !put.item().contains_key("expires_at")
            })
            .then_output(taken);
        assert!(closures(&rule).write(&closure()).await.unwrap());
    }

    #[tokio::test]
    async fn a_write_names_the_revision_that_it_has_read_and_the_one_that_loses_is_told() {
        let later = closure().entered(ClosureState::Cooling, at("2026-11-01T00:01:00Z"));
        let rule = mock!(Client::transact_write_items)
            .match_requests(|input| {
                let put = put(input);
                put.condition_expression() == Some("revision = :expected")
                    && put.expression_attribute_values().unwrap()[":expected"] == AttributeValue::N("1".to_owned())
            })
            .then_error(|| {
                let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
                let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
                TransactWriteItemsError::TransactionCanceledException(canceled)
            });
        assert!(!closures(&rule).write(&later).await.unwrap());
    }

    #[tokio::test]
    async fn a_closed_account_stays_to_be_found_with_the_day_on_which_it_is_gone_until_it_expires() {
        let closed_at = at("2026-11-09T08:00:00Z");
        let closed = closure().entered(ClosureState::Closed { closed_at }, closed_at);
        assert!(closed.is_open(), "nobody has been told");
        let told = closed.told(Told::End);
        assert_eq!(told.gone_on(), Some("2027-02-07".parse().unwrap()));
        let rule = mock!(Client::transact_write_items)
            .match_requests(move |input| {
                let item = put(input).item();
                let expected = (closed_at + SignedDuration::from_hours(120 * 24)).as_second().to_string();
                item["open"] == AttributeValue::S("closed-account".to_owned())
                    && item["expires_at"] == AttributeValue::N(expected)
            })
            .then_output(taken);
        assert!(closures(&rule).write(&told).await.unwrap());
    }

    #[tokio::test]
    async fn open_closures_come_in_the_order_in_which_they_were_asked_for() {
        let second = Closure { place: 1, account_id: "111111111111".parse().unwrap(), ..closure() };
        let early =
            Closure { closes_at: at("2026-11-07T00:00:00Z"), account_id: "333333333333".parse().unwrap(), ..closure() };
        let rule = mock!(Client::query)
            .match_requests(|input| {
                input.index_name() == Some("open-requests")
                    && input.expression_attribute_values().unwrap()[":key"] == AttributeValue::S("closure".to_owned())
            })
            .then_output(move || {
                let all = [second.clone(), closure(), early.clone()];
                let items = all.iter().map(|closure| {
                    let mut item = attributes(closure).unwrap();
                    item.insert("pk".to_owned(), AttributeValue::S(keys::CLOSURE.key(&closure.account_id)));
                    item
                });
                QueryOutput::builder().set_items(Some(items.collect())).build()
            });
        let found = closures(&rule).open().await.unwrap();
        let ids: Vec<_> = found.items.iter().map(|closure| closure.account_id.as_str()).collect();
        assert_eq!((ids, found.unreadable), (vec!["333333333333", "222222222222", "111111111111"], vec![]));
    }

    #[test]
    fn what_people_were_told_has_an_order() {
        let order = [Told::Nothing, Told::Begun, Told::Due, Told::Held, Told::End];
        assert!(order.is_sorted() && order.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn an_account_that_aws_closes_unasked_was_closed_past_steward_and_stays_so() {
        let closed = ClosureState::Closed { closed_at: at("2026-11-03T00:00:00Z") };
        let entered = |states: &[ClosureState]| {
            let now = at("2026-11-03T00:00:00Z");
            states.iter().fold(closure(), |closure, state| closure.entered(state.clone(), now))
        };
        let (cooling, closing, pending) = (ClosureState::Cooling, ClosureState::Closing, ClosureState::Pending);
        let own = entered(&[cooling.clone(), closing, pending.clone(), closed.clone()]);
        assert!(own.is_closed_here() && !own.past_steward);
        for states in [vec![cooling.clone(), pending, closed.clone()], vec![cooling, closed.clone()], vec![closed]] {
            let past = entered(&states);
            assert!(past.past_steward && !past.is_closed_here(), "{states:?}");
        }
    }
}
