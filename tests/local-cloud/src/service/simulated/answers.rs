//! What a simulated account answers: that it has nothing, except perhaps an alias.

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::unknown;
use crate::front::answer::{ApiError, Protocol, cbor_ok, json_ok, query_body, query_ok};
use crate::front::request::Incoming;
use crate::service::Context;
use crate::service::root_access::IAM_NAMESPACE;
use crate::xml::{escape, members};

/// `{"MetricAlarms": [], "CompositeAlarms": []}` in CBOR.
const NO_ALARMS: &[u8] = b"\xa2\x6cMetricAlarms\x80\x6fCompositeAlarms\x80";

/// The ARN that a request is about, where IAM looks at it.
pub(super) fn resource(account: &str, request: &Incoming) -> Option<String> {
    match request.service.as_str() {
        "iam" => request.text("RoleName").map(|name| format!("arn:aws:iam::{account}:role/{name}")),
        "sns" => request.text("TopicArn").map(str::to_owned),
        _ => None,
    }
}

/// The answer to a request in an account with this alias.
pub(super) fn answer(context: &Context<'_>, alias: Option<&str>) -> Result<Response<Bytes>, ApiError> {
    let (request, account) = (context.request, &context.caller.account);
    match (request.service.as_str(), request.operation.as_str()) {
        ("budgets", "DescribeBudget" | "DescribeNotificationsForBudget") => {
            Err(ApiError::new(400, "NotFoundException", "Unable to get budget: the budget doesn't exist."))
        }
        ("config", "DescribeConfigurationRecorderStatus") => {
            Ok(json_ok(request.protocol, &json!({ "ConfigurationRecordersStatus": [] })))
        }
        ("config", "DescribeConfigurationRecorders") => {
            Ok(json_ok(request.protocol, &json!({ "ConfigurationRecorders": [] })))
        }
        ("config", "DescribeDeliveryChannelStatus") => {
            Ok(json_ok(request.protocol, &json!({ "DeliveryChannelsStatus": [] })))
        }
        ("cloudwatch", "DescribeAlarms") => match request.protocol {
            Protocol::Cbor => Ok(cbor_ok(NO_ALARMS)),
            Protocol::Json10 => Ok(json_ok(Protocol::Json10, &json!({ "MetricAlarms": [], "CompositeAlarms": [] }))),
            _ => Err(unknown(request)),
        },
        ("iam", "ListAccountAliases") => {
            let aliases = members(alias.iter().map(|alias| escape(&alias.replace("{account_id}", account))));
            let result = format!("<AccountAliases>{aliases}</AccountAliases><IsTruncated>false</IsTruncated>");
            Ok(query_ok(query_body(&context.core.ids, IAM_NAMESPACE, "ListAccountAliases", &result)))
        }
        ("iam", "GetAccountSummary") => {
            let summary = context.core.services.root_access.summary(account);
            Ok(query_ok(query_body(&context.core.ids, IAM_NAMESPACE, "GetAccountSummary", &summary)))
        }
        ("iam", "GetAccountPasswordPolicy") => {
            Err(no_entity(format!("The Password Policy with domain name {account} cannot be found.")))
        }
        ("iam", "GetRole" | "ListAttachedRolePolicies" | "ListRolePolicies") => {
            let name = request.text("RoleName").unwrap_or_default();
            Err(no_entity(format!("The role with name {name} cannot be found.")))
        }
        ("events", "ListRuleNamesByTarget") => Ok(json_ok(request.protocol, &json!({ "RuleNames": [] }))),
        ("sns", "GetTopicAttributes" | "ListSubscriptionsByTopic") => {
            Err(ApiError::new(404, "NotFound", "Topic does not exist"))
        }
        _ => Err(unknown(request)),
    }
}

fn no_entity(message: String) -> ApiError {
    ApiError::new(404, "NoSuchEntity", message)
}
