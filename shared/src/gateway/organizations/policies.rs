//! Policies of the organization: what they say, and where they are attached.

use std::{collections::BTreeMap, fmt};

use aws_sdk_organizations::{
    operation::{
        attach_policy::AttachPolicyError, create_policy::CreatePolicyError, enable_policy_type::EnablePolicyTypeError,
        update_policy::UpdatePolicyError,
    },
    types::{ConstraintViolationExceptionReason, InvalidInputExceptionReason, PolicyType, PolicyTypeStatus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{OrganizationsGateway, incomplete, parsed};
use crate::{closed_set::ClosedSet, gateway::CallError, ids::OrganizationalUnitId};

/// A type of policy, by the name that AWS Organizations has for it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PolicyKind {
    /// What callers in member accounts may do at most.
    ServiceControlPolicy,
    /// What callers may do at most with resources of member accounts.
    ResourceControlPolicy,
    /// How tags are spelt.
    TagPolicy,
    /// What is backed up.
    BackupPolicy,
    /// Whether AI services may keep content.
    #[serde(rename = "AISERVICES_OPT_OUT_POLICY")]
    #[strum(serialize = "AISERVICES_OPT_OUT_POLICY")]
    AiServicesOptOutPolicy,
    /// From where chat applications reach accounts.
    ChatbotPolicy,
    /// Settings of Amazon EC2, Amazon VPC and Amazon EBS.
    #[serde(rename = "DECLARATIVE_POLICY_EC2")]
    #[strum(serialize = "DECLARATIVE_POLICY_EC2")]
    DeclarativePolicyEc2,
    /// Security Hub.
    #[serde(rename = "SECURITYHUB_POLICY")]
    #[strum(serialize = "SECURITYHUB_POLICY")]
    SecurityHubPolicy,
    /// Amazon Inspector.
    InspectorPolicy,
    /// In which order resources are upgraded.
    UpgradeRolloutPolicy,
    /// Amazon Bedrock.
    BedrockPolicy,
    /// Settings of Amazon S3.
    #[serde(rename = "S3_POLICY")]
    #[strum(serialize = "S3_POLICY")]
    S3Policy,
    /// Network Security Director.
    NetworkSecurityDirectorPolicy,
    /// Amazon `GuardDuty`.
    #[serde(rename = "GUARDDUTY_POLICY")]
    #[strum(serialize = "GUARDDUTY_POLICY")]
    GuardDutyPolicy,
}

impl PolicyKind {
    fn model(self) -> PolicyType {
        PolicyType::from(self.name())
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether policies of a type count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyTypeState {
    /// They do.
    Enabled,
    /// AWS is at work on it.
    Changing,
}

/// The root, and the types of policies that are not off there, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTypes {
    /// The root.
    pub root: OrganizationalUnitId,
    /// The types.
    pub states: BTreeMap<String, PolicyTypeState>,
}

/// A policy, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySummary {
    /// Its id, `p-...`.
    pub id: String,
    /// Its name, unique among those of its type.
    pub name: String,
    /// Whether it is AWS's own, such as `FullAWSAccess`.
    pub is_aws_managed: bool,
}

/// A policy that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicy {
    /// Its type.
    pub kind: PolicyKind,
    /// Its name.
    pub name: String,
    /// What it is for; 512 characters at most.
    pub description: String,
    /// What it says, as JSON.
    pub content: String,
}

impl OrganizationsGateway {
    /// The root, with the types of policies that are enabled there.
    pub async fn policy_types(&self) -> Result<PolicyTypes, CallError> {
        const OPERATION: &str = "organizations:ListRoots";
        self.aws(OPERATION)?.limiters.list_roots.turn(OPERATION).await?;
        let answer =
            self.aws(OPERATION)?.client.list_roots().send().await.map_err(|error| CallError::of(OPERATION, error))?;
        let root = answer.roots().first().ok_or_else(|| incomplete(OPERATION, "Roots"))?;
        let states = root.policy_types().iter().filter_map(|entry| {
            let state = match entry.status()? {
                PolicyTypeStatus::Enabled => PolicyTypeState::Enabled,
                _ => PolicyTypeState::Changing,
            };
            Some((entry.r#type()?.as_str().to_owned(), state))
        });
        Ok(PolicyTypes { root: parsed(OPERATION, "Id", root.id())?, states: states.collect() })
    }

    /// Lets policies of a type count. No error when they do already.
    pub async fn enable_policy_type(&self, root: &OrganizationalUnitId, kind: PolicyKind) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:EnablePolicyType";
        self.aws(OPERATION)?.limiters.change_policies.turn(OPERATION).await?;
        match self
            .aws(OPERATION)?
            .client
            .enable_policy_type()
            .root_id(root.as_str())
            .policy_type(kind.model())
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(EnablePolicyTypeError::is_policy_type_already_enabled_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(CallError::with_reason(OPERATION, error, |error| match error {
                EnablePolicyTypeError::ConstraintViolationException(e) => {
                    e.reason().map(ConstraintViolationExceptionReason::as_str)
                }
                _ => None,
            })),
        }
    }

    /// Every policy of a type.
    pub async fn list_policies(&self, kind: PolicyKind) -> Result<Vec<PolicySummary>, CallError> {
        const OPERATION: &str = "organizations:ListPolicies";
        let mut pages = self.aws(OPERATION)?.client.list_policies().filter(kind.model()).into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_policies.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.policies() {
                found.push(summary(OPERATION, entry)?);
            }
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_policies.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// The policies of a type that are attached to a root, unit or account itself.
    pub async fn list_policies_of_target(
        &self,
        target: &str,
        kind: PolicyKind,
    ) -> Result<Vec<PolicySummary>, CallError> {
        const OPERATION: &str = "organizations:ListPoliciesForTarget";
        let call = self.aws(OPERATION)?.client.list_policies_for_target().target_id(target).filter(kind.model());
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_policies_of_target.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.policies() {
                found.push(summary(OPERATION, entry)?);
            }
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_policies_of_target.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// The roots, units and accounts that a policy is attached to itself, by their ids.
    pub async fn list_targets_of_policy(&self, id: &str) -> Result<Vec<String>, CallError> {
        const OPERATION: &str = "organizations:ListTargetsForPolicy";
        let mut pages = self.aws(OPERATION)?.client.list_targets_for_policy().policy_id(id).into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_targets_of_policy.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            found.extend(page.targets().iter().filter_map(|target| target.target_id()).map(ToOwned::to_owned));
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_targets_of_policy.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// What a policy says, as JSON.
    pub async fn policy_content(&self, id: &str) -> Result<String, CallError> {
        const OPERATION: &str = "organizations:DescribePolicy";
        self.aws(OPERATION)?.limiters.describe_policy.turn(OPERATION).await?;
        let answer = self.aws(OPERATION)?.client.describe_policy().policy_id(id).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let content = answer.policy.and_then(|policy| policy.content);
        content.ok_or_else(|| incomplete(OPERATION, "Content"))
    }

    /// Makes a policy that is attached to nothing yet.
    pub async fn create_policy(&self, policy: &NewPolicy) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:CreatePolicy";
        self.aws(OPERATION)?.limiters.change_policies.turn(OPERATION).await?;
        let call = self.aws(OPERATION)?.client.create_policy().r#type(policy.kind.model()).name(&policy.name);
        let answer = call.description(&policy.description).content(&policy.content).send().await;
        answer.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                CreatePolicyError::ConstraintViolationException(e) => {
                    e.reason().map(ConstraintViolationExceptionReason::as_str)
                }
                CreatePolicyError::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
                _ => None,
            })
        })
    }

    /// Has a policy say this, as JSON.
    pub async fn update_policy(&self, id: &str, content: &str) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:UpdatePolicy";
        self.aws(OPERATION)?.limiters.change_policies.turn(OPERATION).await?;
        let answer = self.aws(OPERATION)?.client.update_policy().policy_id(id).content(content).send().await;
        answer.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                UpdatePolicyError::ConstraintViolationException(e) => {
                    e.reason().map(ConstraintViolationExceptionReason::as_str)
                }
                UpdatePolicyError::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
                _ => None,
            })
        })
    }

    /// Attaches a policy to a root, unit or account. No error when it is attached already.
    pub async fn attach_policy(&self, id: &str, target: &str) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:AttachPolicy";
        self.aws(OPERATION)?.limiters.attach_policy.turn(OPERATION).await?;
        match self.aws(OPERATION)?.client.attach_policy().policy_id(id).target_id(target).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(AttachPolicyError::is_duplicate_policy_attachment_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(CallError::with_reason(OPERATION, error, |error| match error {
                AttachPolicyError::ConstraintViolationException(e) => {
                    e.reason().map(ConstraintViolationExceptionReason::as_str)
                }
                AttachPolicyError::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
                _ => None,
            })),
        }
    }
}

fn summary(
    operation: &'static str,
    entry: &aws_sdk_organizations::types::PolicySummary,
) -> Result<PolicySummary, CallError> {
    Ok(PolicySummary {
        id: entry.id().ok_or_else(|| incomplete(operation, "Id"))?.to_owned(),
        name: entry.name().unwrap_or_default().to_owned(),
        is_aws_managed: entry.aws_managed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_written_as_aws_calls_it() {
        for name in ["SERVICE_CONTROL_POLICY", "AISERVICES_OPT_OUT_POLICY", "DECLARATIVE_POLICY_EC2", "S3_POLICY"] {
            let kind: PolicyKind = serde_json::from_value(name.into()).unwrap();
            assert_eq!((kind.name(), serde_json::to_value(kind).unwrap()), (name, name.into()));
        }
    }
}
