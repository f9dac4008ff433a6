//! Reads a document whole, or refuses it with everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_saphyr::{Options, UserMessageFormatter, options::NonFiniteFloatPolicy};

use super::{
    Access, AccountEntry, Baseline, Document, Exemption, Selector, Validate,
    lines::Lines,
    schema,
    shape::{self, Misfits},
};
use crate::{
    account_source::AccountSource,
    control::switch_roles::SwitchRoles,
    ids::{AccountId, RoleName},
    input::{Problem, inner},
    organization_check::OrganizationSection,
};

/// The largest document that is read: some thousand exemptions.
pub const MAX_BYTES: usize = 256 * 1024;

impl Document {
    /// Reads `baseline.yaml` for the accounts of an organization that are entered through this role. An error lists every
    /// problem with its path, its line, and what would be right.
    pub fn read(bytes: &[u8], access_role: &RoleName) -> Result<Self, Vec<Problem>> {
        Self::read_for(bytes, access_role, AccountSource::Organization)
    }

    /// The same for accounts that come from there.
    pub fn read_for(bytes: &[u8], access_role: &RoleName, account_source: AccountSource) -> Result<Self, Vec<Problem>> {
        let text = text(bytes).map_err(|problem| vec![Problem::new("$", problem)])?;
        let mut value = tree(text).map_err(|problem| vec![Problem::new("$", problem)])?;
        let mut check = Check::of(shape::problems(&schema::published(), &mut value));
        check.document(&value, access_role);
        check.accounts(&value, account_source);
        let mut problems = check.problems;
        if problems.is_empty() {
            match serde_path_to_error::deserialize(&value) {
                Ok(document) => return Ok(document),
                Err(error) => problems.push(refused_by_serde("$", &error)),
            }
        }
        let lines = Lines::of(text, options());
        problems.sort_by_cached_key(|problem| lines.of_path(&problem.path));
        for problem in &mut problems {
            if let Some(line) = lines.of_path(&problem.path) {
                problem.problem = format!("{} (line {line})", problem.problem);
            }
        }
        Err(problems)
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes; that much is no baseline"));
    }
    std::str::from_utf8(bytes).map_err(|error| format!("must be UTF-8, which byte {} is not", error.valid_up_to()))
}

fn tree(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        // In words for whoever wrote the document, with line and column; a key in them may be of any length.
        let words = error.render_with_formatter(&UserMessageFormatter);
        format!("must be YAML: {}", words.chars().take(200).collect::<String>())
    })
}

/// How YAML is read: the safe subset that YAML 1.2 and every editor agree on, with limits that a document of the
/// largest size can only reach by aliases. What looks like a number with a leading zero stays a text: it is an
/// account id that somebody forgot to put in quotes.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_aliases: 1000,
            max_nodes: MAX_BYTES,
            max_events: 2 * MAX_BYTES,
            max_total_scalar_bytes: 4 * MAX_BYTES,
            max_recorded_anchor_bytes: 4 * MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000 },
        leading_zero_numbers_as_strings: true,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

/// Finds what is wrong although its shape is right.
pub(super) struct Check {
    problems: Vec<Problem>,
    /// The paths at which the shape is wrong, so that an example stands there: about it, nothing else is said.
    examples: BTreeSet<String>,
}

impl Check {
    fn of(Misfits { problems, examples }: Misfits) -> Self {
        Self { problems, examples }
    }

    /// Notes a problem, unless it is about an example.
    fn note(&mut self, problem: Problem) {
        if !self.examples.iter().any(|example| is_within(&problem.path, example)) {
            self.problems.push(problem);
        }
    }

    fn document(&mut self, document: &Value, access_role: &RoleName) {
        Baseline::check_sections(self, &document["defaults"], "defaults");
        self.leaves_alone(access_role, &document["defaults"], "defaults");
        for (position, entry) in entries(&document["overrides"]) {
            let path = format!("overrides[{position}]");
            if let Some(selector) = entry.get("match") {
                self.value::<Selector>(selector, &inner(&path, "match"));
            }
            Baseline::check_sections(self, entry, &path);
            self.leaves_alone(access_role, entry, &path);
            if entry.as_object().is_some_and(|fields| fields.keys().all(|name| name == "match")) {
                let problem = format!("changes nothing; must have a section: {}", Baseline::WRITTEN.join(", "));
                self.note(Problem::new(path, problem));
            }
        }
        if let Some(section) = document.get("organization") {
            self.value::<OrganizationSection>(section, "organization");
        }
        self.access(document);
        let mut remediated = BTreeSet::new();
        for (position, id) in entries(&document["remediate"]) {
            if !remediated.insert(id.to_string()) {
                self.note(Problem::new(format!("remediate[{position}]"), "is in the list twice"));
            }
        }
        let mut seen = BTreeMap::new();
        for (position, entry) in entries(&document["exemptions"]) {
            let path = format!("exemptions[{position}]");
            if entry["reason"].as_str().is_some_and(|reason| reason.trim().is_empty()) {
                let problem = "must be a sentence that says why";
                self.note(Problem::new(inner(&path, "reason"), problem));
            }
            if self.holds_an_example(&path) {
                continue;
            }
            let Ok(Exemption { account, control, .. }) = Exemption::deserialize(entry) else { continue };
            if let Some(first) = seen.insert((account, control), position) {
                let problem = format!("is for the same account and control as exemptions[{first}]; keep one of them");
                self.note(Problem::new(path, problem));
            }
        }
    }

    /// The role through which accounts are entered is no switch role: with another trust, nobody could enter them.
    fn leaves_alone(&mut self, access_role: &RoleName, sections: &Value, path: &str) {
        for (position, role) in entries(&sections["switch-roles"]["roles"]) {
            // To IAM, names that differ only in case are the same.
            if role["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(access_role.as_str())) {
                let path = inner(path, &format!("switch-roles.roles[{position}].name"));
                let problem =
                    "is the role through which accounts are entered; with another trust nobody could enter them";
                self.note(Problem::new(path, problem));
            }
        }
    }

    /// Whether the accounts are named where nobody else tells which there are, and nowhere else.
    fn accounts(&mut self, document: &Value, source: AccountSource) {
        let mut seen = BTreeMap::new();
        for (position, entry) in entries(&document["accounts"]) {
            let path = format!("accounts[{position}]");
            self.value::<AccountEntry>(entry, &path);
            let Some(id) = entry["id"].as_str().and_then(|id| id.parse::<AccountId>().ok()) else { continue };
            if let Some(first) = seen.insert(id, position) {
                let problem = format!("is the account of accounts[{first}] as well; keep one of them");
                self.note(Problem::new(inner(&path, "id"), problem));
            }
        }
        let (has_accounts, has_organization) = (!seen.is_empty(), document.get("organization").is_some());
        match source {
            AccountSource::Organization if has_accounts => {
                let problem = "must be left out: AWS Organizations tells which accounts there are, unless the stack's \
                               parameter AccountSource is document";
                self.note(Problem::new("accounts", problem));
            }
            AccountSource::Document if !has_accounts && document["accounts"].as_array().is_none_or(Vec::is_empty) => {
                let problem =
                    "must have the accounts, each with id and name: the stack's parameter AccountSource is document";
                self.note(Problem::new("accounts", problem));
            }
            AccountSource::Organization | AccountSource::Document => {}
        }
        if source == AccountSource::Document && has_organization {
            let problem = "must be left out: there is none where the stack's parameter AccountSource is document";
            self.note(Problem::new("organization", problem));
        }
    }

    /// Whether groups can reach what they are to reach.
    fn access(&mut self, document: &Value) {
        let Some(access) = document.get("access") else { return };
        self.value::<Access>(access, "access");
        let jump_account = &access["jump_account"];
        for (position, _) in entries(&document["protected"]["accounts"]).filter(|(_, id)| *id == jump_account) {
            let problem = "is the jump account, whose groups could not be kept then; take it out, or leave access out";
            self.note(Problem::new(format!("protected.accounts[{position}]"), problem));
        }
        let Ok(Access { roles, .. }) = Access::deserialize(access) else { return };
        let overrides = entries(&document["overrides"]).map(|(_, entry)| entry);
        let sections = std::iter::once(&document["defaults"]).chain(overrides);
        let sections = sections.filter_map(|sections| SwitchRoles::deserialize(&sections["switch-roles"]).ok());
        let made: BTreeSet<_> = sections.flat_map(|section| section.roles).map(|role| role.name).collect();
        for (name, role) in roles.iter().filter(|(_, role)| !made.contains(role)) {
            let problem = format!("{role} is a role that no switch-roles section makes; name it there, or not here");
            self.note(Problem::new(format!("access.roles.{name}"), problem));
        }
    }

    /// Checks one value as a `T`. Where its shape was wrong, [`shape`] has noted it, and put an example there.
    pub(super) fn value<T: DeserializeOwned + Validate>(&mut self, value: &Value, path: &str) {
        match serde_path_to_error::deserialize::<_, T>(value) {
            Ok(value) => value.problems(path).into_iter().for_each(|problem| self.note(problem)),
            Err(error) => self.note(refused_by_serde(path, &error)),
        }
    }

    /// Whether an example stands within what stands at this path.
    fn holds_an_example(&self, path: &str) -> bool {
        self.examples.iter().any(|example| is_within(example, path))
    }
}

/// Whether a path is another one, or leads on from there.
fn is_within(path: &str, outer: &str) -> bool {
    outer == "$" || path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn refused_by_serde(path: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = match error.path().to_string() {
        field if field == "." => path.to_owned(),
        field => inner(path, &field),
    };
    Problem::new(path, format!("cannot be taken: {}", error.inner()))
}

fn entries(list: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list.as_array().into_iter().flatten().enumerate()
}
