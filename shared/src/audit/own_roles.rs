//! The roles of this stack's own functions, and what each of them may do of what the stack's rules hear.
//!
//! Whoever holds a function's credentials looks like the function. What the function's policy does not allow is therefore
//! never excused as Steward's own work: either somebody has its credentials, or somebody has changed its policy.

/// A role of this stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRole {
    /// The function that it is of, or what it is for: `root-task-runner`, `organization-preparer-writer`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

impl From<(String, String)> for OwnRole {
    /// Of a function's name and its role's ARN.
    fn from((name, arn): (String, String)) -> Self {
        Self { name, arn }
    }
}

const KEEPS_CONTACTS_REGIONS_AND_PLACES: &[&str] = &[
    "account:DeleteAlternateContact",
    "account:DisableRegion",
    "account:EnableRegion",
    "account:PutAlternateContact",
    "account:PutContactInformation",
    "organizations:MoveAccount",
    "organizations:TagResource",
    "sts:AssumeRoot",
];

/// What each role may do of what the rules hear: changes of the organization, of accounts and of IAM, and root sessions. As
/// the template's policies have it, which a test compares.
pub const MAY: &[(&str, &[&str])] = &[
    (
        "account-closer",
        &[
            "organizations:CloseAccount",
            "organizations:MoveAccount",
            "organizations:TagResource",
            "organizations:UntagResource",
        ],
    ),
    ("account-lister", &[]),
    ("account-requester", &[]),
    (
        "account-updater",
        &[
            "account:AcceptPrimaryEmailUpdate",
            "account:DeleteAlternateContact",
            "account:PutAccountName",
            "account:PutAlternateContact",
            "account:StartPrimaryEmailUpdate",
            "iam:UpdateAccountEmailAddress",
            "iam:UpdateAccountName",
        ],
    ),
    ("activity-auditor", &[]),
    ("baseline-applier", KEEPS_CONTACTS_REGIONS_AND_PLACES),
    ("compliance-checker", KEEPS_CONTACTS_REGIONS_AND_PLACES),
    ("compliance-reporter", &[]),
    (
        "create-account-poller",
        &["organizations:CreateAccount", "organizations:MoveAccount", "organizations:TagResource"],
    ),
    ("dead-letter-replayer", &[]),
    ("jump-user-manager", &[]),
    ("notifier", &[]),
    ("organization-preparer", &[]),
    (
        "own-account",
        &[
            "iam:AttachGroupPolicy",
            "iam:CreateAccountAlias",
            "iam:CreateGroup",
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeleteGroupPolicy",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:DetachGroupPolicy",
            "iam:UpdateAccountPasswordPolicy",
        ],
    ),
    (
        "organization-preparer-writer",
        &[
            "cloudtrail:CreateTrail",
            "cloudtrail:StartLogging",
            "cloudtrail:UpdateTrail",
            "iam:CreateServiceLinkedRole",
            "iam:EnableOrganizationsRootCredentialsManagement",
            "iam:EnableOrganizationsRootSessions",
            "organizations:AttachPolicy",
            "organizations:CreatePolicy",
            "organizations:EnableAWSServiceAccess",
            "organizations:EnablePolicyType",
            "organizations:RegisterDelegatedAdministrator",
            "organizations:UpdatePolicy",
        ],
    ),
    ("region-opt-auditor", &["account:DisableRegion", "account:EnableRegion"]),
    (
        "root-task-runner",
        &[
            "iam:DisableOrganizationsRootCredentialsManagement",
            "iam:DisableOrganizationsRootSessions",
            "iam:EnableOrganizationsRootCredentialsManagement",
            "iam:EnableOrganizationsRootSessions",
            "sts:AssumeRoot",
        ],
    ),
];

/// Whether the role of this name may do that: `organizations:MoveAccount`.
pub fn may(role: &str, action: &str) -> bool {
    MAY.iter().any(|(name, actions)| *name == role && actions.contains(&action))
}
