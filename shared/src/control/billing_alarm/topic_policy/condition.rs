//! The conditions of a statement, as far as they can be judged for what an alarm publishes.

use serde_json::Value;

use super::{CLOUDWATCH, Publication, Truth, each_text, wildcard};

/// Whether all conditions hold. The kinds that topics usually have are understood; any other gives
/// [`Truth::Perhaps`], unless one beside it does not hold.
pub(super) fn conditions_hold(conditions: &Value, publication: Publication<'_>) -> Truth {
    match conditions {
        Value::Null => Truth::Yes,
        Value::Object(operators) => {
            let of_operator = |(operator, keys): (&String, &Value)| {
                let Some(keys) = keys.as_object() else { return Truth::Perhaps };
                keys.iter()
                    .map(|(key, values)| holds(operator, key, values, publication))
                    .min()
                    .unwrap_or(Truth::Perhaps)
            };
            operators.iter().map(of_operator).min().unwrap_or(Truth::Yes)
        }
        _ => Truth::Perhaps,
    }
}

/// Whether one condition holds.
fn holds(operator: &str, key: &str, values: &Value, publication: Publication<'_>) -> Truth {
    let Some(is) = known(key, publication) else { return Truth::Perhaps };
    // Every key that is known is there and has one value, so that what these add makes no difference.
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let operator =
        operator.rsplit_once("Value:").or_else(|| operator.rsplit_once("Values:")).map_or(operator, |of| of.1);
    let any = |fits: &dyn Fn(&str) -> Truth| {
        // A variable stands for something else about the call.
        each_text(values, |value| if value.contains("${") { Truth::Perhaps } else { fits(value) })
    };
    let equal = |value: &str| Truth::of(value == is);
    let equal_in_any_case = |value: &str| Truth::of(value.eq_ignore_ascii_case(&is));
    let alike = |pattern: &str| Truth::of(wildcard::matches(pattern, &is));
    let arns_alike = |pattern: &str| arns_alike(pattern, &is);
    match operator {
        "StringEquals" => any(&equal),
        "StringNotEquals" => !any(&equal),
        "StringEqualsIgnoreCase" | "Bool" => any(&equal_in_any_case),
        "StringNotEqualsIgnoreCase" => !any(&equal_in_any_case),
        "StringLike" => any(&alike),
        "StringNotLike" => !any(&alike),
        "ArnEquals" | "ArnLike" => any(&arns_alike),
        "ArnNotEquals" | "ArnNotLike" => !any(&arns_alike),
        "Null" => any(&|value| Truth::of(value == "false")),
        _ => Truth::Perhaps,
    }
}

/// What a key has for its value when an alarm publishes; None when Steward does not know ("AWS global condition context
/// keys" in the IAM user guide). `aws:SourceOwner` is an old name of `aws:SourceAccount` that Amazon SNS alone has.
fn known(key: &str, publication: Publication<'_>) -> Option<String> {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourceaccount" | "aws:sourceowner" => Some(publication.account.to_string()),
        "aws:sourcearn" => Some(publication.alarm_arn()),
        "aws:principalservicename" => Some(CLOUDWATCH.to_owned()),
        "aws:principalisawsservice" | "aws:securetransport" => Some("true".to_owned()),
        _ => None,
    }
}

/// Whether an ARN fits a pattern: no wildcard reaches beyond a colon, of which the first five count.
fn arns_alike(pattern: &str, arn: &str) -> Truth {
    let parts = |arn| str::splitn(arn, 6, ':').map(ToOwned::to_owned).collect::<Vec<_>>();
    let (patterns, parts) = (parts(pattern), parts(arn));
    if patterns.len() != parts.len() {
        return Truth::Perhaps;
    }
    Truth::of(patterns.iter().zip(&parts).all(|(pattern, part)| wildcard::matches(pattern, part)))
}
