//! Whether a topic's policy lets CloudWatch publish to it. Pure.

use serde_json::{Value, json};

use crate::ids::AccountId;

/// The policy with a statement that lets CloudWatch publish, if it does not do so already; None when it does, or when it
/// cannot be read.
///
/// The policy that a topic begins with lets everybody in whose account owns the topic, and CloudWatch acts for the account
/// (Amazon SNS developer guide, "Example cases for Amazon SNS access control").
pub(super) fn letting_cloudwatch(policy: &str, account: &AccountId, topic_arn: &str) -> Option<String> {
    let mut policy: Value = serde_json::from_str(policy).ok()?;
    let statements = policy.as_object_mut()?.entry("Statement").or_insert_with(|| json!([]));
    if statements.is_object() {
        *statements = json!([statements]);
    }
    let statements = statements.as_array_mut()?;
    if statements.iter().any(|statement| lets(statement, account)) {
        return None;
    }
    statements.push(json!({
        "Sid": "CloudWatchPublishes",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }));
    Some(policy.to_string())
}

/// Whether a statement lets CloudWatch publish for this account.
fn lets(statement: &Value, account: &AccountId) -> bool {
    let publishes = |action: &str| {
        let action = action.to_ascii_lowercase();
        action == "sns:publish" || action == "*" || action == "sns:*" || action == "sns:p*" || action == "sns:publish*"
    };
    let anybody = |principal: &Value| principal == "*" || each(&principal["AWS"]).any(|who| who == "*");
    let cloudwatch = |principal: &Value| each(&principal["Service"]).any(|who| who == "cloudwatch.amazonaws.com");
    let principal = &statement["Principal"];
    statement["Effect"] == "Allow"
        && each(&statement["Action"]).any(publishes)
        && (anybody(principal) || cloudwatch(principal))
        && conditions_hold(&statement["Condition"], account)
}

/// Whether the conditions, as far as they are of the kinds that topics usually have, hold for an alarm of this account.
fn conditions_hold(conditions: &Value, account: &AccountId) -> bool {
    let Some(conditions) = conditions.as_object() else { return true };
    conditions.iter().all(|(operator, keys)| {
        let is_equality = ["StringEquals", "StringLike", "ArnLike", "ArnEquals"].contains(&operator.as_str());
        let holds = |(key, value): (&String, &Value)| match key.to_ascii_lowercase().as_str() {
            "aws:sourceowner" | "aws:sourceaccount" => each(value).any(|owner| owner == account.as_str()),
            "aws:sourcearn" => {
                let alarms = format!("arn:aws:cloudwatch:us-east-1:{account}:alarm:");
                each(value).any(|arn| arn.starts_with(&alarms) || arn == "*")
            }
            _ => false,
        };
        is_equality && keys.as_object().is_some_and(|keys| keys.iter().all(holds))
    })
}

/// The texts of a value that is one or several.
fn each(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:DefaultBillingAlertTopic";

    fn with(statement: &Value) -> Option<String> {
        let policy = json!({"Version": "2008-10-17", "Statement": [statement]}).to_string();
        letting_cloudwatch(&policy, &"222222222222".parse().unwrap(), TOPIC)
    }

    #[test]
    fn the_policy_that_a_topic_begins_with_and_one_that_names_cloudwatch_are_left_alone() {
        let owner = json!({"StringEquals": {"AWS:SourceOwner": "222222222222"}});
        let first = json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": owner,
            "Action": ["SNS:GetTopicAttributes", "SNS:Publish"], "Resource": TOPIC});
        assert_eq!(with(&first), None);
        let named = json!({"Effect": "Allow", "Principal": {"Service": ["cloudwatch.amazonaws.com"]},
            "Action": "sns:Publish", "Resource": TOPIC});
        assert_eq!(with(&named), None);
    }

    #[test]
    fn a_policy_that_leaves_cloudwatch_out_gets_a_statement_and_keeps_its_own() {
        let other = json!({"StringEquals": {"AWS:SourceOwner": "333333333333"}});
        for statement in [
            json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": other, "Action": "SNS:Publish"}),
            json!({"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish"}),
            json!({"Effect": "Allow", "Principal": {"Service": "budgets.amazonaws.com"}, "Action": "SNS:Publish"}),
            json!({"Effect": "Allow", "Principal": "*", "Action": "SNS:Subscribe"}),
        ] {
            let policy: Value = serde_json::from_str(&with(&statement).expect("a policy")).unwrap();
            assert_eq!(policy["Statement"][0], statement);
            assert_eq!(policy["Statement"][1]["Principal"]["Service"], "cloudwatch.amazonaws.com");
            assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
        }
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_left_alone() {
        assert_eq!(letting_cloudwatch("{", &"222222222222".parse().unwrap(), TOPIC), None);
    }
}
