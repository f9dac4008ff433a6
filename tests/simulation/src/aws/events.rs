//! Amazon EventBridge: buses, rules and their patterns.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Refusal, sqs};
use crate::{
    call::Call,
    cloud::{Effect, PublishedEvent, State, Watched},
    fault::Kind,
    permissions::matches,
    template::{ACCOUNT, Bus, items, last, stack},
    time,
};

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    if call.operation != "PutEvents" {
        return Err(Refusal::new(400, "UnknownOperationException", "not simulated"));
    }
    let (mut entries, mut failed) = (Vec::new(), 0);
    for entry in items(&call.input["Entries"]) {
        let detail = entry["Detail"].as_str().and_then(|detail| serde_json::from_str(detail).ok());
        let Some(detail) = detail.filter(Value::is_object) else {
            failed += 1;
            entries.push(json!({"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}));
            continue;
        };
        let id = put(state, &entry["Source"], &entry["DetailType"], detail);
        entries.push(json!({"EventId": id}));
    }
    Ok(Answer::json(&json!({"FailedEntryCount": failed, "Entries": entries})))
}

/// Puts an event on the stack's bus.
pub(crate) fn put(state: &mut State, source: &Value, kind: &Value, detail: Value) -> String {
    let name = kind.as_str().unwrap_or_default().to_owned();
    let event = envelope(state, source, &name, &detail);
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    state.note("bus", format_args!("{name} {detail}"));
    if source == "steward" {
        state.covered.insert(format!("event {name} {}", detail["cause"].as_str().unwrap_or_default()));
    }
    state.published.push(PublishedEvent { at: time::now(), kind: name, detail, event: event.clone() });
    send(state, Bus::Own, event);
    id
}

/// An event of AWS, on the default bus.
pub(crate) fn happened(state: &mut State, source: &str, kind: &str, detail: &Value) {
    happened_on(state, Bus::Default, source, kind, detail);
}

/// The same on another bus: that to which members forward what they hear.
pub(crate) fn happened_on(state: &mut State, bus: Bus, source: &str, kind: &str, detail: &Value) {
    let event = envelope(state, &source.into(), kind, detail);
    send(state, bus, event);
}

/// CloudTrail has recorded something like a sample, in the management account: the bus hears of no other.
pub(crate) fn recorded(state: &mut State, event: Value, severity: &'static str) {
    recorded_in(state, ACCOUNT, event, severity, Bus::Default);
}

/// A member has forwarded to the bus for that what CloudTrail has recorded there.
pub(crate) fn forwarded(state: &mut State, member: &str, mut event: Value, severity: &'static str) {
    event["detail"]["recipientAccountId"] = member.into();
    event["detail"]["userIdentity"]["accountId"] = member.into();
    recorded_in(state, member, event, severity, Bus::Members);
}

fn recorded_in(state: &mut State, account: &str, mut event: Value, severity: &'static str, bus: Bus) {
    let id = state.draws.id("event", "0123456789abcdef", 32);
    event["detail"]["eventID"] = id.as_str().into();
    event["id"] = id.as_str().into();
    event["account"] = account.into();
    event["detail"]["eventTime"] = time::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
    event["time"] = time::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
    state.watched.push(Watched { at: time::now(), id, severity });
    send(state, bus, event);
}

fn envelope(state: &mut State, source: &Value, kind: &str, detail: &Value) -> Value {
    let id = state.draws.id("event", "0123456789abcdef", 32);
    let time = time::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({"version": "0", "id": id, "detail-type": kind, "source": source, "account": ACCOUNT, "time": time,
        "region": "us-east-1", "resources": [], "detail": detail})
}

/// Sends an event on its way: late, twice or not at all, if the run has it so. An event of AWS that CloudTrail brings
/// may be lost; one that was put on a bus may not.
fn send(state: &mut State, bus: Bus, event: Value) {
    let name = event["detail"]["eventName"].as_str().or(event["detail-type"].as_str()).unwrap_or_default().to_owned();
    let struck = state.strike_event(&name);
    let usual = |state: &mut State| {
        if bus == Bus::Default {
            state.draws.millis("event of AWS on its way", 1_000, 120_000)
        } else {
            state.draws.millis("event on its way", 50, 2_000)
        }
    };
    if struck.contains(&Kind::Lost) && bus != Bus::Own {
        state.note("events", format_args!("{name} is lost"));
        return;
    }
    let mut wait = usual(state);
    if struck.contains(&Kind::Late) {
        wait += Duration::from_secs(state.draws.between("event late", 600, 30 * 3600));
    }
    if struck.contains(&Kind::Doubled) {
        let again = wait + Duration::from_secs(state.draws.between("event again", 0, 3 * 3600));
        state.later(again, Effect::Event { bus, event: event.clone() });
    }
    state.later(wait, Effect::Event { bus, event });
}

/// Brings an event to the targets of the rules that it fits.
pub(crate) fn deliver(state: &mut State, bus: Bus, event: &Value) {
    for rule in &stack().rules {
        if rule.bus != bus || !fits(&rule.pattern, event) {
            continue;
        }
        state.covered.insert(format!("rule {}", rule.name));
        for target in &rule.targets {
            if target.contains(":sqs:") {
                let id = state.draws.id("message", "0123456789abcdef", 32);
                sqs::send(state, last(target), &id, &event.to_string(), Duration::ZERO);
            } else {
                let function = last(target).to_owned();
                state.later(Duration::ZERO, Effect::Invoke { function, payload: event.clone() });
            }
        }
    }
}

/// Whether an event fits a pattern (EventBridge user guide, "Event patterns"): fields, lists of values, `prefix`,
/// `anything-but`, `exists`, `wildcard`.
pub(crate) fn fits(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, wanted)| match name.as_str() {
            "$or" => items(wanted).any(|choice| fits(choice, event)),
            _ => fits(wanted, &event[name.as_str()]),
        }),
        Value::Array(choices) => choices.iter().any(|choice| match event {
            Value::Array(values) => values.iter().any(|value| is(choice, value)),
            value => is(choice, value),
        }),
        other => panic!("no pattern: {other}"),
    }
}

fn is(choice: &Value, value: &Value) -> bool {
    let Some((operator, argument)) = choice.as_object().and_then(|fields| fields.iter().next()) else {
        return choice == value;
    };
    let text = value.as_str();
    match operator.as_str() {
        "prefix" => text.is_some_and(|text| text.starts_with(argument.as_str().unwrap_or_default())),
        "suffix" => text.is_some_and(|text| text.ends_with(argument.as_str().unwrap_or_default())),
        "wildcard" => text.is_some_and(|text| matches(argument.as_str().unwrap_or_default(), text)),
        "exists" => value.is_null() != (argument == true),
        "anything-but" => {
            let excepted = match argument {
                Value::Array(choices) => choices.iter().any(|choice| choice == value),
                Value::Object(_) => is(argument, value),
                other => other == value,
            };
            !value.is_null() && !excepted
        }
        other => panic!("the operator {other} of event patterns is not simulated"),
    }
}
