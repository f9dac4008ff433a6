//! What is kept, and published, of every use of power: one row before it and one after it, in a table of its own. No row is
//! written over another.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    error::Failure,
    gateway::{DynamoDbGateway, Event, EventBridgeGateway},
    table::keys::Many,
};

/// How long a row is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A use of power.
pub trait Journaled: Event {
    /// Its rows.
    const KIND: Many;

    /// The invocation that it was asked for in.
    fn invocation(&self) -> &str;

    /// What it is done to, where one invocation does it to several: an account.
    fn subject(&self) -> &str;
}

/// The journal, in the stack's journal table and on its bus.
#[derive(Clone, Debug)]
pub struct Journal {
    table: DynamoDbGateway,
    bus: EventBridgeGateway,
}

#[derive(Serialize)]
struct Item<'a, E> {
    #[serde(flatten)]
    event: &'a E,
    at: Timestamp,
    expires_at: i64,
}

impl Journal {
    /// The journal in this table and on this bus.
    pub fn new(table: DynamoDbGateway, bus: EventBridgeGateway) -> Self {
        Self { table, bus }
    }

    /// Keeps what is about to be done. Where no other row follows, whoever did it was killed.
    pub async fn begin<E: Journaled + Sync>(&self, event: &E) -> Result<(), Failure> {
        self.keep(event, "begun").await
    }

    /// Keeps what came of it, and tells it.
    pub async fn end<E: Journaled + Sync>(&self, event: &E) -> Result<(), Failure> {
        self.keep(event, "ended").await?;
        self.bus.put(event).await.map_err(Failure::from)
    }

    /// A row that is there already stays: Lambda has tried the same invocation again.
    async fn keep<E: Journaled + Sync>(&self, event: &E, moment: &str) -> Result<(), Failure> {
        let at = crate::clock::now();
        let item = Item { event, at, expires_at: (at + KEPT).as_second() };
        let pk = E::KIND.key(format_args!("{}#{}#{moment}", event.invocation(), event.subject()));
        self.table.put_new(pk, &item).await.map(drop).map_err(Failure::from)
    }
}
