//! Sessions in member accounts: short, and allowed no more than the work at hand needs.

use aws_config::SdkConfig;
use aws_sdk_sts::config::SharedCredentialsProvider;
use serde_json::json;

use crate::{
    error::Cause,
    gateway::{CallError, SessionRequest, StsGateway},
    ids::{AccountId, Region, RoleName},
};

/// The shortest session that AWS STS gives.
const SESSION_SECONDS: i32 = 900;

/// Enters member accounts from the management account.
#[derive(Clone, Debug)]
pub struct Sessions {
    sts: StsGateway,
    config: SdkConfig,
    function: &'static str,
}

impl Sessions {
    /// Sessions that are opened with the credentials of `config` and carry the name of `function`.
    pub fn new(config: &SdkConfig, function: &'static str) -> Self {
        Self { sts: StsGateway::of(config), config: config.clone(), function }
    }

    /// An AWS configuration with credentials of the role, in us-east-1, that allow `actions` and nothing else.
    /// `invocation` ties the session to one invocation in CloudTrail.
    ///
    /// A role that cannot be assumed gives [`Cause::RoleNotAssumable`]: in a new account it comes late.
    pub async fn enter(
        &self,
        account: &AccountId,
        role: &RoleName,
        actions: &[&'static str],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        let request = SessionRequest {
            account,
            role,
            session_name: &session_name(self.function, invocation),
            policy: &session_policy(actions),
            seconds: SESSION_SECONDS,
        };
        let credentials = self.sts.assume_role(&request).await.map_err(|mut error| {
            if error.cause == Cause::AccessDenied {
                error.cause = Cause::RoleNotAssumable;
            }
            error
        })?;
        let region = aws_config::Region::new(Region::us_east_1().as_str().to_owned());
        let builder = self.config.to_builder().region(region);
        Ok(builder.credentials_provider(SharedCredentialsProvider::new(credentials)).build())
    }
}

/// An inline session policy: the session may do what both it and the role's own policies allow.
pub fn session_policy(actions: &[&'static str]) -> String {
    let mut actions = actions.to_vec();
    actions.sort_unstable();
    actions.dedup();
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
}

/// `function.invocation`, cut to the 64 characters that AWS STS allows.
fn session_name(function: &str, invocation: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "+=,.@-".contains(c) { c } else { '-' };
    format!("{function}.{invocation}").chars().map(allowed).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_what_sts_allows() {
        let name = session_name("create-account-poller", "8f5d2c1e-1111-2222-3333-444455556666/x y");
        assert!(name.starts_with("create-account-poller.8f5d2c1e") && name.len() <= 64, "{name}");
        assert!(!name.contains(['/', ' ']), "{name}");
    }

    #[test]
    fn a_session_policy_names_each_action_once() {
        let policy: serde_json::Value =
            serde_json::from_str(&session_policy(&["sns:Subscribe", "sns:CreateTopic", "sns:Subscribe"])).unwrap();
        assert_eq!(policy["Statement"][0]["Action"], json!(["sns:CreateTopic", "sns:Subscribe"]));
    }
}
