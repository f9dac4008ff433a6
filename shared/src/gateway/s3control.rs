//! Amazon S3 Control: what holds for all buckets of an account.

use std::net::{IpAddr, SocketAddr};

use aws_config::SdkConfig;
use aws_sdk_s3control::{
    Client,
    config::{
        Builder,
        endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    },
    operation::get_public_access_block::GetPublicAccessBlockError,
    types::PublicAccessBlockConfiguration,
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
        let builder = Builder::from(config);
        let builder = match config.endpoint_url().filter(|url| is_on_this_machine(url)) {
            Some(url) => builder.endpoint_resolver(AsItIs(url.to_owned())),
            None => builder,
        };
        Self::new(Client::from_conf(builder.build()))
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

/// An endpoint that is called as it is. The SDK puts the account's id before the host of every other one, which
/// makes no name that anybody could resolve out of an address or of `localhost`.
#[derive(Debug)]
struct AsItIs(String);

impl ResolveEndpoint for AsItIs {
    fn resolve_endpoint<'a>(&'a self, _params: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

fn is_on_this_machine(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let is_address = host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok();
    is_address || host.split(':').next() == Some("localhost")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_http_client::test_util::infallible_client_fn;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::gateway::testing::unreachable_config;

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
    async fn no_settings_no_permission_and_no_time_are_three_answers() {
        let absent = found(404, error("NoSuchPublicAccessBlockConfiguration")).await;
        assert_eq!(absent.unwrap(), None);
        assert_eq!(found(403, error("AccessDenied")).await.unwrap_err().cause, Cause::AccessDenied);
        assert_eq!(found(403, error("NotSignedUp")).await.unwrap_err().cause, Cause::OptInRequired);
        // What Amazon S3 says while another change of the same settings is under way.
        assert_eq!(found(409, error("OperationAborted")).await.unwrap_err().cause, Cause::ConcurrentModification);
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

    #[tokio::test]
    async fn an_endpoint_on_this_machine_is_called_as_it_is_and_any_other_by_the_account() {
        for (endpoint, expected) in [
            (None, "222222222222.s3-control.us-east-1.amazonaws.com"),
            (Some("http://127.0.0.1:4566"), "127.0.0.1:4566"),
            (Some("http://localhost:4566/"), "localhost:4566"),
            (Some("https://s3-control.example.com"), "222222222222.s3-control.example.com"),
        ] {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let record = Arc::clone(&seen);
            let http = infallible_client_fn(move |request| {
                let authority = request.uri().authority().unwrap().to_string();
                let signature = request.headers()["authorization"].to_str().unwrap().to_owned();
                record.lock().unwrap().push((authority, signature));
                http::Response::builder().status(404).body(error("NoSuchPublicAccessBlockConfiguration")).unwrap()
            });
            let mut config = unreachable_config().to_builder().http_client(http);
            config.set_endpoint_url(endpoint.map(ToOwned::to_owned));
            let gateway = S3ControlGateway::of(&config.build());
            assert_eq!(gateway.find_public_access_block(&"222222222222".parse().unwrap()).await.unwrap(), None);
            let seen = seen.lock().unwrap();
            assert_eq!(seen[0].0, expected);
            assert!(seen[0].1.contains("/us-east-1/s3/aws4_request"), "{}", seen[0].1);
        }
    }
}
