//! Bucket policies, and objects that are written once.

use aws_sdk_s3::{
    error::SdkError,
    operation::put_object::{PutObjectError, builders::PutObjectFluentBuilder},
    primitives::ByteStream,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

use super::S3Gateway;
use crate::gateway::{CallError, unless_absent};

const PUT: &str = "s3:PutObject";
/// The status of an answer to a conditional write where something is there already.
const ALREADY_THERE: u16 = 412;
/// The status of an answer to a conditional write beside another one.
const CONFLICT: u16 = 409;
/// How often such a write is asked for.
const ASKED: usize = 5;

impl S3Gateway {
    /// Writes an object.
    pub async fn put_object(&self, key: &str, content: impl Into<Bytes>) -> Result<(), CallError> {
        self.put(key, content.into()).send().await.map(drop).map_err(|error| CallError::of(PUT, error))
    }

    /// Writes an object where there is none; whether it did. Of several that do so at the same time one does (Amazon S3 user
    /// guide, "How to prevent object overwrites with conditional writes").
    pub async fn create_object(&self, key: &str, content: impl Into<Bytes>) -> Result<bool, CallError> {
        let content = content.into();
        let refused = |error: &SdkError<PutObjectError>, status: u16| matches!(error, SdkError::ServiceError(error) if error.raw().status().as_u16() == status);
        let mut asked = 0;
        loop {
            asked += 1;
            match self.put(key, content.clone()).if_none_match("*").send().await {
                Ok(_) => return Ok(true),
                Err(error) if refused(&error, ALREADY_THERE) => return Ok(false),
                // Somebody is writing it at this moment, or has deleted it: S3 asks to be asked again.
                Err(error) if refused(&error, CONFLICT) && asked < ASKED => {}
                Err(error) => return Err(CallError::of(PUT, error)),
            }
        }
    }

    fn put(&self, key: &str, content: Bytes) -> PutObjectFluentBuilder {
        let media_type = match key.rsplit(['.', '/']).next() {
            Some("html") => "text/html; charset=utf-8",
            Some("csv") => "text/csv; charset=utf-8",
            Some("ini" | "aws-config") => "text/plain; charset=utf-8",
            _ => "application/json",
        };
        let body = ByteStream::from(content);
        self.client.put_object().bucket(&self.bucket).key(key).body(body).content_type(media_type)
    }

    /// The bucket's policy as it was put; None when it has none.
    pub async fn find_policy(&self) -> Result<Option<String>, CallError> {
        let answer = self.client.get_bucket_policy().bucket(&self.bucket).send().await;
        let found = unless_absent("s3:GetBucketPolicy", answer, |error| error.code() == Some("NoSuchBucketPolicy"))?;
        Ok(found.and_then(|found| found.policy))
    }

    /// Gives the bucket this policy in the place of any other.
    pub async fn put_policy(&self, policy: &str) -> Result<(), CallError> {
        let answer = self.client.put_bucket_policy().bucket(&self.bucket).policy(policy).send().await;
        answer.map_err(|error| CallError::of("s3:PutBucketPolicy", error)).map(drop)
    }

    /// Takes the bucket's policy away.
    pub async fn delete_policy(&self) -> Result<(), CallError> {
        let answer = self.client.delete_bucket_policy().bucket(&self.bucket).send().await;
        answer.map_err(|error| CallError::of("s3:DeleteBucketPolicy", error)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{Client, operation::put_object::PutObjectOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    async fn created(rules: &[&Rule]) -> Result<bool, CallError> {
        let client = mock_client!(aws_sdk_s3, RuleMode::Sequential, rules);
        S3Gateway::new(client, "reports").create_object("a.json", "{}".to_owned()).await
    }

    fn answered(status: u16) -> Rule {
        mock!(Client::put_object)
            .match_requests(|input| input.if_none_match() == Some("*"))
            .then_http_response(move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty()))
    }

    #[tokio::test]
    async fn an_object_is_made_where_there_is_none_and_left_where_there_is_one() {
        let made = mock!(Client::put_object).then_output(|| PutObjectOutput::builder().build());
        assert!(created(&[&made]).await.unwrap());
        assert!(!created(&[&answered(412)]).await.unwrap());
        assert!(!created(&[&answered(409), &answered(412)]).await.unwrap(), "somebody else was faster");
        assert!(created(&[&answered(403)]).await.is_err());
    }
}
