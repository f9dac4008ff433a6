//! The baseline documents of a run, and what they ask for: said here a second time, so that what Steward makes of them can
//! be held against it.

pub(crate) mod controls;

use crate::{
    aws::{
        access::{NAMED, OF_GROUPS, OF_IDS, OF_UNIT, ROLES},
        organizations::{Account, id_of},
    },
    script::{Control, Controls},
    template::JUMP,
};

/// The unit for whose accounts something else is asked.
pub(crate) const FIRST_UNIT: &str = "Unit 0";
/// The account that the stack's parameter `ProtectedAccounts` names.
pub(crate) const SEALED: &str = "200000000001";
/// The account that the documents of larger organizations protect.
pub(crate) const PROTECTED: &str = "200000000004";

/// What makes a document one that cannot be read.
const MISTAKE: &str = "  password-policy:\n    minimum_length: many\n";

/// What is the matter with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Good,
    /// It cannot be read.
    Mistaken,
    /// It has sweeps put right what has drifted.
    Remediating,
}

/// What a document says of regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionRule {
    /// The region that everybody is to have, if there is one.
    pub enabled: Option<&'static str>,
    /// The one that nobody is to have.
    pub disabled: &'static str,
    /// Whether nobody is to have any other of those that can be disabled, either.
    pub disables_others: bool,
    /// Whether what is otherwise is put right.
    pub remediates: bool,
}

impl RegionRule {
    /// The one of documents that are about the regions of people.
    pub(crate) const FORBIDDING: Self =
        Self { enabled: None, disabled: "eu-south-1", disables_others: false, remediates: false };
    /// The one of documents that ask for regions beside other controls.
    pub(crate) const OF_CONTROLS: Self =
        Self { enabled: Some(controls::ENABLED), disabled: controls::DISABLED, ..Self::FORBIDDING };

    /// The section that asks for it.
    fn text(self) -> String {
        let enabled = self.enabled.map(|region| format!("enabled: [{region}], ")).unwrap_or_default();
        let others = if self.disables_others { "disable" } else { "leave" };
        format!("  regions: {{{enabled}disabled: [{}], others: {others}}}\n", self.disabled)
    }

    /// Whether it is against this that a region is there, or is not.
    pub(crate) fn is_violated(self, region: &str, is_there: bool) -> bool {
        let is_wanted = self.enabled == Some(region);
        let is_forbidden = region == self.disabled || (self.disables_others && !is_wanted);
        if is_there { is_forbidden } else { is_wanted }
    }
}

/// What documents say of who gets in where: two roles have a group for all accounts, and one for each of two projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccessRule {
    /// What groups call the roles.
    roles: [&'static str; 2],
}

impl AccessRule {
    /// The one of all documents that say it.
    pub(crate) const OF_TWO_PROJECTS: Self = Self { roles: ROLES };

    /// The section that says it.
    fn text(self) -> String {
        let ids = NAMED.map(|number| format!("\"{}\"", id_of(number))).join(", ");
        let roles = self.roles.map(|role| format!("{role}: role-{role}")).join(", ");
        format!(
            "access:\n  jump_account: \"{JUMP}\"\n  roles: {{{roles}}}\n  projects:\n    - {{name: {OF_UNIT}, accounts: \
             {{organizational_unit: \"/{FIRST_UNIT}/**\"}}}}\n    - {{name: {OF_IDS}, accounts: {{account_ids: [{ids}]}}}}\n"
        )
    }
}

/// A baseline document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) kind: Kind,
    /// Whether accounts of the first unit are tagged in another way.
    pub(crate) has_override: bool,
    /// Whether it protects an account.
    pub(crate) protects: bool,
    /// Whether it asks something of accounts of other units as well that tells where they are, so that who was moved out of
    /// the first unit is asked for a change too.
    pub(crate) marks: bool,
    /// What it asks for beside tags and alias.
    pub(crate) controls: Controls,
    /// What it says of regions.
    pub(crate) regions: Option<RegionRule>,
    /// What it says of who gets in where.
    pub(crate) access: Option<AccessRule>,
}

impl Document {
    /// Its text.
    pub(crate) fn text(self) -> Vec<u8> {
        let tags = if self.marks { "managed-by: steward, stage: other" } else { "managed-by: steward" };
        let defaults = format!(
            "version: 1\ndefaults:\n  account-alias:\n    alias: \"example-{{account_id}}\"\n  account-tags:\n    tags: \
             {{{tags}}}\n"
        );
        let regions = self.regions.map(RegionRule::text).unwrap_or_default();
        let remediated = self.remediated();
        let remediate = format!("remediate: [{}]\n", remediated.join(", "));
        let of_first_unit: String = self.controls.iter().map(controls::of_first_unit).collect();
        let overridden = format!(
            "overrides:\n  - match: {{organizational_unit: \"/{FIRST_UNIT}\"}}\n    account-tags:\n      tags: {{managed-by: \
             steward, stage: first}}\n{of_first_unit}"
        );
        let protection = format!("protected:\n  accounts: [\"{PROTECTED}\"]\n");
        let access = self.access.map(AccessRule::text).unwrap_or_default();
        let sections: String = self.controls.iter().map(controls::text).collect();
        let parts = [
            (true, defaults.as_str()),
            (true, &sections),
            (true, &regions),
            (self.kind == Kind::Mistaken, MISTAKE),
            (self.has_override, &overridden),
            (self.protects, &protection),
            (self.access.is_some(), &access),
            (!remediated.is_empty(), &remediate),
        ];
        parts.into_iter().filter(|(is_in, _)| *is_in).map(|(_, part)| part).collect::<String>().into_bytes()
    }
}

impl Document {
    /// The controls by which sweeps put right what has drifted.
    fn remediated(self) -> Vec<&'static str> {
        let of_all = ["account-tags", "account-alias"].into_iter();
        let further = self.controls.iter().filter(|control| *control != Control::Regions).map(Control::id);
        let regions = self.regions.filter(|rule| rule.remediates).map(|_| Control::Regions.id());
        let groups = [OF_GROUPS].into_iter().filter(|_| self.access.is_some());
        of_all.chain(further).chain(groups).filter(|_| self.kind == Kind::Remediating).chain(regions).collect()
    }
}

/// Whether the tags of an account are those that a document asks for. `is_in_first`: whether it sits in the first unit.
pub(crate) fn is_tagged_as_asked(account: &Account, document: Document, is_in_first: bool) -> bool {
    let of = |name: &str| account.tags.get(name).map(String::as_str);
    let stage = match document {
        Document { has_override: true, .. } if is_in_first => Some("first"),
        Document { marks: true, .. } => Some("other"),
        _ => None,
    };
    of("managed-by") == Some("steward") && of("stage") == stage
}
