//! Roles of an account.

use aws_sdk_iam::{
    operation::{
        detach_role_policy::DetachRolePolicyError, get_role::GetRoleError,
        list_attached_role_policies::ListAttachedRolePoliciesError, list_role_policies::ListRolePoliciesError,
    },
    types::AttachedPolicy,
};
use percent_encoding::percent_decode_str;

use super::{IamGateway, unless_absent};
use crate::{
    error::Cause,
    gateway::{CallError, one_more_page},
    ids::RoleName,
};

/// A role as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Where it stands in the account's tree of names, for example `/` or `/people/`.
    pub path: String,
    /// Who may assume it, as JSON.
    pub trust_policy: String,
    /// How long its sessions may last.
    pub max_session_seconds: i32,
    /// What it is for, as somebody has written it.
    pub description: Option<String>,
    /// The ARN of the policy that bounds what it can do, whatever else it has.
    pub permissions_boundary: Option<String>,
}

/// A role that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRole<'a> {
    /// Its name.
    pub name: &'a RoleName,
    /// As in [`Role`].
    pub path: &'a str,
    /// As in [`Role`].
    pub trust_policy: &'a str,
    /// As in [`Role`].
    pub max_session_seconds: i32,
    /// As in [`Role`].
    pub permissions_boundary: Option<&'a str>,
    /// What it is for.
    pub description: &'a str,
}

impl IamGateway {
    /// The role of this name; None when there is none.
    pub async fn find_role(&self, name: &RoleName) -> Result<Option<Role>, CallError> {
        const OPERATION: &str = "iam:GetRole";
        let unusable = |detail: &str| CallError::unusable(OPERATION, Cause::CallFailed, detail);
        let answer = self.0.get_role().role_name(name.as_str()).send().await;
        let answer = unless_absent(OPERATION, answer, GetRoleError::is_no_such_entity_exception)?;
        let role = answer.map(|answer| {
            let role = answer.role().ok_or_else(|| unusable("an answer without Role"))?;
            let trust_policy = percent_decode_str(role.assume_role_policy_document().unwrap_or_default()).decode_utf8();
            // A boundary without an ARN is one all the same.
            let boundary = role.permissions_boundary();
            let boundary = boundary.map(|boundary| boundary.permissions_boundary_arn().unwrap_or("unnamed").to_owned());
            Ok(Role {
                path: role.path().to_owned(),
                trust_policy: trust_policy.map_err(|_| unusable("a trust policy that is not text"))?.into_owned(),
                max_session_seconds: role.max_session_duration().unwrap_or(3600),
                description: role.description().map(ToOwned::to_owned),
                permissions_boundary: boundary,
            })
        });
        role.transpose()
    }

    /// The ARNs of the managed policies that are attached to a role; none when there is no such role.
    pub async fn list_attached_policies(&self, role: &RoleName) -> Result<Vec<String>, CallError> {
        let mut pages = self.0.list_attached_role_policies().role_name(role.as_str()).into_paginator().send();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            one_more_page("iam:ListAttachedRolePolicies", read)?;
            read += 1;
            let is_absent = ListAttachedRolePoliciesError::is_no_such_entity_exception;
            let Some(page) = unless_absent("iam:ListAttachedRolePolicies", page, is_absent)? else { break };
            let arns = page.attached_policies().iter().filter_map(AttachedPolicy::policy_arn);
            found.extend(arns.map(ToOwned::to_owned));
        }
        Ok(found)
    }

    /// The names of the policies that are written into a role; none when there is no such role.
    pub async fn list_inline_policies(&self, role: &RoleName) -> Result<Vec<String>, CallError> {
        let mut pages = self.0.list_role_policies().role_name(role.as_str()).into_paginator().send();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            one_more_page("iam:ListRolePolicies", read)?;
            read += 1;
            let is_absent = ListRolePoliciesError::is_no_such_entity_exception;
            let Some(page) = unless_absent("iam:ListRolePolicies", page, is_absent)? else { break };
            found.extend_from_slice(page.policy_names());
        }
        Ok(found)
    }

    /// A policy that is written into a role, as JSON. One that is gone since it was listed is an error: what the role may
    /// do is changing at this moment.
    pub async fn read_inline_policy(&self, role: &RoleName, policy: &str) -> Result<String, CallError> {
        const OPERATION: &str = "iam:GetRolePolicy";
        let answer = self.0.get_role_policy().role_name(role.as_str()).policy_name(policy).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let document = percent_decode_str(answer.policy_document()).decode_utf8();
        let unusable = |_| CallError::unusable(OPERATION, Cause::CallFailed, "a policy that is not text");
        document.map(std::borrow::Cow::into_owned).map_err(unusable)
    }

    /// Makes a role.
    pub async fn create_role(&self, role: &NewRole<'_>) -> Result<(), CallError> {
        let call = self.0.create_role().role_name(role.name.as_str()).path(role.path).description(role.description);
        let call = call.assume_role_policy_document(role.trust_policy).max_session_duration(role.max_session_seconds);
        let call = call.set_permissions_boundary(role.permissions_boundary.map(ToOwned::to_owned));
        call.send().await.map(drop).map_err(|error| CallError::of("iam:CreateRole", error))
    }

    /// Replaces who may assume a role.
    pub async fn put_trust_policy(&self, role: &RoleName, trust_policy: &str) -> Result<(), CallError> {
        let call = self.0.update_assume_role_policy().role_name(role.as_str()).policy_document(trust_policy);
        call.send().await.map(drop).map_err(|error| CallError::of("iam:UpdateAssumeRolePolicy", error))
    }

    /// Sets how long the sessions of a role may last.
    pub async fn set_max_session(&self, role: &RoleName, seconds: i32) -> Result<(), CallError> {
        let call = self.0.update_role().role_name(role.as_str()).max_session_duration(seconds);
        call.send().await.map(drop).map_err(|error| CallError::of("iam:UpdateRole", error))
    }

    /// Sets what a role is for.
    pub async fn set_description(&self, role: &RoleName, description: &str) -> Result<(), CallError> {
        let answer = self.0.update_role().role_name(role.as_str()).description(description).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:UpdateRole", error))
    }

    /// Attaches a managed policy to a role; one that is attached already stays.
    pub async fn attach_policy(&self, role: &RoleName, policy_arn: &str) -> Result<(), CallError> {
        let call = self.0.attach_role_policy().role_name(role.as_str()).policy_arn(policy_arn);
        call.send().await.map(drop).map_err(|error| CallError::of("iam:AttachRolePolicy", error))
    }

    /// Detaches a managed policy from a role. No error when it is not attached.
    pub async fn detach_policy(&self, role: &RoleName, policy_arn: &str) -> Result<(), CallError> {
        let answer = self.0.detach_role_policy().role_name(role.as_str()).policy_arn(policy_arn).send().await;
        let is_absent = DetachRolePolicyError::is_no_such_entity_exception;
        unless_absent("iam:DetachRolePolicy", answer, is_absent).map(drop)
    }
}
