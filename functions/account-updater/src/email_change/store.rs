//! The changes of addresses in the stack's table: one record for an account.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use steward::{
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, Queried},
    ids::AccountId,
    table::{email_changes::OPEN, keys},
};

use super::EmailChange;

/// How long a record is kept after its end.
const KEPT: SignedDuration = SignedDuration::from_hours(100 * 24);

/// The changes of addresses, in the stack's table.
#[derive(Clone, Debug)]
pub(crate) struct EmailChanges(DynamoDbGateway);

#[derive(Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    change: &'a EmailChange,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl EmailChanges {
    /// The changes in this table.
    pub(crate) fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// The change of this account, ended ones as well.
    pub(crate) async fn find(&self, account: &AccountId) -> Result<Option<EmailChange>, CallError> {
        self.0.find(&key(account)).await
    }

    /// Every change that is under way, and the keys of those that cannot be read. Read from an index, so one of the last
    /// second may be missing.
    pub(crate) async fn open(&self) -> Result<Queried<EmailChange>, CallError> {
        let (index, key) = keys::OPEN_INDEX;
        self.0.query_index(index, key, OPEN).await
    }

    /// Writes a change over the one of the revision before; [`Cause::ConcurrentModification`] where another invocation was
    /// quicker.
    pub(crate) async fn put(&self, change: &EmailChange, now: Timestamp) -> Result<(), Failure> {
        let is_open = change.is_open();
        let item =
            Item { change, open: is_open.then_some(OPEN), expires_at: (!is_open).then(|| (now + KEPT).as_second()) };
        let before = change.revision.checked_sub(1).filter(|revision| *revision > 0);
        if self.0.put_over(key(&change.account_id), &item, before).await? {
            Ok(())
        } else {
            let detail = format_args!("Another invocation works on the address of {}.", change.account_id);
            Err(Failure::with_detail(Cause::ConcurrentModification, detail))
        }
    }
}

fn key(account: &AccountId) -> String {
    keys::EMAIL_CHANGE.key(account)
}
