//! Which root sessions this stack has opened, by the temporary keys that CloudTrail's records name.
//!
//! What such a session does is recorded in the member account as the work of its root user; the key is what tells it from
//! a person's. Whoever opens a session records it before it is used. Nobody learns of one from an event: events come from
//! others.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    closed_set::ClosedSet,
    gateway::{CallError, DynamoDbGateway, TaskPolicy, Write, attributes},
    ids::AccountId,
    table::keys,
};

/// How long a record of a session's work can be behind its opening. Sessions last 15 minutes at most.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// A root session that a function has opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedSession {
    /// The name of the function that has opened it.
    pub function: String,
    /// The account whose root user it is of.
    pub account_id: AccountId,
    /// The ARN of the task policy that bounds it.
    pub task_policy: String,
}

impl OpenedSession {
    /// Whether the session's task allows such a call: `s3:DeleteBucketPolicy`.
    pub fn allows(&self, action: &str) -> bool {
        let task = TaskPolicy::ALL.iter().find(|task| task.policy_arn() == self.task_policy);
        task.is_some_and(|task| task.allowed_actions().contains(&action))
    }
}

/// The sessions, in the stack's journal table.
#[derive(Clone, Debug)]
pub struct RootSessionLog(DynamoDbGateway);

#[derive(Serialize, Deserialize)]
struct Item {
    session: OpenedSession,
    expires_at: i64,
}

impl RootSessionLog {
    /// The sessions of this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Records that this key belongs to a session of ours.
    pub async fn record(&self, key: &str, session: OpenedSession, now: Timestamp) -> Result<(), CallError> {
        let item = attributes(&Item { session, expires_at: (now + REMEMBERED).as_second() })?;
        self.0.write(vec![Write::Put { pk: pk(key), item, condition: None }]).await.map(drop)
    }

    /// The session of ours that this key belongs to, if there is one.
    pub async fn find(&self, key: &str, now: Timestamp) -> Result<Option<OpenedSession>, CallError> {
        let found: Option<Item> = self.0.find(&pk(key)).await?;
        // DynamoDB removes what has expired within days.
        Ok(found.filter(|item| item.expires_at > now.as_second()).map(|item| item.session))
    }
}

fn pk(key: &str) -> String {
    keys::ROOT_SESSION.key(key)
}
