//! Signature Version 4, to sign our own requests and to check those of root users.

use std::time::SystemTime;

use aws_credential_types::Credentials as SigningCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::client::Credentials;

/// Why a request could not be signed.
pub(crate) type SignError = Box<dyn std::error::Error + Send + Sync>;

/// Adds date, token and signature to a request.
pub(crate) fn sign_request(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    service: &str,
) -> Result<(), SignError> {
    let uri = request.uri().to_string();
    let headers = readable(request.headers());
    let signable =
        SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), SignableBody::Bytes(request.body()))?;
    let identity = SigningCredentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        credentials.session_token.clone(),
        None,
        "local-cloud",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(settings(service, PayloadChecksumKind::XAmzSha256))
        .build()?;
    let (instructions, _) = sign(signable, &parameters.into())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

fn settings(service: &str, checksum: PayloadChecksumKind) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = checksum;
    if service == "s3" {
        // S3 alone takes the path as it stands.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

fn readable(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}

/// The parts of an `Authorization: AWS4-HMAC-SHA256 ...` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: String,
    signature: String,
}

impl Authorization {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let fields = value.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| fields.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = field("Credential")?.split('/');
        let access_key_id = scope.next()?.to_owned();
        let (_date, region, service) = (scope.next()?, scope.next()?.to_owned(), scope.next()?.to_owned());
        let signed_headers = field("SignedHeaders")?.to_owned();
        Some(Self { access_key_id, region, service, signed_headers, signature: field("Signature")?.to_owned() })
    }

    /// Whether a request with this header was signed with `secret`. MiniStack checks users and sessions itself but
    /// takes root keys on trust, so the front checks those.
    pub(crate) fn is_signed_with(&self, secret: &str, request: &http::request::Parts, body: &Bytes) -> bool {
        self.expected_signature(secret, request, body).is_ok_and(|expected| expected == self.signature)
    }

    fn expected_signature(
        &self,
        secret: &str,
        request: &http::request::Parts,
        body: &Bytes,
    ) -> Result<String, SignError> {
        let given = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let signed: Vec<(&str, &str)> =
            self.signed_headers.split(';').filter_map(|name| Some((name, given(name)?))).collect();
        let date = strtime::parse("%Y%m%dT%H%M%SZ", given("x-amz-date").unwrap_or_default())?;
        let time = date.to_datetime()?.to_zoned(TimeZone::UTC)?.timestamp();
        let payload = given("x-amz-content-sha256");
        let body = payload.map_or(SignableBody::Bytes(body), |hash| SignableBody::Precomputed(hash.to_owned()));
        let host = given("host").unwrap_or_default();
        let uri = format!("http://{host}{}", request.uri);
        let signable = SignableRequest::new(request.method.as_str(), uri, signed.into_iter(), body)?;
        let token = given("x-amz-security-token").map(str::to_owned);
        let identity = SigningCredentials::new(&self.access_key_id, secret, token, None, "local-cloud").into();
        let mut settings = settings(&self.service, PayloadChecksumKind::NoHeader);
        // Only what the client signed is given, so nothing else must be left out.
        settings.excluded_headers = None;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(time.into())
            .settings(settings)
            .build()?;
        Ok(sign(signable, &parameters.into())?.into_parts().1)
    }
}
