//! What no root task may touch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, BucketName, QueueArn};

/// What no root task may touch, as the baseline document says. Audits are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protected {
    /// Accounts.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// The names of buckets.
    #[serde(default)]
    pub buckets: Vec<BucketName>,
    /// The ARNs of queues.
    #[serde(default)]
    pub queues: Vec<QueueArn>,
}

impl Protected {
    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why an account may not be touched; None when it may.
    pub fn account(&self, id: &AccountId) -> Option<String> {
        let is_protected = self.accounts.contains(id);
        is_protected.then(|| format!("Account {id} is protected by the baseline document."))
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
