//! # account-tags
//!
//! **What it does.** Keeps required tags on the account in AWS Organizations.
//!
//! **Why.** Cost reports, tag-based policies and this baseline's own overrides sort accounts by their tags.
//!
//! **Desired state.** `tags`, names and values. Other tags of the account are left alone.
//!
//! **Calls.** In a sweep, one `GetResources` of the tagging API shows the tags of a whole batch of accounts, and a compliant
//! account costs nothing more; else it costs one `ListTagsForResource`. What the index shows to differ is asked for with
//! that before it is drift.
//!
//! **Source.** `GetResources` leaves out what was never tagged, and shows a change after a while (Resource Groups Tagging API
//! reference). `TagResource` replaces the value of a tag that is there, and may break a tag policy (AWS Organizations
//! API reference).

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, ManagementScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::CallError,
    input::{Problem, inner},
    tags,
};

/// The `account-tags` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountTags {
    /// The tags that must be there.
    pub tags: BTreeMap<String, String>,
}

impl Validate for AccountTags {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.expect("tags", !self.tags.is_empty(), "must have at least one tag");
        findings.extend(tags::problems(&self.tags, &inner(path, "tags")));
        findings.into_problems()
    }
}

/// The one change: all tags in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The tags that are missing or different.
    tags: BTreeMap<String, String>,
    /// What the different ones are now.
    present: BTreeMap<String, String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tag the account: ")?;
        for (position, (key, value)) in self.tags.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            match self.present.get(key) {
                None => write!(f, "{separator}{key}={value}")?,
                Some(present) => write!(f, "{separator}{key}={present} -> {value}")?,
            }
        }
        Ok(())
    }
}

/// The control `account-tags`.
#[derive(Clone, Copy, Debug)]
pub struct AccountTagsControl;

impl Control for AccountTagsControl {
    const ID: &'static str = "account-tags";
    const READS: &'static [&'static str] = &["organizations:ListTagsForResource"];
    const WRITES: &'static [&'static str] = &["organizations:TagResource"];
    const NEEDS_ORGANIZATION: bool = true;
    type Scope = ManagementScope;
    type Desired = AccountTags;
    type Actual = BTreeMap<String, String>;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&AccountTags> {
        baseline.account_tags.as_ref()
    }

    async fn inspect(
        &self,
        scope: &ManagementScope,
        desired: &AccountTags,
    ) -> Result<BTreeMap<String, String>, CallError> {
        match &scope.known.tags {
            Some(known) if plan(desired, known).is_none() => Ok(known.clone()),
            // The index lags behind what was changed a while ago: nothing is drift that it alone has shown.
            _ => scope.organizations.list_tags(&scope.account_id).await,
        }
    }

    fn plan(&self, _scope: &ManagementScope, desired: &AccountTags, actual: &BTreeMap<String, String>) -> Vec<Change> {
        plan(desired, actual).into_iter().collect()
    }

    async fn apply(&self, scope: &ManagementScope, change: &Change) -> Result<(), CallError> {
        scope.organizations.put_tags(&scope.account_id, &change.tags).await
    }
}

fn plan(desired: &AccountTags, actual: &BTreeMap<String, String>) -> Option<Change> {
    let of = |tags: &BTreeMap<String, String>, differs: &dyn Fn(&String, &String) -> bool| {
        tags.iter().filter(|(key, value)| differs(key, value)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let tags: BTreeMap<_, _> = of(&desired.tags, &|key, value| actual.get(key) != Some(value));
    let present = of(actual, &|key, _| tags.contains_key(key));
    (!tags.is_empty()).then_some(Change { tags, present })
}

#[cfg(test)]
mod tests;
