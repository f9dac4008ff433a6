//! The part of IAM Access Analyzer that looks at a policy before it is written. Of its checks it knows the one of global
//! condition keys.

use serde_json::{Value, json};

use crate::front::answer::{ApiError, json_ok};
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};

/// The global condition keys (IAM user guide, "AWS global condition context keys"), without their prefix and in lower case.
/// What ends with a slash is followed by a name of somebody's own.
const GLOBAL_KEYS: [&str; 52] = [
    "assumedroot",
    "calledvia",
    "calledviafirst",
    "calledvialast",
    "chatbotsourcearn",
    "currenttime",
    "ec2instancesourceprivateipv4",
    "ec2instancesourcevpc",
    "epochtime",
    "federatedprovider",
    "ismcpserviceaction",
    "multifactorauthage",
    "multifactorauthpresent",
    "principalaccount",
    "principalarn",
    "principalisawsservice",
    "principalorgid",
    "principalorgpaths",
    "principalservicename",
    "principalservicenameslist",
    "principaltag/",
    "principaltype",
    "referer",
    "requestedregion",
    "requesttag/",
    "resourceaccount",
    "resourceorgid",
    "resourceorgpaths",
    "resourcetag/",
    "securetransport",
    "signinsessionarn",
    "sourceaccount",
    "sourcearn",
    "sourceidentity",
    "sourceip",
    "sourceorgid",
    "sourceorgpaths",
    "sourceowner",
    "sourcevpc",
    "sourcevpcarn",
    "sourcevpce",
    "tagkeys",
    "tokenissuetime",
    "useragent",
    "userid",
    "username",
    "viaawsmcpservice",
    "viaawsservice",
    "vpceaccount",
    "vpceorgid",
    "vpceorgpaths",
    "vpcsourceip",
];

/// The types of policies that it has checks for.
const TYPES: [&str; 4] = ["IDENTITY_POLICY", "RESOURCE_POLICY", "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];

/// IAM Access Analyzer, which keeps nothing here.
#[derive(Default)]
pub(crate) struct AccessAnalyzer;

impl Service for AccessAnalyzer {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "access-analyzer"
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        let request = context.request;
        if request.operation != "ValidatePolicy" {
            let message = format!("The local cloud does not know {}.", request.operation);
            return Err(ApiError::new(404, "UnknownOperationException", message));
        }
        if !request.text("policyType").is_some_and(|kind| TYPES.contains(&kind)) {
            return Err(invalid("policyType"));
        }
        let text = request.text("policyDocument").ok_or_else(|| invalid("policyDocument"))?;
        let policy: Value = serde_json::from_str(text).map_err(|_| invalid("policyDocument"))?;
        Ok(json_ok(request.protocol, &json!({ "findings": findings(text, &policy) })))
    }
}

/// A finding for each global condition key that does not exist, with its place.
fn findings(text: &str, policy: &Value) -> Vec<Value> {
    let list = policy["Statement"].as_array();
    let statements = list.map_or_else(|| std::slice::from_ref(&policy["Statement"]), Vec::as_slice);
    let mut found = Vec::new();
    for (number, statement) in statements.iter().enumerate() {
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            for key in keys.as_object().into_iter().flat_map(serde_json::Map::keys).filter(|key| !exists(key)) {
                let mut path = vec![json!({ "value": "Statement" })];
                path.extend(list.map(|_| json!({ "index": number })));
                path.extend([json!({ "value": "Condition" }), json!({ "value": operator }), json!({ "key": key })]);
                found.push(json!({
                    "findingDetails": format!("The condition key {key} does not exist. Use a valid condition key."),
                    "findingType": "ERROR",
                    "issueCode": "INVALID_GLOBAL_CONDITION_KEY",
                    "learnMoreLink": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-global-condition-key",
                    "locations": [{ "path": path, "span": span(text, key) }],
                }));
            }
        }
    }
    found
}

/// Whether a key is one of a service, or a global one that there is.
fn exists(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let Some(name) = key.strip_prefix("aws:") else { return true };
    GLOBAL_KEYS.iter().any(|known| if known.ends_with('/') { name.starts_with(known) } else { name == *known })
}

/// Where a text stands the first time.
fn span(text: &str, part: &str) -> Value {
    let start = text.find(part).unwrap_or_default();
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        json!({ "line": before.matches('\n').count() + 1, "column": column, "offset": offset })
    };
    json!({ "start": at(start), "end": at(start + part.len()) })
}

fn invalid(parameter: &str) -> ApiError {
    let message = format!("The value of {parameter} is not valid.");
    ApiError::new(400, "ValidationException", message.clone()).with("message", message).with("reason", "other")
}
