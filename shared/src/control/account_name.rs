//! # account-name
//!
//! **What it does.** Checks whether the name of the account follows the company's rule for names. It is reported and never
//! changed: people know the account by its name, and bills and reports show it.
//!
//! **Why.** A name is all that most people see of an account, in the console, on bills and in reports. `test2` tells nobody
//! whose it is and what it is for.
//!
//! **Desired state.** `patterns`, of which the name must fit one. In them `*` stands for any text and `{account_id}` for the
//! account's id. Upper and lower case differ.
//!
//! **Calls.** None: the list of accounts has the name.
//!
//! **Source.** `Name` of `ListAccounts` and `DescribeAccount`; a name has 1 to 50 characters and need not be the only one of
//! its kind (AWS Organizations API reference, `CreateAccount`).

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, ManagementScope, wildcard};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::CallError,
    ids::{AccountId, AccountName as Name},
    input::Problem,
};

/// An account's id, as long as all of them.
const ANY_ACCOUNT: &str = "123456789012";

/// The `account-name` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountName {
    /// What the name may look like: `team-*`, `* Prod`.
    pub patterns: Vec<String>,
}

impl AccountName {
    /// The patterns as they hold for one account.
    fn of(&self, account: &str) -> Vec<String> {
        self.patterns.iter().map(|pattern| pattern.replace("{account_id}", account)).collect()
    }
}

impl Validate for AccountName {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.expect("patterns", !self.patterns.is_empty(), "must have at least one pattern");
        findings.distinct("patterns", &self.patterns);
        for (position, pattern) in self.of(ANY_ACCOUNT).into_iter().enumerate() {
            // A star may stand for nothing or for a character.
            let stands_for = |text| pattern.replace('*', text).parse::<Name>().is_ok();
            findings.expect(
                &format!("patterns[{position}]"),
                !pattern.contains('?') && (stands_for("") || stands_for("a")),
                "must be a name that an account can have, of 1 to 50 printable ASCII characters, where * stands for any text",
            );
        }
        findings.into_problems()
    }
}

/// The name, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    account: AccountId,
    name: String,
}

/// The control `account-name`.
#[derive(Clone, Copy, Debug)]
pub struct AccountNameControl;

impl Control for AccountNameControl {
    const ID: &'static str = "account-name";
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &[];
    const NEEDS_ORGANIZATION: bool = true;
    type Scope = ManagementScope;
    type Desired = AccountName;
    type Actual = Actual;
    type Change = Infallible;

    fn desired(baseline: &Baseline) -> Option<&AccountName> {
        baseline.account_name.as_ref()
    }

    async fn inspect(&self, scope: &ManagementScope, _desired: &AccountName) -> Result<Actual, CallError> {
        Ok(Actual { account: scope.account_id.clone(), name: scope.shown("Name", &scope.name)?.to_owned() })
    }

    fn plan(&self, _scope: &ManagementScope, _desired: &AccountName, _actual: &Actual) -> Vec<Infallible> {
        Vec::new()
    }

    async fn apply(&self, _scope: &ManagementScope, change: &Infallible) -> Result<(), CallError> {
        match *change {}
    }

    fn by_hand(&self, desired: &AccountName, Actual { account, name }: &Actual) -> Vec<String> {
        let patterns = desired.of(account.as_str());
        if patterns.iter().any(|pattern| wildcard::matches(pattern, name)) {
            return Vec::new();
        }
        vec![format!("rename the account {name}: its name must be like {}", patterns.join(" or "))]
    }
}

#[cfg(test)]
mod tests;
