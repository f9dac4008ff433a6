//! In what a policy differs from its file, statement by statement.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::content::{says_statements, statement_name};
use crate::{gateway::PolicyKind, policy_document::one_or_many};

/// How many differences are told one by one.
const MOST: usize = 30;
/// How many characters of a value are shown.
const SHOWN: usize = 200;

/// What the policy says otherwise than the file, in words; nothing when both mean the same.
pub(super) fn differences(kind: PolicyKind, present: &Value, wanted: &Value) -> Vec<String> {
    let (present, wanted) = (canonical(present), canonical(wanted));
    if present == wanted {
        return Vec::new();
    }
    let mut found = if says_statements(kind) { of_statements(&present, &wanted) } else { of_leaves(&present, &wanted) };
    if found.is_empty() {
        found.push("it is written otherwise".to_owned());
    }
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("and {more} more"));
    }
    found
}

/// The statements of a policy in words, each with its name; of a policy of another type, what it is about.
pub(super) fn summary(kind: PolicyKind, content: &Value) -> String {
    if !says_statements(kind) {
        let about: Vec<_> = content.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        return format!("about {}", about.join(", "));
    }
    let statements = one_or_many(&content["Statement"]).iter().enumerate();
    let words = statements.map(|(position, it)| format!("{}: {}", statement_name(position, it), in_words(it)));
    words.collect::<Vec<_>>().join("; ")
}

/// A statement in words.
fn in_words(statement: &Value) -> String {
    let mut words = vec![statement["Effect"].as_str().unwrap_or_default().to_owned()];
    for (member, before) in
        [("Action", ""), ("NotAction", "all but "), ("Resource", "on "), ("NotResource", "on all but ")]
    {
        let texts: Vec<_> = one_or_many(&statement[member]).iter().filter_map(Value::as_str).collect();
        if !texts.is_empty() {
            words.push(format!("{before}{}", short(&texts.join(", "))));
        }
    }
    if let Some(condition) = statement.get("Condition") {
        words.push(format!("if {}", short(&condition.to_string())));
    }
    words.join(" ")
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// The same in one way of writing: in policies, one value and a list of it are the same, and the order of a list is none.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), listed(name, canonical(value)))).collect::<Map<_, _>>(),
        ),
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(canonical).collect();
            if list.iter().all(Value::is_string) {
                list.sort_by_key(ToString::to_string);
                list.dedup();
            }
            Value::Array(list)
        }
        Value::Bool(it) => Value::String(it.to_string()),
        other => other.clone(),
    }
}

/// What may stand alone or in a list, as a list.
fn listed(member: &str, value: Value) -> Value {
    match value {
        // Names are not lists.
        Value::String(_) if ["Sid", "Id", "Version", "Effect"].contains(&member) => value,
        Value::Object(_) if member != "Statement" => value,
        Value::Array(_) => value,
        other => Value::Array(vec![other]),
    }
}

fn of_statements(present: &Value, wanted: &Value) -> Vec<String> {
    let named = |policy: &Value| -> Vec<(String, Value)> {
        let statements = one_or_many(&policy["Statement"]).iter().enumerate();
        statements.map(|(position, it)| (statement_name(position, it), it.clone())).collect()
    };
    let (mut gone, mut new) = (named(present), named(wanted));
    // What stands in both is no difference, wherever it stands.
    gone.retain(|(_, one)| match new.iter().position(|(_, other)| other == one) {
        Some(position) => {
            new.remove(position);
            false
        }
        None => true,
    });
    let mut found = Vec::new();
    for (name, wanted) in new {
        match gone.iter().position(|(other, _)| *other == name) {
            Some(position) => {
                let (_, present) = gone.remove(position);
                found.extend(of_leaves(&present, &wanted).into_iter().map(|what| format!("{name}: {what}")));
            }
            None => found.push(format!("adds {name}: {}", in_words(&wanted))),
        }
    }
    found.extend(gone.iter().map(|(name, present)| format!("removes {name}: {}", in_words(present))));
    found
}

/// The members at which two values differ, by their paths.
fn of_leaves(present: &Value, wanted: &Value) -> Vec<String> {
    let leaves = |value: &Value| {
        let mut found = BTreeMap::new();
        leaves_of(value, "", &mut found);
        found
    };
    let (present, wanted) = (leaves(present), leaves(wanted));
    let mut found = Vec::new();
    for (path, wanted) in &wanted {
        match present.get(path) {
            Some(present) if present == wanted => {}
            Some(present) => found.extend(changed(path, present, wanted)),
            None => found.push(format!("{path} becomes {}", short(&shown(wanted)))),
        }
    }
    let gone = present.iter().filter(|(path, _)| !wanted.contains_key(*path));
    found.extend(gone.map(|(path, present)| format!("{path} goes ({})", short(&shown(present)))));
    found
}

fn leaves_of(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves_of(value, &path, found);
            }
        }
        other => {
            found.insert(path.to_owned(), other.clone());
        }
    }
}

/// What two lists do not share, or what both are.
fn changed(path: &str, present: &Value, wanted: &Value) -> Vec<String> {
    let (Value::Array(present), Value::Array(wanted)) = (present, wanted) else {
        return vec![format!("{path} becomes {} ({} before)", short(&shown(wanted)), short(&shown(present)))];
    };
    let only = |one: &[Value], other: &[Value], verb: &str| {
        let only: Vec<_> = one.iter().filter(|entry| !other.contains(entry)).map(shown).collect();
        (!only.is_empty()).then(|| format!("{path} {verb} {}", short(&only.join(", "))))
    };
    only(wanted, present, "adds").into_iter().chain(only(present, wanted, "removes")).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(statements: &Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn said(present: &Value, wanted: &Value) -> Vec<String> {
        differences(PolicyKind::ServiceControlPolicy, &of(present), &of(wanted))
    }

    #[test]
    fn what_is_only_written_otherwise_does_not_differ() {
        let one = json!([{"Sid": "A", "Effect": "Deny", "Action": ["s3:*", "ec2:*"], "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": false}}}]);
        let other = json!({"Sid": "A", "Effect": "Deny", "Resource": ["*"], "Action": ["ec2:*", "s3:*"],
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}});
        assert!(said(&one, &other).is_empty());
    }

    #[test]
    fn a_difference_is_told_statement_by_statement() {
        let present = json!([
            {"Sid": "Trail", "Effect": "Deny", "Action": ["cloudtrail:StopLogging", "cloudtrail:PutX"], "Resource": "*"},
            {"Sid": "Old", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
            {"Sid": "Same", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"},
        ]);
        let wanted = json!([
            {"Sid": "Same", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"},
            {"Sid": "Trail", "Effect": "Deny", "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"],
                "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Ops"}}},
            {"Effect": "Deny", "NotAction": "iam:*", "Resource": "arn:aws:s3:::logs"},
        ]);
        assert_eq!(
            said(&present, &wanted),
            [
                "statement Trail: Action adds cloudtrail:DeleteTrail",
                "statement Trail: Action removes cloudtrail:PutX",
                "statement Trail: Condition.ArnNotLike.aws:PrincipalArn becomes arn:aws:iam::*:role/Ops",
                "adds statement 3: Deny all but iam:* on arn:aws:s3:::logs",
                "removes statement Old: Deny ec2:* on *",
            ]
        );
    }

    #[test]
    fn of_settings_the_members_are_told() {
        let present = json!({"tags": {"cost": {"tag_value": {"@@assign": ["a", "b"]}}}});
        let wanted = json!({"tags": {"cost": {"tag_value": {"@@assign": ["b", "c"]}}, "team": {"tag_key": {"@@assign": "Team"}}}});
        assert_eq!(
            differences(PolicyKind::TagPolicy, &present, &wanted),
            [
                "tags.cost.tag_value.@@assign adds c",
                "tags.cost.tag_value.@@assign removes a",
                "tags.team.tag_key.@@assign becomes Team"
            ]
        );
    }
}
