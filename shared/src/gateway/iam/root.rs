//! The credentials of the root user, for sessions from `sts:AssumeRoot`. No call names a user: such a session is the
//! root user, and AWS wants `UserName` left out.

use aws_sdk_iam::{
    operation::{
        create_login_profile::CreateLoginProfileError, deactivate_mfa_device::DeactivateMFADeviceError,
        delete_access_key::DeleteAccessKeyError, delete_login_profile::DeleteLoginProfileError,
        delete_signing_certificate::DeleteSigningCertificateError,
    },
    types::SummaryKeyType,
};

use super::{IamGateway, unless_absent};
use crate::{error::Cause, gateway::CallError};

/// What the root user could sign in or sign calls with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API has these")]
pub struct RootCredentials {
    /// A password.
    pub password: bool,
    /// Access keys.
    pub access_keys: bool,
    /// Signing certificates.
    pub signing_certificates: bool,
    /// A device for multi-factor authentication.
    pub mfa: bool,
}

impl IamGateway {
    /// What the root user has, in one call.
    pub async fn audit_root_credentials(&self) -> Result<RootCredentials, CallError> {
        const OPERATION: &str = "iam:GetAccountSummary";
        let answer = self.0.get_account_summary().send().await.map_err(|error| CallError::of(OPERATION, error))?;
        // A member that is missing is not a credential that is missing.
        let is_present = |key: SummaryKeyType| {
            let value = answer.summary_map().and_then(|summary| summary.get(&key));
            value.map(|count| *count > 0).ok_or_else(|| {
                CallError::unusable(OPERATION, Cause::CallFailed, format!("a summary without {}", key.as_str()))
            })
        };
        Ok(RootCredentials {
            password: is_present(SummaryKeyType::AccountPasswordPresent)?,
            access_keys: is_present(SummaryKeyType::AccountAccessKeysPresent)?,
            signing_certificates: is_present(SummaryKeyType::AccountSigningCertificatesPresent)?,
            mfa: is_present(SummaryKeyType::AccountMfaEnabled)?,
        })
    }

    /// Gives the root user a login profile without a password, so that the owner of the primary e-mail address can set one
    /// by "Forgot password". No error when there is one already.
    pub async fn allow_root_password_recovery(&self) -> Result<(), CallError> {
        let answer = self.0.create_login_profile().send().await;
        let is_there = CreateLoginProfileError::is_entity_already_exists_exception;
        unless_absent("iam:CreateLoginProfile", answer, is_there).map(drop)
    }

    /// Deletes the root user's password. No error when there is none.
    pub async fn delete_root_password(&self) -> Result<(), CallError> {
        let answer = self.0.delete_login_profile().send().await;
        let is_absent = DeleteLoginProfileError::is_no_such_entity_exception;
        unless_absent("iam:DeleteLoginProfile", answer, is_absent).map(drop)
    }

    /// Deletes the root user's access keys.
    pub async fn delete_root_access_keys(&self) -> Result<(), CallError> {
        let answer = self.0.list_access_keys().send().await;
        let answer = answer.map_err(|error| CallError::of("iam:ListAccessKeys", error))?;
        for key in answer.access_key_metadata() {
            let answer = self.0.delete_access_key().set_access_key_id(key.access_key_id().map(Into::into)).send().await;
            unless_absent("iam:DeleteAccessKey", answer, DeleteAccessKeyError::is_no_such_entity_exception)?;
        }
        Ok(())
    }

    /// Deletes the root user's signing certificates.
    pub async fn delete_root_signing_certificates(&self) -> Result<(), CallError> {
        let answer = self.0.list_signing_certificates().send().await;
        let answer = answer.map_err(|error| CallError::of("iam:ListSigningCertificates", error))?;
        for certificate in answer.certificates() {
            let answer = self.0.delete_signing_certificate().certificate_id(certificate.certificate_id()).send().await;
            unless_absent(
                "iam:DeleteSigningCertificate",
                answer,
                DeleteSigningCertificateError::is_no_such_entity_exception,
            )?;
        }
        Ok(())
    }

    /// Takes the root user's devices for multi-factor authentication out of use. A root session may not delete the
    /// virtual ones: they stay behind, assigned to nobody.
    pub async fn deactivate_root_mfa_devices(&self) -> Result<(), CallError> {
        let answer = self.0.list_mfa_devices().send().await;
        let answer = answer.map_err(|error| CallError::of("iam:ListMFADevices", error))?;
        for device in answer.mfa_devices() {
            let answer = self.0.deactivate_mfa_device().serial_number(device.serial_number()).send().await;
            unless_absent("iam:DeactivateMFADevice", answer, DeactivateMFADeviceError::is_no_such_entity_exception)?;
        }
        Ok(())
    }
}
