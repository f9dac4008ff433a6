//! Why a policy locks people out.

use serde_json::Value;
use steward::policy_document::one_or_many;

/// One sentence per statement that denies. Empty for a policy that denies nobody; text that is no policy is said to be
/// none.
pub(crate) fn why_it_locks(policy: &str) -> Vec<String> {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return vec!["It is not JSON.".to_owned()];
    };
    let statements = one_or_many(&policy["Statement"]);
    let denying = statements.iter().enumerate().filter(|(_, statement)| statement["Effect"] == "Deny");
    denying.map(|(position, statement)| sentence(position, statement)).collect()
}

fn sentence(position: usize, statement: &Value) -> String {
    let name = statement["Sid"].as_str().map_or_else(|| format!("number {}", position + 1), |sid| format!("{sid:?}"));
    let whom = if is_everybody(&statement["Principal"]) {
        "everybody".to_owned()
    } else if statement["NotPrincipal"].is_null() {
        format!("{}", statement["Principal"])
    } else {
        format!("everybody but {}", statement["NotPrincipal"])
    };
    let what = if statement["NotAction"].is_null() {
        words(&statement["Action"])
    } else {
        format!("everything but {}", words(&statement["NotAction"]))
    };
    let unless = match &statement["Condition"] {
        Value::Null => String::new(),
        condition => format!(" where {condition}"),
    };
    format!("Statement {name} denies {whom} {what}{unless}.")
}

fn is_everybody(principal: &Value) -> bool {
    let named = |value: &Value| one_or_many(value).iter().any(|one| one == "*");
    named(principal) || named(&principal["AWS"])
}

fn words(actions: &Value) -> String {
    one_or_many(actions).iter().map(|action| action.as_str().unwrap_or("?")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_statement_that_denies_is_said_in_words() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*"},
            {"Sid": "Nobody", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:GetObject", "s3:PutObject"]},
            {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:x"}, "NotAction": "s3:List*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ]});
        assert_eq!(
            why_it_locks(&policy.to_string()),
            [
                r#"Statement "Nobody" denies everybody s3:GetObject, s3:PutObject."#,
                r#"Statement number 3 denies everybody but {"AWS":"arn:x"} everything but s3:List* where {"Bool":{"aws:SecureTransport":"false"}}."#,
            ]
        );
    }

    #[test]
    fn a_policy_that_denies_nobody_has_nothing_to_say_and_no_policy_is_none() {
        assert!(why_it_locks(r#"{"Statement": {"Effect": "Allow"}}"#).is_empty());
        assert_eq!(why_it_locks("{").len(), 1);
    }
}
