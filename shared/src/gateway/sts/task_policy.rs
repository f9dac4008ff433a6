//! What a session of the root user may be opened for.

use strum::{IntoStaticStr, VariantArray};

use crate::closed_set::ClosedSet;

/// One task of the root user. It decides what the session may do: a caller names a task, never a policy.
///
/// It goes by the name of its policy. The policies are AWS managed and deny everything else (IAM user guide, "AWS managed policies", `root-task/*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum TaskPolicy {
    /// See which credentials the root user has.
    #[strum(serialize = "IAMAuditRootUserCredentials")]
    AuditCredentials,
    /// Delete them.
    #[strum(serialize = "IAMDeleteRootUserCredentials")]
    DeleteCredentials,
    /// Let the owner of the primary e-mail address set a password.
    #[strum(serialize = "IAMCreateRootUserPassword")]
    AllowPasswordRecovery,
    /// Read, remove or replace a bucket policy that locks everybody out.
    #[strum(serialize = "S3UnlockBucketPolicy")]
    UnlockBucketPolicy,
    /// Read, remove or replace a queue policy that locks everybody out.
    #[strum(serialize = "SQSUnlockQueuePolicy")]
    UnlockQueuePolicy,
}

impl TaskPolicy {
    /// The policy that bounds the session.
    pub fn policy_arn(self) -> String {
        format!("arn:aws:iam::aws:policy/root-task/{}", self.name())
    }

    /// Every IAM action that the policy allows.
    pub fn allowed_actions(self) -> &'static [&'static str] {
        match self {
            Self::AuditCredentials => &[
                "iam:GetAccessKeyLastUsed",
                "iam:GetAccountSummary",
                "iam:GetLoginProfile",
                "iam:GetUser",
                "iam:ListAccessKeys",
                "iam:ListMFADevices",
                "iam:ListSigningCertificates",
            ],
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
            Self::AllowPasswordRecovery => &["iam:CreateLoginProfile", "iam:GetLoginProfile"],
            Self::UnlockBucketPolicy => {
                &["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:ListAllMyBuckets", "s3:PutBucketPolicy"]
            }
            Self::UnlockQueuePolicy => {
                &["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueues", "sqs:SetQueueAttributes"]
            }
        }
    }

    /// How long the session lasts: as short as the task allows. AWS STS gives 900 s at most.
    pub fn session_seconds(self) -> i32 {
        match self {
            // One call follows at once.
            Self::AuditCredentials | Self::AllowPasswordRecovery => 60,
            // Half-done work is worse than a session of some minutes.
            Self::DeleteCredentials | Self::UnlockBucketPolicy | Self::UnlockQueuePolicy => 900,
        }
    }
}
