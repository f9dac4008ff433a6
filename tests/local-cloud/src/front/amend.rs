//! What MiniStack does differently from AWS, put right before and after a request is forwarded to it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Response, header::CONTENT_LENGTH};

use super::answer::ApiError;
use super::request::Incoming;
use crate::client::AwsError;
use crate::core::Core;

const IAM_VERSION: &str = "2010-05-08";

/// What holds where `UpdateAccountPasswordPolicy` leaves it out (IAM API reference). MiniStack takes 0 for nothing.
const PASSWORD_POLICY: [(&str, &str); 9] = [
    ("AllowUsersToChangePassword", "false"),
    ("HardExpiry", "false"),
    ("MaxPasswordAge", "0"),
    ("MinimumPasswordLength", "6"),
    ("PasswordReusePrevention", "0"),
    ("RequireLowercaseCharacters", "false"),
    ("RequireNumbers", "false"),
    ("RequireSymbols", "false"),
    ("RequireUppercaseCharacters", "false"),
];

/// The account that each alias belongs to: MiniStack lets several accounts have the same.
#[derive(Default)]
pub(crate) struct Aliases(Mutex<HashMap<String, String>>);

/// Refuses what MiniStack would do, and AWS does not.
pub(super) async fn before(core: &Core, request: &Incoming, account: &str) -> Result<(), ApiError> {
    let alias = || request.text("AccountAlias").filter(|alias| is_alias(alias));
    match (request.service.as_str(), request.operation.as_str()) {
        ("iam", "CreateAccountAlias") => {
            let alias = alias().ok_or_else(invalid_alias)?;
            match core.aliases.lock().get(alias) {
                Some(owner) if owner != account => Err(taken(alias)),
                _ => Ok(()),
            }
        }
        ("iam", "DeleteAccountAlias") => {
            let alias = alias().ok_or_else(invalid_alias)?;
            let own = core.front_root_of(account).query("iam", "ListAccountAliases", IAM_VERSION, &[]).await;
            let has = own.is_ok_and(|own| own.texts("member").iter().any(|own| own == alias));
            if has { Ok(()) } else { Err(gone(alias)) }
        }
        _ => Ok(()),
    }
}

/// Completes what MiniStack has done.
pub(super) async fn after(core: &Core, request: &Incoming, account: &str) {
    match (request.service.as_str(), request.operation.as_str()) {
        ("iam", "CreateAccountAlias" | "DeleteAccountAlias") => {
            let mut aliases = core.aliases.lock();
            aliases.retain(|_, owner| owner != account);
            if let Some(alias) = request.text("AccountAlias").filter(|_| request.operation == "CreateAccountAlias") {
                aliases.insert(alias.to_owned(), account.to_owned());
            }
        }
        ("iam", "UpdateAccountPasswordPolicy") => {
            if let Err(error) = complete_password_policy(core, request, account).await {
                core.mishap(format!("the password policy of account {account} could not be completed: {error}"));
            }
        }
        _ => {}
    }
}

/// Puts right what MiniStack has answered. Its answers name their length in a header.
pub(super) fn answer(core: &Core, request: &Incoming, account: &str, answer: &mut Response<Bytes>) {
    if (request.service.as_str(), request.operation.as_str()) == ("iam", "GetAccountSummary") {
        let body = core.services.root_access.amend_summary(account, answer.body());
        answer.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        *answer.body_mut() = body;
    }
}

/// On AWS an update replaces the whole policy; MiniStack keeps what the update leaves out, and is told of it in a second one.
/// At no moment the account is without a policy, which somebody beside might see.
async fn complete_password_policy(core: &Core, request: &Incoming, account: &str) -> Result<(), AwsError> {
    let left_out: Vec<_> = PASSWORD_POLICY.into_iter().filter(|(name, _)| request.text(name).is_none()).collect();
    if left_out.is_empty() {
        return Ok(());
    }
    core.front_root_of(account).query("iam", "UpdateAccountPasswordPolicy", IAM_VERSION, &left_out).await.map(drop)
}

impl Aliases {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 3 to 63 lower-case letters, digits and hyphens; no hyphen at either end, nor two in a row; no account id.
fn is_alias(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
        && !crate::identity::is_account_id(text)
}

fn invalid_alias() -> ApiError {
    ApiError::new(400, "ValidationError", "The specified value for accountAlias is invalid.")
}

fn taken(alias: &str) -> ApiError {
    ApiError::new(409, "EntityAlreadyExists", format!("The account alias {alias} already exists."))
}

fn gone(alias: &str) -> ApiError {
    ApiError::new(404, "NoSuchEntity", format!("The account alias {alias} cannot be found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_follow_the_published_rules() {
        assert!(is_alias("shop-prod-1") && is_alias("abc"));
        for bad in ["ab", "-abc", "abc-", "a--b", "Shop", "a_b", "123456789012"] {
            assert!(!is_alias(bad), "{bad}");
        }
    }
}
