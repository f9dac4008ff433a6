//! The accounts that a document names, in a stack without an AWS Organization.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Document, Findings, Validate};
use crate::{
    gateway::{NamedAccount, NamedAccounts},
    ids::{AccountId, MailAddress},
    input::{Problem, inner},
    tags, unit_path,
    unit_reference::OrganizationalUnitReference,
};

/// An account that Steward looks after, where no organization tells which there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEntry {
    /// Its id.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// Its primary e-mail address. Steward shows it, and does not ask AWS whether it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<MailAddress>,
    /// Where it belongs, as a path such as `/Workloads/Production`, which overrides and projects select it by. Left out, `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What overrides and projects select it by. Steward sets no such tags in AWS.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Validate for AccountEntry {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        // As AWS takes the name of an account.
        findings.length("name", &self.name, 1..=50);
        let is_path = |unit: &String| matches!(unit.parse(), Ok(OrganizationalUnitReference::Path(_)));
        findings.expect("unit", self.unit.as_ref().is_none_or(is_path), "must be a path such as /Workloads/Production");
        findings.extend(tags::problems(&self.tags, &inner(path, "tags")));
        findings.into_problems()
    }
}

impl Document {
    /// The accounts that it names, as the gateways are to give them.
    pub(super) fn named_accounts(&self) -> NamedAccounts {
        let named = |entry: &AccountEntry| NamedAccount {
            id: entry.id.clone(),
            name: entry.name.clone(),
            email: entry.email.as_ref().map(ToString::to_string).unwrap_or_default(),
            unit: unit_path::names(entry.unit.as_deref().unwrap_or_default()),
            tags: entry.tags.clone(),
        };
        self.accounts.iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests;
