//! The single endpoint: answers what MiniStack cannot, forwards the rest, and records everything.

pub(crate) mod actions;
pub(crate) mod amend;
pub(crate) mod answer;
pub(crate) mod authorize;
pub(crate) mod belonging;
mod conditions;
pub(crate) mod grants;
pub(crate) mod judgement;
mod policies;
pub(crate) mod request;
pub(crate) mod rest;
mod server;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response};
use jiff::Timestamp;

use crate::client::AwsClient;
use crate::core::Core;
use crate::fault::{Kind, Target, throttling};
use crate::identity::Caller;
use crate::quota::Rate;
use crate::record::Call;
use crate::service::Context;
use crate::trail::{self, Happened};
use crate::xml::Xml;
use answer::ApiError;
pub(crate) use conditions::is_like;
use request::Incoming;
pub(crate) use server::serve;

/// What happens to a request in the end.
enum Outcome {
    Answer(Response<Bytes>),
    /// The connection is reset instead.
    Reset,
}

/// Handles one request from arrival to record. `None` asks the server to reset the connection.
async fn handle(core: &Arc<Core>, request: Incoming) -> Option<Response<Bytes>> {
    let sequence = core.recorder.arrive();
    let (at, started) = (Timestamp::now(), Instant::now());
    let caller = core.identities.caller(&core.ministack(), &request.access_key).await;
    let outcome = with_faults(core, &request, caller.as_ref()).await;
    let (status, error) = match &outcome {
        Outcome::Answer(answer) => (answer.status().as_u16(), answer::error_code(answer)),
        Outcome::Reset => (0, None),
    };
    if let Some(caller) = &caller {
        let Incoming { service, operation, input, access_key, function, .. } = &request;
        let (function, error) = (function.as_deref(), error.as_deref());
        let key_given = match &outcome {
            Outcome::Answer(answer) if operation == "AssumeRoot" => {
                Xml(String::from_utf8_lossy(answer.body()).into_owned()).text("AccessKeyId")
            }
            Outcome::Answer(_) | Outcome::Reset => None,
        };
        trail::record(core, caller, &Happened { service, operation, input, access_key, function, error, key_given });
    }
    let actions = actions::needed(&request);
    let Incoming { access_key, function, service, operation, input, .. } = request;
    let (account, arn, session_policy) =
        caller.map_or((None, None, None), |caller| (Some(caller.account), Some(caller.arn), caller.session_policy));
    core.recorder.finish(Call {
        sequence,
        at,
        took: started.elapsed(),
        access_key,
        account,
        caller: arn,
        session_policy,
        function,
        service,
        operation,
        actions,
        input,
        status,
        error,
    });
    match outcome {
        Outcome::Answer(answer) => Some(with_request_id(core, answer)),
        Outcome::Reset => None,
    }
}

/// Answers of AWS carry an id to complain with; MiniStack's have one already.
fn with_request_id(core: &Core, mut answer: Response<Bytes>) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(&core.ids.uuid()) {
        answer.headers_mut().entry("x-amzn-requestid").or_insert(id);
    }
    answer
}

/// Lets the faults in force strike before or after the request is done.
async fn with_faults(core: &Arc<Core>, request: &Incoming, caller: Option<&Caller>) -> Outcome {
    let account = caller.map(|caller| caller.account.as_str());
    let (delay, struck) = core.faults.strike(&Target {
        service: &request.service,
        operation: &request.operation,
        account,
        function: request.function.as_deref(),
        is_in: &|management| account.is_some_and(|account| core.services.organizations.has(management, account)),
    });
    let delay = delay + core.latency;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let refuse = |error: &ApiError| Outcome::Answer(answer::error(request.protocol, error));
    match struck {
        Some(Kind::Throttle) => refuse(&throttling(&request.service)),
        Some(Kind::Error { status, code, message, members }) => refuse(&ApiError { status, code, message, members }),
        Some(Kind::Unavailable(status)) => refuse(&server_error(status)),
        Some(Kind::Reset) => Outcome::Reset,
        Some(Kind::AnswerReplaced(status)) => {
            dispatch(core, request, caller).await;
            refuse(&server_error(status))
        }
        Some(Kind::AnswerLost) => {
            dispatch(core, request, caller).await;
            Outcome::Reset
        }
        // Delays are summed up beforehand.
        Some(Kind::Latency(_)) | None => Outcome::Answer(dispatch(core, request, caller).await),
    }
}

fn server_error(status: u16) -> ApiError {
    ApiError::new(status, "InternalFailure", "The request processing has failed because of an unknown error.")
}

/// Has the request answered by the service that claims it, or by MiniStack.
async fn dispatch(core: &Arc<Core>, request: &Incoming, caller: Option<&Caller>) -> Response<Bytes> {
    if let Err(error) = check_root_signature(request) {
        return answer::error(request.protocol, &error);
    }
    if let Some(caller) = caller
        && let Some(action) = actions::needed(request).first()
        && action != "sts:GetCallerIdentity" // which asks for no permission
        && core.services.organizations.denies(&caller.account)
    {
        return answer::error(request.protocol, &denied_to_account(request, caller, action));
    }
    if let Some(session) = core.services.root_access.session(&request.access_key) {
        let answered = session.answer(core, request).await;
        return answered.unwrap_or_else(|error| answer::error(request.protocol, &error));
    }
    if let Some(caller) = caller.filter(|_| request.service != "sts")
        && !core.services.organizations.is_ready(&caller.account, core.clock.elapsed())
    {
        return answer::error(request.protocol, &request.protocol.opt_in_required());
    }
    let Some(service) = core.services.claiming(request) else { return forward(core, request, caller).await };
    let caller = match authorize::authorize(core, request, caller, service.needs(core, request)).await {
        Ok(caller) => caller,
        Err(error) => return answer::error(request.protocol, &error),
    };
    if !within_rate(core, service.rate(&request.operation), request, &caller) {
        return answer::error(request.protocol, &throttling(&request.service));
    }
    let answered = service.answer(&Context { core: core.clone(), request, caller });
    answered.unwrap_or_else(|error| answer::error(request.protocol, &error))
}

/// The refusal of a service control policy, which binds root users too.
fn denied_to_account(request: &Incoming, caller: &Caller, action: &str) -> ApiError {
    request.protocol.access_denied(format!(
        "User: {} is not authorized to perform: {action} with an explicit deny in a service control policy",
        caller.arn
    ))
}

fn within_rate(core: &Core, rate: Option<Rate>, request: &Incoming, caller: &Caller) -> bool {
    match (&core.buckets, rate) {
        (Some(buckets), Some(rate)) => buckets.take(&caller.account, &request.operation, rate),
        _ => true,
    }
}

async fn forward(core: &Arc<Core>, request: &Incoming, caller: Option<&Caller>) -> Response<Bytes> {
    if let Some(caller) = caller
        && let Err(error) = amend::before(core, request, &caller.account).await
    {
        return answer::error(request.protocol, &error);
    }
    let headers = belonging::headers(core, request, caller);
    let sent = core.upstream.send(&request.parts.method, &request.parts.uri, &headers, request.body.clone());
    match sent.await {
        Ok(mut answer) => {
            if answer.status().is_success() {
                core.identities.learn(request, answer.body());
                if let Some(caller) = caller {
                    core.grants.forget(&caller.account, request).await;
                    amend::after(core, request, &caller.account).await;
                    amend::answer(core, request, &caller.account, &mut answer);
                }
            }
            answer
        }
        Err(error) => {
            let message = format!("MiniStack did not answer: {error}");
            answer::error(request.protocol, &ApiError::new(503, "ServiceUnavailable", message))
        }
    }
}

/// MiniStack takes root keys on trust; AWS does not.
fn check_root_signature(request: &Incoming) -> Result<(), ApiError> {
    let Some(authorization) = &request.authorization else { return Ok(()) };
    let is_root = crate::identity::is_account_id(&authorization.access_key_id);
    if !is_root || authorization.is_signed_with(AwsClient::ROOT_SECRET, &request.parts, &request.body) {
        return Ok(());
    }
    Err(request.protocol.wrong_signature())
}
