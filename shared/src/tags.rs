//! The grammar of tags, wherever Steward meets them: in requests, in sections and in selectors.

use std::collections::BTreeMap;

use crate::input::{Problem, inner};

/// The most tags of one account.
pub const MAX: usize = 50;
/// The longest key, in characters.
const MAX_KEY: usize = 128;
/// The longest value, in characters.
const MAX_VALUE: usize = 256;
/// What stands beside letters, digits and spaces.
const SIGNS: &str = "_ . : / = + - @";

/// Everything about these tags for which AWS Organizations would refuse to put them on an account: keys of 1 to 128
/// and values of at most 256 letters, digits, spaces or `_ . : / = + - @`, none of them with the prefix that AWS keeps
/// for itself (AWS Organizations user guide, "Tagging AWS Organizations resources"). `path` is where they stand.
pub fn problems(tags: &BTreeMap<String, String>, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if tags.len() > MAX {
        problems.push(Problem::new(path, format!("has {} tags; AWS allows {MAX}", tags.len())));
    }
    for key in tags.keys().filter(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        problems.push(Problem::new(inner(path, key), "has a key that begins with aws:, which AWS keeps for itself"));
    }
    problems.extend(spelling(tags, path));
    problems
}

/// Everything about these tags for which no account could have them. AWS itself sets tags whose keys begin with `aws:`.
pub fn spelling(tags: &BTreeMap<String, String>, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in tags {
        let path = inner(path, key);
        for (what, text, least, most) in [("key", key, 1, MAX_KEY), ("value", value, 0, MAX_VALUE)] {
            let characters = text.chars().count();
            if !(least..=most).contains(&characters) {
                let problem = format!("has a {what} of {characters} characters; it must have {least} to {most}");
                problems.push(Problem::new(&path, problem));
            }
            if let Some(refused) = text.chars().find(|c| !is_allowed(*c)) {
                let problem = format!(
                    "has {refused:?} in its {what}, which AWS refuses; letters, digits, spaces and any of {SIGNS} are \
                     expected"
                );
                problems.push(Problem::new(&path, problem));
            }
        }
    }
    problems
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: of white space, that has the separators and not the control characters.
fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, value: &str) -> Vec<String> {
        let tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        problems(&tags, "tags").into_iter().map(|problem| format!("{}: {}", problem.path, problem.problem)).collect()
    }

    #[test]
    fn tags_are_judged_by_the_grammar_of_aws() {
        for (key, value) in [("team", "Blue One"), ("cost:center", ""), ("größe", "50 µm/s=+-@"), ("a", "\u{3000}")]
        {
            assert_eq!(found(key, value), Vec::<String>::new(), "{key}={value}");
        }
        let longest = "x".repeat(257);
        for (key, value, said) in [
            ("dept", "R&D", "'&' in its value"),
            ("owner", "O'Brien, Team (Blue)", "'\\'' in its value"),
            ("a,b", "c", "',' in its key"),
            ("tab", "a\tb", "'\\t' in its value"),
            ("", "a", "a key of 0 characters"),
            ("a", longest.as_str(), "a value of 257 characters"),
            ("AWS:x", "a", "begins with aws:"),
        ] {
            let found = found(key, value);
            assert!(found.len() == 1 && found[0].contains(said), "{found:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_tag_is_said_at_once() {
        assert_eq!(found("aws:&", &"%".repeat(300)).len(), 4);
    }
}
