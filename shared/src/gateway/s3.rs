//! Amazon S3: single objects.

mod policy;

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_object::{GetObjectError, GetObjectOutput},
};

use super::CallError;
use crate::error::Cause;

/// The status of an answer to a conditional read whose condition says that nothing has changed (RFC 9110, 15.4.5).
const NOT_MODIFIED: u16 = 304;

/// An object as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is the one that the caller knows already.
    Unchanged,
    /// There is none of this name. Without `s3:ListBucket` on the bucket, S3 answers "access denied" instead.
    Missing,
    /// It is another one.
    Object {
        /// Its `ETag`, quotes included.
        etag: String,
        /// Its version; None in a bucket that keeps none.
        version: Option<String>,
        /// Its content; of an object that is too large, a part that is still too large.
        content: Vec<u8>,
    },
}

/// The door to one bucket.
#[derive(Clone, Debug)]
pub struct S3Gateway {
    client: Client,
    bucket: String,
}

impl S3Gateway {
    /// A gateway to one bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        Self::new(Client::new(config), bucket)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Reads an object, unless its `ETag` is `known`. Of an object larger than `max_bytes`, no more is read than shows
    /// that.
    pub async fn find_object(&self, key: &str, known: Option<&str>, max_bytes: usize) -> Result<Found, CallError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        found(call.set_if_none_match(known.map(ToOwned::to_owned)).send().await, OPERATION, max_bytes).await
    }

    /// Reads one version of an object, as [`S3Gateway::find_object`] does. The caller needs `s3:GetObjectVersion`.
    pub async fn find_version(&self, key: &str, version: &str, max_bytes: usize) -> Result<Found, CallError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).version_id(version);
        found(call.send().await, "s3:GetObjectVersion", max_bytes).await
    }
}

const OPERATION: &str = "s3:GetObject";

async fn found(
    answer: Result<GetObjectOutput, SdkError<GetObjectError>>,
    operation: &'static str,
    max_bytes: usize,
) -> Result<Found, CallError> {
    match answer {
        Ok(object) => content(object, operation, max_bytes).await,
        Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == NOT_MODIFIED => Ok(Found::Unchanged),
        Err(error) if error.as_service_error().is_some_and(is_missing) => Ok(Found::Missing),
        Err(error) => Err(CallError::of(operation, error)),
    }
}

/// Whether there is no such object, or no such version of it.
fn is_missing(error: &GetObjectError) -> bool {
    error.is_no_such_key() || error.code() == Some("NoSuchVersion")
}

async fn content(mut object: GetObjectOutput, operation: &'static str, max_bytes: usize) -> Result<Found, CallError> {
    let etag = object.e_tag.take();
    let etag = etag.ok_or_else(|| CallError::unusable(operation, Cause::CallFailed, "an answer without an ETag"))?;
    let version = object.version_id.take();
    let mut content = Vec::new();
    while content.len() <= max_bytes {
        match object.body.try_next().await {
            Ok(Some(part)) => content.extend_from_slice(&part),
            Ok(None) => break,
            Err(error) => return Err(CallError::unusable(operation, Cause::Unreachable, error.to_string())),
        }
    }
    Ok(Found::Object { etag, version, content })
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{primitives::ByteStream, types::error::NoSuchKey};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

    use super::*;

    async fn find(rule: &Rule, known: Option<&str>) -> Result<Found, CallError> {
        let client = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [rule]);
        let found = S3Gateway::new(client, "baseline").find_object("baseline.yaml", known, 10).await;
        assert_eq!(rule.num_calls(), 1);
        found
    }

    fn object(content: &'static [u8]) -> Rule {
        mock!(Client::get_object)
            .match_requests(|input| {
                input.bucket() == Some("baseline")
                    && input.key() == Some("baseline.yaml")
                    && input.if_none_match().is_none()
            })
            .then_output(move || {
                GetObjectOutput::builder().e_tag("\"1\"").body(ByteStream::from_static(content)).build()
            })
    }

    #[tokio::test]
    async fn an_object_is_read_with_its_etag() {
        let found = find(&object(b"version: 1"), None).await.unwrap();
        let expected = Found::Object { etag: "\"1\"".to_owned(), version: None, content: b"version: 1".to_vec() };
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn an_object_with_the_known_etag_is_not_read_again() {
        let rule = mock!(Client::get_object)
            .match_requests(|input| input.if_none_match() == Some("\"1\""))
            .then_http_response(|| HttpResponse::new(StatusCode::try_from(304).unwrap(), SdkBody::empty()));
        assert_eq!(find(&rule, Some("\"1\"")).await.unwrap(), Found::Unchanged);
    }

    #[tokio::test]
    async fn a_missing_object_is_no_error() {
        let missing = || GetObjectError::NoSuchKey(NoSuchKey::builder().build());
        assert_eq!(find(&mock!(Client::get_object).then_error(missing), None).await.unwrap(), Found::Missing);
    }

    #[tokio::test]
    async fn a_denied_read_is_neither_missing_nor_unchanged() {
        let denied = || GetObjectError::generic(ErrorMetadata::builder().code("AccessDenied").message("no").build());
        let error = find(&mock!(Client::get_object).then_error(denied), Some("\"1\"")).await.unwrap_err();
        assert_eq!((error.cause, error.operation), (Cause::AccessDenied, "s3:GetObject"));
    }

    #[tokio::test]
    async fn a_missing_bucket_is_an_error() {
        let error = || GetObjectError::generic(ErrorMetadata::builder().code("NoSuchBucket").message("no").build());
        assert_eq!(find(&mock!(Client::get_object).then_error(error), None).await.unwrap_err().cause, Cause::NotFound);
    }

    #[tokio::test]
    async fn of_a_large_object_no_more_is_read_than_shows_that() {
        let Found::Object { content, .. } = find(&object(b"a text of many bytes"), None).await.unwrap() else {
            panic!()
        };
        assert!(content.len() > 10);
    }
}
