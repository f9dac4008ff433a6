//! `AssumeRoot`: opens a session of a member account's root user for one task.

use jiff::{SignedDuration, Timestamp};

use super::session::RootSession;
use super::task::Task;
use super::{PRINCIPAL, RootAccess};
use crate::core::Core;
use crate::front::answer::{ApiError, query_body};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::identity::{Caller, is_account_id};
use crate::service::Context;
use crate::temporary::{self, STS_NAMESPACE, TemporaryKey};

/// The longest session, which is also the usual one, in seconds.
const LONGEST: i64 = 900;

pub(super) fn needs(request: &Incoming) -> Vec<Need> {
    // Without a valid target there is nothing to allow; the request is refused as invalid later.
    let target = target(request).unwrap_or("000000000000");
    let task = request.text("TaskPolicyArn.arn").unwrap_or_default();
    let need = Need::new("sts:AssumeRoot", format!("arn:aws:iam::{target}:root"));
    vec![need.given("sts:TaskPolicyArn", task)]
}

pub(super) fn answer(root_access: &RootAccess, context: &Context<'_>) -> Result<String, ApiError> {
    let (core, request) = (&context.core, context.request);
    let target = target(request).ok_or_else(|| invalid("TargetPrincipal"))?;
    let task = request.text("TaskPolicyArn.arn").and_then(Task::from_arn);
    let task = task.ok_or_else(|| invalid("TaskPolicyArn"))?;
    let seconds = request.text("DurationSeconds").map_or(Some(LONGEST), |seconds| seconds.parse().ok());
    let seconds = seconds.filter(|seconds| (0..=LONGEST).contains(seconds));
    let lifetime = SignedDuration::from_secs(seconds.ok_or_else(|| invalid("DurationSeconds"))?);
    let region = request.authorization.as_ref().map(|authorization| authorization.region.as_str()).unwrap_or_default();
    if !core.services.account.has_region(&context.caller.account, region) {
        let message = format!("STS is not activated in this region for account:{}.", context.caller.account);
        return Err(ApiError::new(403, "RegionDisabledException", message));
    }
    if !may_assume(root_access, core, &context.caller, target, task) {
        return Err(request.protocol.access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{target}:root",
            context.caller.arn
        )));
    }
    let expires = Timestamp::now() + lifetime;
    let (credentials, key) = TemporaryKey::new(&core.ids, expires);
    core.identities.know(&credentials.access_key_id, Caller::root(target), key.clone());
    let body = query_body(&core.ids, STS_NAMESPACE, "AssumeRoot", &temporary::element(&credentials, expires));
    let session = RootSession { account: target.to_owned(), key, task };
    root_access.lock().sessions.insert(credentials.access_key_id, session);
    Ok(body)
}

/// Whether the organization lets this caller do this task in this account; IAM has agreed already.
fn may_assume(root_access: &RootAccess, core: &Core, caller: &Caller, target: &str, task: Task) -> bool {
    let Some(membership) = core.services.organizations.membership(&caller.account) else { return false };
    let enabled = root_access.with_features(&membership.management, |features| features.contains(&task.feature()));
    enabled
        && !caller.is_root()
        && membership.management == caller.account
        && target != caller.account
        && core.services.organizations.has(&membership.management, target)
        && membership.trusts(PRINCIPAL)
}

/// The account whose root user is asked for, by its id or its ARN.
fn target(request: &Incoming) -> Option<&str> {
    let principal = request.text("TargetPrincipal")?;
    let arn = principal.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    Some(arn.unwrap_or(principal)).filter(|id| is_account_id(id))
}

fn invalid(parameter: &str) -> ApiError {
    ApiError::new(400, "ValidationError", format!("The value of {parameter} is not valid."))
}
