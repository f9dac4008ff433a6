//! The tasks that a session of a member account's root user may be opened for.

/// What the policies of all tasks have in common in their ARNs.
const PREFIX: &str = "arn:aws:iam::aws:policy/root-task/";

/// One of the managed policies that a root session is scoped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Audit,
    CreatePassword,
    DeleteCredentials,
    UnlockBucket,
    UnlockQueue,
}

/// What an organization must have enabled before a task may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    RootCredentialsManagement,
    RootSessions,
}

impl Feature {
    /// The feature of a name such as `RootSessions`.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::RootCredentialsManagement, Self::RootSessions].into_iter().find(|feature| feature.as_str() == name)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::RootCredentialsManagement => "RootCredentialsManagement",
            Self::RootSessions => "RootSessions",
        }
    }
}

impl Task {
    pub(super) fn from_arn(arn: &str) -> Option<Self> {
        Some(match arn.strip_prefix(PREFIX)? {
            "IAMAuditRootUserCredentials" => Self::Audit,
            "IAMCreateRootUserPassword" => Self::CreatePassword,
            "IAMDeleteRootUserCredentials" => Self::DeleteCredentials,
            "S3UnlockBucketPolicy" => Self::UnlockBucket,
            "SQSUnlockQueuePolicy" => Self::UnlockQueue,
            _ => return None,
        })
    }

    pub(super) fn feature(self) -> Feature {
        match self {
            Self::Audit | Self::CreatePassword | Self::DeleteCredentials => Feature::RootCredentialsManagement,
            Self::UnlockBucket | Self::UnlockQueue => Feature::RootSessions,
        }
    }

    /// Whether the task's policy lets an action through. Nothing can forbid a caller to ask who it is.
    pub(super) fn permits(self, action: &str) -> bool {
        action == "sts:GetCallerIdentity" || self.actions().contains(&action)
    }

    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Audit => &[
                "iam:GetAccessKeyLastUsed",
                "iam:GetAccountSummary",
                "iam:GetLoginProfile",
                "iam:GetUser",
                "iam:ListAccessKeys",
                "iam:ListMFADevices",
                "iam:ListSigningCertificates",
            ],
            Self::CreatePassword => &["iam:CreateLoginProfile", "iam:GetLoginProfile"],
            Self::DeleteCredentials => &[
                "iam:DeactivateMFADevice",
                "iam:DeleteAccessKey",
                "iam:DeleteLoginProfile",
                "iam:DeleteSigningCertificate",
                "iam:GetAccessKeyLastUsed",
                "iam:GetLoginProfile",
                "iam:GetUser",
                "iam:ListAccessKeys",
                "iam:ListMFADevices",
                "iam:ListSigningCertificates",
            ],
            Self::UnlockBucket => {
                &["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:ListAllMyBuckets", "s3:PutBucketPolicy"]
            }
            Self::UnlockQueue => {
                &["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueues", "sqs:SetQueueAttributes"]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_permits_its_own_actions_only() {
        let task = Task::from_arn("arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials").unwrap();
        assert!(task.permits("iam:DeleteLoginProfile") && task.permits("sts:GetCallerIdentity"));
        assert!(!task.permits("iam:GetAccountSummary") && !task.permits("iam:DeleteVirtualMFADevice"));
        assert_eq!(Task::from_arn("arn:aws:iam::aws:policy/AdministratorAccess"), None);
    }
}
