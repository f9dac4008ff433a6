//! # primary-email
//!
//! **What it does.** Checks whether the primary e-mail address of the account, that of its root user, is one that the company
//! owns. It is reported and never changed: a new address has to be confirmed by whoever reads its mails.
//!
//! **Why.** Whoever reads the mails of this address can take the account over. A domain that has lapsed, an address at a
//! former employer or a private mailbox is found before somebody else finds it.
//!
//! **Desired state.** `domains`, in which any address is right, and `patterns`, which an address may fit instead: in them `*`
//! stands for any text and `{account_id}` for the account's id. Upper and lower case are the same.
//!
//! **Calls.** None: the list of accounts has the address.
//!
//! **Source.** `Email` of `ListAccounts` and `DescribeAccount` (AWS Organizations API reference). Only the owner of the new
//! address has the code that ends a change (Account Management reference guide, "Update the root user email").

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, ManagementScope, wildcard};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::CallError,
    ids::{AccountId, Email},
    input::Problem,
};

/// An account's id, as long as all of them.
const ANY_ACCOUNT: &str = "123456789012";

/// The `primary-email` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrimaryEmail {
    /// The domains of which every address is right, without their subdomains: `example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// What an address may look like instead: `aws+{account_id}@example.org`, `aws-*@*.example.org`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
}

impl PrimaryEmail {
    fn admits(&self, account: &AccountId, email: &str) -> bool {
        let email = email.to_ascii_lowercase();
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        let pattern = |pattern: &String| resolved(pattern, account.as_str());
        self.domains.iter().any(|allowed| domain == Some(allowed.to_ascii_lowercase().as_str()))
            || self.patterns.iter().map(pattern).any(|pattern| wildcard::matches(&pattern, &email))
    }
}

/// A pattern as it holds for one account.
fn resolved(pattern: &str, account: &str) -> String {
    pattern.replace("{account_id}", account).to_ascii_lowercase()
}

impl Validate for PrimaryEmail {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        let says_nothing = self.domains.is_empty() && self.patterns.is_empty();
        findings.expect("domains", !says_nothing, "must name a domain, unless patterns has a pattern");
        findings.distinct("domains", self.domains.iter().map(|domain| domain.to_ascii_lowercase()));
        findings.distinct("patterns", self.patterns.iter().map(|pattern| pattern.to_ascii_lowercase()));
        for (position, domain) in self.domains.iter().enumerate() {
            findings.expect(
                &format!("domains[{position}]"),
                format!("a@{domain}").parse::<Email>().is_ok(),
                "must be a domain such as example.com, without @ and without *",
            );
        }
        for (position, pattern) in self.patterns.iter().enumerate() {
            // A star may stand for nothing or for a label.
            let stands_for = |text| resolved(pattern, ANY_ACCOUNT).replace('*', text).parse::<Email>().is_ok();
            findings.expect(
                &format!("patterns[{position}]"),
                !pattern.contains('?') && (stands_for("") || stands_for("a") || stands_for("a.aa")),
                "must be an address that an account can have, such as aws+{account_id}@example.com, where * stands for any text",
            );
        }
        findings.into_problems()
    }
}

/// The address, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    account: AccountId,
    email: String,
}

/// The control `primary-email`.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryEmailControl;

impl Control for PrimaryEmailControl {
    const ID: &'static str = "primary-email";
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &[];
    const NEEDS_ORGANIZATION: bool = true;
    type Scope = ManagementScope;
    type Desired = PrimaryEmail;
    type Actual = Actual;
    type Change = Infallible;

    fn desired(baseline: &Baseline) -> Option<&PrimaryEmail> {
        baseline.primary_email.as_ref()
    }

    async fn inspect(&self, scope: &ManagementScope, _desired: &PrimaryEmail) -> Result<Actual, CallError> {
        Ok(Actual { account: scope.account_id.clone(), email: scope.shown("Email", &scope.email)?.to_owned() })
    }

    fn plan(&self, _scope: &ManagementScope, _desired: &PrimaryEmail, _actual: &Actual) -> Vec<Infallible> {
        Vec::new()
    }

    async fn apply(&self, _scope: &ManagementScope, change: &Infallible) -> Result<(), CallError> {
        match *change {}
    }

    fn by_hand(&self, desired: &PrimaryEmail, Actual { account, email }: &Actual) -> Vec<String> {
        if desired.admits(account, email) {
            return Vec::new();
        }
        let patterns = desired.patterns.iter().map(|pattern| pattern.replace("{account_id}", account.as_str()));
        let allowed: Vec<_> = desired.domains.iter().map(|domain| format!("*@{domain}")).chain(patterns).collect();
        vec![format!("change the primary e-mail address {email}: it must be like {}", allowed.join(" or "))]
    }
}

#[cfg(test)]
mod tests;
