//! What a session of the root user may be opened for.

/// One task of the root user. It decides what the session may do: a caller names a task, never a policy.
///
/// The policies are AWS managed and deny everything else (IAM user guide, "AWS managed policies", `root-task/*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskPolicy {
    /// See which credentials the root user has.
    AuditCredentials,
    /// Delete them.
    DeleteCredentials,
    /// Let the owner of the primary e-mail address set a password.
    AllowPasswordRecovery,
    /// Read, remove or replace a bucket policy that locks everybody out.
    UnlockBucketPolicy,
    /// Read, remove or replace a queue policy that locks everybody out.
    UnlockQueuePolicy,
}

impl TaskPolicy {
    /// Every task.
    pub const ALL: &[Self] = &[
        Self::AuditCredentials,
        Self::DeleteCredentials,
        Self::AllowPasswordRecovery,
        Self::UnlockBucketPolicy,
        Self::UnlockQueuePolicy,
    ];

    /// The policy that bounds the session.
    pub fn policy_arn(self) -> String {
        let name = match self {
            Self::AuditCredentials => "IAMAuditRootUserCredentials",
            Self::DeleteCredentials => "IAMDeleteRootUserCredentials",
            Self::AllowPasswordRecovery => "IAMCreateRootUserPassword",
            Self::UnlockBucketPolicy => "S3UnlockBucketPolicy",
            Self::UnlockQueuePolicy => "SQSUnlockQueuePolicy",
        };
        format!("arn:aws:iam::aws:policy/root-task/{name}")
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
