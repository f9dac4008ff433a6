//! Validation of parameters, in the order and with the reasons of the API.

use serde_json::Value;

use super::error;
use super::state::Tags;
use crate::front::answer::ApiError;

/// The most tags a resource can have.
pub(super) const MAX_TAGS: usize = 50;

/// The parameters of one request.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a Value);

impl<'a> Input<'a> {
    /// A string that may be left out.
    pub(super) fn optional(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(error::serialization(name)),
        }
    }

    /// A string that must be given, within lengths.
    pub(super) fn text(self, name: &str, min: usize, max: usize) -> Result<&'a str, ApiError> {
        let text = self.optional(name)?.ok_or_else(|| error::invalid("INPUT_REQUIRED", name))?;
        let length = text.chars().count();
        if length < min {
            return Err(error::invalid("MIN_LENGTH_EXCEEDED", name));
        }
        if length > max {
            return Err(error::invalid("MAX_LENGTH_EXCEEDED", name));
        }
        Ok(text)
    }

    /// A string that must be given and look right.
    pub(super) fn id(self, name: &str, fits: impl Fn(&str) -> bool) -> Result<&'a str, ApiError> {
        let id = self.text(name, 0, 130)?;
        if fits(id) { Ok(id) } else { Err(error::invalid("INVALID_PATTERN", name)) }
    }

    /// One of several words.
    pub(super) fn word(self, name: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
        let word = self.optional(name)?;
        if word.is_some_and(|word| !words.contains(&word)) {
            return Err(error::invalid("INVALID_ENUM", name));
        }
        Ok(word)
    }

    /// A list of words; empty when left out.
    pub(super) fn words(self, name: &str, words: &[&str]) -> Result<Vec<&'a str>, ApiError> {
        let list = self.list(name)?;
        let list: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
        let list = list.ok_or_else(|| error::serialization(name))?;
        if list.iter().any(|word| !words.contains(word)) {
            return Err(error::invalid("INVALID_LIST_MEMBER", name));
        }
        Ok(list)
    }

    /// The `Tags` parameter.
    pub(super) fn tags(self) -> Result<Tags, ApiError> {
        let mut tags = Tags::new();
        for tag in self.list("Tags")? {
            let tag = Input(tag);
            let key = tag.text("Key", 1, 128)?;
            let value = tag.text("Value", 0, 256)?;
            if key.starts_with("aws:") {
                return Err(error::invalid("INVALID_SYSTEM_TAGS_PARAMETER", "Tags"));
            }
            if !is_tag_text(key) || !is_tag_text(value) {
                return Err(error::invalid("INVALID_PATTERN", "Tags"));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(error::invalid("DUPLICATE_TAG_KEY", "Tags"));
            }
        }
        if tags.len() > MAX_TAGS {
            return Err(error::constraint("MAX_TAG_LIMIT_EXCEEDED"));
        }
        Ok(tags)
    }

    /// A list; empty when left out.
    pub(super) fn list(self, name: &str) -> Result<&'a [Value], ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(error::serialization(name)),
        }
    }

    /// The `MaxResults` parameter.
    pub(super) fn max_results(self) -> Result<Option<usize>, ApiError> {
        match self.0.get("MaxResults") {
            None | Some(Value::Null) => Ok(None),
            Some(number) => match number.as_i64().ok_or_else(|| error::serialization("MaxResults"))? {
                ..=0 => Err(error::invalid("MIN_VALUE_EXCEEDED", "MaxResults")),
                number => match usize::try_from(number) {
                    Ok(number) if number <= super::paging::PAGE => Ok(Some(number)),
                    _ => Err(error::invalid("MAX_VALUE_EXCEEDED", "MaxResults")),
                },
            },
        }
    }
}

pub(super) fn is_root_id(id: &str) -> bool {
    id.strip_prefix("r-").is_some_and(|tail| is_lower(tail, 4, 32))
}

pub(super) fn is_unit_id(id: &str) -> bool {
    let tail = id.strip_prefix("ou-").and_then(|tail| tail.split_once('-'));
    tail.is_some_and(|(root, own)| is_lower(root, 4, 32) && is_lower(own, 8, 32))
}

pub(super) fn is_parent_id(id: &str) -> bool {
    is_root_id(id) || is_unit_id(id)
}

pub(super) fn is_request_id(id: &str) -> bool {
    id.strip_prefix("car-").is_some_and(|tail| is_lower(tail, 8, 32))
}

/// The rules for the e-mail address of an account.
pub(super) fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let local_fits = !local.is_empty()
        && !local.starts_with('.')
        && !local.contains(|character: char| character.is_whitespace() || "\"'()<>[]:;,\\|%&".contains(character));
    let ends_well = |edge: char| !matches!(edge, '-' | '.');
    let domain_fits = domain.contains('.')
        && domain.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '.'))
        && domain.starts_with(ends_well)
        && domain.ends_with(ends_well);
    email.is_ascii() && local_fits && domain_fits
}

pub(super) fn is_role_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character))
}

/// The characters of an account's name when it is created.
pub(super) fn is_account_name(name: &str) -> bool {
    name.chars().all(|character| matches!(character, ' '..='~'))
}

fn is_lower(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_tag_text(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn e_mail_addresses_follow_the_published_rules() {
        for good in ["a@b.co", "aws+prod@example.com", "first.last@sub.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", ".a@b.co", "a b@c.de", "a@-b.co", "a@b.co.", "ä@b.co", "a&b@c.de", "a@b@c.de"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn ids_follow_their_patterns() {
        assert!(is_root_id("r-a1b2") && !is_root_id("r-A1b2") && !is_root_id("r-a1"));
        assert!(is_unit_id("ou-a1b2-c3d4e5f6") && !is_unit_id("ou-a1b2-c3"));
        assert!(is_request_id("car-0123456789abcdef") && !is_request_id("car-1"));
    }

    #[test]
    fn one_bad_tag_refuses_them_all() {
        let reason = |tags: Value| Input(&json!({ "Tags": tags })).tags().unwrap_err().members["Reason"].clone();
        assert_eq!(reason(json!([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])), "DUPLICATE_TAG_KEY");
        assert_eq!(reason(json!([{"Key": "aws:x", "Value": "1"}])), "INVALID_SYSTEM_TAGS_PARAMETER");
        assert_eq!(reason(json!([{"Key": "a", "Value": "<"}])), "INVALID_PATTERN");
    }

    #[test]
    fn a_page_has_at_most_twenty_rows() {
        let max = |value: Value| Input(&json!({ "MaxResults": value })).max_results().map_err(|error| error.members);
        assert_eq!(max(json!(20)), Ok(Some(20)));
        assert_eq!(max(json!(21)).unwrap_err()["Reason"], "MAX_VALUE_EXCEEDED");
        assert_eq!(max(json!(0)).unwrap_err()["Reason"], "MIN_VALUE_EXCEEDED");
    }
}
