//! Who an access key belongs to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::client::{AwsClient, AwsError};
use crate::front::request::Incoming;
use crate::temporary::TemporaryKey;
use crate::xml::Xml;

const IAM_VERSION: &str = "2010-05-08";
const STS_VERSION: &str = "2011-06-15";

/// The principal behind an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) arn: String,
    /// The policy that narrows the session down, when it was made with one.
    pub(crate) session_policy: Option<String>,
}

impl Caller {
    pub(crate) fn root(account: &str) -> Self {
        Self { account: account.to_owned(), arn: format!("arn:aws:iam::{account}:root"), session_policy: None }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }

    /// The ARN of the user or role whose policies apply.
    pub(crate) fn policy_source(&self) -> String {
        match self.arn.split_once(":assumed-role/") {
            Some((_, session)) => {
                let role = session.split('/').next().unwrap_or(session);
                format!("arn:aws:iam::{}:role/{role}", self.account)
            }
            None => self.arn.clone(),
        }
    }
}

/// Remembers whom access keys belong to.
#[derive(Default)]
pub(crate) struct Identities {
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    caller: Caller,
    /// What checks its requests, when the front knows enough about the session.
    key: Option<TemporaryKey>,
}

impl Identities {
    /// The caller of a request, asking MiniStack once per key that is new.
    pub(crate) async fn caller(&self, ministack: &str, access_key: &str) -> Option<Caller> {
        if is_account_id(access_key) {
            return Some(Caller::root(access_key));
        }
        if let Some(known) = self.lock().get(access_key) {
            return Some(known.caller.clone());
        }
        let found = look_up(ministack, access_key).await.ok().flatten()?;
        let caller = found.caller.clone();
        self.lock().insert(access_key.to_owned(), found);
        Some(caller)
    }

    /// The account of a key that has been seen, or is a root user's.
    pub(crate) fn known_account(&self, access_key: &str) -> Option<String> {
        if is_account_id(access_key) {
            return Some(access_key.to_owned());
        }
        self.lock().get(access_key).map(|known| known.caller.account.clone())
    }

    /// Knows whom a key belongs to that was made here.
    pub(crate) fn know(&self, access_key: &str, caller: Caller, key: TemporaryKey) {
        self.lock().insert(access_key.to_owned(), Known { caller, key: Some(key) });
    }

    /// What checks the requests of a temporary key.
    pub(crate) fn key(&self, access_key: &str) -> Option<TemporaryKey> {
        self.lock().get(access_key)?.key.clone()
    }

    /// Learns the session that a successful `AssumeRole` made.
    pub(crate) fn learn(&self, request: &Incoming, answer: &[u8]) {
        if request.service != "sts" || request.operation != "AssumeRole" {
            return;
        }
        let answer = Xml(String::from_utf8_lossy(answer).into_owned());
        let (Some(key), Some(arn)) = (answer.text("AccessKeyId"), answer.text("Arn")) else { return };
        let Some(account) = arn.split(':').nth(4).map(str::to_owned) else { return };
        let session_policy = request.text("Policy").map(str::to_owned);
        // Managed policies may narrow it down too; of those the front knows nothing.
        let is_whole =
            request.input.as_object().is_none_or(|form| !form.keys().any(|name| name.starts_with("PolicyArns")));
        let secret = if is_whole { secret(&answer) } else { None };
        self.lock().insert(key, Known { caller: Caller { account, arn, session_policy }, key: secret });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The secret in an answer of STS.
fn secret(answer: &Xml) -> Option<TemporaryKey> {
    let expires = answer.text("Expiration")?.parse().ok()?;
    Some(TemporaryKey {
        secret: answer.text("SecretAccessKey")?,
        token: answer.text("SessionToken")?,
        expires: Some(expires),
    })
}

/// Whether a text is an account id, and as an access key that account's root user.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Any account may ask whom a key belongs to.
const ASKING_ACCOUNT: &str = "000000000000";

async fn look_up(ministack: &str, access_key: &str) -> Result<Option<Known>, AwsError> {
    if access_key.len() < 16 {
        return Ok(None);
    }
    let sts = AwsClient::new(ministack, ASKING_ACCOUNT);
    let answer = sts.query("sts", "GetAccessKeyInfo", STS_VERSION, &[("AccessKeyId", access_key)]).await?;
    let Some(account) = answer.text("Account") else { return Ok(None) };
    let client = AwsClient::new(ministack, &account);
    let found = match execution_session(&client, access_key, &account).await? {
        Some((arn, key)) => Some((arn, Some(key))),
        None => user_of(&client, access_key).await?.map(|arn| (arn, None)),
    };
    Ok(found.map(|(arn, key)| Known { caller: Caller { account, arn, session_policy: None }, key }))
}

/// The session of a Lambda function. No API tells whose a temporary key is, but MiniStack derives the key of a
/// function's execution role from the two ARNs.
async fn execution_session(
    client: &AwsClient,
    access_key: &str,
    account: &str,
) -> Result<Option<(String, TemporaryKey)>, AwsError> {
    let mut marker = String::new();
    loop {
        let path = format!("/2015-03-31/functions/?FunctionVersion=ALL{marker}");
        let answer = client.rest("lambda", http::Method::GET, &path, "").await?;
        let page: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        for function in page["Functions"].as_array().into_iter().flatten() {
            let text = |name: &str| function[name].as_str().unwrap_or_default();
            let (arn, role) = (text("FunctionArn"), text("Role"));
            let (derived, key) = execution_key(arn, role);
            if access_key == derived {
                let role = role.rsplit('/').next().unwrap_or(role);
                let session = text("FunctionName");
                return Ok(Some((format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"), key)));
            }
        }
        match page["NextMarker"].as_str() {
            Some(next) if !next.is_empty() => marker = format!("&Marker={next}"),
            _ => return Ok(None),
        }
    }
}

fn execution_key(function_arn: &str, role_arn: &str) -> (String, TemporaryKey) {
    let digest = hexadecimal(&format!("{function_arn}:{role_arn}"));
    let key = TemporaryKey {
        secret: hexadecimal(&format!("secret:{digest}")),
        token: hexadecimal(&format!("token:{digest}")),
        expires: None,
    };
    (format!("ASIA{}", digest[..16].to_ascii_uppercase()), key)
}

fn hexadecimal(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

async fn user_of(client: &AwsClient, access_key: &str) -> Result<Option<String>, AwsError> {
    let users = client.query("iam", "ListUsers", IAM_VERSION, &[]).await?;
    for user in users.children("member") {
        let Some(name) = user.text("UserName") else { continue };
        let keys = client.query("iam", "ListAccessKeys", IAM_VERSION, &[("UserName", &name)]).await?;
        if keys.texts("AccessKeyId").iter().any(|key| key == access_key) {
            return Ok(user.text("Arn"));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_function_follows_from_its_arns() {
        let (key, behind) = execution_key("f", "r");
        assert_eq!(key, "ASIA328E940FC5C552B7");
        assert_eq!(behind.secret, "1b39c3206981627041318e38a89b2656fbbf295ba96a939b7ff28a0280622255");
        assert_eq!(behind.token, "88390d41d0eb37c6905057909f940b3d42af641530957f0e726223842597c23c");
    }

    #[test]
    fn the_policies_of_a_session_are_those_of_its_role() {
        let caller = Caller {
            account: "111111111111".to_owned(),
            arn: "arn:aws:sts::111111111111:assumed-role/poller/session".to_owned(),
            session_policy: None,
        };
        assert_eq!(caller.policy_source(), "arn:aws:iam::111111111111:role/poller");
        assert!(Caller::root("111111111111").is_root());
    }
}
