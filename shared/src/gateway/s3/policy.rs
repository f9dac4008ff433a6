//! Bucket policies, and objects that are written once.

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::S3Gateway;
use crate::gateway::{CallError, unless_absent};

impl S3Gateway {
    /// Writes an object.
    pub async fn put_object(&self, key: &str, content: String) -> Result<(), CallError> {
        let media_type = match key.rsplit(['.', '/']).next() {
            Some("html") => "text/html; charset=utf-8",
            Some("csv") => "text/csv; charset=utf-8",
            Some("ini" | "aws-config") => "text/plain; charset=utf-8",
            _ => "application/json",
        };
        let body = ByteStream::from(content.into_bytes());
        let call = self.client.put_object().bucket(&self.bucket).key(key).body(body).content_type(media_type);
        call.send().await.map(drop).map_err(|error| CallError::of("s3:PutObject", error))
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
