//! A request as it arrived, and what it asks for.

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value};

use crate::front::answer::Protocol;
use crate::front::rest;
use crate::sign::Authorization;

/// One request to any AWS service.
pub(crate) struct Incoming {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) access_key: String,
    /// The service's name in IAM policies, such as `cloudwatch`.
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    /// The app name in the user agent: the function, when one of Steward's made the request.
    pub(crate) function: Option<String>,
    /// The parameters, for protocols that carry them as JSON or as a form.
    pub(crate) input: Value,
}

impl Incoming {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        let authorization = Authorization::of(&parts.headers);
        let scope = scope_in_query(&parts);
        let access_key = authorization
            .as_ref()
            .map(|authorization| authorization.access_key_id.clone())
            .or_else(|| scope.first().cloned())
            .unwrap_or_default();
        let signing_name = authorization
            .as_ref()
            .map(|authorization| authorization.service.clone())
            .or_else(|| scope.get(3).cloned())
            .unwrap_or_default();
        let service = iam_prefix(&signing_name).to_owned();
        let function = function(&parts.headers);
        let Asked { operation, protocol, input } = asked(&parts, &body, &service);
        Self { parts, body, authorization, access_key, service, operation, protocol, function, input }
    }

    /// A string parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name)?.as_str()
    }
}

/// What a request asks for.
struct Asked {
    operation: String,
    protocol: Protocol,
    input: Value,
}

fn asked(parts: &Parts, body: &Bytes, service: &str) -> Asked {
    let path = parts.uri.path();
    if let Some(target) = header(&parts.headers, "x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        let ten = header(&parts.headers, "content-type").is_some_and(|kind| kind.ends_with("1.0"));
        let protocol = if ten { Protocol::Json10 } else { Protocol::Json11 };
        return Asked { operation, protocol, input: serde_json::from_slice(body).unwrap_or(Value::Null) };
    }
    if let Some((_, operation)) = path.rsplit_once("/operation/") {
        return Asked { operation: operation.to_owned(), protocol: Protocol::Cbor, input: Value::Null };
    }
    if let Some(form) = form(parts, body) {
        let operation = form["Action"].as_str().unwrap_or_default().to_owned();
        return Asked { operation, protocol: Protocol::Query, input: form };
    }
    let operation = rest::operation(service, &parts.method, path, parts.uri.query().unwrap_or_default());
    if service == "s3" {
        let protocol = if path == rest::PUBLIC_ACCESS_BLOCK { Protocol::S3Control } else { Protocol::S3 };
        return Asked { operation, protocol, input: Value::Null };
    }
    Asked { operation, protocol: Protocol::RestJson, input: serde_json::from_slice(body).unwrap_or(Value::Null) }
}

/// The form of a query-protocol request, from its body or its query string, when it names an action.
fn form(parts: &Parts, body: &Bytes) -> Option<Value> {
    let is_form = header(&parts.headers, "content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let pairs = form_urlencoded::parse(if is_form { body } else { query });
    let form: Map<String, Value> =
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
    form.contains_key("Action").then_some(Value::Object(form))
}

/// The parts of the credential scope of a presigned request.
fn scope_in_query(parts: &Parts) -> Vec<String> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "X-Amz-Credential")
        .map(|(_, value)| value.split('/').map(str::to_owned).collect())
        .unwrap_or_default()
}

fn function(headers: &HeaderMap) -> Option<String> {
    ["user-agent", "x-amz-user-agent"].iter().find_map(|name| {
        let app = header(headers, name)?.split_whitespace().find_map(|part| part.strip_prefix("app/"))?;
        Some(app.to_owned())
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The name that IAM policies use for the service a request is signed for.
fn iam_prefix(signing_name: &str) -> &str {
    match signing_name {
        "monitoring" => "cloudwatch",
        "email" => "ses",
        "tagging" => "tag",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn incoming(request: http::request::Builder, body: &'static str) -> Incoming {
        let (parts, body) = request.body(Bytes::from_static(body.as_bytes())).unwrap().into_parts();
        Incoming::new(parts, body)
    }

    fn signed(service: &str) -> http::request::Builder {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=00"
        );
        Request::builder().method("POST").uri("/").header("authorization", authorization)
    }

    #[test]
    fn json_operations_come_from_the_target() {
        let request = signed("organizations")
            .header("x-amz-target", "AWSOrganizationsV20161128.CreateAccount")
            .header("content-type", "application/x-amz-json-1.1")
            .header("user-agent", "aws-sdk-rust/1.3 os/linux app/create-account-poller");
        let call = incoming(request, r#"{"Email":"a@b.c"}"#);
        assert_eq!((call.service.as_str(), call.operation.as_str()), ("organizations", "CreateAccount"));
        assert_eq!(call.access_key, "111111111111");
        assert_eq!(call.text("Email"), Some("a@b.c"));
        assert_eq!(call.function.as_deref(), Some("create-account-poller"));
    }

    #[test]
    fn query_operations_come_from_the_body() {
        let request = signed("sts").header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let call = incoming(request, "Action=AssumeRole&RoleArn=arn%3Aaws");
        assert_eq!((call.operation.as_str(), call.text("RoleArn")), ("AssumeRole", Some("arn:aws")));
        assert_eq!(call.protocol, Protocol::Query);
    }

    #[test]
    fn cbor_operations_come_from_the_path() {
        let request = signed("monitoring").uri("/service/GraniteServiceVersion20100801/operation/PutMetricAlarm");
        let call = incoming(request, "");
        assert_eq!((call.service.as_str(), call.operation.as_str()), ("cloudwatch", "PutMetricAlarm"));
    }
}
