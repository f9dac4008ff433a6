//! A small AWS client for tests and demonstrations: any service, without an SDK crate per service.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::sign;
use crate::upstream::Http;
use crate::xml::Xml;

/// Where the local cloud is, and everything in it unless a client says otherwise.
pub(crate) const REGION: &str = "us-east-1";

/// The keys a request is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id; a 12-digit one is that account's root user.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}")]
pub struct AwsError {
    /// The HTTP status; 0 when there was no answer at all.
    pub status: u16,
    /// The service's error code, without namespace; `NoAnswer` when there was none.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// Further members of the error, such as `Reason`; null for XML services.
    pub detail: Value,
}

/// Calls AWS services as one principal.
#[derive(Clone, Debug)]
pub struct AwsClient {
    endpoint: String,
    region: String,
    credentials: Credentials,
    app: Option<String>,
    http: Http,
}

impl AwsClient {
    /// The secret of every root user in the local cloud.
    pub const ROOT_SECRET: &'static str = "test";

    /// A client that signs as the root user of an account.
    pub fn new(endpoint: impl Into<String>, account_id: &str) -> Self {
        let credentials = Credentials {
            access_key_id: account_id.to_owned(),
            secret_access_key: Self::ROOT_SECRET.to_owned(),
            session_token: None,
        };
        Self::with_credentials(endpoint, credentials)
    }

    /// A client that signs with given keys.
    pub fn with_credentials(endpoint: impl Into<String>, credentials: Credentials) -> Self {
        // No pool: a connection must not be shared between the runtimes of two tests.
        let http = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { endpoint: endpoint.into(), region: REGION.to_owned(), credentials, app: None, http }
    }

    /// The same client over connections that are kept.
    #[must_use]
    pub(crate) fn over(mut self, http: Http) -> Self {
        self.http = http;
        self
    }

    /// The same client in another region.
    #[must_use]
    pub fn in_region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The same client with an app name in its user agent, as a function has.
    #[must_use]
    pub fn with_app_name(mut self, app: impl Into<String>) -> Self {
        self.app = Some(app.into());
        self
    }

    /// The keys this client signs with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Calls an operation of a JSON service (`dynamodb`, `sqs`, `events`, `organizations`, ...).
    ///
    /// `operation` is the bare name for the services this crate knows, else the whole `X-Amz-Target`.
    pub async fn json(&self, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
        let target = match target_prefix(service) {
            Some(prefix) if !operation.contains('.') => format!("{prefix}.{operation}"),
            _ => operation.to_owned(),
        };
        let content_type = if matches!(service, "dynamodb" | "sqs" | "states" | "monitoring") {
            "application/x-amz-json-1.0"
        } else {
            "application/x-amz-json-1.1"
        };
        let headers = [("content-type", content_type), ("x-amz-target", &target)];
        let answer = self.send(service, Method::POST, "/", &headers, input.to_string().into()).await?;
        Ok(json_body(answer.body()))
    }

    /// Calls an action of a query service (`sns`, `iam`, `sts`, `cloudformation`, ...).
    pub async fn query(
        &self,
        service: &str,
        action: &str,
        version: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Xml, AwsError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send(service, Method::POST, "/", &headers, form.into()).await?;
        Ok(Xml(String::from_utf8_lossy(answer.body()).into_owned()))
    }

    /// Calls a REST service (`lambda`, `s3`, `scheduler`, ...) with the path already encoded.
    pub async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, AwsError> {
        self.send(service, method, path, &[], body.into()).await
    }

    /// Invokes a Lambda function and waits for what it returns. A function error is an [`AwsError`] with the
    /// function's error type as its code.
    pub async fn invoke(&self, function: &str, input: &Value) -> Result<Value, AwsError> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.rest("lambda", Method::POST, &path, input.to_string()).await?;
        let output = json_body(answer.body());
        if answer.headers().contains_key("x-amz-function-error") {
            return Err(AwsError {
                status: answer.status().as_u16(),
                code: text_of(&output, &["errorType"]).unwrap_or_else(|| "FunctionError".to_owned()),
                message: text_of(&output, &["errorMessage"]).unwrap_or_default(),
                detail: output,
            });
        }
        Ok(output)
    }

    /// Invokes a Lambda function without waiting for it.
    pub async fn invoke_async(&self, function: &str, payload: String) -> Result<(), AwsError> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let headers = [("x-amz-invocation-type", "Event")];
        self.send("lambda", Method::POST, &path, &headers, payload.into()).await.map(drop)
    }

    /// A client for the session that assuming a role gives.
    pub async fn assume_role(&self, role_arn: &str, session: &str, policy: Option<&str>) -> Result<Self, AwsError> {
        let mut parameters = vec![("RoleArn", role_arn), ("RoleSessionName", session)];
        parameters.extend(policy.map(|policy| ("Policy", policy)));
        let answer = self.query("sts", "AssumeRole", "2011-06-15", &parameters).await?;
        let element = |name: &str| answer.text(name).unwrap_or_default();
        let credentials = Credentials {
            access_key_id: element("AccessKeyId"),
            secret_access_key: element("SecretAccessKey"),
            session_token: Some(element("SessionToken")),
        };
        Ok(Self { credentials, ..self.clone() })
    }

    /// Sends any request, signed; the path is encoded already. Refusals are errors.
    pub async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Bytes>, AwsError> {
        let request = self.signed(service, method, path, headers, body).map_err(|error| no_answer(&*error))?;
        let answer = self.http.request(request.map(Full::new)).await.map_err(|error| no_answer(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| no_answer(&error))?.to_bytes();
        if parts.status.is_success() { Ok(Response::from_parts(parts, body)) } else { Err(refusal(&parts, &body)) }
    }

    fn signed(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Bytes>, sign::SignError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint)).body(body)?;
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(&host)?);
        for (name, value) in headers {
            request.headers_mut().insert(header::HeaderName::try_from(*name)?, HeaderValue::from_str(value)?);
        }
        sign::sign_request(&mut request, &self.credentials, &self.region, service)?;
        let mut agent = "local-cloud-client".to_owned();
        if let Some(app) = &self.app {
            write!(agent, " app/{app}")?;
        }
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_str(&agent)?);
        Ok(request)
    }
}

/// The `X-Amz-Target` prefix of the JSON services that come up here.
fn target_prefix(service: &str) -> Option<&'static str> {
    Some(match service {
        "dynamodb" => "DynamoDB_20120810",
        "events" => "AWSEvents",
        "kms" => "TrentService",
        "logs" => "Logs_20140328",
        "monitoring" => "GraniteServiceVersion20100801",
        "organizations" => "AWSOrganizationsV20161128",
        "secretsmanager" => "secretsmanager",
        "sqs" => "AmazonSQS",
        "ssm" => "AmazonSSM",
        "states" => "AWSStepFunctions",
        "tagging" => "ResourceGroupsTaggingAPI_20170126",
        _ => return None,
    })
}

fn json_body(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

fn text_of(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned)
}

fn no_answer(error: &dyn std::error::Error) -> AwsError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(message, ": {cause}");
        source = cause.source();
    }
    AwsError { status: 0, code: "NoAnswer".to_owned(), message, detail: Value::Null }
}

fn refusal(parts: &http::response::Parts, body: &[u8]) -> AwsError {
    let (code, message, detail) = if let Ok(detail) = serde_json::from_slice::<Value>(body) {
        let message = text_of(&detail, &["message", "Message", "errorMessage"]).unwrap_or_default();
        (text_of(&detail, &["__type", "code", "Code"]), message, detail)
    } else {
        let xml = Xml(String::from_utf8_lossy(body).into_owned());
        (xml.text("Code"), xml.text("Message").unwrap_or(xml.0), Value::Null)
    };
    let code = code.or_else(|| error_type(&parts.headers)).unwrap_or_else(|| reason(parts.status));
    // A code may come as `namespace#Code` and `Code:url`.
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    AwsError { status: parts.status.as_u16(), code, message, detail }
}

fn error_type(headers: &HeaderMap) -> Option<String> {
    headers.get("x-amzn-errortype")?.to_str().ok().map(str::to_owned)
}

fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("Unknown").replace(' ', "")
}
