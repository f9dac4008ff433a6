//! Whether a topic's policy lets CloudWatch publish to it. Pure.
//!
//! The order is that of the IAM user guide, "Policy evaluation logic": a statement that denies wins over all that allow,
//! and what no statement allows is not allowed.

mod condition;
mod truth;

use serde_json::{Value, json};

use crate::{control::wildcard, ids::AccountId};
use condition::conditions_hold;
use truth::{Truth, each_text};

/// Who sends what an alarm says, in topic policies and policies of keys.
pub(super) const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// What an alarm does when it goes off: it publishes to a topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Publication<'a> {
    /// The account of both.
    pub(super) account: &'a AccountId,
    /// The topic.
    pub(super) topic_arn: &'a str,
    /// The alarm.
    pub(super) alarm_name: &'a str,
}

impl Publication<'_> {
    /// The alarm's ARN, in the topic's partition and region.
    fn alarm_arn(&self) -> String {
        let part = |position| self.topic_arn.split(':').nth(position).unwrap_or_default();
        format!("arn:{}:cloudwatch:{}:{}:alarm:{}", part(1), part(3), self.account, self.alarm_name)
    }
}

/// What a topic's policy means for an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The alarm can publish.
    Allowed,
    /// No statement lets it, and none forbids it.
    Missing {
        /// The policy with a statement that does.
        policy: String,
    },
    /// These statements forbid it, whatever the others allow.
    DeniedBy(Vec<String>),
    /// It cannot be told, for this reason.
    Unreadable(String),
}

/// What a policy means for an alarm. The policy that a topic begins with lets everybody publish in whose account the
/// topic is, and CloudWatch acts for the account (Amazon SNS developer guide, "Example cases for Amazon SNS access
/// control").
pub(super) fn judge(policy: Option<&str>, publication: Publication<'_>) -> Verdict {
    let unreadable = |why: &str| Verdict::Unreadable(why.to_owned());
    let Some(policy) = policy else { return unreadable("AWS shows no policy of the topic") };
    let mut policy: Value = match serde_json::from_str(policy) {
        Ok(policy) => policy,
        Err(error) => return Verdict::Unreadable(format!("the topic's policy is not JSON ({error})")),
    };
    let Some(members) = policy.as_object_mut() else { return unreadable("the topic's policy is not JSON object") };
    let statements = members.entry("Statement").or_insert_with(|| json!([]));
    if statements.is_object() {
        *statements = json!([statements]);
    }
    let Some(statements) = statements.as_array_mut() else {
        return unreadable("the statements of the topic's policy are no list");
    };

    let (mut allowed, mut denied, mut unclear) = (false, Vec::new(), Vec::new());
    for (position, statement) in statements.iter().enumerate() {
        match (statement["Effect"].as_str(), speaks_of(statement, publication)) {
            (Some("Allow"), truth) => allowed |= truth == Truth::Yes,
            (Some("Deny"), Truth::Yes) => denied.push(name_of(statement, position)),
            (Some("Deny"), Truth::Perhaps) => {
                let name = name_of(statement, position);
                unclear.push(format!(
                    "{name} of the topic's policy denies something, and Steward cannot tell whether this"
                ));
            }
            (Some("Deny"), Truth::No) => {}
            _ => unclear
                .push(format!("{} of the topic's policy neither allows nor denies", name_of(statement, position))),
        }
    }
    if !denied.is_empty() {
        Verdict::DeniedBy(denied)
    } else if !unclear.is_empty() {
        Verdict::Unreadable(unclear.join("; "))
    } else if allowed {
        Verdict::Allowed
    } else {
        let statement = letting_cloudwatch(statements, publication);
        statements.push(statement);
        Verdict::Missing { policy: policy.to_string() }
    }
}

/// The statement that a policy lacks.
fn letting_cloudwatch(statements: &[Value], Publication { account, topic_arn, .. }: Publication<'_>) -> Value {
    const SID: &str = "CloudWatchPublishes";
    let is_free = |sid: &String| statements.iter().all(|statement| statement["Sid"] != **sid);
    // Names of statements are unique within a policy.
    let sids = std::iter::once(SID.to_owned()).chain((2..).map(|number| format!("{SID}{number}")));
    json!({
        "Sid": sids.into_iter().find(is_free),
        "Effect": "Allow",
        "Principal": {"Service": CLOUDWATCH},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    })
}

/// A statement by its name, or by its place counted from 1.
fn name_of(statement: &Value, position: usize) -> String {
    match statement["Sid"].as_str().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("the statement {sid}"),
        None => format!("statement {}", position + 1),
    }
}

/// Whether a statement, whatever its effect, is about this.
fn speaks_of(statement: &Value, publication: Publication<'_>) -> Truth {
    let action = |value: &Value| {
        each_text(value, |pattern| Truth::of(wildcard::matches(&pattern.to_ascii_lowercase(), "sns:publish")))
    };
    let resource = |value: &Value| {
        each_text(value, |pattern| {
            // A variable stands for something else about the call.
            let has_variable = pattern.contains("${");
            if has_variable { Truth::Perhaps } else { Truth::of(wildcard::matches(pattern, publication.topic_arn)) }
        })
    };
    [
        of_member(statement, "Principal", "NotPrincipal", |value| is_cloudwatch(value, publication.account)),
        of_member(statement, "Action", "NotAction", action),
        of_member(statement, "Resource", "NotResource", resource),
        conditions_hold(&statement["Condition"], publication),
    ]
    .into_iter()
    .min()
    .unwrap_or(Truth::Perhaps)
}

/// What one of two members says of which a statement has one: the second excepts what it names.
fn of_member(statement: &Value, member: &str, except: &str, names: impl Fn(&Value) -> Truth) -> Truth {
    match (statement.get(member), statement.get(except)) {
        (Some(value), None) => names(value),
        (None, Some(value)) => !names(value),
        _ => Truth::Perhaps,
    }
}

/// Whether CloudWatch is among these principals.
fn is_cloudwatch(principal: &Value, account: &AccountId) -> Truth {
    let Some(kinds) = principal.as_object() else {
        return if principal == "*" { Truth::Yes } else { Truth::Perhaps };
    };
    let of_kind = |(kind, ids): (&String, &Value)| {
        each_text(ids, |id| match kind.as_str() {
            "AWS" if id == "*" => Truth::Yes,
            // CloudWatch acts for the account, and AWS does not say whether it counts as it here.
            "AWS" if id == account.as_str() || id.ends_with(&format!(":iam::{account}:root")) => Truth::Perhaps,
            "Service" => Truth::of(id == CLOUDWATCH),
            "AWS" | "CanonicalUser" | "Federated" => Truth::No,
            _ => Truth::Perhaps,
        })
    };
    kinds.iter().map(of_kind).max().unwrap_or(Truth::Perhaps)
}

#[cfg(test)]
mod tests;
