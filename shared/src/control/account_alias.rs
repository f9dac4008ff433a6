//! # account-alias
//!
//! **What it does.** Keeps the alias of the account.
//!
//! **Why.** People sign in at `https://<alias>.signin.aws.amazon.com/console` and see the alias beside their role; a
//! number of twelve digits tells nobody where they are.
//!
//! **Desired state.** `alias`. `{account_id}` in it stands for the account's id: an alias is unique among all accounts
//! of AWS, so one that holds for many accounts needs it.
//!
//! **Calls.** A compliant account costs one `ListAccountAliases`.
//!
//! **Source.** An account has one alias; a new one takes the place of the old one, whose sign-in page ends (AWS
//! Sign-In user guide, "Creating an account alias"). The grammar is that of `CreateAccountAlias`: 3 to 63 lower-case
//! letters, digits and single dashes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::CallError,
    ids::AccountId,
    input::Problem,
};

/// The `account-alias` section of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAlias {
    /// The alias, with `{account_id}` for the account's id.
    pub alias: String,
}

impl AccountAlias {
    fn of(&self, account: &AccountId) -> String {
        self.alias.replace("{account_id}", account.as_str())
    }
}

impl Validate for AccountAlias {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        // Any id will do: all of them are equally long.
        let alias = self.alias.replace("{account_id}", "123456789012");
        let is_spelt_right = alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !alias.starts_with('-')
            && !alias.ends_with('-')
            && !alias.contains("--");
        findings.expect(
            "alias",
            (3..=63).contains(&alias.len()) && is_spelt_right,
            "must be 3 to 63 lower-case letters, digits and single hyphens between them, where \
             {account_id} stands for 12 digits",
        );
        findings.into_problems()
    }
}

/// The one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The alias as it will be.
    alias: String,
    /// The alias whose place it takes.
    instead_of: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instead_of {
            None => write!(f, "give the account the alias {}", self.alias),
            Some(present) => write!(f, "change the account's alias: {present} -> {}", self.alias),
        }
    }
}

/// The control `account-alias`.
#[derive(Clone, Copy, Debug)]
pub struct AccountAliasControl;

impl Control for AccountAliasControl {
    const ID: &'static str = "account-alias";
    const READS: &'static [&'static str] = &["iam:ListAccountAliases"];
    const WRITES: &'static [&'static str] = &["iam:CreateAccountAlias"];
    type Scope = MemberScope;
    type Desired = AccountAlias;
    type Actual = Option<String>;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&AccountAlias> {
        baseline.account_alias.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, _desired: &AccountAlias) -> Result<Option<String>, CallError> {
        scope.iam.find_account_alias().await
    }

    fn plan(&self, scope: &MemberScope, desired: &AccountAlias, actual: &Option<String>) -> Vec<Change> {
        plan(desired.of(&scope.account_id), actual.as_ref()).into_iter().collect()
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        scope.iam.create_account_alias(&change.alias).await
    }
}

fn plan(alias: String, present: Option<&String>) -> Option<Change> {
    (present != Some(&alias)).then(|| Change { alias, instead_of: present.cloned() })
}

#[cfg(test)]
mod tests;
