//! What a user of an account can have beside a password: keys, certificates, credentials of services, second factors and
//! policies of its own.
//!
//! Source: IAM API reference, `DeleteUser`, which names what has to go before.

use aws_sdk_iam::operation::{
    list_access_keys::ListAccessKeysOutput, list_attached_user_policies::ListAttachedUserPoliciesOutput,
    list_mfa_devices::ListMfaDevicesOutput, list_signing_certificates::ListSigningCertificatesOutput,
    list_ssh_public_keys::ListSshPublicKeysOutput, list_user_policies::ListUserPoliciesOutput,
};
use jiff::Timestamp;

use super::{
    IamGateway, unless_absent,
    users::{is_absent, moment, pages},
};
use crate::{gateway::CallError, ids::UserName};

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id, which is no secret.
    pub id: String,
    /// Whether it can be used.
    pub is_active: bool,
    /// When it was made; None where AWS does not say.
    pub created_at: Option<Timestamp>,
}

impl IamGateway {
    /// The access keys of a user; none when there is no such user.
    pub async fn list_access_keys(&self, user: &str) -> Result<Vec<AccessKey>, CallError> {
        const OPERATION: &str = "iam:ListAccessKeys";
        let pages = pages(OPERATION, self.0.list_access_keys().user_name(user).into_paginator().send()).await?;
        let keys = pages.iter().flat_map(ListAccessKeysOutput::access_key_metadata);
        let key = |key: &aws_sdk_iam::types::AccessKeyMetadata| {
            Ok(AccessKey {
                id: key.access_key_id().unwrap_or_default().to_owned(),
                is_active: key.status() != Some(&aws_sdk_iam::types::StatusType::Inactive),
                created_at: key.create_date().map(|time| moment(OPERATION, time)).transpose()?,
            })
        };
        keys.map(key).collect()
    }

    /// When an access key was last used; None for never, and for a key that is gone.
    pub async fn find_last_use_of_key(&self, id: &str) -> Result<Option<Timestamp>, CallError> {
        const OPERATION: &str = "iam:GetAccessKeyLastUsed";
        let answer = self.0.get_access_key_last_used().access_key_id(id).send().await;
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(None) };
        let used = answer.access_key_last_used().and_then(|used| used.last_used_date());
        used.map(|time| moment(OPERATION, time)).transpose()
    }

    /// Deletes an access key. No error when there is none.
    pub async fn delete_access_key(&self, user: &UserName, id: &str) -> Result<(), CallError> {
        let answer = self.0.delete_access_key().user_name(user.as_str()).access_key_id(id).send().await;
        unless_absent("iam:DeleteAccessKey", answer, is_absent).map(drop)
    }

    /// The ids of the signing certificates of a user.
    pub async fn list_signing_certificates(&self, user: &UserName) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_signing_certificates().user_name(user.as_str()).into_paginator().send();
        let pages = pages("iam:ListSigningCertificates", stream).await?;
        Ok(pages
            .iter()
            .flat_map(ListSigningCertificatesOutput::certificates)
            .map(|one| one.certificate_id().to_owned())
            .collect())
    }

    /// Deletes a signing certificate. No error when there is none.
    pub async fn delete_signing_certificate(&self, user: &UserName, id: &str) -> Result<(), CallError> {
        let answer = self.0.delete_signing_certificate().user_name(user.as_str()).certificate_id(id).send().await;
        unless_absent("iam:DeleteSigningCertificate", answer, is_absent).map(drop)
    }

    /// The ids of the public SSH keys of a user.
    pub async fn list_ssh_keys(&self, user: &UserName) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_ssh_public_keys().user_name(user.as_str()).into_paginator().send();
        let pages = pages("iam:ListSSHPublicKeys", stream).await?;
        Ok(pages
            .iter()
            .flat_map(ListSshPublicKeysOutput::ssh_public_keys)
            .map(|one| one.ssh_public_key_id().to_owned())
            .collect())
    }

    /// Deletes a public SSH key. No error when there is none.
    pub async fn delete_ssh_key(&self, user: &UserName, id: &str) -> Result<(), CallError> {
        let answer = self.0.delete_ssh_public_key().user_name(user.as_str()).ssh_public_key_id(id).send().await;
        unless_absent("iam:DeleteSSHPublicKey", answer, is_absent).map(drop)
    }

    /// The ids of the credentials that a user has with single services, such as AWS `CodeCommit`.
    pub async fn list_service_credentials(&self, user: &UserName) -> Result<Vec<String>, CallError> {
        const OPERATION: &str = "iam:ListServiceSpecificCredentials";
        // A user has two for each of a handful of services: there is no second page, and the SDK has no paginator.
        let answer = self.0.list_service_specific_credentials().user_name(user.as_str()).send().await;
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(Vec::new()) };
        let credentials = answer.service_specific_credentials().iter();
        Ok(credentials.map(|one| one.service_specific_credential_id().to_owned()).collect())
    }

    /// Deletes the credential of a service. No error when there is none.
    pub async fn delete_service_credential(&self, user: &UserName, id: &str) -> Result<(), CallError> {
        let call = self.0.delete_service_specific_credential().user_name(user.as_str());
        let answer = call.service_specific_credential_id(id).send().await;
        unless_absent("iam:DeleteServiceSpecificCredential", answer, is_absent).map(drop)
    }

    /// The serial numbers of a user's devices for multi-factor authentication: an ARN, of a virtual one with `:mfa/` and of
    /// a passkey or security key with `:u2f/` in it, or the number of a hardware token.
    pub async fn list_mfa_devices(&self, user: &str) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_mfa_devices().user_name(user).into_paginator().send();
        let pages = pages("iam:ListMFADevices", stream).await?;
        Ok(pages.iter().flat_map(ListMfaDevicesOutput::mfa_devices).map(|one| one.serial_number().to_owned()).collect())
    }

    /// Takes a device out of use. No error when it is not in use.
    pub async fn deactivate_mfa_device(&self, user: &UserName, serial: &str) -> Result<(), CallError> {
        let answer = self.0.deactivate_mfa_device().user_name(user.as_str()).serial_number(serial).send().await;
        unless_absent("iam:DeactivateMFADevice", answer, is_absent).map(drop)
    }

    /// Deletes a virtual device that is in nobody's use. No error when there is none.
    pub async fn delete_virtual_mfa_device(&self, serial: &str) -> Result<(), CallError> {
        let answer = self.0.delete_virtual_mfa_device().serial_number(serial).send().await;
        unless_absent("iam:DeleteVirtualMFADevice", answer, is_absent).map(drop)
    }

    /// The names of the policies that are written into a user.
    pub async fn list_inline_policies_of_user(&self, user: &UserName) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_user_policies().user_name(user.as_str()).into_paginator().send();
        let pages = pages("iam:ListUserPolicies", stream).await?;
        Ok(pages.iter().flat_map(ListUserPoliciesOutput::policy_names).cloned().collect())
    }

    /// Deletes a policy that is written into a user. No error when there is none.
    pub async fn delete_inline_policy_of_user(&self, user: &UserName, policy: &str) -> Result<(), CallError> {
        let answer = self.0.delete_user_policy().user_name(user.as_str()).policy_name(policy).send().await;
        unless_absent("iam:DeleteUserPolicy", answer, is_absent).map(drop)
    }

    /// The ARNs of the managed policies that are attached to a user.
    pub async fn list_attached_policies_of_user(&self, user: &UserName) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_attached_user_policies().user_name(user.as_str()).into_paginator().send();
        let pages = pages("iam:ListAttachedUserPolicies", stream).await?;
        let policies = pages.iter().flat_map(ListAttachedUserPoliciesOutput::attached_policies);
        Ok(policies.filter_map(|policy| policy.policy_arn().map(ToOwned::to_owned)).collect())
    }

    /// Detaches a managed policy from a user. No error when it is not attached.
    pub async fn detach_policy_of_user(&self, user: &UserName, policy_arn: &str) -> Result<(), CallError> {
        let answer = self.0.detach_user_policy().user_name(user.as_str()).policy_arn(policy_arn).send().await;
        unless_absent("iam:DetachUserPolicy", answer, is_absent).map(drop)
    }
}
