//! CloudTrail's records of calls, as EventBridge delivers them: to the account that a call is about, some time later.
//!
//! Recorded are the calls whose records Steward listens to: changes through AWS Organizations and Account Management, and
//! `AssumeRoot`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::events;
use crate::identity::Caller;

/// What a record is made of.
pub(crate) struct Happened<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) input: &'a Value,
    pub(crate) access_key: &'a str,
    pub(crate) function: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    /// The temporary key that an `AssumeRoot` gave.
    pub(crate) key_given: Option<String>,
}

/// Tells the rules of the account that a call is about, in the background.
pub(crate) fn record(core: &Arc<Core>, caller: &Caller, happened: &Happened<'_>) {
    let by_root_session = caller.is_root() && happened.access_key.starts_with("ASIA");
    let recorded =
        is_recorded(happened.service, happened.operation) || (by_root_session && !is_read(happened.operation));
    if !recorded {
        return;
    }
    let account = recipient(caller, happened);
    let event = event(core, caller, &account, happened);
    let plan = core.services.organizations.record_plan(&account);
    events::deliver_as_planned(core, &account, &event, plan);
}

fn is_recorded(service: &str, operation: &str) -> bool {
    match service {
        "account" | "organizations" => !is_read(operation),
        "sts" => operation == "AssumeRoot",
        _ => false,
    }
}

fn is_read(operation: &str) -> bool {
    ["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
}

/// Account Management's calls are recorded in the account that they name, others in the caller's.
fn recipient(caller: &Caller, happened: &Happened<'_>) -> String {
    let named = happened.input["AccountId"].as_str().filter(|_| happened.service == "account");
    named.unwrap_or(&caller.account).to_owned()
}

fn event(core: &Core, caller: &Caller, account: &str, happened: &Happened<'_>) -> Value {
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut detail = json!({
        "eventVersion": "1.08",
        "userIdentity": identity(caller, happened.access_key),
        "eventTime": time,
        "eventSource": format!("{}.amazonaws.com", happened.service),
        "eventName": happened.operation,
        "awsRegion": crate::client::REGION,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": happened.function.map_or_else(|| "aws-cli/2".to_owned(), |name| format!("aws-sdk-rust app/{name}")),
        "requestParameters": parameters(happened.input),
        "responseElements": null,
        "requestID": core.ids.uuid(),
        "eventID": core.ids.uuid(),
        "readOnly": happened.service == "sts",
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "eventCategory": "Management",
        "recipientAccountId": account,
    });
    if let Some(key) = &happened.key_given {
        detail["responseElements"] = json!({"credentials": {"accessKeyId": key}});
    }
    if let Some(error) = happened.error {
        detail["errorCode"] = error.into();
        detail["errorMessage"] = "Refused".into();
    }
    json!({
        "version": "0",
        "id": core.ids.uuid(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": format!("aws.{}", happened.service),
        "account": account,
        "time": time,
        "region": crate::client::REGION,
        "resources": [],
        "detail": detail,
    })
}

fn identity(caller: &Caller, access_key: &str) -> Value {
    if caller.is_root() {
        return json!({"type": "Root", "principalId": caller.account, "arn": caller.arn, "accountId": caller.account,
            "accessKeyId": if access_key.starts_with("ASIA") { access_key } else { "" }});
    }
    if !caller.arn.contains(":assumed-role/") {
        let name = caller.arn.rsplit('/').next().unwrap_or_default();
        return json!({"type": "IAMUser", "arn": caller.arn, "accountId": caller.account, "userName": name,
            "accessKeyId": access_key});
    }
    let issuer = caller.policy_source();
    let name = issuer.rsplit('/').next().unwrap_or_default();
    json!({
        "type": "AssumedRole",
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": access_key,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": issuer, "accountId": caller.account, "userName": name},
            "attributes": {"mfaAuthenticated": "false"},
        },
    })
}

/// The parameters as CloudTrail spells them; names and addresses of accounts are masked.
fn parameters(input: &Value) -> Value {
    let Some(fields) = input.as_object() else { return Value::Null };
    let spelled = |name: &str| name[..1].to_lowercase() + &name[1..];
    let shown = |name: &str, value: &Value| match name {
        "AccountName" | "Email" | "PrimaryEmail" | "Otp" => "****".into(),
        _ => value.clone(),
    };
    let fields = fields.iter().filter(|(name, _)| !name.is_empty() && !matches!(name.as_str(), "Action" | "Version"));
    let nested = |name: &str, value: Value| match name.split_once('.') {
        Some((outer, inner)) => (spelled(outer), json!({inner: value})),
        None => (spelled(name), value),
    };
    let fields: Map<_, _> = fields.map(|(name, value)| nested(name, shown(name, value))).collect();
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_and_root_sessions_are_recorded() {
        assert!(is_recorded("account", "EnableRegion") && is_recorded("organizations", "MoveAccount"));
        assert!(is_recorded("sts", "AssumeRoot") && !is_recorded("sts", "AssumeRole"));
        assert!(!is_recorded("organizations", "ListAccounts") && !is_recorded("s3", "PutBucketPolicy"));
    }

    #[test]
    fn parameters_are_spelled_and_masked_as_cloudtrail_does() {
        let input = json!({"RegionName": "eu-south-1", "AccountName": "Shop", "Version": "1"});
        assert_eq!(parameters(&input), json!({"regionName": "eu-south-1", "accountName": "****"}));
        let form = json!({"TaskPolicyArn.arn": "arn:x"});
        assert_eq!(parameters(&form), json!({"taskPolicyArn": {"arn": "arn:x"}}));
    }
}
