//! Which new accounts have been heard of, so that a sweep finds those that no event has told of.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    gateway::{Account, AccountState, CallError, DynamoDbGateway, Write, attributes},
    ids::AccountId,
};

/// How long an account counts as new.
const NEW: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long events may take; until then, nobody is missed.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// How long it is remembered that an account was heard of: longer than it counts as new.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The accounts, in the stack's table.
#[derive(Clone, Debug)]
pub struct HeardAccounts(DynamoDbGateway);

#[derive(Serialize, Deserialize)]
struct Item {
    heard_at: Timestamp,
    expires_at: i64,
}

impl HeardAccounts {
    /// The accounts of this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Records that an account was heard of.
    pub async fn record(&self, account: &AccountId, now: Timestamp) -> Result<(), CallError> {
        let item = attributes(&Item { heard_at: now, expires_at: (now + REMEMBERED).as_second() })?;
        self.0.write(vec![Write::Put { pk: pk(account), item, condition: None }]).await.map(drop)
    }

    /// Whether an account was heard of.
    pub async fn holds(&self, account: &AccountId) -> Result<bool, CallError> {
        self.0.find::<Item>(&pk(account)).await.map(|found| found.is_some())
    }
}

/// Whether somebody should have heard of the account by now, and it is not old news.
pub fn should_be_heard_of(account: &Account, now: Timestamp) -> bool {
    let age = account.joined_at.map(|joined| now.duration_since(joined));
    account.state == AccountState::Active && age.is_some_and(|age| (PATIENCE..NEW).contains(&age))
}

fn pk(account: &AccountId) -> String {
    format!("heard#{account}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_of_half_an_hour_to_two_weeks_should_have_been_heard_of() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let joined = |age: SignedDuration, state| Account {
            id: "222222222222".parse().unwrap(),
            name: String::new(),
            email: String::new(),
            state,
            joined_at: Some(now - age),
            parent: None,
            units: Vec::new(),
        };
        let is_due = |age| should_be_heard_of(&joined(age, AccountState::Active), now);
        assert!(!is_due(SignedDuration::from_mins(29)) && is_due(SignedDuration::from_mins(31)));
        assert!(is_due(SignedDuration::from_hours(13 * 24)) && !is_due(SignedDuration::from_hours(15 * 24)));
        let closed = joined(SignedDuration::from_hours(1), AccountState::Other("SUSPENDED".to_owned()));
        assert!(!should_be_heard_of(&closed, now));
    }
}
