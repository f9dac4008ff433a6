//! Temporary credentials whose secret the front knows, so that it can check requests without MiniStack.

use jiff::Timestamp;

use crate::client::Credentials;
use crate::front::answer::{ApiError, Protocol};
use crate::front::request::Incoming;
use crate::ids::Ids;

/// The namespace of STS's answers.
pub(crate) const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The secret behind a temporary access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemporaryKey {
    pub(crate) secret: String,
    pub(crate) token: String,
    /// `None` for the key of a function, which lasts as long as the function.
    pub(crate) expires: Option<Timestamp>,
}

impl TemporaryKey {
    /// Fresh credentials, and what checks them.
    pub(crate) fn new(ids: &Ids, expires: Timestamp) -> (Credentials, Self) {
        let (secret, token) = (ids.hex(""), ids.hex("session-"));
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", ids.lower("", 16).to_ascii_uppercase()),
            secret_access_key: secret.clone(),
            session_token: Some(token.clone()),
        };
        (credentials, Self { secret, token, expires: Some(expires) })
    }

    /// Whether a request carries the token and is signed with the secret, in time.
    pub(crate) fn check(&self, request: &Incoming) -> Result<(), ApiError> {
        let token = request.parts.headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
        let authorization = request.authorization.as_ref().filter(|_| token == Some(&self.token));
        let authorization = authorization.ok_or_else(|| request.protocol.unknown_key())?;
        if !authorization.is_signed_with(&self.secret, &request.parts, &request.body) {
            return Err(request.protocol.wrong_signature());
        }
        let has_expired = self.expires.is_some_and(|expires| expires < Timestamp::now());
        if has_expired { Err(expired(request.protocol)) } else { Ok(()) }
    }
}

/// The `Credentials` element of an answer of STS.
pub(crate) fn element(credentials: &Credentials, expires: Timestamp) -> String {
    let Credentials { access_key_id, secret_access_key, session_token } = credentials;
    format!(
        "<Credentials><AccessKeyId>{access_key_id}</AccessKeyId><SecretAccessKey>{secret_access_key}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>",
        session_token.as_deref().unwrap_or_default(),
        expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
}

fn expired(protocol: Protocol) -> ApiError {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::Cbor => ApiError::new(400, "ExpiredTokenException", message),
        Protocol::RestJson => ApiError::new(403, "ExpiredTokenException", message),
        Protocol::Query => ApiError::new(403, "ExpiredToken", message),
        Protocol::S3 | Protocol::S3Control => ApiError::new(400, "ExpiredToken", message),
    }
}
