//! Groups of an account and the managed policies that it has of its own.

use aws_sdk_iam::{
    operation::{
        delete_group_policy::DeleteGroupPolicyError, delete_policy::DeletePolicyError,
        delete_policy_version::DeletePolicyVersionError, detach_group_policy::DetachGroupPolicyError,
    },
    types::{AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail, PolicyDetail},
};
use percent_encoding::percent_decode_str;

use super::{IamGateway, unless_absent};
use crate::{
    error::Cause,
    gateway::{CallError, one_more_page},
};

/// A group as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentGroup {
    /// Its name.
    pub name: String,
    /// Where it stands in the account's tree of names.
    pub path: String,
    /// The ARNs of the managed policies that are attached to it.
    pub attached: Vec<String>,
    /// The names of the policies that are written into it.
    pub inline: Vec<String>,
}

/// A managed policy of the account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentPolicy {
    /// Its ARN.
    pub arn: String,
    /// What it is called.
    pub name: String,
    /// Where it stands in the account's tree of names.
    pub path: String,
    /// The version in force, as JSON.
    pub document: String,
    /// The ids of the versions that are not in force, the oldest first.
    pub other_versions: Vec<String>,
    /// To how many users, groups and roles it is attached.
    pub attachments: i32,
}

/// The groups and managed policies of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupsAndPolicies {
    /// Every group.
    pub groups: Vec<PresentGroup>,
    /// Every managed policy that the account has of its own.
    pub policies: Vec<PresentPolicy>,
}

const READ: &str = "iam:GetAccountAuthorizationDetails";

impl IamGateway {
    /// Every group and every managed policy of the account's own, with what they say: one call for some hundred of them.
    pub async fn read_groups_and_policies(&self) -> Result<GroupsAndPolicies, CallError> {
        let call = self.0.get_account_authorization_details();
        let call = call.filter(EntityType::Group).filter(EntityType::LocalManagedPolicy).max_items(1000);
        let mut pages = call.into_paginator().send();
        let (mut found, mut read) = (GroupsAndPolicies::default(), 0);
        while let Some(page) = pages.next().await {
            one_more_page(READ, read)?;
            read += 1;
            let page = page.map_err(|error| CallError::of(READ, error))?;
            found.groups.extend(page.group_detail_list().iter().map(group));
            for policy in page.policies() {
                found.policies.push(present_policy(policy)?);
            }
        }
        Ok(found)
    }

    /// Makes a group.
    pub async fn create_group(&self, name: &str, path: &str) -> Result<(), CallError> {
        let answer = self.0.create_group().group_name(name).path(path).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:CreateGroup", error))
    }

    /// Makes a managed policy.
    pub async fn create_policy(&self, name: &str, path: &str, document: &str) -> Result<(), CallError> {
        let answer = self.0.create_policy().policy_name(name).path(path).policy_document(document).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:CreatePolicy", error))
    }

    /// Gives a managed policy another version, which is in force from now on. A policy has five at most.
    pub async fn create_policy_version(&self, arn: &str, document: &str) -> Result<(), CallError> {
        let call = self.0.create_policy_version().policy_arn(arn).policy_document(document).set_as_default(true);
        call.send().await.map(drop).map_err(|error| CallError::of("iam:CreatePolicyVersion", error))
    }

    /// Deletes a version of a managed policy that is not in force. No error when it is gone.
    pub async fn delete_policy_version(&self, arn: &str, version: &str) -> Result<(), CallError> {
        let answer = self.0.delete_policy_version().policy_arn(arn).version_id(version).send().await;
        unless_absent("iam:DeletePolicyVersion", answer, DeletePolicyVersionError::is_no_such_entity_exception)
            .map(drop)
    }

    /// Deletes a managed policy that is attached to nothing and has one version. No error when it is gone.
    pub async fn delete_policy(&self, arn: &str) -> Result<(), CallError> {
        let answer = self.0.delete_policy().policy_arn(arn).send().await;
        unless_absent("iam:DeletePolicy", answer, DeletePolicyError::is_no_such_entity_exception).map(drop)
    }

    /// Attaches a managed policy to a group; one that is attached already stays.
    pub async fn attach_group_policy(&self, group: &str, arn: &str) -> Result<(), CallError> {
        let answer = self.0.attach_group_policy().group_name(group).policy_arn(arn).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:AttachGroupPolicy", error))
    }

    /// Detaches a managed policy from a group. No error when it is not attached.
    pub async fn detach_group_policy(&self, group: &str, arn: &str) -> Result<(), CallError> {
        let answer = self.0.detach_group_policy().group_name(group).policy_arn(arn).send().await;
        unless_absent("iam:DetachGroupPolicy", answer, DetachGroupPolicyError::is_no_such_entity_exception).map(drop)
    }

    /// Takes a policy that is written into a group out of it. No error when it is gone.
    pub async fn delete_group_policy(&self, group: &str, policy: &str) -> Result<(), CallError> {
        let answer = self.0.delete_group_policy().group_name(group).policy_name(policy).send().await;
        unless_absent("iam:DeleteGroupPolicy", answer, DeleteGroupPolicyError::is_no_such_entity_exception).map(drop)
    }
}

fn group(group: &GroupDetail) -> PresentGroup {
    let texts = |texts: Vec<Option<&str>>| texts.into_iter().flatten().map(ToOwned::to_owned).collect();
    PresentGroup {
        name: group.group_name().unwrap_or_default().to_owned(),
        path: group.path().unwrap_or_default().to_owned(),
        attached: texts(group.attached_managed_policies().iter().map(AttachedPolicy::policy_arn).collect()),
        inline: texts(group.group_policy_list().iter().map(PolicyDetail::policy_name).collect()),
    }
}

fn present_policy(policy: &ManagedPolicyDetail) -> Result<PresentPolicy, CallError> {
    let unusable = |what: &str| CallError::unusable(READ, Cause::CallFailed, format!("a policy {what}"));
    let arn = policy.arn().ok_or_else(|| unusable("without Arn"))?;
    let versions = policy.policy_version_list();
    let in_force = versions.iter().find(|version| version.is_default_version());
    let document = in_force.and_then(|version| version.document()).ok_or_else(|| unusable("without a document"))?;
    let document = percent_decode_str(document).decode_utf8().map_err(|_| unusable("that is not text"))?;
    let others = versions.iter().filter(|version| !version.is_default_version());
    let mut others: Vec<_> = others.filter_map(|version| version.version_id()).map(ToOwned::to_owned).collect();
    // Their ids are v1, v2 and so on: v10 is younger than v9.
    others.sort_by_key(|id| id.trim_start_matches('v').parse::<u32>().unwrap_or(u32::MAX));
    Ok(PresentPolicy {
        arn: arn.to_owned(),
        name: policy.policy_name().unwrap_or_default().to_owned(),
        path: policy.path().unwrap_or_default().to_owned(),
        document: document.into_owned(),
        other_versions: others,
        attachments: policy.attachment_count().unwrap_or_default(),
    })
}
