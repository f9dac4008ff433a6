//! Which credentials of a root user are deleted.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steward::{
    closed_set::{ClosedSet, not_one_of},
    gateway::RootCredentials,
    ids::NotValid,
};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// A kind of credential of a root user, in the order in which they are deleted: until the rest is gone, the second factor
/// guards it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", parse_err_ty = NotValid, parse_err_fn = not_one_of::<CredentialKind>)]
pub enum CredentialKind {
    /// The password.
    LoginProfile,
    /// All access keys.
    AccessKeys,
    /// All signing certificates.
    SigningCertificates,
    /// All devices for multi-factor authentication.
    Mfa,
}

/// What a root user has, in the order in which it is deleted.
pub(crate) fn present(credentials: RootCredentials) -> Vec<CredentialKind> {
    let has = |kind: &CredentialKind| match kind {
        CredentialKind::LoginProfile => credentials.password,
        CredentialKind::AccessKeys => credentials.access_keys,
        CredentialKind::SigningCertificates => credentials.signing_certificates,
        CredentialKind::Mfa => credentials.mfa,
    };
    CredentialKind::ALL.iter().copied().filter(has).collect()
}

/// What is deleted: what is there and was asked for.
pub(crate) fn plan(credentials: RootCredentials, wanted: &BTreeSet<CredentialKind>) -> Vec<CredentialKind> {
    present(credentials).into_iter().filter(|kind| wanted.contains(kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: RootCredentials =
        RootCredentials { password: true, access_keys: false, signing_certificates: true, mfa: true };

    #[test]
    fn only_what_is_there_and_was_asked_for_is_deleted_and_the_second_factor_last() {
        let all: BTreeSet<_> = CredentialKind::ALL.iter().copied().collect();
        assert_eq!(
            plan(SOME, &all),
            [CredentialKind::LoginProfile, CredentialKind::SigningCertificates, CredentialKind::Mfa]
        );
        assert_eq!(plan(SOME, &BTreeSet::from([CredentialKind::Mfa])), [CredentialKind::Mfa]);
        assert_eq!(plan(SOME, &BTreeSet::from([CredentialKind::AccessKeys])), []);
    }

    #[test]
    fn a_kind_is_named_in_one_way() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        assert!("password".parse::<CredentialKind>().is_err());
    }
}
