//! What organization checks read of the management account, in which nothing is missing.

use serde_json::json;

use super::Answer;
use crate::call::Call;

/// The answer, if that is what is asked for.
pub(super) fn answer(call: &Call) -> Option<Answer> {
    const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/organization";
    let answer = match (call.service.as_str(), call.operation.as_str()) {
        ("billing", "GetBillingPreferences") => {
            json!({"billingPreferences": [{"feature": "BILLING_ALERTS", "key": "alerts", "value": "ENABLED"}]})
        }
        ("cloudtrail", "DescribeTrails") => json!({"trailList": [{"Name": "organization", "TrailARN": TRAIL,
            "S3BucketName": "logs", "HomeRegion": "us-east-1", "IsOrganizationTrail": true, "IsMultiRegionTrail": true,
            "LogFileValidationEnabled": true}]}),
        ("cloudtrail", "GetTrailStatus") => json!({"IsLogging": true, "LatestDeliveryTime": 1_790_000_000}),
        ("iam", "ListOrganizationsFeatures") => {
            let features = "<member>RootCredentialsManagement</member><member>RootSessions</member>";
            let result =
                format!("<OrganizationId>o-exampleorgid</OrganizationId><EnabledFeatures>{features}</EnabledFeatures>");
            return Some(Answer::query("ListOrganizationsFeatures", &result));
        }
        ("lambda", "GetAccountSettings") => json!({"AccountLimit": {"UnreservedConcurrentExecutions": 1000}}),
        _ => return None,
    };
    Some(Answer::json(&answer))
}
