//! The baseline: what every account must have, as the people who run the platform write it down.
//!
//! A [`Document`] (`baseline.yaml`) has one section per control under `defaults`, then overrides for some accounts,
//! then exemptions that end. [`Document::read`] takes a document whole or refuses it with every problem at once;
//! [`Document::for_account`] works out what holds for one account; a [`DocumentCache`] keeps the document of
//! a function up to date.

mod access;
mod accounts;
mod cache;
mod facts;
mod findings;
mod grammar;
mod last_good;
mod lines;
mod pattern;
mod read;
mod refusal;
mod schema;
mod sections;
mod selector;
mod shape;
mod unmatched;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::{Access, Project, ProjectAccounts};
pub use accounts::AccountEntry;
pub use cache::{DocumentCache, DocumentInForce};
pub use facts::FactsReader;
pub use findings::Findings;
pub use pattern::Pattern;
pub use read::MAX_BYTES;
pub use refusal::{BaselineDocumentRefused, Refusal};
pub use schema::json_schema;
pub use sections::{Baseline, SectionId, Validate};
pub use selector::Selector;
pub use unmatched::{
    BaselineSelectorUnmatched, Selectors, TagSelectors, Unmatched, in_words as unmatched_in_words, record_tags,
};

use crate::{
    control::find, ids::AccountId, organization::AccountFacts, organization_check::OrganizationSection,
    session::Protected,
};

/// The baseline of all accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "The baseline of an AWS Organization")]
pub struct Document {
    /// The version of the document's format: 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// What holds for every account, unless an override says otherwise.
    #[serde(default)]
    pub defaults: Baseline,
    /// What holds for some accounts instead, in order: of two overrides that match, the later one wins, section by
    /// section. A section replaces the earlier one as a whole.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// What some accounts need not have, for a reason and for a while.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// The controls that Steward remediates by itself when an account drifts. The others are only reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remediate: Vec<SectionId>,
    /// Whether Steward may make changes although an override or an exemption names a unit or an account that is not in
    /// the organization. Without it, a unit that was renamed stops changes instead of getting the defaults.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unmatched: bool,
    /// What Steward looks at and does not change.
    #[serde(default, skip_serializing_if = "Protected::is_empty")]
    pub protected: Protected,
    /// What the organization must have, once.
    #[serde(default, skip_serializing_if = "OrganizationSection::is_default")]
    pub organization: OrganizationSection,
    /// Who gets where: the account that people sign in to, and the groups that reach other accounts from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The accounts, in a stack whose parameter `AccountSource` is `document`; nowhere else, as AWS Organizations has them there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountEntry>,
}

/// Sections that hold for some accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Override {
    /// The accounts.
    #[serde(rename = "match")]
    pub selector: Selector,
    /// What holds for them. Unknown sections are refused by the schema: serde cannot look for them below `flatten`.
    #[serde(flatten)]
    pub sections: Baseline,
}

/// Leave for one account to differ from the baseline in one control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The account.
    pub account: AccountId,
    /// The control.
    pub control: SectionId,
    /// Why, for whoever reads the next report.
    pub reason: String,
    /// The last day (UTC) on which it counts.
    pub until: Date,
}

/// What holds for one account on one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    /// What it must have.
    pub baseline: Baseline,
    /// The exemptions that count, by the id of their control.
    pub exemptions: BTreeMap<&'static str, Exemption>,
}

impl Document {
    /// The version that this crate reads and writes.
    pub const VERSION: u32 = 1;

    /// The document that asks the same of every account.
    pub fn of_defaults(defaults: Baseline) -> Self {
        Self {
            version: Self::VERSION,
            defaults,
            overrides: Vec::new(),
            exemptions: Vec::new(),
            remediate: Vec::new(),
            allow_unmatched: false,
            protected: Protected::default(),
            organization: OrganizationSection::default(),
            access: None,
            accounts: Vec::new(),
        }
    }

    /// Whether an override selects accounts by the names of the units that hold them.
    pub fn selects_on_unit_names(&self) -> bool {
        self.unit_patterns().any(Pattern::needs_names)
    }

    /// By which units overrides select accounts.
    fn unit_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.overrides.iter().filter_map(|entry| entry.selector.organizational_unit.as_ref())
    }

    /// Whether an override selects accounts by their tags.
    pub fn selects_on_tags(&self) -> bool {
        self.overrides.iter().any(|entry| entry.selector.tag.is_some())
    }

    /// Whether an override with a section for this control selects accounts by their tags.
    pub fn selects_on_tags_for(&self, control: &str) -> bool {
        let control = find(control);
        let mut by_tag = self.overrides.iter().filter(|entry| entry.selector.tag.is_some());
        by_tag.any(|entry| control.is_some_and(|control| control.is_in(&entry.sections)))
    }

    /// Whether an override with stack sets of its own selects accounts by their tags.
    pub fn selects_stack_sets_on_tags(&self) -> bool {
        self.overrides.iter().any(|entry| entry.selector.tag.is_some() && entry.sections.stack_instances.is_some())
    }

    /// Whether it takes the tags of accounts to tell what holds for them, or whether it does.
    pub fn looks_at_tags(&self) -> bool {
        let sections = self.overrides.iter().map(|entry| &entry.sections).chain([&self.defaults]);
        self.selects_on_tags() || sections.into_iter().any(|sections| sections.account_tags.is_some())
    }

    /// The stack sets that it names for some account.
    pub fn stack_sets(&self) -> BTreeSet<&str> {
        let sections = self.overrides.iter().map(|entry| &entry.sections).chain([&self.defaults]);
        let sets = sections.filter_map(|sections| sections.stack_instances.as_ref()).flat_map(|section| &section.sets);
        sets.map(|set| set.name.as_str()).collect()
    }

    /// Whether Steward remediates a control by itself.
    pub fn remediates(&self, control: &str) -> bool {
        self.remediate.iter().any(|id| id.as_str() == control)
    }

    /// What holds for this account on this day (UTC).
    pub fn for_account(&self, account: &AccountFacts, today: Date) -> Effective {
        let mut baseline = self.defaults.clone();
        for entry in self.overrides.iter().filter(|entry| entry.selector.matches(account)) {
            baseline.replace_with(&entry.sections);
        }
        let exemptions = self.exemptions.iter().filter(|entry| entry.account == account.id && today <= entry.until);
        let exemptions = exemptions.map(|entry| (entry.control.as_str(), entry.clone())).collect();
        Effective { baseline, exemptions }
    }
}

impl From<Baseline> for Effective {
    /// A baseline without exemptions.
    fn from(baseline: Baseline) -> Self {
        Self { baseline, exemptions: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
