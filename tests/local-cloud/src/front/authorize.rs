//! Authentication and authorisation of the requests that the front answers itself: MiniStack is asked.
//!
//! The signed request is forwarded as it is. MiniStack checks signature, session and policies before it looks for the
//! service, and the services answered here are switched off in it, so it changes nothing and its refusal to know the
//! service means that the caller passed.
//! It checks one action on one made-up resource, though. Where AWS looks at the named resources, or at a second action
//! such as tagging at creation, the front asks IAM's policy simulator about each pair. The simulator knows no request
//! context: a condition on a request's tags holds only in the first check.

use http::Response;

use bytes::Bytes;
use serde_json::Value;

use super::answer::{ApiError, Protocol, error_code};
use super::conditions::RequestContext;
use super::request::Incoming;
use super::{grants, policies};
use crate::client::AwsError;
use crate::core::Core;
use crate::identity::Caller;
use crate::xml::Xml;

/// One action on one resource that the caller's policies must allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: String,
    /// An ARN, or `*` for actions that know no resources.
    pub(crate) resource: String,
    /// What conditions may ask beside what the simulator knows.
    pub(crate) context: RequestContext,
}

impl Need {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: RequestContext::new() }
    }

    /// The same, with the value of a condition key.
    pub(crate) fn given(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }
}

/// What MiniStack says to a request for a service that it does not serve.
enum Verdict {
    Passed,
    /// Credentials are right, policies were not asked.
    Authenticated,
    DeniedByPolicy(ApiError),
    Refused(ApiError),
}

/// Returns the caller when the request may be done. `needs` starts with the action of the operation itself.
pub(crate) async fn authorize(
    core: &Core,
    request: &Incoming,
    caller: Option<&Caller>,
    needs: Vec<Need>,
) -> Result<Caller, ApiError> {
    if let Some(caller) = caller.filter(|caller| core.services.simulated.reaches(&caller.account))
        && let Some(decided) = grants::decide(core, request, caller, &needs).await
    {
        return decided.map(|()| caller.clone());
    }
    let sent =
        core.upstream.send(&request.parts.method, &request.parts.uri, &request.parts.headers, request.body.clone());
    let answer = sent.await.map_err(|error| ApiError::new(503, "ServiceUnavailable", error.to_string()))?;
    let verdict = verdict(request.protocol, &answer);
    if let Verdict::Refused(error) = verdict {
        return Err(error);
    }
    let caller = caller.cloned().ok_or_else(|| request.protocol.unknown_key())?;
    if caller.is_root() {
        return Ok(caller);
    }
    let iam = core.front_root_of(&caller.account);
    let names_more = |main: &Need| main.resource != "*" || !main.context.is_empty();
    let details_matter = needs.first().is_some_and(names_more);
    let checked = usize::from(!details_matter && !matches!(verdict, Verdict::Authenticated));
    if let Verdict::DeniedByPolicy(error) = verdict {
        // MiniStack's made-up resource fits no policy that names real ones, and it knows no condition key of the
        // service, so only a policy for any request, or a boundary, which the simulator ignores, makes the denial final.
        if !details_matter || policies::are_bounded(&iam, &caller).await {
            return Err(error);
        }
    }
    for need in needs.iter().skip(checked) {
        if !policies::allow(&iam, &caller, need).await.map_err(simulator_failed)? {
            return Err(denied(request.protocol, &caller, need));
        }
    }
    Ok(caller)
}

fn verdict(protocol: Protocol, answer: &Response<Bytes>) -> Verdict {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if body["error"].as_str().is_some_and(|error| error.starts_with("Unsupported service")) {
        // It knows no action of such a service but by the operation that a header names.
        return if protocol == Protocol::RestJson { Verdict::Authenticated } else { Verdict::Passed };
    }
    let in_json = ["message", "Message"].iter().find_map(|name| body[name].as_str()).map(str::to_owned);
    let in_xml = || Xml(String::from_utf8_lossy(answer.body()).into_owned()).text("Message");
    let message = in_json.or_else(in_xml).unwrap_or_default();
    let code = error_code(answer).unwrap_or_else(|| "InternalFailure".to_owned());
    if code == "InvalidURI" {
        // S3 Control looks at policies only where it knows the path.
        return Verdict::Authenticated;
    }
    if code == "InvalidAction" {
        // The service is MiniStack's, the operation is not.
        return Verdict::Passed;
    }
    if code.starts_with("AccessDenied") {
        return Verdict::DeniedByPolicy(protocol.access_denied(message));
    }
    let status = if protocol == Protocol::Json11 { 400 } else { answer.status().as_u16() };
    Verdict::Refused(ApiError::new(status, code, message))
}

pub(super) fn denied(protocol: Protocol, caller: &Caller, need: &Need) -> ApiError {
    let Need { action, resource, .. } = need;
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
         allows the {action} action",
        caller.arn
    );
    protocol.access_denied(message)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn simulator_failed(error: AwsError) -> ApiError {
    ApiError::new(500, "ServiceException", format!("the policy simulator failed: {error}"))
}
