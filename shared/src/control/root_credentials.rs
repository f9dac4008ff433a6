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
//! **In the management account** the root user cannot be assumed, and is needed: it has a password. There the control sees to it
//! that it has a second factor, and neither access keys nor signing certificates. What is missing is left to people.
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
    gateway::{CallError, RootCredentials as Credentials},
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

/// What the root user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actual {
    credentials: Credentials,
    /// Whether it is that of the account that the functions run in.
    is_own: bool,
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
        let credentials = scope.audit().await?.audit_root_credentials().await?;
        Ok(Actual { credentials, is_own: scope.is_own() })
    }

    fn plan(&self, _scope: &RootScope, desired: &RootCredentials, actual: &Actual) -> Vec<Change> {
        if actual.is_own { Vec::new() } else { plan(*desired, actual.credentials) }
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
        if actual.credentials.mfa && (actual.is_own || !desired.deactivate_mfa) {
            vec!["the root user has multi-factor authentication".to_owned()]
        } else {
            Vec::new()
        }
    }

    fn by_hand(&self, _desired: &RootCredentials, actual: &Actual) -> Vec<String> {
        let Actual { credentials, is_own } = *actual;
        let missing = [
            (!credentials.mfa, "give the root user of the management account a second factor"),
            (credentials.access_keys, "delete the access keys of the root user of the management account"),
            (
                credentials.signing_certificates,
                "delete the signing certificates of the root user of the management account",
            ),
        ];
        let missing = missing.into_iter().filter(|(is_missing, _)| is_own && *is_missing);
        missing.map(|(_, what)| what.to_owned()).collect()
    }

    fn are_concurrent(&self, _one: &Change, next: &Change) -> bool {
        // Until the rest is gone, the second factor guards it.
        *next != Change::DeactivateMfa
    }
}

fn plan(desired: RootCredentials, actual: Credentials) -> Vec<Change> {
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
