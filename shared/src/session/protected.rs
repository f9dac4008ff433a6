//! What is looked at, and not changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, BucketName, QueueArn};

/// What is looked at and not changed, neither by a control nor by a root task, as the baseline document says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protected {
    /// Accounts: no control and no root task changes anything in them. To keep Steward out of an account altogether, whatever
    /// this document says, there is the stack parameter `ProtectedAccounts`.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// The names of buckets whose policies no root task replaces.
    #[serde(default)]
    pub buckets: Vec<BucketName>,
    /// The ARNs of queues whose policies no root task replaces.
    #[serde(default)]
    pub queues: Vec<QueueArn>,
}

impl Protected {
    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why a bucket may not be touched; None when it may.
    pub fn bucket(&self, name: &str) -> Option<String> {
        let is_protected = self.buckets.iter().any(|protected| protected.as_str() == name);
        is_protected.then(|| format!("Bucket {name} is protected by the baseline document."))
    }

    /// Why a queue may not be touched; None when it may.
    pub fn queue(&self, arn: &str) -> Option<String> {
        let is_protected = self.queues.iter().any(|protected| protected.as_str() == arn);
        is_protected.then(|| format!("Queue {arn} is protected by the baseline document."))
    }
}
