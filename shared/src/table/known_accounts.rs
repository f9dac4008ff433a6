//! Which joinings of accounts are known, so that a sweep finds those that no event has announced.
//!
//! An account that leaves and joins again is new again: what is known is the joining, not the account.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    gateway::{Account, AccountState, CallError, DynamoDbGateway},
    ids::AccountId,
    table::keys::{INSTALLATION, KNOWN_ACCOUNT},
};

/// How long an account counts as new.
const NEW: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long events may take; until then, nobody is missed.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// How long it is remembered that an account was heard of: longer than it counts as new.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The accounts, in the stack's table.
#[derive(Clone, Debug)]
pub struct KnownAccounts(DynamoDbGateway);

#[derive(Serialize, Deserialize)]
struct Item {
    known_at: Timestamp,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct InstallationItem {
    first_sweep_at: Timestamp,
}

/// When this stack has begun to watch the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installation {
    /// When its first sweep began. Who had joined by then is nobody's news.
    pub first_sweep_at: Timestamp,
    /// Whether it was not known before.
    pub is_new: bool,
}

impl KnownAccounts {
    /// The accounts of this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Records that the joining of an account is known. The first time stays.
    pub async fn record(&self, account: &Account, now: Timestamp) -> Result<(), CallError> {
        let item = Item { known_at: now, expires_at: (now + REMEMBERED).as_second() };
        self.0.put_new(pk(account), &item).await.map(drop)
    }

    /// When the joining of an account became known; None when it is not, or was forgotten.
    pub async fn known_since(&self, account: &Account) -> Result<Option<Timestamp>, CallError> {
        Ok(self.0.find::<Item>(&pk(account)).await?.map(|item| item.known_at))
    }

    /// When the first sweep of this stack began; this one, when there was none.
    pub async fn installation(&self, sweep_began_at: Timestamp) -> Result<Installation, CallError> {
        if let Some(item) = self.0.find::<InstallationItem>(INSTALLATION.key()).await? {
            return Ok(Installation { first_sweep_at: item.first_sweep_at, is_new: false });
        }
        self.0.put_new(INSTALLATION.key().to_owned(), &InstallationItem { first_sweep_at: sweep_began_at }).await?;
        // Another sweep may have been quicker.
        let item = self.0.find::<InstallationItem>(INSTALLATION.key()).await?;
        let first_sweep_at = item.map_or(sweep_began_at, |item| item.first_sweep_at);
        Ok(Installation { first_sweep_at, is_new: first_sweep_at == sweep_began_at })
    }
}

/// What a sweep makes of the time at which an account joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// Somebody should have heard of it by now, and it is not old news.
    Due,
    /// It would be due, but it was before this stack watched the organization: the account is left as it is.
    BeforeInstallation,
    /// It is no news, or too fresh to be missed.
    NotDue,
}

/// Whether somebody should have heard of the account by now. The management account has not joined.
pub fn joining(account: &Account, management: &AccountId, installation: Installation, now: Timestamp) -> Joining {
    let Some(joined_at) = account.joined_at else { return Joining::NotDue };
    let is_member = account.state == AccountState::Active && account.id != *management;
    if !is_member || !(PATIENCE..NEW).contains(&now.duration_since(joined_at)) {
        return Joining::NotDue;
    }
    if joined_at > installation.first_sweep_at { Joining::Due } else { Joining::BeforeInstallation }
}

fn pk(account: &Account) -> String {
    KNOWN_ACCOUNT.key(format_args!("{}#{}", account.id, account.joined_at.map_or(0, Timestamp::as_second)))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            get_item::GetItemOutput,
            transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
        },
        types::{AttributeValue, CancellationReason, error::TransactionCanceledException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;

    fn stored(at: Option<Timestamp>) -> Rule {
        mock!(Client::get_item).then_output(move || {
            let item = at.map(|at| [("first_sweep_at".to_owned(), AttributeValue::S(at.to_string()))].into());
            GetItemOutput::builder().set_item(item).build()
        })
    }

    async fn installation(rules: &[&Rule]) -> Installation {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules);
        KnownAccounts::new(DynamoDbGateway::new(client, "table")).installation(now()).await.unwrap()
    }

    #[tokio::test]
    async fn the_first_sweep_writes_down_when_it_began_and_none_after_it_does() {
        let put = mock!(Client::transact_write_items).then_output(|| TransactWriteItemsOutput::builder().build());
        let first = installation(&[&stored(None), &put, &stored(Some(now()))]).await;
        assert_eq!((first, put.num_calls()), (Installation { first_sweep_at: now(), is_new: true }, 1));
        let earlier = now() - MONTH;
        let later = installation(&[&stored(Some(earlier))]).await;
        assert_eq!(later, Installation { first_sweep_at: earlier, is_new: false });
    }

    #[tokio::test]
    async fn of_two_first_sweeps_the_one_that_writes_first_counts() {
        let refused = mock!(Client::transact_write_items).then_error(|| {
            let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
            let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
            TransactWriteItemsError::TransactionCanceledException(canceled)
        });
        let quicker = now() - SignedDuration::from_secs(1);
        let found = installation(&[&stored(None), &refused, &stored(Some(quicker))]).await;
        assert_eq!(found, Installation { first_sweep_at: quicker, is_new: false });
    }

    fn account(joined_at: Option<Timestamp>, state: AccountState) -> Account {
        Account {
            id: "222222222222".parse().unwrap(),
            name: String::new(),
            email: String::new(),
            state,
            joined_at,
            parent: None,
            units: Vec::new(),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn of_age(age: SignedDuration) -> Account {
        account(Some(now() - age), AccountState::Active)
    }

    fn watched_for(age: SignedDuration) -> Installation {
        Installation { first_sweep_at: now() - age, is_new: false }
    }

    fn management() -> AccountId {
        "111111111111".parse().unwrap()
    }

    const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

    #[test]
    fn an_account_of_half_an_hour_to_two_weeks_should_be_known() {
        let of = |account: &Account| joining(account, &management(), watched_for(MONTH), now());
        assert_eq!(of(&of_age(SignedDuration::from_mins(29))), Joining::NotDue);
        assert_eq!(of(&of_age(SignedDuration::from_mins(31))), Joining::Due);
        assert_eq!(of(&of_age(SignedDuration::from_hours(13 * 24))), Joining::Due);
        assert_eq!(of(&of_age(SignedDuration::from_hours(15 * 24))), Joining::NotDue);
        let closed =
            account(of_age(SignedDuration::from_hours(1)).joined_at, AccountState::Other("SUSPENDED".to_owned()));
        assert_eq!(of(&closed), Joining::NotDue);
        assert_eq!(of(&account(None, AccountState::Active)), Joining::NotDue);
    }

    #[test]
    fn whoever_had_joined_before_the_first_sweep_is_left_as_it_is() {
        let (watched, hour) = (watched_for(SignedDuration::from_hours(24)), SignedDuration::from_hours(1));
        let of = |hours| joining(&of_age(hour * hours), &management(), watched, now());
        assert_eq!((of(23), of(24), of(25)), (Joining::Due, Joining::BeforeInstallation, Joining::BeforeInstallation));
        let at_once = Installation { first_sweep_at: now(), is_new: true };
        assert_eq!(joining(&of_age(hour), &management(), at_once, now()), Joining::BeforeInstallation);
    }

    #[test]
    fn the_management_account_is_never_a_new_account() {
        let newest = Account { id: management(), ..of_age(SignedDuration::from_hours(1)) };
        assert_eq!(joining(&newest, &management(), watched_for(MONTH), now()), Joining::NotDue);
    }

    #[test]
    fn an_account_that_joins_a_second_time_is_another_joining() {
        let (first, again) = (of_age(SignedDuration::from_hours(48)), of_age(SignedDuration::from_hours(1)));
        assert_ne!(pk(&first), pk(&again));
        assert_eq!(pk(&first), pk(&Account { name: "Renamed".to_owned(), ..first.clone() }));
    }
}
