//! What is kept and told of every attempt at root work.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    error::Failure,
    gateway::{DynamoDbGateway, EventBridgeGateway, Write, attributes},
    root_task::{Finding, RootTaskPerformed},
};

/// How long an attempt is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The attempts, in the stack's table and on its bus.
#[derive(Clone, Debug)]
pub struct RootTaskJournal {
    table: DynamoDbGateway,
    bus: EventBridgeGateway,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    attempt: &'a RootTaskPerformed,
    at: Timestamp,
    expires_at: i64,
}

impl RootTaskJournal {
    /// The journal in this table and on this bus.
    pub fn new(table: DynamoDbGateway, bus: EventBridgeGateway) -> Self {
        Self { table, bus }
    }

    /// Keeps an attempt that is about to change something. One of which nothing else is kept was killed.
    pub async fn begin(&self, attempt: &RootTaskPerformed) -> Result<(), Failure> {
        self.keep(&RootTaskPerformed { finding: Finding::Begun, ..attempt.clone() }).await
    }

    /// Keeps and tells what came of an attempt.
    pub async fn end(&self, attempt: &RootTaskPerformed) -> Result<(), Failure> {
        self.keep(attempt).await?;
        self.bus.put(attempt).await.map_err(Failure::from)
    }

    async fn keep(&self, attempt: &RootTaskPerformed) -> Result<(), Failure> {
        let at = crate::clock::now();
        let item = attributes(&Item { attempt, at, expires_at: (at + KEPT).as_second() })?;
        let account = attempt.account_id.as_ref().map_or("organization", |id| id.as_str());
        let pk = format!("root-task#{}#{account}", attempt.invocation);
        self.table.write(vec![Write::Put { pk, item, condition: None }]).await.map(drop).map_err(Failure::from)
    }
}
