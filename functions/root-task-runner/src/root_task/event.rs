//! What is published and kept of every attempt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steward::{
    control::{Mode, brake::Came},
    error::Failure,
    gateway::{Event, EventType},
    ids::AccountId,
    table::{
        journal::Journaled,
        keys::{self, Many},
    },
};

use super::{CredentialKind, Task};

/// What came of a task in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Finding {
    /// It has begun; whoever finds this and nothing else knows that it was killed.
    Begun,
    /// What is there.
    Audited {
        /// The credentials that the root user has.
        present: Vec<CredentialKind>,
    },
    /// There is nothing to do.
    NothingToDo {
        /// What makes it unnecessary, as a sentence.
        why: String,
    },
    /// What would be done.
    Planned {
        /// The steps.
        steps: Vec<String>,
        /// The policy that would be removed or put back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
        /// Its SHA-256.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// Why it locks people out, statement by statement.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        why_it_locks: Vec<String>,
    },
    /// What was done, and read back.
    Done {
        /// The steps.
        steps: Vec<String>,
        /// The key of the backup in the stack's bucket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<String>,
        /// The SHA-256 of the policy that was removed or put back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
    /// It was not even tried.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
    /// It could not be done, or it could not be found out.
    Failed {
        /// The steps that were taken before.
        steps: Vec<String>,
        /// The key of the backup in the stack's bucket, if one was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<String>,
        /// What happened and what to do.
        #[serde(flatten)]
        failure: Failure,
    },
}

impl Finding {
    /// Steps that would be taken, of a task that is about no policy.
    pub fn planned(steps: Vec<String>) -> Self {
        Self::Planned { steps, policy: None, sha256: None, why_it_locks: Vec::new() }
    }

    /// Steps that were taken, of a task that is about no policy.
    pub fn done(steps: Vec<String>) -> Self {
        Self::Done { steps, backup: None, sha256: None }
    }

    /// A failure after these steps, with no backup made.
    pub fn failed(steps: Vec<String>, failure: impl Into<Failure>) -> Self {
        Self::Failed { steps, backup: None, failure: failure.into() }
    }
}

/// Somebody has asked for root work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RootTaskPerformed {
    /// The invocation; CloudTrail and the function's log have it as well.
    pub invocation: String,
    /// What was asked for.
    pub task: Task,
    /// Whether anything was to be changed.
    pub mode: Mode,
    /// Why, in the words of whoever asked.
    pub reason: String,
    /// Who asked, as they say; CloudTrail knows who invoked the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The account; left out where it is about the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The bucket or queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Event for RootTaskPerformed {
    const TYPE: EventType = EventType::RootTaskPerformed;
}

impl Journaled for RootTaskPerformed {
    const KIND: Many = keys::ROOT_TASK;

    fn invocation(&self) -> &str {
        &self.invocation
    }

    fn subject(&self) -> &str {
        self.account_id.as_ref().map_or("organization", |id| id.as_str())
    }
}

impl From<&Finding> for Came {
    /// By what a root task has found.
    fn from(finding: &Finding) -> Self {
        match finding {
            Finding::Failed { .. } => Self::Failed,
            Finding::Done { .. } => Self::Changed,
            Finding::Planned { .. } => Self::WouldChange,
            _ => Self::Nothing,
        }
    }
}
