//! Amazon EventBridge in a member: the rules of its default bus.

use serde_json::{Value, json};

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
};

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) pattern: Value,
    pub(crate) state: &'static str,
    pub(crate) target: Value,
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let missing = || Refusal::new(400, "ResourceNotFoundException", "Rule does not exist on EventBus default.");
    let rules = &settings::of(state, &who.account).rules;
    let found = |member: &str| rules.get(call.text(member)).ok_or_else(missing);
    let body = match call.operation.as_str() {
        "ListRuleNamesByTarget" => {
            let names = rules.iter().filter(|(_, rule)| rule.target["Arn"] == call.input["TargetArn"]);
            Ok(json!({"RuleNames": names.map(|(name, _)| name).collect::<Vec<_>>()}))
        }
        "DescribeRule" => found("Name").map(|rule| {
            json!({"Name": call.text("Name"), "EventPattern": rule.pattern.to_string(), "State": rule.state,
                "EventBusName": "default"})
        }),
        "ListTargetsByRule" => found("Rule").map(|rule| json!({"Targets": [rule.target]})),
        _ => return None,
    };
    Some(body.map(|body| Answer::json(&body)))
}
