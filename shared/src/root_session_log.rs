//! Which root sessions this stack has opened, by the temporary keys that CloudTrail's records name.
//!
//! What such a session does is recorded in the member account as the work of its root user; the key is what tells it from
//! a person's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::gateway::{CallError, DynamoDbGateway, Write, attributes};

/// The sessions, in the stack's table.
#[derive(Clone, Debug)]
pub struct RootSessionLog {
    table: DynamoDbGateway,
    remembered: SignedDuration,
}

#[derive(Serialize, Deserialize)]
struct Item {
    expires_at: i64,
}

impl RootSessionLog {
    /// The sessions of this table, each remembered for so long.
    pub fn new(table: DynamoDbGateway, remembered: SignedDuration) -> Self {
        Self { table, remembered }
    }

    /// Records that this key belongs to a session of ours.
    pub async fn record(&self, key: &str, now: Timestamp) -> Result<(), CallError> {
        let item = attributes(&Item { expires_at: (now + self.remembered).as_second() })?;
        self.table.write(vec![Write::Put { pk: pk(key), item, condition: None }]).await.map(drop)
    }

    /// Whether this key belongs to a session of ours.
    pub async fn holds(&self, key: &str, now: Timestamp) -> Result<bool, CallError> {
        let found: Option<Item> = self.table.find(&pk(key)).await?;
        // DynamoDB removes what has expired within days.
        Ok(found.is_some_and(|item| item.expires_at > now.as_second()))
    }
}

fn pk(key: &str) -> String {
    format!("root-session#{key}")
}
