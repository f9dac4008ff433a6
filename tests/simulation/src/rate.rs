//! Published rates as token buckets, one for each calling account and operation.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The buckets of everybody who has called.
#[derive(Debug, Default)]
pub(crate) struct Rates(BTreeMap<(String, String), (f64, Timestamp)>);

impl Rates {
    /// Takes one token; false when there is none.
    pub(crate) fn take(&mut self, account: &str, operation: &str, now: Timestamp) -> bool {
        let Some((per_second, burst)) = published(operation) else { return true };
        let key = (account.to_owned(), operation.to_owned());
        let (tokens, filled) = self.0.entry(key).or_insert((burst, now));
        *tokens = (*tokens + now.duration_since(*filled).as_secs_f64() * per_second).min(burst);
        *filled = now;
        let is_granted = *tokens >= 1.0;
        if is_granted {
            *tokens -= 1.0;
        }
        is_granted
    }
}

/// The steady rate per second and the burst (user guides of AWS Organizations, of AWS Account Management and of Amazon
/// CloudWatch, "Quotas").
fn published(operation: &str) -> Option<(f64, f64)> {
    Some(match operation {
        "organizations:CloseAccount" => (0.05, 1.0),
        "organizations:CreateAccount" => (0.1, 3.0),
        "organizations:DescribeOrganization" | "organizations:ListRoots" => (1.0, 2.0),
        "organizations:DescribeAccount" => (20.0, 30.0),
        "organizations:DescribeCreateAccountStatus" | "organizations:DescribeOrganizationalUnit" => (2.0, 2.0),
        "organizations:ListAccounts" => (8.0, 12.0),
        "account:PutAlternateContact"
        | "account:PutContactInformation"
        | "organizations:ListCreateAccountStatus"
        | "organizations:ListAccountsForParent"
        | "organizations:ListDelegatedAdministrators"
        | "organizations:ListOrganizationalUnitsForParent"
        | "organizations:ListParents" => (5.0, 8.0),
        "organizations:DeleteOrganizationalUnit"
        | "organizations:MoveAccount"
        | "organizations:UpdateOrganizationalUnit" => (2.0, 3.0),
        "organizations:TagResource" | "organizations:UntagResource" => (4.0, 6.0),
        "organizations:ListTagsForResource" | "account:GetAlternateContact" | "account:GetContactInformation" => {
            (10.0, 15.0)
        }
        "account:DeleteAlternateContact" => (1.0, 6.0),
        "account:ListRegions" => (5.0, 5.0),
        "monitoring:DescribeAlarms" => (9.0, 9.0),
        "account:GetAccountInformation" | "account:GetPrimaryEmail" | "monitoring:PutMetricAlarm" => (3.0, 3.0),
        "account:AcceptPrimaryEmailUpdate"
        | "account:DisableRegion"
        | "account:EnableRegion"
        | "account:PutAccountName"
        | "account:StartPrimaryEmailUpdate" => (1.0, 1.0),
        _ => return None,
    })
}
