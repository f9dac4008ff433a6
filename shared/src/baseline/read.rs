//! Reads a document whole, or refuses it with everything that is wrong with it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{Options, options::NonFiniteFloatPolicy};

use super::{Baseline, Document, Exemption, Selector, Validate, inner, json_schema, lines::Lines, shape};
use crate::input::Problem;

/// The largest document that is read: some thousand exemptions.
pub const MAX_BYTES: usize = 256 * 1024;

impl Document {
    /// Reads `baseline.yaml`. An error lists every problem with its path, its line, and what would be right.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let text = text(bytes).map_err(|problem| vec![Problem::new("$", problem)])?;
        let mut value = tree(text).map_err(|problem| vec![Problem::new("$", problem)])?;
        let mut problems = shape::problems(&json_schema(), &mut value);
        problems.extend(meaning(&value));
        if problems.is_empty() {
            match serde_path_to_error::deserialize(&value) {
                Ok(document) => return Ok(document),
                Err(error) => problems.push(Problem::new(error.path().to_string(), error.inner().to_string())),
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
    std::str::from_utf8(bytes).map_err(|error| format!("is no UTF-8 text: byte {} is not", error.valid_up_to()))
}

fn tree(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        format!("is no YAML that can be read{}: {}", place.unwrap_or_default(), error.without_snippet())
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

/// What is wrong although its shape is right. What has not the right shape is left to [`shape`].
fn meaning(value: &Value) -> Vec<Problem> {
    let mut problems = Baseline::readable(&value["defaults"]).problems("defaults");
    for (position, entry) in entries(&value["overrides"]) {
        let path = format!("overrides[{position}]");
        if let Ok(selector) = Selector::deserialize(&entry["match"]) {
            problems.extend(selector.problems(&inner(&path, "match")));
        }
        problems.extend(Baseline::readable(entry).problems(&path));
        if entry.as_object().is_some_and(|fields| fields.keys().all(|name| name == "match")) {
            problems.push(Problem::new(
                path,
                format!("changes nothing; a section is expected: {}", Baseline::IDS.join(", ")),
            ));
        }
    }
    let mut seen = BTreeMap::new();
    for (position, entry) in entries(&value["exemptions"]) {
        let path = format!("exemptions[{position}]");
        if entry["reason"].as_str().is_some_and(|reason| reason.trim().is_empty()) {
            problems.push(Problem::new(inner(&path, "reason"), "is empty; a sentence that says why is expected"));
        }
        let Ok(Exemption { account, control, .. }) = Exemption::deserialize(entry) else { continue };
        if let Some(first) = seen.insert((account, control), position) {
            let problem = format!("is for the same account and control as exemptions[{first}]; keep one of them");
            problems.push(Problem::new(path, problem));
        }
    }
    problems
}

fn entries(list: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list.as_array().into_iter().flatten().enumerate()
}
