//! Patterns of organizational unit paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// AWS Organizations nests units five deep below the root (quotas of AWS Organizations).
const MAX_DEPTH: usize = 5;
/// The longest name of a unit (`OrganizationalUnitName` in the API model).
const MAX_NAME: usize = 128;

/// A path of organizational unit names such as `/Workloads/Production`, where `*` stands for any text within one
/// name and `**` for any number of names, none included. `/` is the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Pattern(String);

impl Pattern {
    /// Whether a unit's path (`/Workloads/Production`, or `/` for the root) fits.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<_> = names(path).collect();
        // Which ends of `names` the pattern read so far can stop at, as in any matcher without backtracking.
        let mut reached = vec![false; names.len() + 1];
        reached[0] = true;
        for part in self::names(&self.0) {
            if part == "**" {
                let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
                reached[first..].fill(true);
            } else {
                for end in (1..reached.len()).rev() {
                    reached[end] = reached[end - 1] && name_matches(part, names[end - 1]);
                }
                reached[0] = false;
            }
        }
        reached[names.len()]
    }

    /// Why no unit can ever fit, and what would be right; None when one can.
    pub(super) fn problem(&self) -> Option<String> {
        let pattern = &self.0;
        if pattern.starts_with("ou-") || pattern.starts_with("r-") {
            return Some("looks like an id; a path of names such as /Workloads/Production is expected".to_owned());
        }
        if !pattern.starts_with('/') {
            return Some("does not start with /; a path such as /Workloads/* is expected".to_owned());
        }
        if pattern == "/" {
            return None;
        }
        let parts: Vec<_> = pattern[1..].split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Some("has an empty name; write one / between two names and none at the end".to_owned());
        }
        if parts.iter().any(|part| part.contains("**") && *part != "**") {
            return Some("has ** beside other characters; ** stands for whole names, * for a part of one".to_owned());
        }
        if pattern.contains(['?', '[', ']', '{', '}']) {
            return Some(
                "has one of ? [ ] { }; only * and ** are special, and * can stand for any character".to_owned(),
            );
        }
        if parts.iter().any(|part| part.chars().filter(|c| *c != '*').count() > MAX_NAME) {
            return Some(format!("has a name of more than {MAX_NAME} characters, which AWS does not allow"));
        }
        let depth = parts.iter().filter(|part| **part != "**").count();
        (depth > MAX_DEPTH).then(|| format!("is {depth} units deep; AWS nests them at most {MAX_DEPTH} deep"))
    }
}

/// The names of a path, from the root down.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn name_matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first place is as good as any later one: it leaves the most for what follows.
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern(pattern.to_owned()).matches(path)
    }

    #[test]
    fn a_path_without_a_star_names_one_unit() {
        assert!(matches("/Workloads/Production", "/Workloads/Production"));
        for other in ["/", "/Workloads", "/Workloads/production", "/Workloads/Production/EU", "/X/Workloads/Production"]
        {
            assert!(!matches("/Workloads/Production", other), "{other}");
        }
    }

    #[test]
    fn a_star_stays_within_one_name() {
        assert!(matches("/Workloads/*", "/Workloads/Production"));
        assert!(matches("/Workloads/Prod*-*u", "/Workloads/Production-eu"));
        assert!(!matches("/Workloads/*", "/Workloads"));
        assert!(!matches("/Workloads/*", "/Workloads/Production/EU"));
        assert!(!matches("/Workloads/Prod*ion*n", "/Workloads/Production"));
    }

    #[test]
    fn two_stars_stand_for_any_number_of_names() {
        for path in ["/Workloads", "/Workloads/Production", "/Workloads/Production/EU"] {
            assert!(matches("/Workloads/**", path), "{path}");
        }
        assert!(matches("/**/EU", "/EU") && matches("/**/EU", "/Workloads/Production/EU"));
        assert!(!matches("/**/EU", "/EU/West"));
        assert!(matches("/**", "/"));
    }

    #[test]
    fn the_root_is_a_path_of_its_own() {
        assert!(matches("/", "/"));
        assert!(!matches("/", "/Workloads"));
        assert!(!matches("/*", "/"));
    }

    #[test]
    fn a_pattern_that_nothing_can_fit_is_a_problem() {
        for good in ["/", "/**", "/*", "/Workloads/Prod*", "/A/B/C/D/E", "/A/B/C/D/E/**"] {
            assert_eq!(Pattern(good.to_owned()).problem(), None, "{good}");
        }
        let long = format!("/{}", "x".repeat(129));
        for bad in [
            "",
            "Workloads",
            "/Workloads/",
            "//x",
            "/a**",
            "/{a,b}",
            "/a/b/c/d/e/f",
            "ou-ab12-cdef3456",
            "r-ab12",
            &long,
        ] {
            assert!(Pattern(bad.to_owned()).problem().is_some(), "{bad}");
        }
    }
}
