//! Where requests are kept: one item each, beside a few small items that many requests share.
//!
//! | `pk` | holds |
//! | --- | --- |
//! | `request#req-...` | a [`Request`]; the attribute `open` while there is something left to do |
//! | `call#car-...` | the request behind a call of `CreateAccount` |
//! | `account#...` | the request behind an account |
//! | `in-flight` | the ids of the requests that AWS is working on, five at most |
//! | `day#2026-11-22` | how many requests were admitted on that day (UTC) |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Request, State};
use crate::{
    clock,
    gateway::{Account, CallError, DynamoDbGateway, Queried, Write, attributes},
    ids::{AccountId, CreateAccountRequestId, Email, RequestId},
    table::keys,
};

/// How many accounts AWS creates at once for one organization.
const IN_FLIGHT_LIMIT: u32 = 5;
/// What a request with something left to do has in the key of the sparse index.
const OPEN: &str = "yes";
/// How long the small items are kept: longer than AWS is known to track a call.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(100 * 24);

/// Whether a new request was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It was recorded.
    Yes,
    /// Somebody else has written the same request meanwhile.
    Raced,
    /// The day's number is used up.
    DailyCapReached,
}

/// Whether a step of a request was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// It was recorded.
    Yes,
    /// Somebody else has moved the request meanwhile.
    Raced,
    /// Five accounts are in flight.
    NoPlace,
}

/// Who made an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Steward, for a request, and it has not left the organization and joined it again since.
    Steward,
    /// Perhaps Steward: AWS was asked for an account with this address, and nobody has seen yet what came of it.
    NotKnownYet,
    /// Somebody else, or it has joined again.
    SomebodyElse,
}

/// The requests in the stack's table.
#[derive(Clone, Debug)]
pub struct Store(DynamoDbGateway);

#[derive(Deserialize)]
struct Origin {
    request_id: RequestId,
}

#[derive(Deserialize)]
struct DayItem {
    admitted: u32,
}

#[derive(Serialize)]
struct RequestItem<'a> {
    #[serde(flatten)]
    request: &'a Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<&'static str>,
}

impl Store {
    /// A store in a table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// One request.
    pub async fn find(&self, id: &RequestId) -> Result<Option<Request>, CallError> {
        Ok(self.0.find::<Request>(&request_key(id)).await?.map(|request| request.clamped(clock::now())))
    }

    /// The request behind a call of `CreateAccount`; None for a call that is not ours.
    pub async fn find_by_call(&self, id: &CreateAccountRequestId) -> Result<Option<RequestId>, CallError> {
        Ok(self.0.find::<Origin>(&call_key(id)).await?.map(|item| item.request_id))
    }

    /// The request behind an account; None for an account that was not made here.
    pub async fn find_by_account(&self, id: &AccountId) -> Result<Option<RequestId>, CallError> {
        Ok(self.0.find::<Origin>(&account_key(id)).await?.map(|item| item.request_id))
    }

    /// Who made this account.
    pub async fn maker_of(&self, account: &Account) -> Result<Maker, CallError> {
        if let Some(id) = self.find_by_account(&account.id).await? {
            let request = self.find(&id).await?;
            let is_ours = request.is_none_or(|request| request.can_explain(account.joined_at));
            return Ok(if is_ours { Maker::Steward } else { Maker::SomebodyElse });
        }
        let Ok(email) = account.email.parse::<Email>() else { return Ok(Maker::SomebodyElse) };
        let asked = self.find(&RequestId::of(&email)).await?;
        let is_in_flight = asked.is_some_and(|request| request.state.is_in_flight());
        Ok(if is_in_flight { Maker::NotKnownYet } else { Maker::SomebodyElse })
    }

    /// Whether this account is the one that was made for this request, or for an earlier attempt of it: an account that has
    /// given its address up may be told of late, when the address is another account's already.
    pub async fn shows(&self, id: &RequestId, account: &AccountId) -> Result<bool, CallError> {
        let Some(request) = self.find(id).await? else { return Ok(false) };
        if request.state.account_id() == Some(account) {
            return Ok(matches!(request.state, State::Ready { .. }));
        }
        Ok(request.attempt > 1 && self.find_by_account(account).await?.as_ref() == Some(id))
    }

    /// Every request with something left to do, and the keys of those that cannot be read. Read from an index, so a
    /// change of the last second may be missing.
    pub async fn open_requests(&self) -> Result<Queried<Request>, CallError> {
        let now = clock::now();
        let (index, key) = keys::OPEN_INDEX;
        let Queried { items, unreadable } = self.0.query_index::<Request>(index, key, OPEN).await?;
        Ok(Queried { items: items.into_iter().map(|request| request.clamped(now)).collect(), unreadable })
    }

    /// How many requests were admitted on the day of `now` (UTC).
    pub async fn admitted_on_day_of(&self, now: Timestamp) -> Result<u32, CallError> {
        Ok(self.0.find::<DayItem>(&day_key(now)).await?.map_or(0, |item| item.admitted))
    }

    /// Records a new request, or a new attempt of a failed one, and counts it on the day's number.
    pub async fn start(&self, request: &Request, daily_cap: u32, now: Timestamp) -> Result<Started, CallError> {
        let condition = if request.revision == 1 { None } else { Some(request.revision - 1) };
        let mut writes = vec![put(request, condition)?, count_on_day(now, daily_cap)];
        if request.state.is_in_flight() {
            writes.push(take_place(&request.request_id, true));
        }
        Ok(match self.0.write(writes).await? {
            Ok(()) => Started::Yes,
            Err(refusal) if refusal.position == 1 => Started::DailyCapReached,
            Err(_) => Started::Raced,
        })
    }

    /// Records a step. A place among the accounts in flight is taken and given back in the same transaction.
    pub async fn advance(&self, before: &Request, after: &Request, now: Timestamp) -> Result<Advanced, CallError> {
        const PLACE: usize = 1;
        let mut writes = vec![put(after, Some(before.revision))?];
        let takes_place = after.state.is_in_flight() && !before.state.is_in_flight();
        match (before.state.is_in_flight(), after.state.is_in_flight()) {
            (false, true) => writes.push(take_place(&after.request_id, false)),
            (true, false) => writes.push(give_place_back(&after.request_id)),
            _ => {}
        }
        match &after.state {
            State::InProgress { create_account_request_id } if before.state != after.state => {
                writes.push(remember(call_key(create_account_request_id), &after.request_id, now));
            }
            State::Placing { account_id } if before.state != after.state => {
                writes.push(remember(account_key(account_id), &after.request_id, now));
            }
            _ => {}
        }
        Ok(match self.0.write(writes).await? {
            Ok(()) => Advanced::Yes,
            Err(refusal) if takes_place && refusal.position == PLACE => Advanced::NoPlace,
            Err(_) => Advanced::Raced,
        })
    }
}

fn put(request: &Request, expected: Option<u64>) -> Result<Write, CallError> {
    let open = request.is_open().then_some(OPEN);
    let condition = match expected {
        None => ("attribute_not_exists(pk)".to_owned(), HashMap::new()),
        Some(revision) => ("revision = :expected".to_owned(), HashMap::from([number(":expected", revision)])),
    };
    Ok(Write::Put {
        pk: request_key(&request.request_id),
        item: attributes(&RequestItem { request, open })?,
        condition: Some(condition),
    })
}

fn count_on_day(now: Timestamp, daily_cap: u32) -> Write {
    Write::Update {
        pk: day_key(now),
        expression: "ADD admitted :one SET expires_at = :expiry".to_owned(),
        condition: Some("(attribute_not_exists(admitted) AND :cap > :zero) OR admitted < :cap".to_owned()),
        values: HashMap::from([number(":one", 1), number(":zero", 0), number(":cap", daily_cap), expiry(now)]),
    }
}

/// `anyway`: an attempt that goes on with a running call has its place at AWS already.
fn take_place(id: &RequestId, anyway: bool) -> Write {
    let mut values = HashMap::from([holder(id)]);
    let condition = (!anyway).then(|| {
        values.extend([number(":limit", IN_FLIGHT_LIMIT), (":id".to_owned(), AttributeValue::S(id.to_string()))]);
        "attribute_not_exists(holders) OR size(holders) < :limit OR contains(holders, :id)".to_owned()
    });
    Write::Update {
        pk: keys::IN_FLIGHT.key().to_owned(),
        expression: "ADD holders :holder".to_owned(),
        condition,
        values,
    }
}

fn give_place_back(id: &RequestId) -> Write {
    let expression = "DELETE holders :holder".to_owned();
    Write::Update {
        pk: keys::IN_FLIGHT.key().to_owned(),
        expression,
        condition: None,
        values: HashMap::from([holder(id)]),
    }
}

fn remember(pk: String, request: &RequestId, now: Timestamp) -> Write {
    let (_, expiry) = expiry(now);
    let item = HashMap::from([
        ("request_id".to_owned(), AttributeValue::S(request.to_string())),
        ("expires_at".to_owned(), expiry),
    ]);
    Write::Put { pk, item, condition: None }
}

fn holder(id: &RequestId) -> (String, AttributeValue) {
    (":holder".to_owned(), AttributeValue::Ss(vec![id.to_string()]))
}

fn number(name: &str, value: impl std::fmt::Display) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::N(value.to_string()))
}

fn expiry(now: Timestamp) -> (String, AttributeValue) {
    number(":expiry", now.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX).as_second())
}

fn request_key(id: &RequestId) -> String {
    keys::REQUEST.key(id)
}

fn call_key(id: &CreateAccountRequestId) -> String {
    keys::CALL.key(id)
}

fn account_key(id: &AccountId) -> String {
    keys::ACCOUNT.key(id)
}

fn day_key(now: Timestamp) -> String {
    keys::DAY.key(now.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{Client, operation::get_item::GetItemOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;
    use crate::{account_creation::AccountSpec, gateway::AccountState};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn account(email: &str, joined: i64) -> Account {
        Account {
            id: "222222222222".parse().unwrap(),
            name: "Sandbox".to_owned(),
            email: email.to_owned(),
            state: AccountState::Active,
            joined_at: Some(at(joined)),
            parent: None,
            units: Vec::new(),
        }
    }

    /// A request in this state since the second 0.
    fn request(state: State) -> Request {
        Request::new(AccountSpec::named("Sandbox", "sandbox@example.com"), state, at(0), at(7200))
    }

    /// Who made an account, where the table holds a request, and perhaps that the account was made for it.
    async fn maker_of(account: &Account, request: Request, is_known: bool) -> Maker {
        let key = request_key(&request.request_id);
        let mut item = attributes(&request).unwrap();
        item.insert("pk".to_owned(), AttributeValue::S(key.clone()));
        let origin = ("request_id".to_owned(), AttributeValue::S(request.request_id.to_string()));
        let origin = is_known.then(|| HashMap::from([origin]));
        let of_account = account_key(&account.id);
        let is_of = |key: String| {
            move |input: &aws_sdk_dynamodb::operation::get_item::GetItemInput| {
                input.key().is_some_and(|asked| asked.get("pk") == Some(&AttributeValue::S(key.clone())))
            }
        };
        let account_item = mock!(Client::get_item)
            .match_requests(is_of(of_account))
            .then_output(move || GetItemOutput::builder().set_item(origin.clone()).build());
        let request_item = mock!(Client::get_item)
            .match_requests(is_of(key))
            .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
        let nothing = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&account_item, &request_item, &nothing]);
        Store::new(DynamoDbGateway::new(client, "table")).maker_of(account).await.unwrap()
    }

    #[tokio::test]
    async fn an_account_whose_address_aws_was_asked_for_may_be_ours_before_anybody_has_seen_it() {
        for (email, state, maker) in [
            ("Sandbox@Example.com", State::Creating, Maker::NotKnownYet),
            ("sandbox@example.com", State::Requested, Maker::SomebodyElse),
            ("other@example.com", State::Creating, Maker::SomebodyElse),
            ("not an address", State::Creating, Maker::SomebodyElse),
        ] {
            assert_eq!(maker_of(&account(email, 0), request(state), false).await, maker, "{email}");
        }
    }

    #[tokio::test]
    async fn an_account_that_has_left_and_joined_again_was_brought_by_somebody_else() {
        let ready = || request(State::Ready { account_id: "222222222222".parse().unwrap() });
        assert_eq!(maker_of(&account("sandbox@example.com", 60), ready(), true).await, Maker::Steward);
        assert_eq!(maker_of(&account("sandbox@example.com", 3600), ready(), true).await, Maker::SomebodyElse);
    }
}
