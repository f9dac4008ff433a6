//! # password-policy
//!
//! **What it does.** Keeps the rules for the passwords of IAM users.
//!
//! **Why.** Without a policy of its own, an account takes passwords of eight characters that never change.
//!
//! **Desired state.** Every field of the policy; a field that is left out has the value of a strict policy: 14
//! characters, all four kinds, users change their own, the last 24 do not come back, no expiry.
//!
//! **Calls.** A compliant account costs one `GetAccountPasswordPolicy`.
//!
//! **Source.** `UpdateAccountPasswordPolicy` has no partial updates: what is not given falls back to the default of
//! IAM (IAM API reference). The strict values are those of the CIS AWS Foundations Benchmark.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::{CallError, PasswordPolicy as Actual},
    input::Problem,
};

/// The `password-policy` section of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "the API has these")]
pub struct PasswordPolicy {
    /// The fewest characters: 6 to 128.
    #[schemars(range(min = 6, max = 128))]
    pub minimum_length: i32,
    /// Whether a symbol is needed.
    pub require_symbols: bool,
    /// Whether a digit is needed.
    pub require_numbers: bool,
    /// Whether an upper-case letter is needed.
    pub require_uppercase: bool,
    /// Whether a lower-case letter is needed.
    pub require_lowercase: bool,
    /// Whether users may change their own password.
    pub users_may_change: bool,
    /// Days after which a password expires: 1 to 1095; left out, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1095))]
    pub max_age_days: Option<i32>,
    /// How many former passwords may not come back: 1 to 24; 0 when all may.
    #[schemars(range(min = 0, max = 24))]
    pub reuse_prevention: i32,
    /// Whether an expired password can be renewed by an administrator alone.
    pub hard_expiry: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 14,
            require_symbols: true,
            require_numbers: true,
            require_uppercase: true,
            require_lowercase: true,
            users_may_change: true,
            max_age_days: None,
            reuse_prevention: 24,
            hard_expiry: false,
        }
    }
}

impl Validate for PasswordPolicy {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.range("minimum_length", self.minimum_length, 6..=128);
        findings.range("reuse_prevention", self.reuse_prevention, 0..=24);
        if let Some(days) = self.max_age_days {
            findings.range("max_age_days", days, 1..=1095);
        }
        findings.expect(
            "hard_expiry",
            !self.hard_expiry || self.max_age_days.is_some(),
            "is true, but without max_age_days no password expires",
        );
        findings.into_problems()
    }
}

impl From<PasswordPolicy> for Actual {
    fn from(policy: PasswordPolicy) -> Self {
        Self {
            minimum_length: policy.minimum_length,
            require_symbols: policy.require_symbols,
            require_numbers: policy.require_numbers,
            require_uppercase: policy.require_uppercase,
            require_lowercase: policy.require_lowercase,
            users_may_change: policy.users_may_change,
            max_age_days: policy.max_age_days,
            reuse_prevention: Some(policy.reuse_prevention).filter(|passwords| *passwords > 0),
            hard_expiry: policy.hard_expiry,
        }
    }
}

/// The one change: the policy is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The policy as it will be.
    policy: Actual,
    /// In what it differs now; None when there is none.
    differs: Option<Vec<String>>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.differs {
            None => {
                let fields = fields(&self.policy).map(|(field, value)| format!("{field} {value}"));
                write!(f, "set a password policy: {}", fields.join(", "))
            }
            Some(differs) => write!(f, "correct the password policy: {}", differs.join(", ")),
        }
    }
}

/// The control `password-policy`.
#[derive(Clone, Copy, Debug)]
pub struct PasswordPolicyControl;

impl Control for PasswordPolicyControl {
    const ID: &'static str = "password-policy";
    const READS: &'static [&'static str] = &["iam:GetAccountPasswordPolicy"];
    const WRITES: &'static [&'static str] = &["iam:UpdateAccountPasswordPolicy"];
    type Scope = MemberScope;
    type Desired = PasswordPolicy;
    type Actual = Option<Actual>;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&PasswordPolicy> {
        baseline.password_policy.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, _desired: &PasswordPolicy) -> Result<Option<Actual>, CallError> {
        scope.iam.find_password_policy().await
    }

    fn plan(&self, _scope: &MemberScope, desired: &PasswordPolicy, actual: &Option<Actual>) -> Vec<Change> {
        plan(*desired, *actual).into_iter().collect()
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        scope.iam.put_password_policy(&change.policy).await
    }
}

fn plan(desired: PasswordPolicy, present: Option<Actual>) -> Option<Change> {
    let policy = Actual::from(desired);
    let differs = present.map(|present| differences(&present, &policy));
    if differs.as_ref().is_some_and(Vec::is_empty) { None } else { Some(Change { policy, differs }) }
}

/// The fields of a policy, in words.
fn fields(policy: &Actual) -> [(&'static str, String); 9] {
    let number = |number: Option<i32>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
    [
        ("minimum_length", policy.minimum_length.to_string()),
        ("require_symbols", policy.require_symbols.to_string()),
        ("require_numbers", policy.require_numbers.to_string()),
        ("require_uppercase", policy.require_uppercase.to_string()),
        ("require_lowercase", policy.require_lowercase.to_string()),
        ("users_may_change", policy.users_may_change.to_string()),
        ("max_age_days", number(policy.max_age_days)),
        ("reuse_prevention", number(policy.reuse_prevention)),
        ("hard_expiry", policy.hard_expiry.to_string()),
    ]
}

fn differences(present: &Actual, wanted: &Actual) -> Vec<String> {
    let pairs = fields(present).into_iter().zip(fields(wanted));
    let differing = pairs.filter(|((_, is), (_, should))| is != should);
    differing.map(|((field, is), (_, should))| format!("{field} {is} -> {should}")).collect()
}

#[cfg(test)]
mod tests;
