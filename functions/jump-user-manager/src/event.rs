//! What is published, and kept in the journal, of users.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    error::Failure,
    gateway::{Event, EventType},
    ids::{AccountId, GroupName, UserName},
    table::{
        journal::Journaled,
        keys::{self, Many},
    },
};

use crate::people::Findings;

/// What came of a task.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Finding {
    /// It has begun; whoever finds this and nothing else knows that it was killed.
    Begun,
    /// There is nothing to do.
    NothingToDo,
    /// What would be done.
    Planned {
        /// The steps.
        steps: Vec<String>,
    },
    /// What was done.
    Done {
        /// The steps.
        steps: Vec<String>,
    },
    /// It was not even tried.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
    /// It could not be done to its end. Asked for again, it goes on.
    Failed {
        /// The steps that were taken before.
        steps: Vec<String>,
        /// What happened and what to do.
        #[serde(flatten)]
        failure: Failure,
    },
}

/// Somebody has let Steward change a user of the jump account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct JumpUserChanged {
    /// The invocation; CloudTrail and the function's log have it as well.
    pub invocation: String,
    /// The jump account.
    pub account_id: AccountId,
    /// The user.
    #[schemars(with = "String")]
    pub user_name: UserName,
    /// `change`, `reset` or `remove`.
    pub task: &'static str,
    /// The groups that the user is to be in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub groups: Vec<GroupName>,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Event for JumpUserChanged {
    const TYPE: EventType = EventType::JumpUserChanged;
}

impl Journaled for JumpUserChanged {
    const KIND: Many = keys::JUMP_USER;

    fn invocation(&self) -> &str {
        &self.invocation
    }

    fn subject(&self) -> &str {
        self.user_name.as_str()
    }
}

/// Who of the jump account's users needs a look.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct JumpUsersReviewed {
    /// The jump account.
    pub account_id: AccountId,
    /// When the users were looked at.
    pub at: Timestamp,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

impl Event for JumpUsersReviewed {
    const TYPE: EventType = EventType::JumpUsersReviewed;
}
