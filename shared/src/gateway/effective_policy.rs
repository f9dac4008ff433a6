//! AWS Organizations, as any account sees it: what the policies of the organization come to for the account itself.

use aws_config::SdkConfig;
use aws_sdk_organizations::{
    Client, operation::describe_effective_policy::DescribeEffectivePolicyError as Refused, types::EffectivePolicyType,
};
use serde_json::Value;

use super::{CallError, unless_absent};
use crate::error::Cause;

/// The door to what holds for the account that calls. AWS lets every account of an organization ask for itself (API
/// reference, `DescribeEffectivePolicy`).
#[derive(Clone, Debug)]
pub struct EffectivePolicyGateway(Client);

impl EffectivePolicyGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// What the S3 policies of the organization come to for the account; None where there are none, or no organization.
    pub async fn find_s3_policy(&self) -> Result<Option<Value>, CallError> {
        const OPERATION: &str = "organizations:DescribeEffectivePolicy";
        let answer = self.0.describe_effective_policy().policy_type(EffectivePolicyType::S3Policy).send().await;
        let is_absent = |error: &Refused| {
            error.is_effective_policy_not_found_exception() || error.is_aws_organizations_not_in_use_exception()
        };
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(None) };
        let unusable = |what: &str| CallError::unusable(OPERATION, Cause::CallFailed, format!("an answer {what}"));
        let content = answer.effective_policy.and_then(|policy| policy.policy_content);
        let content = content.ok_or_else(|| unusable("without PolicyContent"))?;
        serde_json::from_str(&content).map(Some).map_err(|_| unusable("whose PolicyContent is not JSON"))
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;
    use serde_json::json;

    use super::*;

    /// What AWS answers on the wire.
    async fn found(status: u16, body: Value) -> Result<Option<Value>, CallError> {
        let rule = mock!(Client::describe_effective_policy)
            .match_requests(|input| {
                input.policy_type() == Some(&EffectivePolicyType::S3Policy) && input.target_id().is_none()
            })
            .then_http_response(move || {
                HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.to_string()))
            });
        EffectivePolicyGateway::new(mock_client!(aws_sdk_organizations, RuleMode::Sequential, &[&rule]))
            .find_s3_policy()
            .await
    }

    #[tokio::test]
    async fn a_policy_none_and_a_denial_are_three_answers() {
        let said = json!({"s3_attributes": {"public_access_block_configuration": "all"}});
        let answer = json!({"EffectivePolicy": {"PolicyContent": said.to_string(), "PolicyType": "S3_POLICY"}});
        assert_eq!(found(200, answer).await.unwrap(), Some(said));
        for absent in ["EffectivePolicyNotFoundException", "AWSOrganizationsNotInUseException"] {
            assert_eq!(found(400, json!({"__type": absent, "Message": "none"})).await.unwrap(), None, "{absent}");
        }
        let denied = found(400, json!({"__type": "AccessDeniedException", "Message": "no"})).await.unwrap_err();
        assert_eq!(denied.cause, Cause::AccessDenied);
        assert!(found(200, json!({})).await.is_err());
    }
}
