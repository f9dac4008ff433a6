//! Patterns of organizational units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ids::OrganizationalUnitId, organization::AccountFacts, unit_path};

/// AWS Organizations nests units five deep below the root (quotas of AWS Organizations).
const MAX_DEPTH: usize = 5;
/// The longest name of a unit (`OrganizationalUnitName` in the API model).
const MAX_NAME: usize = 128;

/// A path of organizational unit names such as `/Workloads/Production`, where `*` stands for any text within one
/// name and `**` for any number of names, none included. `/` is the root itself. It may begin with the id of a unit
/// instead, which stays the same when the unit is renamed: `ou-ab12-cdef3456`, `ou-ab12-cdef3456/**`. A `/` in a name
/// is written `%2F`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Pattern(String);

impl Pattern {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the unit that holds an account fits.
    pub(super) fn matches(&self, account: &AccountFacts) -> bool {
        let names = unit_path::names(&account.organizational_unit_path);
        match self.anchor() {
            None => self.fits(&names),
            Some(anchor) => {
                // The first of the units is the root, which has no name.
                let Some(depth) = account.units.iter().position(|unit| unit.as_str() == anchor) else { return false };
                if self.parts().is_empty() {
                    depth + 1 == account.units.len()
                } else {
                    self.fits(names.get(depth..).unwrap_or_default())
                }
            }
        }
    }

    /// Whether names below the beginning of this pattern fit.
    pub fn fits<N: AsRef<str>>(&self, names: &[N]) -> bool {
        // Which ends of `names` the pattern read so far can stop at, as in any matcher without backtracking.
        let mut reached = vec![false; names.len() + 1];
        reached[0] = true;
        for part in self.parts() {
            advance(&mut reached, part, names);
        }
        reached[names.len()]
    }

    /// Whether a unit that fits can lie below the unit of these names.
    pub fn leads_below<N: AsRef<str>>(&self, names: &[N]) -> bool {
        let mut reached = vec![false; names.len() + 1];
        reached[0] = true;
        let parts = self.parts();
        for part in &parts {
            // Something is left to be read.
            if reached[names.len()] {
                return true;
            }
            advance(&mut reached, part, names);
        }
        // What ends in `**` goes on for ever.
        reached[names.len()] && parts.last() == Some(&"**")
    }

    /// The id of the unit below which it looks; None for the root.
    pub fn anchor(&self) -> Option<&str> {
        self.0.split('/').next().filter(|id| !id.is_empty())
    }

    /// Whether the names of units must be known to tell what fits.
    pub(super) fn needs_names(&self) -> bool {
        self.anchor().is_none() || !self.parts().is_empty()
    }

    /// What stands behind the beginning, one part for each name.
    fn parts(&self) -> Vec<&str> {
        let below = self.anchor().map_or(self.0.as_str(), |id| &self.0[id.len()..]);
        below.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// Why no unit can ever fit, and what would be right; None when one can.
    pub(super) fn problem(&self) -> Option<String> {
        let pattern = &self.0;
        if pattern == "/" {
            return None;
        }
        let (id, below) = pattern.split_once('/').unwrap_or((pattern, "**"));
        if !(id.is_empty() && pattern.starts_with('/')) && id.parse::<OrganizationalUnitId>().is_err() {
            return Some(
                "must begin with / or with the id of a unit, such as /Workloads/* or ou-ab12-cdef3456".to_owned(),
            );
        }
        let parts: Vec<_> = below.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Some("must have one / between two names and none at the end".to_owned());
        }
        if parts.iter().any(|part| part.contains("**") && *part != "**") {
            return Some("has ** beside other characters; ** stands for whole names, * for a part of one".to_owned());
        }
        if pattern.contains(['?', '[', ']', '{', '}']) {
            return Some(
                "has one of ? [ ] { }; only * and ** are special, and * can stand for any character".to_owned(),
            );
        }
        if parts.iter().any(|part| unit_path::read(part).chars().filter(|c| *c != '*').count() > MAX_NAME) {
            return Some(format!("has a name of more than {MAX_NAME} characters, which AWS does not allow"));
        }
        let depth = parts.iter().filter(|part| **part != "**").count();
        (depth > MAX_DEPTH).then(|| format!("is {depth} units deep; AWS nests them at most {MAX_DEPTH} deep"))
    }
}

/// Reads one part of a pattern.
fn advance<N: AsRef<str>>(reached: &mut [bool], part: &str, names: &[N]) {
    if part == "**" {
        let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
        reached[first..].fill(true);
    } else {
        for end in (1..reached.len()).rev() {
            reached[end] = reached[end - 1] && name_matches(part, names[end - 1].as_ref());
        }
        reached[0] = false;
    }
}

/// Whether a name fits a part in which `*` stands for any text.
fn name_matches(part: &str, name: &str) -> bool {
    let texts: Vec<String> = part.split('*').map(unit_path::read).collect();
    let (Some((start, rest)), Some(end)) = (texts.split_first(), texts.last()) else { return false };
    let Some(mut left) = name.strip_prefix(start.as_str()) else { return false };
    let Some((_, middle)) = rest.split_last() else { return left.is_empty() };
    for text in middle {
        // The first place is as good as any later one: it leaves the most for what follows.
        let Some((_, after)) = left.split_once(text.as_str()) else { return false };
        left = after;
    }
    left.ends_with(end.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern(text.to_owned())
    }

    fn account(path: &str, units: &[&str]) -> AccountFacts {
        AccountFacts {
            id: "123456789012".parse().unwrap(),
            organizational_unit_path: path.to_owned(),
            units: units.iter().map(|unit| unit.parse().unwrap()).collect(),
            tags: std::collections::BTreeMap::new(),
        }
    }

    fn matches(pattern: &str, path: &str) -> bool {
        self::pattern(pattern).matches(&account(path, &[]))
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
    fn a_unit_with_a_slash_in_its_name_is_not_a_unit_in_a_unit() {
        assert!(!matches("/Workloads/Production", "/Workloads%2FProduction"));
        assert!(!matches("/*/*", "/Workloads%2FProduction") && matches("/*", "/Workloads%2FProduction"));
        assert!(matches("/Workloads%2FProduction", "/Workloads%2FProduction"));
        assert!(!matches("/Workloads%2FProduction", "/Workloads/Production"));
    }

    #[test]
    fn a_unit_is_named_by_its_id_whatever_it_is_called() {
        const UNITS: &[&str] = &["r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb"];
        let within = account("/Renamed/Production", UNITS);
        for (text, fits) in [
            ("ou-ab12-bbbbbbbb", true),
            ("ou-ab12-aaaaaaaa", false),
            ("ou-ab12-aaaaaaaa/*", true),
            ("ou-ab12-aaaaaaaa/**", true),
            ("ou-ab12-bbbbbbbb/**", true),
            ("ou-ab12-bbbbbbbb/*", false),
            ("ou-ab12-aaaaaaaa/Production", true),
            ("r-ab12/**", true),
            ("r-ab12", false),
            ("ou-ab12-cccccccc/**", false),
        ] {
            assert_eq!(pattern(text).matches(&within), fits, "{text}");
            assert_eq!(pattern(text).problem(), None, "{text}");
        }
    }

    #[test]
    fn a_walk_goes_on_where_a_unit_can_still_fit() {
        for (text, names, leads) in [
            ("/A/B", vec![], true),
            ("/A/B", vec!["A"], true),
            ("/A/B", vec!["A", "B"], false),
            ("/A/B", vec!["X"], false),
            ("/A/**", vec!["A", "B"], true),
            ("/**/EU", vec!["A", "B"], true),
            ("/", vec![], false),
            ("ou-ab12-aaaaaaaa/*", vec![], true),
        ] {
            assert_eq!(pattern(text).leads_below(&names), leads, "{text} {names:?}");
        }
    }

    #[test]
    fn a_pattern_that_nothing_can_fit_is_a_problem() {
        for good in ["/", "/**", "/*", "/Workloads/Prod*", "/A/B/C/D/E", "/A/B/C/D/E/**", "r-ab12"] {
            assert_eq!(pattern(good).problem(), None, "{good}");
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
            "ou-ab12",
            "ou-ab12-cdef3456/",
            &long,
        ] {
            assert!(pattern(bad).problem().is_some(), "{bad}");
        }
    }
}
