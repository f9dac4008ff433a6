//! Answers in the shape of each protocol.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::ids::Ids;
use crate::xml::{Xml, escape};

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json10,
    Json11,
    Query,
    RestJson,
    S3,
    /// XML like S3's, with errors wrapped like those of the query protocol.
    S3Control,
    /// Smithy RPC v2: CBOR bodies.
    Cbor,
}

/// An error as a service words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Further members, such as `Reason`.
    pub(crate) members: Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), members: Map::new() }
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

/// An answer of the `json` protocols.
pub(crate) fn json_ok(protocol: Protocol, body: &Value) -> Response<Bytes> {
    response(StatusCode::OK, protocol.content_type(), body.to_string().into())
}

/// The body of an answer of the `query` protocol, around the result of an operation.
pub(crate) fn query_body(ids: &Ids, namespace: &str, operation: &str, result: &str) -> String {
    let id = ids.uuid();
    format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

/// An answer of the `query` protocol.
pub(crate) fn query_ok(body: String) -> Response<Bytes> {
    response(StatusCode::OK, Protocol::Query.content_type(), body.into())
}

/// An answer of the `rest-xml` protocol.
pub(crate) fn xml_ok(body: String) -> Response<Bytes> {
    response(StatusCode::OK, Protocol::S3.content_type(), body.into())
}

/// An answer of Smithy RPC v2, already in CBOR.
pub(crate) fn cbor_ok(body: &'static [u8]) -> Response<Bytes> {
    let mut answer = response(StatusCode::OK, Protocol::Cbor.content_type(), Bytes::from_static(body));
    answer.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    answer
}

/// An error in the shape of a protocol.
pub(crate) fn error(protocol: Protocol, error: &ApiError) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = response(status, protocol.content_type(), protocol.error_body(error));
    let code = HeaderValue::from_str(&error.code).unwrap_or_else(|_| HeaderValue::from_static("Unknown"));
    match protocol {
        Protocol::RestJson => {
            answer.headers_mut().insert("x-amzn-errortype", code);
        }
        Protocol::Cbor => {
            answer.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        _ => {}
    }
    answer
}

impl Protocol {
    /// The refusal of a caller that may not do what it asks.
    pub(crate) fn access_denied(self, message: impl Into<String>) -> ApiError {
        match self {
            Self::Json10 | Self::Json11 | Self::Cbor => ApiError::new(400, "AccessDeniedException", message),
            Self::RestJson => ApiError::new(403, "AccessDeniedException", message),
            Self::Query | Self::S3 | Self::S3Control => ApiError::new(403, "AccessDenied", message),
        }
    }

    /// The refusal of a key that belongs to nobody.
    pub(crate) fn unknown_key(self) -> ApiError {
        let message = "The security token included in the request is invalid.";
        match self {
            Self::Json10 | Self::Json11 | Self::Cbor => ApiError::new(400, "UnrecognizedClientException", message),
            Self::RestJson => ApiError::new(403, "UnrecognizedClientException", message),
            Self::Query => ApiError::new(403, "InvalidClientTokenId", message),
            Self::S3 | Self::S3Control => ApiError::new(403, "InvalidAccessKeyId", message),
        }
    }

    /// The refusal of an account that the service does not know yet.
    pub(crate) fn opt_in_required(self) -> ApiError {
        match self {
            Self::S3 | Self::S3Control => {
                ApiError::new(403, "NotSignedUp", "Your account is not signed up for the Amazon S3 service.")
            }
            _ => ApiError::new(403, "OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
        }
    }

    /// The refusal of a request that was not signed with the secret of its key.
    pub(crate) fn wrong_signature(self) -> ApiError {
        let (status, code) = match self {
            Self::Json10 | Self::Json11 => (400, "InvalidSignatureException"),
            _ => (403, "SignatureDoesNotMatch"),
        };
        let message = "The request signature we calculated does not match the signature you provided. Check your AWS \
                       Secret Access Key and signing method.";
        ApiError::new(status, code, message)
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json10 => "application/x-amz-json-1.0",
            Self::Json11 => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Query => "text/xml",
            Self::S3 | Self::S3Control => "application/xml",
            Self::Cbor => "application/cbor",
        }
    }

    fn error_body(self, error: &ApiError) -> Bytes {
        let (code, message) = (escape(&error.code), escape(&error.message));
        match self {
            // SDKs read either spelling; Organizations, the JSON 1.1 service answered here, uses the capital.
            Self::Json11 => json_error(error, "Message").to_string().into(),
            Self::Json10 | Self::RestJson => json_error(error, "message").to_string().into(),
            Self::Query | Self::S3Control => format!(
                "<ErrorResponse><Error><Type>{}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 </ErrorResponse>",
                if error.status < 500 { "Sender" } else { "Receiver" },
            )
            .into(),
            Self::S3 => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>").into(),
            Self::Cbor => cbor_text_map(&[("__type", &error.code), ("message", &error.message)]).into(),
        }
    }
}

fn json_error(error: &ApiError, message: &str) -> Value {
    let mut body = json!({ "__type": error.code, message: error.message });
    if let Some(members) = body.as_object_mut() {
        members.extend(error.members.clone());
    }
    body
}

/// A CBOR map of texts, each shorter than 64 KiB.
fn cbor_text_map(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = u8::try_from(entries.len()).unwrap_or(u8::MAX).min(23);
    bytes.push(0xa0 | count);
    for text in entries.iter().flat_map(|(name, value)| [name, value]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.push(0x79);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&text.as_bytes()[..usize::from(length)]);
    }
    bytes
}

fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
    response
}

/// The error code in an answer, whichever service gave it.
pub(crate) fn error_code(answer: &Response<Bytes>) -> Option<String> {
    if answer.status().is_success() {
        return None;
    }
    let body = answer.body();
    let in_json = || {
        let body: Value = serde_json::from_slice(body).ok()?;
        ["__type", "code", "Code"].iter().find_map(|name| body[name].as_str()).map(str::to_owned)
    };
    let in_header = || answer.headers().get("x-amzn-errortype")?.to_str().ok().map(str::to_owned);
    let in_xml = || Xml(String::from_utf8_lossy(body).into_owned()).text("Code");
    let code = in_json().or_else(in_header).or_else(|| cbor_type(body)).or_else(in_xml)?;
    // A code may come as `namespace#Code` and `Code:url`.
    Some(code.rsplit('#').next()?.split(':').next()?.to_owned())
}

/// The text that follows the key `__type` in a CBOR map.
fn cbor_type(body: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"__type";
    let after_key = body.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let (first, rest) = body.get(after_key..)?.split_first()?;
    let (length, rest) = match first {
        0x60..=0x77 => (usize::from(first - 0x60), rest),
        0x78 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x79 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    String::from_utf8(rest.get(..length)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_read_back_in_every_protocol() {
        let failure = ApiError::new(400, "ThrottlingException", "Rate exceeded & more");
        let protocols = [
            Protocol::Json10,
            Protocol::Json11,
            Protocol::Query,
            Protocol::RestJson,
            Protocol::S3,
            Protocol::S3Control,
            Protocol::Cbor,
        ];
        for protocol in protocols {
            assert_eq!(error_code(&error(protocol, &failure)).as_deref(), Some("ThrottlingException"), "{protocol:?}");
        }
    }
}
