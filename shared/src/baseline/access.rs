//! Who gets where: the account that people sign in to, and the groups that reach other accounts from there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Document, Findings, Pattern, Validate, selector::has_all};
use crate::{
    control::{
        jump_groups::{Group, JumpGroups, MadeOf},
        switch_roles::SwitchRoles,
    },
    ids::{AccountId, RoleName},
    input::{Problem, inner},
    organization::{AccountFacts, Rearranged},
    tags,
};

/// The longest name of a group. IAM takes 128 characters, also for the names of its policies, which end in a dot and a digit
/// where there is more than one.
const MAX_GROUP_NAME: usize = 126;

/// The `access` section of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The account that people sign in to. Its groups are made of this section.
    pub jump_account: AccountId,
    /// What groups call the roles that people switch to: the group `group-<name>` reaches the role. Left out, admin is
    /// role-admin, developer is role-developer and operator is role-operator.
    #[serde(default = "default_roles")]
    pub roles: BTreeMap<String, RoleName>,
    /// The roles, by the names above, of the groups that reach every account. Left out, there is such a group for each role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// The projects, each of which has groups of its own that reach its accounts alone.
    #[serde(default)]
    pub projects: Vec<Project>,
}

/// Accounts that the same people work in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name, which ends the names of its groups: `group-<role>-<project>`.
    pub name: String,
    /// Its accounts.
    pub accounts: ProjectAccounts,
    /// The roles, by the names above, that have a group for this project. Left out, each has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
}

/// The accounts of a project. Exactly one of the fields is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct ProjectAccounts {
    /// The accounts below the units that fit, written as in an override: `/Workloads/Blue/**`, `ou-ab12-cdef3456/**`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<Pattern>,
    /// The accounts that have all of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<BTreeMap<String, String>>,
    /// These accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ids: Option<Vec<AccountId>>,
}

fn default_roles() -> BTreeMap<String, RoleName> {
    let named = |name: &str| Some((name.to_owned(), format!("role-{name}").parse().ok()?));
    ["admin", "developer", "operator"].into_iter().filter_map(named).collect()
}

impl ProjectAccounts {
    fn matches(&self, account: &AccountFacts) -> bool {
        self.organizational_unit.as_ref().is_none_or(|pattern| pattern.matches(account))
            && self.tag.as_ref().is_none_or(|tag| has_all(&account.tags, tag))
            && self.account_ids.as_ref().is_none_or(|ids| ids.contains(&account.id))
    }
}

/// The name of the group of a role, for all accounts or for those of a project.
fn group_name(role: &str, project: Option<&str>) -> String {
    project.map_or_else(|| format!("group-{role}"), |project| format!("group-{role}-{project}"))
}

impl Access {
    /// The roles of the groups that reach every account.
    fn everywhere(&self) -> Vec<&String> {
        self.groups.as_ref().map_or_else(|| self.roles.keys().collect(), |groups| groups.iter().collect())
    }

    /// The roles of the groups of a project.
    fn of_project<'a>(&'a self, project: &'a Project) -> Vec<&'a String> {
        project.roles.as_ref().map_or_else(|| self.roles.keys().collect(), |roles| roles.iter().collect())
    }

    /// Whether a project selects accounts by the names of units.
    pub(super) fn selects_on_unit_names(&self) -> bool {
        self.unit_patterns().any(|(_, pattern)| pattern.needs_names())
    }

    /// Whether a project selects accounts by their tags.
    pub(super) fn selects_on_tags(&self) -> bool {
        self.projects.iter().any(|project| project.accounts.tag.is_some())
    }

    /// The units that projects name, and where in the document.
    pub(super) fn unit_patterns(&self) -> impl Iterator<Item = (String, &Pattern)> {
        self.projects.iter().enumerate().filter_map(|(position, project)| {
            let pattern = project.accounts.organizational_unit.as_ref()?;
            Some((format!("access.projects[{position}].accounts.organizational_unit"), pattern))
        })
    }

    /// The accounts that are named by their ids, and where in the document.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (String, &AccountId)> {
        let of_projects = self.projects.iter().enumerate().flat_map(|(position, project)| {
            let ids = project.accounts.account_ids.iter().flatten().enumerate();
            ids.map(move |(entry, id)| (format!("access.projects[{position}].accounts.account_ids[{entry}]"), id))
        });
        std::iter::once(("access.jump_account".to_owned(), &self.jump_account)).chain(of_projects)
    }
}

impl Document {
    /// What the jump account is to have, where these are the active accounts of the organization; None where the document
    /// says nothing about access. A group reaches a role only in accounts that `switch-roles` gives that role.
    pub fn jump_groups(&self, accounts: &[AccountFacts]) -> Option<JumpGroups> {
        self.groups_of(accounts, MadeOf::Everybody)
    }

    /// The same where nothing is to change in any account but those that were `looked_at`; of these, `accounts` are the active
    /// ones.
    pub fn jump_groups_after(&self, accounts: &[AccountFacts], looked_at: BTreeSet<AccountId>) -> Option<JumpGroups> {
        self.groups_of(accounts, MadeOf::These(looked_at))
    }

    fn groups_of(&self, accounts: &[AccountFacts], made_of: MadeOf) -> Option<JumpGroups> {
        let access = self.access.as_ref()?;
        let switch_roles: Vec<_> = accounts.iter().map(|account| (account, self.switch_roles_of(account))).collect();
        let mut groups = Vec::new();
        let mut notes = Vec::new();
        for role in access.everywhere() {
            let Some(role_name) = access.roles.get(role) else { continue };
            let sections = switch_roles.iter().filter_map(|(_, section)| *section);
            let paths: BTreeSet<_> = sections.filter_map(|section| path_of(section, role_name)).collect();
            let role_arns = paths.iter().map(|path| format!("arn:aws:iam::*:role{path}{role_name}")).collect();
            groups.push(Group { name: group_name(role, None), role_arns });
        }
        for project in &access.projects {
            let members: Vec<_> =
                switch_roles.iter().filter(|(account, _)| project.accounts.matches(account)).collect();
            if members.is_empty() && made_of == MadeOf::Everybody {
                notes.push(format!("the project {} has no accounts", project.name));
            }
            for role in access.of_project(project) {
                let Some(role_name) = access.roles.get(role) else { continue };
                let arn = |(account, section): &&(&AccountFacts, Option<&SwitchRoles>)| {
                    let path = path_of((*section)?, role_name)?;
                    Some(format!("arn:aws:iam::{}:role{path}{role_name}", account.id))
                };
                let role_arns: BTreeSet<_> = members.iter().filter_map(arn).collect();
                let without = members.len() - role_arns.len();
                if without > 0 {
                    let name = &project.name;
                    notes.push(format!("{without} of the accounts of the project {name} are not given {role_name}"));
                }
                groups.push(Group { name: group_name(role, Some(&project.name)), role_arns });
            }
        }
        Some(JumpGroups::Known { account: access.jump_account.clone(), groups, made_of, notes })
    }

    /// Whether the names of units and the tags of accounts must be known to tell which groups reach what.
    pub fn groups_select_on(&self) -> (bool, bool) {
        let by_project = self.access.as_ref();
        (
            self.selects_on_unit_names() || by_project.is_some_and(Access::selects_on_unit_names),
            self.selects_on_tags() || by_project.is_some_and(Access::selects_on_tags),
        )
    }

    /// Whether it takes a look at the groups to know whether they still are right, after this has happened: most of what happens
    /// to accounts is nothing that a project, or the roles of an account, are selected by.
    pub fn groups_depend_on(&self, happened: &Rearranged) -> bool {
        let Some(access) = &self.access else { return false };
        let overrides = || self.overrides.iter().filter(|entry| entry.sections.switch_roles.is_some());
        let mut units = access
            .unit_patterns()
            .map(|(_, pattern)| pattern)
            .chain(overrides().filter_map(|entry| entry.selector.organizational_unit.as_ref()));
        let tags = access.projects.iter().filter_map(|project| project.accounts.tag.as_ref());
        let mut tags = tags.chain(overrides().filter_map(|entry| entry.selector.tag.as_ref()));
        match happened {
            Rearranged::Gone(_) => true,
            Rearranged::Moved(_) => units.next().is_some(),
            Rearranged::Renamed(_) => units.any(Pattern::needs_names),
            Rearranged::Tagged { keys, .. } => {
                tags.any(|asked| keys.is_empty() || keys.iter().any(|key| asked.contains_key(key)))
            }
        }
    }

    /// The `switch-roles` section that holds for an account.
    fn switch_roles_of(&self, account: &AccountFacts) -> Option<&SwitchRoles> {
        let overrides = self.overrides.iter().rev().filter(|entry| entry.sections.switch_roles.is_some());
        let mut matching = overrides.filter(|entry| entry.selector.matches(account));
        let of_override = matching.next().map(|entry| &entry.sections);
        of_override.unwrap_or(&self.defaults).switch_roles.as_ref()
    }
}

/// Where a section puts this role; None when it does not make it.
fn path_of<'a>(section: &'a SwitchRoles, role: &RoleName) -> Option<&'a str> {
    section.roles.iter().any(|made| made.name == *role).then_some(section.path.as_str())
}

impl Validate for Access {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.expect("roles", !self.roles.is_empty(), "must have at least one role");
        for role in self.roles.keys().filter(|role| !is_name(role)) {
            findings.note(&format!("roles.{role}"), NO_NAME);
        }
        self.known_roles("groups", self.groups.as_deref(), &mut findings);
        // To IAM, names that differ only in case are the same.
        findings.distinct("projects", self.projects.iter().map(|project| project.name.to_ascii_lowercase()));
        for (position, project) in self.projects.iter().enumerate() {
            let field = format!("projects[{position}]");
            findings.expect(&format!("{field}.name"), is_name(&project.name), NO_NAME);
            self.known_roles(&format!("{field}.roles"), project.roles.as_deref(), &mut findings);
            findings.extend(project.accounts.problems(&inner(path, &format!("{field}.accounts"))));
        }
        self.group_names(&mut findings);
        findings.into_problems()
    }
}

impl Access {
    fn known_roles(&self, field: &str, named: Option<&[String]>, findings: &mut Findings<'_>) {
        let Some(named) = named else { return };
        findings.distinct(field, named);
        for (position, role) in named.iter().enumerate().filter(|(_, role)| !self.roles.contains_key(*role)) {
            let known: Vec<_> = self.roles.keys().map(String::as_str).collect();
            let problem = format!("must be one of {}, the roles of access, not {role}", known.join(", "));
            findings.note(&format!("{field}[{position}]"), problem);
        }
    }

    /// Every group has a name of its own that IAM takes.
    fn group_names(&self, findings: &mut Findings<'_>) {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let everywhere = self.everywhere().into_iter().map(|role| ("groups".to_owned(), group_name(role, None)));
        let of_projects = self.projects.iter().enumerate().flat_map(|(position, project)| {
            let name = |role: &String| (format!("projects[{position}].name"), group_name(role, Some(&project.name)));
            self.of_project(project).into_iter().map(name).collect::<Vec<_>>()
        });
        let mut names: Vec<_> = everywhere.chain(of_projects).collect();
        names.dedup();
        for (field, name) in names {
            if name.len() > MAX_GROUP_NAME {
                let problem = format!("makes the group {name}, which must have at most {MAX_GROUP_NAME} characters");
                findings.note(&field, problem);
            }
            if let Some(first) = seen.insert(name.to_ascii_lowercase(), field.clone())
                && first != field
            {
                findings.note(&field, format!("makes the group {name}, which {first} makes as well; rename one"));
            }
        }
    }
}

impl Validate for ProjectAccounts {
    fn problems(&self, path: &str) -> Vec<Problem> {
        const ONE: &str = "must have exactly one of organizational_unit, tag and account_ids";
        let mut problems = Vec::new();
        let set = [self.organizational_unit.is_some(), self.tag.is_some(), self.account_ids.is_some()];
        match set.iter().filter(|is_set| **is_set).count() {
            0 => problems.push(Problem::new(path, format!("names no accounts; {ONE}"))),
            1 => {}
            _ => problems.push(Problem::new(path, format!("names accounts in several ways; {ONE}"))),
        }
        if let Some(problem) = self.organizational_unit.as_ref().and_then(Pattern::problem) {
            problems.push(Problem::new(inner(path, "organizational_unit"), problem));
        }
        if let Some(tag) = &self.tag {
            if tag.is_empty() {
                problems.push(Problem::new(inner(path, "tag"), "must have a key and its value"));
            }
            problems.extend(tags::spelling(tag, &inner(path, "tag")));
        }
        let mut findings = Findings::at(path);
        findings.distinct("account_ids", self.account_ids.iter().flatten());
        problems.extend(findings.into_problems());
        problems
    }
}

const NO_NAME: &str = "must be 1 to 64 letters, digits, hyphens or underscores";

/// A part of the name of a group. A dot sets the number of a policy apart, and is none.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests;
