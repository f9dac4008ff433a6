//! Amazon S3 Control: what holds for all buckets of an account.

use aws_config::SdkConfig;
use aws_sdk_s3control::{
    Client, operation::get_public_access_block::GetPublicAccessBlockError, types::PublicAccessBlockConfiguration,
};

use super::CallError;
use crate::ids::AccountId;

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
        match self.0.get_public_access_block().account_id(account.as_str()).send().await {
            Ok(answer) => Ok(answer.public_access_block_configuration().map(|block| PublicAccessBlock {
                block_public_acls: block.block_public_acls().unwrap_or_default(),
                ignore_public_acls: block.ignore_public_acls().unwrap_or_default(),
                block_public_policy: block.block_public_policy().unwrap_or_default(),
                restrict_public_buckets: block.restrict_public_buckets().unwrap_or_default(),
            })),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetPublicAccessBlockError::is_no_such_public_access_block_configuration) =>
            {
                Ok(None)
            }
            Err(error) => Err(CallError::of("s3:GetAccountPublicAccessBlock", error)),
        }
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
