//! Whether a policy would keep Steward out: each statement that denies, against each call that Steward makes.
//!
//! What cannot be told counts against the policy: a statement passes only if it can be shown that it denies none of these
//! calls (IAM user guide, "Policy evaluation logic", "AWS global condition context keys" and "IAM JSON policy elements:
//! condition operators").
//!
//! IAM's own simulation (`SimulateCustomPolicy` with `OrderedOrganizationPolicyInputList`) is not asked. It takes service control
//! policies alone, no session of a root user and none of a role, and it says neither which of their statements denies nor which
//! condition keys it was not given: what it lets pass would be no answer, and what it denies would have no name (IAM API
//! reference, `EvaluationResult`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    content::statement_name,
    own_calls::{ANY_ACCOUNT, Caller, OwnCall, OwnCalls, role_arn},
};
use crate::{control::wildcard, gateway::PolicyKind, policy_document::one_or_many};

/// How many calls are named.
const NAMED: usize = 4;

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    No,
    Maybe,
    Yes,
}

impl Holds {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// That any of these does.
    fn any(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().max().unwrap_or(Self::No)
    }

    /// That all of these do.
    fn all(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().min().unwrap_or(Self::Yes)
    }
}

/// What is known of a key when a call is made.
enum Known {
    Value(String),
    Absent,
    Unknown,
}

/// The statements of a policy that deny a call of Steward's, or may: in words, with what would except it.
pub(super) fn locks(kind: PolicyKind, content: &Value, own: &OwnCalls) -> Vec<String> {
    let statements = one_or_many(&content["Statement"]).iter().enumerate();
    statements.flat_map(|(position, it)| of_statement(kind, &statement_name(position, it), it, own)).collect()
}

fn of_statement(kind: PolicyKind, name: &str, statement: &Value, own: &OwnCalls) -> Vec<String> {
    if statement["Effect"] != "Deny" {
        return Vec::new();
    }
    let binds = |caller: Caller| kind == PolicyKind::ResourceControlPolicy || caller != Caller::ManagementAccount;
    let mut found = Vec::new();
    for caller in [Caller::AccessRole, Caller::RootSession, Caller::ManagementAccount] {
        let mut denied = BTreeSet::new();
        let mut worst = Holds::No;
        for call in own.calls.iter().filter(|call| call.caller == caller && binds(caller)) {
            let holds = Holds::any(call.regions.iter().map(|region| denies(statement, call, region, own)));
            if holds != Holds::No {
                denied.insert(call.action);
                worst = worst.max(holds);
            }
        }
        if !denied.is_empty() {
            found.push(in_words(name, caller, worst, &denied, own));
        }
    }
    found
}

fn in_words(name: &str, caller: Caller, holds: Holds, denied: &BTreeSet<&str>, own: &OwnCalls) -> String {
    let verb = if holds == Holds::Yes { "denies" } else { "may deny" };
    let mut calls: Vec<_> = denied.iter().take(NAMED).copied().collect();
    let more = format!("{} more", denied.len().saturating_sub(NAMED));
    if denied.len() > NAMED {
        calls.push(&more);
    }
    let calls = calls.join(", ");
    let role = &own.access_role;
    match caller {
        Caller::AccessRole => format!(
            "{name} {verb} {calls} to {role}, through which Steward enters accounts; except it, for example with \
             ArnNotLike aws:PrincipalArn arn:aws:iam::*:role/{role}"
        ),
        Caller::RootSession => format!(
            "{name} {verb} {calls} to the root sessions in which Steward does root tasks; except them, for example with \
             Null aws:AssumedRoot true"
        ),
        Caller::ManagementAccount => format!(
            "{name} {verb} {calls} to the management account, from which Steward enters accounts as {role}; except it, \
             for example with StringNotEquals aws:PrincipalAccount {}",
            own.management_account
        ),
    }
}

/// Whether a statement denies a call in a region.
fn denies(statement: &Value, call: &OwnCall, region: &str, own: &OwnCalls) -> Holds {
    let action = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap_or("*").to_ascii_lowercase();
        Holds::of(wildcard::matches(&pattern, &call.action.to_ascii_lowercase()))
    };
    let covers_action = either(statement, "Action", "NotAction", action);
    let covers_resource = match &call.resources {
        None => Holds::Maybe,
        Some(arns) => Holds::any(arns.iter().map(|arn| {
            either(statement, "Resource", "NotResource", |pattern| fits(pattern.as_str().unwrap_or("*"), arn))
        })),
    };
    // What is denied everywhere is denied, whatever it is about.
    let covers_resource = if statement["Resource"] == "*" { Holds::Yes } else { covers_resource };
    let holds = conditions(&statement["Condition"], &|key| known(key, call, region, own));
    Holds::all([covers_action, covers_resource, holds])
}

/// Whether one of the entries of a member fits or, where its opposite is there, none of those.
fn either(statement: &Value, member: &str, opposite: &str, fits: impl Fn(&Value) -> Holds) -> Holds {
    match statement.get(member) {
        Some(entries) => Holds::any(one_or_many(entries).iter().map(fits)),
        None => Holds::any(one_or_many(&statement[opposite]).iter().map(fits)).not(),
    }
}

/// Whether a pattern fits the value of some account, or of all.
fn fits(pattern: &str, value: &str) -> Holds {
    if wildcard::matches(pattern, value) {
        return Holds::Yes;
    }
    // A variable may stand for anything.
    let (pattern, has_variable) = without_variables(pattern);
    if has_variable && wildcard::matches(&pattern, value) {
        return Holds::Maybe;
    }
    // The pattern of one account fits what is called there, and not elsewhere.
    let account = pattern.split(':').nth(4).filter(|part| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()));
    match account {
        Some(account) if wildcard::matches(&pattern, &value.replace(ANY_ACCOUNT, account)) => Holds::Maybe,
        _ => Holds::No,
    }
}

/// A pattern with `*` in the place of each variable, and whether there was one.
fn without_variables(pattern: &str) -> (String, bool) {
    let mut rest = pattern;
    let mut whole = String::new();
    while let Some((before, behind)) = rest.split_once("${") {
        whole.push_str(before);
        whole.push('*');
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    whole.push_str(rest);
    (whole, pattern.contains("${"))
}

/// What is known of a key.
fn known(key: &str, call: &OwnCall, region: &str, own: &OwnCalls) -> Known {
    let value = |text: &str| Known::Value(text.to_owned());
    match (key.to_ascii_lowercase().as_str(), call.caller) {
        ("aws:principalarn", Caller::AccessRole) => Known::Value(role_arn(own.access_role.as_str())),
        ("aws:principalarn", Caller::RootSession) => Known::Value(format!("arn:aws:iam::{ANY_ACCOUNT}:root")),
        ("aws:principalaccount", Caller::ManagementAccount) => value(own.management_account.as_str()),
        ("aws:principalorgid" | "aws:resourceorgid", _) => value(&own.organization_id),
        ("aws:requestedregion", _) => value(region),
        ("aws:principaltype", Caller::AccessRole | Caller::ManagementAccount) => value("AssumedRole"),
        ("aws:assumedroot", Caller::RootSession) | ("aws:securetransport", _) => value("true"),
        (
            "aws:assumedroot" | "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" | "aws:sourcearn"
            | "aws:username",
            _,
        ) => Known::Absent,
        ("aws:multifactorauthpresent", Caller::AccessRole | Caller::ManagementAccount)
        | ("aws:viaawsservice" | "aws:principalisawsservice", _) => value("false"),
        _ => Known::Unknown,
    }
}

/// Whether all conditions hold.
fn conditions(condition: &Value, known: &dyn Fn(&str) -> Known) -> Holds {
    let operators = condition.as_object().into_iter().flatten();
    Holds::all(operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| holds(operator, one_or_many(values), &known(key)))
    }))
}

/// Whether one condition holds.
fn holds(operator: &str, values: &[Value], known: &Known) -> Holds {
    let texts: Vec<String> =
        values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), Into::into)).collect();
    if operator == "Null" {
        let wants_absent = texts.iter().any(|text| text == "true");
        return match known {
            Known::Absent => Holds::of(wants_absent),
            Known::Value(_) => Holds::of(!wants_absent),
            Known::Unknown => Holds::Maybe,
        };
    }
    let (of_all, of_any) = (operator.starts_with("ForAllValues:"), operator.starts_with("ForAnyValue:"));
    let bare = operator.trim_start_matches("ForAllValues:").trim_start_matches("ForAnyValue:");
    let (bare, if_exists) = bare.strip_suffix("IfExists").map_or((bare, false), |bare| (bare, true));
    let is_opposite = bare.contains("Not");
    let value = match known {
        Known::Unknown => return Holds::Maybe,
        // Without the key, what is to match does not, and what is not to match does not either.
        Known::Absent => return Holds::of((if_exists || of_all || is_opposite) && !of_any),
        Known::Value(value) => value,
    };
    let one = |text: &String| match bare {
        "StringEquals" | "StringNotEquals" if text.contains("${") => Holds::Maybe,
        "StringEquals" | "StringNotEquals" => Holds::of(text == value),
        "Bool" | "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => Holds::of(text.eq_ignore_ascii_case(value)),
        "StringLike" | "StringNotLike" | "ArnEquals" | "ArnNotEquals" | "ArnLike" | "ArnNotLike" => fits(text, value),
        _ => Holds::Maybe,
    };
    let matched = Holds::any(texts.iter().map(one));
    if is_opposite { matched.not() } else { matched }
}

#[cfg(test)]
mod tests;
