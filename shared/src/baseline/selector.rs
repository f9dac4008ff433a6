//! Which accounts an override is for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Validate, pattern::Pattern};
use crate::{
    ids::AccountId,
    input::{Problem, inner},
    organization::AccountFacts,
    tags,
};

/// The accounts of an override. Exactly one of the fields is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Selector {
    /// The accounts right below the units of this path: `/Workloads/Production`, `/Workloads/*` (the units one level
    /// below), `/Workloads/**` (the unit and everything below). Instead of its path a unit may be named by its id, which
    /// a new name does not change: `ou-ab12-cdef3456`, `ou-ab12-cdef3456/**`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<Pattern>,
    /// One account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The accounts that have all of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<BTreeMap<String, String>>,
}

impl Selector {
    /// Whether the override is for this account.
    pub fn matches(&self, account: &AccountFacts) -> bool {
        self.organizational_unit.as_ref().is_none_or(|pattern| pattern.matches(account))
            && self.account.as_ref().is_none_or(|id| *id == account.id)
            && self.tag.as_ref().is_none_or(|tag| has_all(&account.tags, tag))
    }
}

/// Whether an account with these tags has all of those that are asked for.
pub(super) fn has_all(tags: &BTreeMap<String, String>, asked: &BTreeMap<String, String>) -> bool {
    asked.iter().all(|(key, value)| tags.get(key) == Some(value))
}

impl Validate for Selector {
    fn problems(&self, path: &str) -> Vec<Problem> {
        const ONE: &str = "must have exactly one of organizational_unit, account and tag";
        let mut problems = Vec::new();
        let set = [self.organizational_unit.is_some(), self.account.is_some(), self.tag.is_some()];
        match set.iter().filter(|is_set| **is_set).count() {
            0 => problems.push(Problem::new(path, format!("names no accounts; {ONE}"))),
            1 => {}
            _ => problems
                .push(Problem::new(path, format!("names accounts in several ways; {ONE}, and one override each"))),
        }
        if let Some(problem) = self.organizational_unit.as_ref().and_then(Pattern::problem) {
            problems.push(Problem::new(inner(path, "organizational_unit"), problem));
        }
        if self.tag.as_ref().is_some_and(BTreeMap::is_empty) {
            problems.push(Problem::new(inner(path, "tag"), "must have a key and its value"));
        }
        if let Some(tag) = &self.tag {
            problems.extend(tags::spelling(tag, &inner(path, "tag")));
        }
        problems
    }
}
