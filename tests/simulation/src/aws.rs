//! The services: each a small faithful one, that fails loudly where it is asked for more than it knows.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod arranging;
pub(crate) mod cbor;
mod checks;
pub(crate) mod closings;
mod contacts;
mod cost_explorer;
pub(crate) mod creations;
pub(crate) mod deployed;
pub(crate) mod dynamodb;
pub(crate) mod events;
pub(crate) mod expression;
pub(crate) mod iam;
pub(crate) mod inside;
pub(crate) mod locks;
pub(crate) mod member;
mod moving;
pub(crate) mod organizations;
pub(crate) mod policy;
pub(crate) mod regions;
pub(crate) mod root;
pub(crate) mod s3;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod sqs;
pub(crate) mod stack_sets;
pub(crate) mod states;
mod sts;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    call::{Call, Protocol},
    cloud::{Effect, Principal, State},
    template::{ACCOUNT, stack},
    time,
};

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { status: 200, content_type: "application/x-amz-json-1.1", headers: Vec::new(), body }
    }

    pub(crate) fn xml(body: String) -> Self {
        Self { status: 200, content_type: "text/xml", headers: Vec::new(), body: body.into_bytes() }
    }

    /// The result of an operation of the query protocol; an operation without one has no element for it.
    pub(crate) fn query(operation: &str, result: &str) -> Self {
        let result = match result {
            "" => String::new(),
            result => format!("<{operation}Result>{result}</{operation}Result>"),
        };
        let metadata = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";
        Self::xml(format!("<{operation}Response>{result}{metadata}</{operation}Response>"))
    }
}

/// An error as a service words it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    message: String,
    members: Map<String, Value>,
    query_code: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), members: Map::new(), query_code: None }
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Gives it the code that it had when the service still spoke the query protocol. Clients take it for the code of the
    /// error (Amazon SQS developer guide, "AWS JSON protocol").
    pub(crate) fn once_called(mut self, query_code: &'static str) -> Self {
        self.query_code = Some(query_code);
        self
    }

    pub(crate) fn server_fault() -> Self {
        Self::new(500, "InternalFailure", "The request processing has failed because of an unknown error.")
    }

    pub(crate) fn throttled(service: &str) -> Self {
        let (status, code) = match service {
            "organizations" => (400, "TooManyRequestsException"),
            "account" => (429, "TooManyRequestsException"),
            "s3" => (503, "SlowDown"),
            "dynamodb" | "sqs" | "events" | "secretsmanager" => (400, "ThrottlingException"),
            _ => (400, "Throttling"),
        };
        Self::new(status, code, "Rate exceeded")
    }

    /// The reason that it gives, or its code.
    pub(crate) fn reason(&self) -> String {
        self.members.get("Reason").and_then(Value::as_str).unwrap_or(&self.code).to_owned()
    }

    pub(crate) fn is_throttling(&self) -> bool {
        ["Throttl", "TooManyRequests", "SlowDown"].iter().any(|name| self.code.contains(name))
    }

    fn denied(call: &Call) -> Self {
        let (status, code) = match call.protocol {
            Protocol::Json | Protocol::Cbor => (400, "AccessDeniedException"),
            Protocol::RestJson => (403, "AccessDeniedException"),
            Protocol::Query | Protocol::RestXml | Protocol::RestXmlWrapped => (403, "AccessDenied"),
        };
        Self::new(status, code, format!("not authorized to perform: {}:{}", call.service, call.operation))
    }

    pub(crate) fn worded(&self, protocol: Protocol) -> Answer {
        let Self { status, code, message, members, query_code } = self;
        let body = match protocol {
            Protocol::Cbor => {
                let answer = cbor::answer(&json!({"__type": code, "message": message}));
                return Answer { status: *status, ..answer };
            }
            Protocol::Json | Protocol::RestJson => {
                let mut body = json!({"__type": code, "message": message, "Message": message});
                body.as_object_mut().expect("an object").extend(members.clone());
                body.to_string()
            }
            Protocol::Query | Protocol::RestXmlWrapped => format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>1</RequestId></ErrorResponse>"
            ),
            Protocol::RestXml => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        };
        let content_type = match protocol {
            Protocol::Json | Protocol::RestJson | Protocol::Cbor => "application/x-amz-json-1.1",
            Protocol::Query | Protocol::RestXml | Protocol::RestXmlWrapped => "text/xml",
        };
        let kind = (protocol == Protocol::RestJson).then(|| ("x-amzn-errortype", code.clone()));
        let headers = query_code.map(|code| ("x-amzn-query-error", format!("{code};Sender"))).or(kind);
        Answer { status: *status, content_type, headers: headers.into_iter().collect(), body: body.into_bytes() }
    }
}

/// Answers a call, if the caller may make it and has not made too many.
pub(crate) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    access::observe(state);
    let answer = answer(state, call);
    access::observe(state);
    answer
}

fn answer(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let Some(who) = state.principals.get(&call.key).cloned() else {
        return Err(Refusal::new(403, "UnrecognizedClientException", "The security token is invalid."));
    };
    if !policy::allows(state, &who, call) {
        if who.actions.is_none() {
            let function = &who.function;
            state.wrong.insert(format!("{function} may not {}:{}", call.service, call.operation));
        }
        return Err(Refusal::denied(call));
    }
    if who.is_root() && !state.table.items().contains_key(&format!("root-session#{}", call.key)) {
        state.unrecorded.push(format!("{} asks for {}:{}", who.function, call.service, call.operation));
    }
    let operation = format!("{}:{}", call.service, call.operation);
    if !state.rates.take(&who.account, &operation, time::now()) {
        return Err(Refusal::throttled(&call.service));
    }
    let is_write = [
        "Accept",
        "Attach",
        "Close",
        "Create",
        "Deactivate",
        "Delete",
        "Detach",
        "Disable",
        "Enable",
        "Move",
        "Put",
        "Set",
        "Start",
        "Subscribe",
        "Tag",
        "Untag",
        "Update",
    ]
    .iter()
    .any(|verb| call.operation.starts_with(verb));
    let is_of_accounts = matches!(
        call.service.as_str(),
        "organizations" | "iam" | "account" | "budgets" | "monitoring" | "sns" | "s3control" | "uxc"
    );
    if is_write && is_of_accounts {
        state.writes += 1;
    }
    if let Some(answer) = of_an_account(state, &who, call) {
        return answer;
    }
    match call.service.as_str() {
        "dynamodb" => state.table.serve(call, &mut state.draws),
        "sqs" if who.actions.is_some() && who.function == "RootTaskRunner" => locks::of_queue(state, &who, call),
        "sqs" => sqs::serve(state, call),
        "lambda" if call.operation == "Invoke" => lambda_invoke(state, call),
        "states" if call.operation == "DescribeExecution" => state.executions.serve(call),
        "events" => events::serve(state, call),
        "organizations" => organizations::serve(state, call),
        "account" if who.account == ACCOUNT => account::serve(state, call),
        "iam" if iam::is_asked(&who, call) => iam::serve(state, &who, call),
        "secretsmanager" => secrets::serve(state, &who, call),
        "tagging" => organizations::tags_of_accounts(state, &who, call),
        "cloudformation" => stack_sets::serve(state, &who, call),
        "ce" => cost_explorer::serve(state, &who, call),
        "sts" => sts::serve(state, &who, call),
        "s3" if call.operation.ends_with("BucketPolicy") => locks::of_bucket(state, &who, call),
        "s3" => s3::serve(state, call),
        "sns" if who.actions.is_none() => {
            state.note("mail", format_args!("{}: {}", call.text("Subject"), call.text("Message")));
            state.mails.push((time::now(), call.input.clone()));
            Ok(Answer::query("Publish", "<MessageId>1</MessageId>"))
        }
        _ => match checks::answer(call) {
            Some(answer) => Ok(answer),
            None => member::serve(state, &who, call),
        },
    }
}

/// What accounts are set to beside alias and tags.
fn of_an_account(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    if call.service == "account" {
        return contacts::serve(state, who, call).or_else(|| regions::serve(state, who, call));
    }
    let is_inside = who.actions.is_some() && !iam::is_asked(who, call);
    if is_inside { inside::serve(state, who, call) } else { None }
}

/// An invocation that nobody waits for.
fn lambda_invoke(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let arn = call.path.split("/functions/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let arn = percent_encoding::percent_decode_str(arn).decode_utf8_lossy();
    let found = stack().functions.iter().find(|(_, function)| arn == function.arn || arn == function.name);
    let Some((id, _)) = found else {
        return Err(Refusal::new(404, "ResourceNotFoundException", "Function not found"));
    };
    let payload = serde_json::from_slice(&call.body).unwrap_or_default();
    state.later(Duration::ZERO, Effect::Invoke { function: id.clone(), payload });
    Ok(Answer { status: 202, ..Answer::json(&json!({})) })
}

/// What nobody has simulated: said once, and an error for whoever asks.
pub(crate) fn unknown(state: &mut State, who: &Principal, call: &Call) -> Refusal {
    state
        .wrong
        .insert(format!("{} asks for {}:{}, which is not simulated", who.function, call.service, call.operation));
    Refusal::new(400, "UnknownOperationException", "not simulated")
}
