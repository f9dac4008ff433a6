//! What the policies of groups say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The longest document of a managed policy (quotas of IAM; white space does not count).
pub(super) const MAX_DOCUMENT: usize = 6144;

/// What every user may do before a second factor: what it takes to get one, and to change a password that has to be changed.
/// `GetSessionToken` takes the code of a device, and so leads to a session with a second factor.
const BEFORE_SECOND_FACTOR: [&str; 10] = [
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccountPasswordPolicy",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
];

/// The policy `policy-enforce-mfa`: users look after their own password, keys and devices, and without a second factor get no
/// further than to one.
pub(super) fn enforce_mfa() -> Value {
    // A user may stand at a path. The name of a device is free, and it belongs to nobody before it is enabled for a user.
    let own_user = json!(["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SeeWhatThereIs",
                "Effect": "Allow",
                "Action": [
                    "iam:GetAccountPasswordPolicy",
                    "iam:GetAccountSummary",
                    "iam:ListAccountAliases",
                    "iam:ListUsers",
                    "iam:ListVirtualMFADevices",
                ],
                "Resource": "*",
            },
            {
                "Sid": "LookAfterOneself",
                "Effect": "Allow",
                "Action": [
                    "iam:ChangePassword",
                    "iam:CreateAccessKey",
                    "iam:DeactivateMFADevice",
                    "iam:DeleteAccessKey",
                    "iam:EnableMFADevice",
                    "iam:GetAccessKeyLastUsed",
                    "iam:GetLoginProfile",
                    "iam:GetMFADevice",
                    "iam:GetUser",
                    "iam:ListAccessKeys",
                    "iam:ListGroupsForUser",
                    "iam:ListMFADevices",
                    "iam:ResyncMFADevice",
                    "iam:UpdateAccessKey",
                ],
                "Resource": own_user,
            },
            {
                "Sid": "MakeDevices",
                "Effect": "Allow",
                "Action": ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"],
                "Resource": "arn:aws:iam::*:mfa/*",
            },
            {
                "Sid": "NothingElseWithoutSecondFactor",
                "Effect": "Deny",
                "NotAction": BEFORE_SECOND_FACTOR,
                "Resource": "*",
                // Long-term keys have no such condition key, and are denied as well.
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ],
    })
}

/// The policy of people who may assume these roles, once they have signed in with a second factor.
pub(super) fn assume(role_arns: &BTreeSet<String>) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": role_arns,
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        }],
    })
}

/// Whether there is room for the ARNs of these roles in one policy.
pub(super) fn fits(role_arns: &BTreeSet<String>) -> bool {
    let empty = assume(&BTreeSet::new()).to_string().len();
    // Quotes and a comma.
    empty + role_arns.iter().map(|arn| arn.len() + 3).sum::<usize>() <= MAX_DOCUMENT
}

/// The resources that a policy names, for those of its kind.
pub(super) fn resources(document: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let statements = listed(&document["Statement"]).into_iter();
    let resources = statements.flat_map(|statement| listed(&statement["Resource"]));
    resources.filter_map(|resource| resource.as_str().map(ToOwned::to_owned)).collect()
}

/// The roles that a policy lets people assume in the words of [`assume`]; of statements in other words, nothing.
pub(super) fn assumed(document: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let is_own = |statement: &Value| {
        let named =
            listed(&statement["Resource"]).iter().filter_map(|arn| arn.as_str().map(ToOwned::to_owned)).collect();
        plain(&assume(&named)["Statement"]) == plain(statement)
    };
    let own = listed(&document["Statement"]).into_iter().filter(is_own);
    let named = own.flat_map(|statement| listed(&statement["Resource"]));
    named.filter_map(|arn| arn.as_str().map(ToOwned::to_owned)).collect()
}

/// Whether a policy says exactly this, however it is written.
pub(super) fn says(document: &str, wanted: &Value) -> bool {
    serde_json::from_str::<Value>(document).is_ok_and(|present| plain(&present) == plain(wanted))
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(entries) => entries.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// The order of a list means nothing in a policy, and a list of one entry is that entry.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(entries) => {
            let mut entries: Vec<_> = entries.iter().map(plain).collect();
            entries.sort_by_cached_key(ToString::to_string);
            entries.dedup();
            if entries.len() == 1 { entries.remove(0) } else { Value::Array(entries) }
        }
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        other => other.clone(),
    }
}
