//! What policies allow, by the rules of IAM (IAM user guide, "Policy evaluation logic"): what nothing allows is denied, and what
//! one statement denies is denied whatever the others allow.

use serde_json::Value;

/// One call of a user.
pub(super) struct Call<'a> {
    pub(super) user: &'a str,
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// `aws:MultiFactorAuthPresent`; None where the request has no such key, as with long-term access keys.
    pub(super) second_factor: Option<bool>,
}

/// Whether the policies of a user let a call through.
pub(super) fn allows(policies: &[Value], call: &Call<'_>) -> bool {
    let statements: Vec<_> = policies.iter().flat_map(|policy| listed(&policy["Statement"])).collect();
    let applies =
        |effect: &str| statements.iter().any(|statement| statement["Effect"] == effect && meets(statement, call));
    applies("Allow") && !applies("Deny")
}

fn meets(statement: &Value, call: &Call<'_>) -> bool {
    let is_action = |pattern: &Value| fits(&text(pattern).to_lowercase(), &call.action.to_lowercase());
    let of_action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) => listed(actions).into_iter().any(is_action),
        (None, Some(actions)) => !listed(actions).into_iter().any(is_action),
        other => panic!("{other:?}"),
    };
    let is_resource = |pattern: &Value| fits(&text(pattern).replace("${aws:username}", call.user), call.resource);
    let mut conditions = statement["Condition"].as_object().into_iter().flatten();
    of_action
        && listed(&statement["Resource"]).into_iter().any(is_resource)
        && conditions.all(|(operator, keys)| holds(operator, keys, call))
}

fn holds(operator: &str, keys: &Value, call: &Call<'_>) -> bool {
    keys.as_object().unwrap().iter().all(|(key, wanted)| {
        assert_eq!(key, "aws:MultiFactorAuthPresent");
        match (operator, call.second_factor) {
            ("Bool" | "BoolIfExists", Some(present)) => wanted.as_str() == Some(if present { "true" } else { "false" }),
            ("BoolIfExists", None) => true,
            ("Bool", None) => false,
            (other, _) => panic!("{other}"),
        }
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |entries| entries.iter().collect())
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(after, &rest[at..]))
        }),
    }
}
