//! Which account has which e-mail address and which name: an index in the stack's table, so that one request need not
//! list ten thousand accounts.
//!
//! | `pk` | holds |
//! | --- | --- |
//! | `email#team@example.com` | the account that had this address when it was last seen; the address in lower case |
//! | `name#Team Blue` | an account that had this name when it was last seen; an active one before others |
//! | `account-index` | from when on the index is whole: every account of that time is in it |
//! | `account-index-listing` | a listing that is under way: who may go on with it until when, and from which page |
//!
//! Sweeps, new accounts and accounts that joined are written as they are seen. Nothing is ever taken out: an entry that
//! was last seen before the index was whole is of an account that has left, or has another address by now. An entry is a
//! hint. Who acts on one describes the account first, so that a wrong one does no harm; and AWS itself refuses an address
//! that is taken.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::tracing;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    clock,
    error::Cause,
    gateway::{Account, AccountState, CallError, DynamoDbGateway, OrganizationsGateway, Write, attributes},
    ids::{AccountId, Email},
    table::keys,
};

/// How long the index is used: a daily sweep may fail once.
const USED: SignedDuration = SignedDuration::from_hours(48);
/// How long an entry is kept: much longer than the index is used.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a listing that was put off may be continued; after that it begins anew.
const CONTINUED: SignedDuration = SignedDuration::from_hours(1);
/// How much longer than it means to take somebody may go on with a listing before another one does.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// The index, in the stack's table.
#[derive(Clone, Debug)]
pub struct AccountIndex(DynamoDbGateway);

/// From when on the index is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeSince(Timestamp);

/// An account as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account.
    pub account_id: AccountId,
    /// Its state, by its name in the API model.
    pub state: String,
    seen_at: i64,
    expires_at: i64,
}

impl Entry {
    /// Whether the account was active.
    pub fn is_active(&self) -> bool {
        self.state == "ACTIVE"
    }
}

#[derive(Serialize, Deserialize)]
struct Whole {
    whole_since: i64,
}

/// A listing: from where it goes on.
#[derive(Default, Serialize, Deserialize)]
struct Listing {
    held_until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl AccountIndex {
    /// The index of this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// From when on the index is whole; None when it never was, or when that was too long ago.
    pub async fn whole_since(&self, now: Timestamp) -> Result<Option<WholeSince>, CallError> {
        let whole: Option<Whole> = self.0.find(keys::ACCOUNT_INDEX.key()).await?;
        let since = whole.and_then(|whole| Timestamp::from_millisecond(whole.whole_since).ok());
        Ok(since.filter(|since| now.duration_since(*since) < USED).map(WholeSince))
    }

    /// The account with this address, as far as the index knows.
    pub async fn by_email(&self, email: &Email, since: Option<WholeSince>) -> Result<Option<Entry>, CallError> {
        self.entry(&email_key(email.as_str()), since).await
    }

    /// An account of this name, as far as the index knows.
    pub async fn by_name(&self, name: &str, since: Option<WholeSince>) -> Result<Option<Entry>, CallError> {
        self.entry(&name_key(name), since).await
    }

    async fn entry(&self, pk: &str, since: Option<WholeSince>) -> Result<Option<Entry>, CallError> {
        let since = since.map_or(i64::MIN, |WholeSince(since)| since.as_millisecond());
        match self.0.find::<Entry>(pk).await {
            Ok(entry) => Ok(entry.filter(|entry| entry.seen_at >= since)),
            // A hint that cannot be read is none.
            Err(error) if error.cause == Cause::CallFailed => {
                tracing::error!(pk, "{error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Records one account as AWS has just shown it. That it cannot be recorded is said and no failure: the next sweep
    /// records it.
    pub async fn record(&self, account: &Account) {
        let recorded = match entries(std::slice::from_ref(account), clock::now()) {
            Ok(entries) if entries.is_empty() => return,
            Ok(entries) => {
                let put = |(pk, item)| Write::Put { pk, item, condition: None };
                self.0.write(entries.into_iter().map(put).collect()).await.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::warn!(account_id = %account.id, "not in the index of accounts: {error}");
        }
    }

    /// Records accounts as AWS has just shown them.
    pub async fn record_all(&self, accounts: &[Account]) -> Result<(), CallError> {
        self.0.put_all(entries(accounts, clock::now())?).await
    }

    /// Records every account of the organization, from a list that was begun at this time.
    pub async fn replace(&self, accounts: &[Account], begun_at: Timestamp) -> Result<(), CallError> {
        self.record_all(accounts).await?;
        self.is_whole(begun_at).await
    }

    /// Says that every account of this time is recorded.
    pub async fn is_whole(&self, since: Timestamp) -> Result<(), CallError> {
        let since = AttributeValue::N(since.as_millisecond().to_string());
        let write = Write::Update {
            pk: keys::ACCOUNT_INDEX.key().to_owned(),
            expression: "SET whole_since = :since".to_owned(),
            // A list that was begun earlier may end later.
            condition: Some("attribute_not_exists(whole_since) OR whole_since < :since".to_owned()),
            values: HashMap::from([(":since".to_owned(), since)]),
        };
        self.0.write(vec![write]).await.map(drop)
    }

    /// Makes the index whole by listing the accounts, for as long as `budget` says; what is left is for whoever comes
    /// next. Of several who want that at the same time one does it. None when it is not whole yet.
    pub async fn refresh(
        &self,
        organizations: &OrganizationsGateway,
        budget: Duration,
    ) -> Result<Option<WholeSince>, CallError> {
        let (now, begun) = (clock::now(), Instant::now());
        if !self.hold(now, budget).await? {
            return Ok(None);
        }
        let found: Listing = self.0.find(keys::ACCOUNT_INDEX_LISTING.key()).await?.unwrap_or_default();
        let continued = found.begun_at.filter(|at| *at <= now && now.duration_since(*at) < CONTINUED);
        let begun_at = continued.unwrap_or(now);
        let mut next = continued.and(found.next);
        loop {
            let page = match organizations.accounts_page(next.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    // The place in the list is not accepted any more: it begins anew.
                    let lost = error.cause == Cause::InputRefused;
                    let listing = if lost { Listing::default() } else { Listing::at(begun_at, next) };
                    self.put_off(&listing).await?;
                    let later = matches!(error.cause, Cause::Throttled | Cause::NoTimeLeft);
                    return if later || lost { Ok(None) } else { Err(error) };
                }
            };
            self.record_all(&page.items).await?;
            next = page.next;
            if next.is_none() {
                self.is_whole(begun_at).await?;
                self.put_off(&Listing::default()).await?;
                return Ok(Some(WholeSince(begun_at)));
            }
            if begun.elapsed() >= budget {
                self.put_off(&Listing::at(begun_at, next)).await?;
                return Ok(None);
            }
        }
    }

    /// Keeps requests from listing the accounts for so long, because a sweep does it for them. One that does so already goes
    /// on: the sweep lists beside it.
    pub async fn spare_others(&self, budget: Duration) -> Result<bool, CallError> {
        self.hold(clock::now(), budget).await
    }

    /// Asks for the right to go on with the listing.
    async fn hold(&self, now: Timestamp, budget: Duration) -> Result<bool, CallError> {
        let budget = SignedDuration::try_from(budget).unwrap_or_default();
        let until = now.checked_add(budget + GRACE).unwrap_or(now);
        let number = |time: Timestamp| AttributeValue::N(time.as_second().to_string());
        let write = Write::Update {
            pk: keys::ACCOUNT_INDEX_LISTING.key().to_owned(),
            expression: "SET held_until = :until".to_owned(),
            condition: Some("attribute_not_exists(held_until) OR held_until < :now".to_owned()),
            values: HashMap::from([(":until".to_owned(), number(until)), (":now".to_owned(), number(now))]),
        };
        Ok(self.0.write(vec![write]).await?.is_ok())
    }

    async fn put_off(&self, listing: &Listing) -> Result<(), CallError> {
        let put = Write::Put {
            pk: keys::ACCOUNT_INDEX_LISTING.key().to_owned(),
            item: attributes(listing)?,
            condition: None,
        };
        self.0.write(vec![put]).await.map(drop)
    }
}

impl Listing {
    fn at(begun_at: Timestamp, next: Option<String>) -> Self {
        Self { held_until: 0, begun_at: Some(begun_at), next }
    }
}

/// The entries of accounts by their keys. Two accounts of one name have one entry, an active one's if there is one.
fn entries(
    accounts: &[Account],
    now: Timestamp,
) -> Result<BTreeMap<String, HashMap<String, AttributeValue>>, CallError> {
    let mut found: BTreeMap<String, Entry> = BTreeMap::new();
    for account in accounts {
        let state = match &account.state {
            AccountState::Active => "ACTIVE".to_owned(),
            AccountState::Other(state) => state.clone(),
        };
        let expires_at = now.checked_add(KEPT).unwrap_or(now).as_second();
        let entry = Entry { account_id: account.id.clone(), state, seen_at: now.as_millisecond(), expires_at };
        let keys = [(&account.email, email_key(&account.email)), (&account.name, name_key(&account.name))];
        for (_, key) in keys.into_iter().filter(|(text, _)| !text.is_empty()) {
            if !found.get(&key).is_some_and(Entry::is_active) {
                found.insert(key, entry.clone());
            }
        }
    }
    found.into_iter().map(|(key, entry)| Ok((key, attributes(&entry)?))).collect()
}

fn email_key(email: &str) -> String {
    keys::EMAIL.key(email.to_ascii_lowercase())
}

fn name_key(name: &str) -> String {
    keys::NAME.key(name)
}

#[cfg(test)]
mod tests;
