//! Amazon S3 Control: what holds for all buckets of an account.

use aws_config::SdkConfig;
use aws_sdk_s3control::{
    Client, operation::get_public_access_block::GetPublicAccessBlockError, types::PublicAccessBlockConfiguration,
};

use super::{CallError, unless_absent};
use crate::{error::Cause, ids::AccountId};

/// What public access Amazon S3 blocks in all buckets of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API has these four")]
pub struct PublicAccessBlock {
    /// New public ACLs are refused.
    pub block_public_acls: bool,
    /// Public ACLs have no effect.
    pub ignore_public_acls: bool,
    /// New public bucket policies are refused.
    pub block_public_policy: bool,
    /// Buckets with a public policy serve their own account alone.
    pub restrict_public_buckets: bool,
}

/// The door to Amazon S3 Control.
#[derive(Clone, Debug)]
pub struct S3ControlGateway(Client);

impl S3ControlGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The account's public access block; None when there is none.
    pub async fn find_public_access_block(&self, account: &AccountId) -> Result<Option<PublicAccessBlock>, CallError> {
        const OPERATION: &str = "s3:GetAccountPublicAccessBlock";
        let answer = self.0.get_public_access_block().account_id(account.as_str()).send().await;
        let is_absent = GetPublicAccessBlockError::is_no_such_public_access_block_configuration;
        let answer = unless_absent(OPERATION, answer, is_absent)?;
        let block = answer.map(|answer| {
            let block = answer.public_access_block_configuration().ok_or_else(|| {
                CallError::unusable(OPERATION, Cause::CallFailed, "an answer without PublicAccessBlockConfiguration")
            })?;
            Ok(PublicAccessBlock {
                block_public_acls: block.block_public_acls().unwrap_or_default(),
                ignore_public_acls: block.ignore_public_acls().unwrap_or_default(),
                block_public_policy: block.block_public_policy().unwrap_or_default(),
                restrict_public_buckets: block.restrict_public_buckets().unwrap_or_default(),
            })
        });
        block.transpose()
    }

    /// Writes the account's public access block as a whole.
    pub async fn put_public_access_block(
        &self,
        account: &AccountId,
        block: PublicAccessBlock,
    ) -> Result<(), CallError> {
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(block.block_public_acls)
            .ignore_public_acls(block.ignore_public_acls)
            .block_public_policy(block.block_public_policy)
            .restrict_public_buckets(block.restrict_public_buckets)
            .build();
        let call = self.0.put_public_access_block().account_id(account.as_str());
        let answer = call.public_access_block_configuration(configuration).send().await;
        answer.map(drop).map_err(|error| CallError::of("s3:PutAccountPublicAccessBlock", error))
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// What Amazon S3 answers on the wire.
    async fn found(status: u16, body: String) -> Result<Option<PublicAccessBlock>, CallError> {
        let rule = mock!(Client::get_public_access_block).then_http_response(move || {
            HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.clone()))
        });
        let client = mock_client!(aws_sdk_s3control, RuleMode::Sequential, &[&rule]);
        S3ControlGateway::new(client).find_public_access_block(&"222222222222".parse().unwrap()).await
    }

    fn error(code: &str) -> String {
        format!("<ErrorResponse><Error><Code>{code}</Code><Message>words</Message></Error></ErrorResponse>")
    }

    #[tokio::test]
    async fn no_settings_and_no_permission_are_two_answers() {
        let absent = found(404, error("NoSuchPublicAccessBlockConfiguration")).await;
        assert_eq!(absent.unwrap(), None);
        assert_eq!(found(403, error("AccessDenied")).await.unwrap_err().cause, Cause::AccessDenied);
        assert_eq!(found(403, error("NotSignedUp")).await.unwrap_err().cause, Cause::OptInRequired);
    }

    #[tokio::test]
    async fn each_setting_is_read_from_its_own_element() {
        let settings = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
            <IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>\
            <RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
        let block = found(200, settings.to_owned()).await.unwrap().unwrap();
        let expected = PublicAccessBlock { block_public_acls: true, block_public_policy: true, ..Default::default() };
        assert_eq!(block, expected);
    }
}
