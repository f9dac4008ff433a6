//! `AssumeRole` into simulated accounts.

use jiff::{SignedDuration, Timestamp};

use super::{Simulated, unknown};
use crate::front::answer::{ApiError, query_body};
use crate::front::judgement::Document;
use crate::front::request::Incoming;
use crate::identity::Caller;
use crate::service::Context;
use crate::service::organizations::DEFAULT_ROLE;
use crate::temporary::{self, STS_NAMESPACE, TemporaryKey};

/// Seconds that a session of a role lasts when its owner has not set more; also the usual time.
const LONGEST: i64 = 3600;
const SHORTEST: i64 = 900;

/// Characters of a session policy.
const LONGEST_POLICY: usize = 2048;

/// The account and name of the role that a request wants to assume.
pub(super) fn target(request: &Incoming) -> Option<(&str, &str)> {
    if request.service != "sts" || request.operation != "AssumeRole" {
        return None;
    }
    request.text("RoleArn")?.strip_prefix("arn:aws:iam::")?.split_once(":role/")
}

/// Opens a session of the access role; IAM has agreed already on the caller's side.
pub(super) fn open(simulated: &Simulated, context: &Context<'_>) -> Result<String, ApiError> {
    let (core, request, caller) = (&context.core, context.request, &context.caller);
    let (account, role) = target(request).ok_or_else(|| unknown(request))?;
    let member = simulated.member(account).ok_or_else(|| unknown(request))?;
    if *member.management != caller.account || role != DEFAULT_ROLE {
        return Err(request.protocol.access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{account}:role/{role}",
            caller.arn
        )));
    }
    let name = request.text("RoleSessionName").filter(|name| (2..=64).contains(&name.len()));
    let name = name.ok_or_else(|| invalid("RoleSessionName"))?;
    let seconds = request.text("DurationSeconds").map_or(Some(LONGEST), |seconds| seconds.parse().ok());
    let seconds = seconds.filter(|seconds| (SHORTEST..=LONGEST).contains(seconds));
    let expires = Timestamp::now() + SignedDuration::from_secs(seconds.ok_or_else(|| invalid("DurationSeconds"))?);
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{name}");
    let (credentials, key) = TemporaryKey::new(&core.ids, expires);
    let result = format!(
        "{}<AssumedRoleUser><AssumedRoleId>AROA{account}:{name}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>",
        temporary::element(&credentials, expires)
    );
    let session = Caller { account: account.to_owned(), arn, session_policy: session_policy(request)? };
    core.identities.know(&credentials.access_key_id, session, key);
    simulated.lock().sessions.insert(credentials.access_key_id);
    Ok(query_body(&core.ids, STS_NAMESPACE, "AssumeRole", &result))
}

fn session_policy(request: &Incoming) -> Result<Option<String>, ApiError> {
    if request.input.as_object().is_some_and(|form| form.keys().any(|name| name.starts_with("PolicyArns"))) {
        return Err(invalid("PolicyArns"));
    }
    let Some(policy) = request.text("Policy") else { return Ok(None) };
    if policy.len() > LONGEST_POLICY {
        return Err(invalid("Policy"));
    }
    match Document::parse(policy) {
        Some(_) => Ok(Some(policy.to_owned())),
        None => Err(ApiError::new(400, "MalformedPolicyDocument", "This policy contains invalid Json")),
    }
}

fn invalid(parameter: &str) -> ApiError {
    ApiError::new(400, "ValidationError", format!("The value of {parameter} is not valid."))
}
