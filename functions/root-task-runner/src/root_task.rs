//! Work that only a root user may do, as a request with a reason. Pure: what is asked, what it comes to, what is published.

mod backup;
mod credentials;
mod event;
mod lock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steward::{
    closed_set::{ClosedSet, not_one_of},
    gateway::RootFeature,
    ids::NotValid,
};
use strum::{EnumString, IntoStaticStr, VariantArray};

pub(crate) use backup::BackupKey;
pub(crate) use credentials::{CredentialKind, plan as plan_deletion, present};
pub(crate) use event::Finding;
pub use event::RootTaskPerformed;
pub(crate) use lock::why_it_locks;

/// What can be asked for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", parse_err_ty = NotValid, parse_err_fn = not_one_of::<Task>)]
pub enum Task {
    /// Show which root features the organization has enabled.
    Status,
    /// Enable both.
    Enable,
    /// Disable both.
    Disable,
    /// See which root credentials accounts have.
    AuditCredentials,
    /// Delete them.
    DeleteCredentials,
    /// Let the owner of the primary e-mail address set a root password.
    AllowPasswordRecovery,
    /// Remove a bucket policy that locks everybody out, after it was backed up.
    UnlockBucketPolicy,
    /// Put a bucket policy back.
    RestoreBucketPolicy,
    /// Remove a queue policy that locks everybody out, after it was backed up.
    UnlockQueuePolicy,
    /// Put a queue policy back.
    RestoreQueuePolicy,
}

impl Task {
    /// Whether it only looks, whatever the mode.
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Status | Self::AuditCredentials)
    }
}

/// The features that are to be switched, given those that are enabled.
pub(crate) fn plan_features(enable: bool, enabled: &std::collections::BTreeSet<RootFeature>) -> Vec<RootFeature> {
    RootFeature::ALL.iter().copied().filter(|feature| enabled.contains(feature) != enable).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_task_is_named_in_one_way_and_the_refusal_names_them_all() {
        for task in Task::ALL {
            assert_eq!(task.name().parse(), Ok(*task));
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
        let NotValid(expected) = "unlock-everything".parse::<Task>().unwrap_err();
        assert!(Task::ALL.iter().all(|task| expected.contains(task.name())), "{expected}");
    }

    #[test]
    fn only_what_is_not_yet_so_is_switched() {
        let sessions = BTreeSet::from([RootFeature::Sessions]);
        assert_eq!(plan_features(true, &sessions), [RootFeature::CredentialsManagement]);
        assert_eq!(plan_features(false, &sessions), [RootFeature::Sessions]);
        assert_eq!(plan_features(false, &BTreeSet::new()), []);
    }
}
