//! Trust policies, compared by what they say and not by how they are written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_json::{Map, Value, json};

use crate::{ids::AccountId, policy_document::one_or_many};

/// How a statement that denies begins in words.
const DENY: &str = "Deny ";

/// A trust policy: its document, and its statements in words. Two policies are equal when their statements are.
#[derive(Clone, Debug)]
pub(super) struct TrustPolicy {
    document: Value,
    /// As they are written, by what they say: to IAM, names of actions and keys that differ only in case are the same.
    statements: BTreeMap<String, String>,
}

impl TrustPolicy {
    /// Trusts people of the jump account who signed in with a second factor, an application of IAM account access manager (its
    /// ARN and its account), and nobody else. Such an application signs people in itself (IAM user guide, "Prepare IAM roles
    /// for account access manager").
    pub(super) fn of_people(
        jump_account: Option<&AccountId>,
        external_id: Option<&str>,
        application: Option<(&str, AccountId)>,
    ) -> Self {
        let of_jump_account = jump_account.map(|account| {
            let mut condition = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
            if let Some(external_id) = external_id {
                condition["StringEquals"] = json!({"sts:ExternalId": external_id});
            }
            json!({
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
                "Action": "sts:AssumeRole",
                "Condition": condition,
            })
        });
        let of_application = application.map(|(arn, account)| {
            json!({
                "Effect": "Allow",
                "Principal": {"Service": "account-access.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:SetContext", "sts:TagSession"],
                "Condition": {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": arn}},
            })
        });
        let statements: Vec<_> = of_jump_account.into_iter().chain(of_application).collect();
        Self::of_document(json!({"Version": "2012-10-17", "Statement": statements}))
    }

    fn of_document(document: Value) -> Self {
        let statements = one_or_many(&document["Statement"])
            .iter()
            .map(|statement| (in_words(statement, &str::to_ascii_lowercase), in_words(statement, &str::to_owned)))
            .collect();
        Self { document, statements }
    }

    /// The statements as they are written, each with its words.
    pub(super) fn statements(&self) -> impl Iterator<Item = (&Value, String)> {
        one_or_many(&self.document["Statement"])
            .iter()
            .map(|statement| (statement, in_words(statement, &str::to_owned)))
    }

    /// This policy with each statement as `edit` returns it, and without those for which that is nothing.
    pub(super) fn edited(&self, edit: impl Fn(&Value) -> Option<Value>) -> Self {
        let mut document = self.document.clone();
        document["Statement"] = one_or_many(&self.document["Statement"]).iter().filter_map(edit).collect();
        Self::of_document(document)
    }

    /// The document as IAM takes it.
    pub(super) fn to_json(&self) -> String {
        self.document.to_string()
    }

    /// What has to be removed from this policy and added to it to make it trust whom `wanted` trusts; None when it does.
    /// A statement that denies trusts nobody, and stays.
    pub(super) fn differences(&self, wanted: &Self) -> Option<String> {
        let only_in = |one: &Self, other: &Self, verb: &str| {
            let only = one.statements.iter().filter(|(said, _)| !other.statements.contains_key(*said));
            let only = only.filter(|(said, _)| !said.starts_with(DENY));
            only.map(|(_, written)| format!("{verb} [{written}]")).collect::<Vec<_>>()
        };
        let differences = [only_in(self, wanted, "remove"), only_in(wanted, self, "add")].concat();
        (!differences.is_empty()).then(|| differences.join(", "))
    }

    /// The statements that deny, in words.
    pub(super) fn denials(&self) -> impl Iterator<Item = &str> {
        self.statements.values().map(String::as_str).filter(|written| written.starts_with(DENY))
    }

    /// This policy with the statements of another that deny.
    pub(super) fn with_denials_of(&self, other: &Self) -> Self {
        let denials =
            one_or_many(&other.document["Statement"]).iter().filter(|statement| statement["Effect"] == "Deny");
        let mut document = self.document.clone();
        document["Statement"] = one_or_many(&self.document["Statement"]).iter().chain(denials).cloned().collect();
        Self::of_document(document)
    }
}

impl PartialEq for TrustPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.statements.keys().eq(other.statements.keys())
    }
}

impl Eq for TrustPolicy {}

impl FromStr for TrustPolicy {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self::of_document)
    }
}

impl fmt::Display for TrustPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, statement) in self.statements.values().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{statement}")?;
        }
        Ok(())
    }
}

/// A statement in words. Every member has its place in them except `Sid`, which is only a name, so that no two
/// statements that differ in meaning are the same words. `name` sets the names of actions and keys.
fn in_words(statement: &Value, name: &impl Fn(&str) -> String) -> String {
    let Value::Object(members) = statement else { return statement.to_string() };
    let mut words = Vec::new();
    let known = ["Effect", "Action", "Principal", "Condition"];
    words.extend(members.get("Effect").map(plain));
    words.extend(members.get("Action").map(|actions| set_of(actions, |action| name(&plain(action)))));
    words.extend(members.get("Principal").map(|principal| format!("to {}", principals(principal))));
    words.extend(members.get("Condition").map(|condition| format!("if {}", conditions(condition, name))));
    let others = members.iter().filter(|(name, _)| *name != "Sid" && !known.contains(&name.as_str()));
    words.extend(others.map(|(name, value)| format!("with {name} {value}")));
    words.join(" ")
}

fn principals(principal: &Value) -> String {
    let Value::Object(kinds) = principal else { return plain(principal) };
    let of_kind = |(kind, ids): (&String, &Value)| format!("{kind} {}", set_of(ids, |id| account_or_arn(&plain(id))));
    sorted(kinds, of_kind).join(" and ")
}

/// IAM takes the id of an account for the ARN of its root.
pub(super) fn account_or_arn(id: &str) -> String {
    let root_of = id.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    root_of.unwrap_or(id).to_owned()
}

fn conditions(condition: &Value, name: &impl Fn(&str) -> String) -> String {
    let Value::Object(operators) = condition else { return condition.to_string() };
    let of_operator = |(operator, keys): (&String, &Value)| match keys {
        Value::Object(keys) => {
            let of_key =
                |(key, values): (&String, &Value)| format!("{operator} {} {}", name(key), set_of(values, plain));
            sorted(keys, of_key).join(" and ")
        }
        other => format!("{operator} {other}"),
    };
    sorted(operators, of_operator).join(" and ")
}

fn sorted(members: &Map<String, Value>, in_words: impl Fn((&String, &Value)) -> String) -> Vec<String> {
    let mut words: Vec<_> = members.iter().map(in_words).collect();
    words.sort();
    words
}

/// A value, or several of which each will do.
fn set_of(values: &Value, in_words: impl Fn(&Value) -> String) -> String {
    let words: BTreeSet<_> = one_or_many(values).iter().map(in_words).collect();
    words.into_iter().collect::<Vec<_>>().join(" or ")
}

/// A text without its quotation marks, unless it could be taken for more than one, or for something that a screen obeys:
/// whoever may change the role has written it. `true` and `"true"` are the same to IAM.
fn plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.chars().all(|letter| letter.is_ascii_graphic()) => text.to_owned(),
        Some(text) => format!("{text:?}"),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> TrustPolicy {
        TrustPolicy::of_people(Some(&"111111111111".parse().unwrap()), None, None)
    }

    fn differences(present: &Value) -> Option<String> {
        present.to_string().parse::<TrustPolicy>().unwrap().differences(&wanted())
    }

    fn statement(principal: &str) -> Value {
        json!({
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        })
    }

    #[test]
    fn the_wanted_policy_says_who_and_when() {
        assert_eq!(
            wanted().to_string(),
            "Allow sts:AssumeRole to AWS 111111111111 if Bool aws:MultiFactorAuthPresent true"
        );
        let external = TrustPolicy::of_people(Some(&"111111111111".parse().unwrap()), Some("s 1"), None);
        assert!(external.to_string().ends_with("true and StringEquals sts:ExternalId \"s 1\""), "{external}");
    }

    #[test]
    fn other_ways_to_write_the_same_are_no_difference() {
        let present = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Sid": "People",
                "Action": ["sts:assumeRole"],
                "Principal": {"AWS": ["111111111111"]},
                "Condition": {"Bool": {"aws:multiFactorAuthPresent": [true]}},
                "Effect": "Allow",
            },
        });
        assert_eq!(differences(&present), None);
        assert_eq!(present.to_string().parse::<TrustPolicy>().unwrap(), wanted());
    }

    #[test]
    fn a_wider_trust_is_named() {
        let present = json!({"Statement": [statement("arn:aws:iam::111111111111:root"), statement("999999999999")]});
        assert_eq!(
            differences(&present).unwrap(),
            "remove [Allow sts:AssumeRole to AWS 999999999999 if Bool aws:MultiFactorAuthPresent true]"
        );
    }

    #[test]
    fn every_part_of_a_statement_counts() {
        let without_condition = {
            let mut one = statement("111111111111");
            one.as_object_mut().unwrap().remove("Condition");
            one
        };
        let with = |member: &str, value: Value| {
            let mut one = statement("111111111111");
            one[member] = value;
            one
        };
        for (present, words) in [
            (with("Action", json!(["sts:AssumeRole", "sts:TagSession"])), "sts:AssumeRole or sts:TagSession"),
            (with("Principal", json!("*")), "to *"),
            (with("Principal", json!({"AWS": "111111111111", "Service": "ec2.amazonaws.com"})), "Service ec2"),
            (with("Principal", json!({"AWS": "arn:aws:iam::111111111111:user/a"})), "user/a"),
            (with("Condition", json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})), "BoolIfExists"),
            (with("Condition", json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}})), "false"),
            (with("NotAction", json!("sts:GetFederationToken")), "with NotAction"),
            (without_condition, "[Allow sts:AssumeRole to AWS 111111111111]"),
        ] {
            let differs = differences(&json!({"Statement": [present]}));
            let differs = differs.unwrap_or_else(|| panic!("{words} is taken for no difference"));
            assert!(differs.contains(words) && differs.contains("add ["), "{differs}");
        }
    }

    #[test]
    fn a_statement_that_denies_is_no_trust_and_stays_when_the_rest_is_corrected() {
        let denial = json!({"Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}});
        let present = json!({"Statement": [denial, statement("999999999999")]});
        let differs = differences(&present).unwrap();
        assert!(!differs.contains("Deny"), "{differs}");
        let present: TrustPolicy = present.to_string().parse().unwrap();
        let written = wanted().with_denials_of(&present);
        assert_eq!(written.differences(&wanted()), None);
        assert_eq!(written.document["Statement"][1], denial);
        assert_eq!(
            written.denials().collect::<Vec<_>>(),
            ["Deny sts:AssumeRole to * if NotIpAddress aws:SourceIp 192.0.2.0/24"]
        );
        assert_eq!(wanted().with_denials_of(&wanted()), wanted());
        assert_eq!(wanted().denials().count(), 0);
    }

    #[test]
    fn a_policy_without_statements_lacks_the_wanted_one() {
        assert!(differences(&json!({"Version": "2012-10-17"})).unwrap().starts_with("add ["));
        assert!("not json".parse::<TrustPolicy>().is_err());
    }

    #[test]
    fn nothing_that_a_screen_obeys_is_shown_as_it_is() {
        let mut hostile = statement("111111111111");
        hostile["Condition"] = json!({"StringEquals": {"sts:ExternalId": "\u{9b}31m\u{1b}]0;x\u{7}\n"}});
        let shown = differences(&json!({"Statement": [hostile]})).unwrap();
        assert!(!shown.contains(char::is_control) && shown.contains("\\u{9b}31m"), "{shown}");
    }
}
