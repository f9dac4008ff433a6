//! Amazon CloudWatch in a member: alarms.

use serde_json::{Value, json};

use crate::{
    aws::{Answer, Refusal, cbor, settings},
    call::Call,
    cloud::{Principal, State},
    script::Control,
    template::items,
};

/// What an alarm cannot be without.
const NEEDED: [&str; 3] = ["AlarmName", "ComparisonOperator", "EvaluationPeriods"];

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    Some(match call.operation.as_str() {
        "DescribeAlarms" => {
            let alarms = &settings::of(state, &who.account).alarms;
            let names = items(&call.input["AlarmNames"]).filter_map(Value::as_str);
            let found: Vec<&Value> = names.filter_map(|name| alarms.get(name)).collect();
            Ok(cbor::answer(&json!({"MetricAlarms": found, "CompositeAlarms": []})))
        }
        "PutMetricAlarm" => put(state, who, call),
        _ => return None,
    })
}

/// An alarm of the same name is replaced as a whole.
fn put(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    if let Some(missing) = NEEDED.iter().find(|name| call.input[**name].is_null()) {
        let message = format!("1 validation error detected: Value null at '{missing}' must not be null");
        return Err(Refusal::new(400, "ValidationError", message));
    }
    let mut alarm = call.input.clone();
    if alarm["ActionsEnabled"].is_null() {
        alarm["ActionsEnabled"] = true.into();
    }
    settings::of(state, &who.account).alarms.insert(call.text("AlarmName").to_owned(), alarm);
    settings::changed(state, &who.account, Control::BillingAlarm, Some(&who.function));
    Ok(cbor::answer(&json!({})))
}
