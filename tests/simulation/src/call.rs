//! A call as the services read it.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::{Map, Value};

use crate::aws::cbor;

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Query,
    RestJson,
    RestXml,
    /// The same with its errors in one more element, as Amazon S3 Control has it.
    RestXmlWrapped,
    Cbor,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The name that the call is signed for, such as `monitoring`.
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    pub(crate) key: String,
    /// The parameters, where they are JSON or a form.
    pub(crate) input: Value,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Vec<u8>,
    pub(crate) if_none_match: Option<String>,
}

impl Call {
    pub(crate) fn read(request: &HttpRequest) -> Self {
        let header = |name: &str| request.headers().get(name);
        let authorization = header("authorization").unwrap_or_default();
        let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
        let scope: Vec<&str> = scope.split(',').next().unwrap_or_default().split('/').collect();
        let uri: http::Uri = request.uri().parse().expect("a URI");
        let body = request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let service = (*scope.get(3).unwrap_or(&"")).to_owned();
        let mut call = Self {
            operation: String::new(),
            protocol: Protocol::Json,
            key: (*scope.first().unwrap_or(&"")).to_owned(),
            input: Value::Null,
            method: request.method().to_owned(),
            host: uri.host().unwrap_or_default().to_owned(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            if_none_match: header("if-none-match").map(ToOwned::to_owned),
            service,
            body,
        };
        if let Some(target) = header("x-amz-target") {
            target.rsplit('.').next().unwrap_or(target).clone_into(&mut call.operation);
            call.input = serde_json::from_slice(&call.body).unwrap_or_default();
        } else if let Some((_, operation)) = call.path.rsplit_once("/operation/") {
            operation.clone_into(&mut call.operation);
            call.protocol = Protocol::Cbor;
            call.input = cbor::read(&call.body).unwrap_or_default();
        } else if header("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded")) {
            call.protocol = Protocol::Query;
            let pairs = form_urlencoded::parse(&call.body);
            let form: Map<String, Value> =
                pairs.map(|(name, value)| (name.into(), Value::String(value.into()))).collect();
            form["Action"].as_str().unwrap_or_default().clone_into(&mut call.operation);
            call.input = Value::Object(form);
        } else if call.service == "s3" {
            call.protocol = Protocol::RestXml;
            let verb = match call.method.as_str() {
                "GET" => "Get",
                "DELETE" => "Delete",
                _ => "Put",
            };
            let is_of_policy = call.query.split('&').any(|part| part.split('=').next() == Some("policy"));
            // Amazon S3 Control signs as Amazon S3.
            if call.path.ends_with("/configuration/publicAccessBlock") {
                "s3control".clone_into(&mut call.service);
                call.protocol = Protocol::RestXmlWrapped;
                call.operation = format!("{verb}PublicAccessBlock");
            } else {
                call.operation = format!("{verb}{}", if is_of_policy { "BucketPolicy" } else { "Object" });
            }
        } else {
            call.protocol = Protocol::RestJson;
            call.input = serde_json::from_slice(&call.body).unwrap_or_default();
            call.operation = match call.service.as_str() {
                "lambda" if call.path.contains("account-settings") => "GetAccountSettings".to_owned(),
                "lambda" => "Invoke".to_owned(),
                "uxc" if call.method == "GET" => "GetAccountCustomizations".to_owned(),
                "uxc" => "UpdateAccountCustomizations".to_owned(),
                _ => camel(call.path.trim_start_matches('/')),
            };
        }
        call
    }

    /// A text among the parameters.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.input[name].as_str().unwrap_or_default()
    }
}

/// `getAlternateContact` as the operation's name: `GetAlternateContact`.
fn camel(path: &str) -> String {
    let mut letters = path.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
