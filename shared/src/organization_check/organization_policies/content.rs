//! What a file says: JSON that AWS would take, read before anything is written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{gateway::PolicyKind, policy_document::one_or_many};

/// The largest file that is read, in bytes: AWS takes none of a fifth of it, and white space is not sent.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The members of a statement that AWS knows.
const MEMBERS: [&str; 8] =
    ["Action", "Condition", "Effect", "NotAction", "NotResource", "Principal", "Resource", "Sid"];

/// What a policy is to say, as AWS gets it: without white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    value: Value,
    text: String,
}

impl Content {
    /// Reads a file. An error lists everything that is wrong with it.
    pub(super) fn read(kind: PolicyKind, bytes: &[u8]) -> Result<Self, Vec<String>> {
        if bytes.len() > MAX_BYTES {
            return Err(vec![format!("has more than {MAX_BYTES} bytes")]);
        }
        let value = match serde_json::from_slice::<Strict>(bytes) {
            Ok(Strict(value)) => value,
            Err(error) => return Err(vec![format!("must be JSON: {error}")]),
        };
        let mut problems = if says_statements(kind) { of_statements(kind, &value) } else { of_settings(&value) };
        let text = value.to_string();
        let (length, most) = (text.chars().count(), most_characters(kind));
        if length > most {
            problems.push(format!("has {length} characters without white space, and a {kind} may have {most}"));
        }
        if problems.is_empty() { Ok(Self { value, text }) } else { Err(problems) }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Whether policies of this type consist of statements, as those of IAM do.
pub(super) fn says_statements(kind: PolicyKind) -> bool {
    matches!(kind, PolicyKind::ServiceControlPolicy | PolicyKind::ResourceControlPolicy)
}

/// How many characters a policy may have (AWS Organizations user guide, "Quotas and service limits"; for service control
/// policies as announced on 15 May 2026).
fn most_characters(kind: PolicyKind) -> usize {
    match kind {
        PolicyKind::ServiceControlPolicy => 10_240,
        PolicyKind::ResourceControlPolicy => 5_120,
        PolicyKind::AiServicesOptOutPolicy => 2_500,
        _ => 10_000,
    }
}

/// How many policies of a type may be attached to one root, unit or account itself, AWS's own among them; None where AWS alone
/// says (same sources).
pub(super) fn most_attached(kind: PolicyKind) -> Option<usize> {
    match kind {
        PolicyKind::ServiceControlPolicy
        | PolicyKind::TagPolicy
        | PolicyKind::BackupPolicy
        | PolicyKind::DeclarativePolicyEc2 => Some(10),
        PolicyKind::ResourceControlPolicy | PolicyKind::AiServicesOptOutPolicy | PolicyKind::ChatbotPolicy => Some(5),
        _ => None,
    }
}

/// What a statement is called: its `Sid` or, where it has none, its place.
pub(super) fn statement_name(position: usize, statement: &Value) -> String {
    statement["Sid"].as_str().map_or_else(|| format!("statement {}", position + 1), |sid| format!("statement {sid}"))
}

fn of_settings(value: &Value) -> Vec<String> {
    let says_something = value.as_object().is_some_and(|members| !members.is_empty());
    if says_something { Vec::new() } else { vec!["must be a JSON object that says something".to_owned()] }
}

fn of_statements(kind: PolicyKind, value: &Value) -> Vec<String> {
    let Value::Object(policy) = value else { return vec!["must be a JSON object".to_owned()] };
    let mut problems = Vec::new();
    if policy.get("Version") != Some(&Value::from("2012-10-17")) {
        problems.push("must have the Version 2012-10-17".to_owned());
    }
    for name in policy.keys().filter(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
        problems.push(format!("has {name}, which no policy has"));
    }
    let statements = one_or_many(&value["Statement"]);
    if statements.is_empty() {
        problems.push("must have at least one statement".to_owned());
    }
    for (position, statement) in statements.iter().enumerate() {
        let name = statement_name(position, statement);
        problems.extend(of_statement(kind, statement).into_iter().map(|problem| format!("{name} {problem}")));
    }
    problems
}

fn of_statement(kind: PolicyKind, statement: &Value) -> Vec<String> {
    let Value::Object(members) = statement else { return vec!["must be a JSON object".to_owned()] };
    let mut problems = Vec::new();
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        problems.push(format!("has {name}, which no statement has"));
    }
    let is_of_resources = kind == PolicyKind::ResourceControlPolicy;
    match members.get("Effect").and_then(Value::as_str) {
        Some("Deny") => {}
        Some("Allow") if !is_of_resources => {}
        _ if is_of_resources => problems.push("must have the Effect Deny".to_owned()),
        _ => problems.push("must have the Effect Allow or Deny".to_owned()),
    }
    for [one, other] in [["Action", "NotAction"], ["Resource", "NotResource"]] {
        match (members.get(one), members.get(other)) {
            (Some(texts), None) | (None, Some(texts)) if are_texts(texts) => {}
            (Some(_), None) | (None, Some(_)) => {
                problems.push(format!("must have texts as its {one} or {other}, at least one"));
            }
            _ => problems.push(format!("must have either {one} or {other}")),
        }
    }
    let actions = [members.get("Action"), members.get("NotAction")].into_iter().flatten().flat_map(one_or_many);
    for action in actions.filter_map(Value::as_str).filter(|action| !is_action(action)) {
        problems.push(format!("must name actions as service:Name or *, and not {action:?}"));
    }
    match (members.get("Principal"), is_of_resources) {
        (Some(principal), true) if *principal == "*" => {}
        (None, false) => {}
        (_, true) => problems.push("must have the Principal *".to_owned()),
        (Some(_), false) => problems.push("must have no Principal".to_owned()),
    }
    let is_condition = |condition: &Value| {
        let operators = condition.as_object();
        operators.is_some_and(|operators| operators.values().all(Value::is_object))
    };
    if members.get("Condition").is_some_and(|condition| !is_condition(condition)) {
        problems.push("must have a Condition of operators, each with its keys".to_owned());
    }
    problems
}

fn are_texts(value: &Value) -> bool {
    let texts = one_or_many(value);
    !texts.is_empty() && texts.iter().all(Value::is_string)
}

fn is_action(action: &str) -> bool {
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-*?_".contains(&byte))
    };
    action == "*" || action.split_once(':').is_some_and(|(service, name)| is_plain(service) && is_plain(name))
}

/// JSON in which no member stands twice: of two, others would keep the last one silently.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(entry)) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if members.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("{name} stands there twice")));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCP: PolicyKind = PolicyKind::ServiceControlPolicy;

    fn problems(kind: PolicyKind, content: &Value) -> String {
        Content::read(kind, content.to_string().as_bytes()).err().unwrap_or_default().join("; ")
    }

    #[test]
    fn a_policy_is_sent_without_white_space_and_counted_so() {
        let file = br#"{ "Version": "2012-10-17",
            "Statement": { "Effect": "Deny", "Action": "s3:*", "Resource": "*" } }"#;
        let content = Content::read(SCP, file).unwrap();
        assert!(!content.text().contains([' ', '\n']), "{}", content.text());
    }

    #[test]
    fn everything_that_is_wrong_with_a_policy_is_said_with_its_statement() {
        let wrong = json!({"Version": "2008-10-17", "Name": "x", "Statement": [
            {"Sid": "A", "Effect": "deny", "Action": "s3", "Resource": [], "Principal": "*"},
            {"Effect": "Deny", "Action": "*", "NotAction": "s3:*", "Resource": "*", "Condition": {"Bool": "x"}, "Foo": 1}]});
        let said = problems(SCP, &wrong);
        for part in [
            "must have the Version 2012-10-17",
            "has Name, which no policy has",
            "statement A must have the Effect Allow or Deny",
            "statement A must name actions as service:Name or *, and not \"s3\"",
            "statement A must have texts as its Resource or NotResource",
            "statement A must have no Principal",
            "statement 2 must have either Action or NotAction",
            "statement 2 has Foo, which no statement has",
            "statement 2 must have a Condition of operators",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(problems(SCP, &json!({"Version": "2012-10-17"})), "must have at least one statement");
    }

    #[test]
    fn a_resource_control_policy_denies_and_is_about_everybody() {
        let allows =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
        let said = problems(PolicyKind::ResourceControlPolicy, &allows);
        assert!(said.contains("must have the Effect Deny") && said.contains("must have the Principal *"), "{said}");
    }

    #[test]
    fn what_is_too_long_or_says_one_thing_twice_is_refused() {
        let long = json!({"tags": {"a": "x".repeat(10_000)}});
        assert!(problems(PolicyKind::TagPolicy, &long).contains("may have 10000"));
        let twice = br#"{"Version": "2012-10-17", "Statement": [], "Statement": []}"#;
        let said = Content::read(SCP, twice).unwrap_err().join(" ");
        assert!(said.contains("Statement stands there twice"), "{said}");
        assert!(problems(PolicyKind::TagPolicy, &json!({})).contains("says something"));
    }
}
