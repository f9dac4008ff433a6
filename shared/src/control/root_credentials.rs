//! # root-credentials
//!
//! **What it does.** Sees to it that the root user of a member account has no password, no access keys and no signing
//! certificates.
//!
//! **Why.** What does not exist cannot be stolen. The few things that only a root user may do are done from the
//! management account, in sessions of minutes.
//!
//! **Desired state.** The section itself, `{}`. With `deactivate_mfa: true` the root user's devices for multi-factor
//! authentication go as well; otherwise they are a note: without a password they guard nothing. A virtual device that
//! is deactivated stays behind unassigned, because the task policy does not allow its deletion.
//!
//! **Calls.** A compliant account costs one `GetAccountSummary`, in a session of its access role: nobody acts as its root
//! user, and whoever watches root users is told nothing. Where that is refused, it is read in a session of the root user,
//! and the row says so.
//!
//! **Source.** IAM API reference, `GetAccountSummary`: one call shows all four, and a key that it leaves out is not known.
//! IAM user guide, "Centrally manage root access for member accounts": a session for `IAMDeleteRootUserCredentials` deletes
//! them, but may not see the summary, so that the result is read in one for `IAMAuditRootUserCredentials`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, RootScope};
use crate::{
    baseline::{Baseline, Validate},
    gateway::{CallError, RootCredentials as Actual},
    input::Problem,
};

/// The `root-credentials` section of the baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootCredentials {
    /// Whether devices for multi-factor authentication must go as well.
    #[serde(default)]
    pub deactivate_mfa: bool,
}

impl Validate for RootCredentials {
    fn problems(&self, _path: &str) -> Vec<Problem> {
        // Whatever has the shape of the section means something.
        Vec::new()
    }
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Delete the password.
    DeletePassword,
    /// Delete all access keys.
    DeleteAccessKeys,
    /// Delete all signing certificates.
    DeleteSigningCertificates,
    /// Deactivate all devices for multi-factor authentication.
    DeactivateMfa,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeletePassword => "delete the root user's password",
            Self::DeleteAccessKeys => "delete the root user's access keys",
            Self::DeleteSigningCertificates => "delete the root user's signing certificates",
            Self::DeactivateMfa => "deactivate the root user's multi-factor authentication",
        })
    }
}

/// The control `root-credentials`.
#[derive(Clone, Copy, Debug)]
pub struct RootCredentialsControl;

impl Control for RootCredentialsControl {
    const ID: &'static str = "root-credentials";
    const READS: &'static [&'static str] = &["iam:GetAccountSummary"];
    /// With what is to be deleted found by name.
    const WRITES: &'static [&'static str] = &[
        "iam:DeactivateMFADevice",
        "iam:DeleteAccessKey",
        "iam:DeleteLoginProfile",
        "iam:DeleteSigningCertificate",
        "iam:ListAccessKeys",
        "iam:ListMFADevices",
        "iam:ListSigningCertificates",
    ];
    type Scope = RootScope;
    type Desired = RootCredentials;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&RootCredentials> {
        baseline.root_credentials.as_ref()
    }

    async fn inspect(&self, scope: &RootScope, _desired: &RootCredentials) -> Result<Actual, CallError> {
        scope.audit().await?.audit_root_credentials().await
    }

    fn plan(&self, _scope: &RootScope, desired: &RootCredentials, actual: &Actual) -> Vec<Change> {
        plan(*desired, *actual)
    }

    async fn apply(&self, scope: &RootScope, change: &Change) -> Result<(), CallError> {
        let iam = scope.delete().await?;
        match change {
            Change::DeletePassword => iam.delete_root_password().await,
            Change::DeleteAccessKeys => iam.delete_root_access_keys().await,
            Change::DeleteSigningCertificates => iam.delete_root_signing_certificates().await,
            Change::DeactivateMfa => iam.deactivate_root_mfa_devices().await,
        }
    }

    fn notes(&self, desired: &RootCredentials, actual: &Actual) -> Vec<String> {
        if actual.mfa && !desired.deactivate_mfa {
            vec!["the root user has multi-factor authentication".to_owned()]
        } else {
            Vec::new()
        }
    }

    fn are_concurrent(&self, _one: &Change, next: &Change) -> bool {
        // Until the rest is gone, the second factor guards it.
        *next != Change::DeactivateMfa
    }
}

fn plan(desired: RootCredentials, actual: Actual) -> Vec<Change> {
    [
        (actual.password, Change::DeletePassword),
        (actual.access_keys, Change::DeleteAccessKeys),
        (actual.signing_certificates, Change::DeleteSigningCertificates),
        (actual.mfa && desired.deactivate_mfa, Change::DeactivateMfa),
    ]
    .into_iter()
    .filter_map(|(is_there, change)| is_there.then_some(change))
    .collect()
}

#[cfg(test)]
mod tests;
