//! Validation of parameters.

use serde_json::Value;

use super::error;
use super::profile::Contact;
use crate::front::answer::ApiError;

/// A text member of a structure.
pub(super) struct Field {
    name: &'static str,
    required: bool,
    max: usize,
    fits: fn(&str) -> bool,
}

impl Field {
    pub(super) const fn required(name: &'static str, max: usize) -> Self {
        Self { name, required: true, max, fits: |_| true }
    }

    pub(super) const fn optional(name: &'static str, max: usize) -> Self {
        Self { required: false, ..Self::required(name, max) }
    }

    pub(super) const fn that(self, fits: fn(&str) -> bool) -> Self {
        Self { fits, ..self }
    }
}

/// The members of a structure that are fields, every one of them valid.
pub(super) fn record(structure: &Value, fields: &[Field]) -> Result<Contact, ApiError> {
    let mut record = Contact::new();
    for field in fields {
        match structure.get(field.name) {
            None | Some(Value::Null) if !field.required => {}
            Some(Value::String(text)) if (1..=field.max).contains(&text.chars().count()) && (field.fits)(text) => {
                record.insert(field.name.to_owned(), text.as_str().into());
            }
            _ => return Err(error::invalid(field.name)),
        }
    }
    Ok(record)
}

/// A text that must be given.
pub(super) fn text<'a>(input: &'a Value, name: &str, max: usize) -> Result<&'a str, ApiError> {
    let text = input.get(name).and_then(Value::as_str).filter(|text| (1..=max).contains(&text.chars().count()));
    text.ok_or_else(|| error::invalid(name))
}

/// One of several words that must be given.
pub(super) fn word<'a>(input: &'a Value, name: &str, words: &[&str]) -> Result<&'a str, ApiError> {
    text(input, name, usize::MAX).ok().filter(|word| words.contains(word)).ok_or_else(|| error::invalid(name))
}

/// An e-mail address, with spaces around it or not.
pub(super) fn is_email(text: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let all = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|character| is_word(character) || more.contains(character))
    };
    let Some((local, domain)) = text.trim().split_once('@') else { return false };
    let Some((domain, top)) = domain.rsplit_once('.') else { return false };
    all(local, "+=.#|!&-") && all(domain, ".-") && all(top, "")
}

/// The characters of a phone number.
pub(super) fn is_phone(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_digit() || character.is_whitespace() || "+()-".contains(character))
}

/// A phone number with its country's code.
pub(super) fn is_international_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|rest| !rest.is_empty() && !rest.contains('+') && is_phone(rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_follow_the_patterns_of_the_api() {
        assert!(is_email(" first.last+aws@sub.example.com ") && is_email("a#b@c.de"));
        assert!(!is_email("a@b") && !is_email("a b@c.de") && !is_email("@c.de") && !is_email("a@b.c-d"));
        assert!(is_international_phone("+1 (206) 555-0100"));
        assert!(!is_international_phone("206-555-0100") && !is_international_phone("+") && !is_phone("0x1"));
    }

    #[test]
    fn a_record_holds_its_fields_and_names_the_first_bad_one() {
        let fields = [Field::required("Name", 3), Field::optional("Title", 3).that(|title| title != "bad")];
        let kept = record(&json!({ "Name": "abc", "Other": 1, "Title": null }), &fields);
        assert_eq!(kept.map(Value::Object), Ok(json!({ "Name": "abc" })));
        for bad in [json!({}), json!({ "Name": "" }), json!({ "Name": "abcd" }), json!({ "Name": 1 })] {
            assert_eq!(record(&bad, &fields).unwrap_err().members["fieldList"][0]["name"], "Name", "{bad}");
        }
        let refused = record(&json!({ "Name": "a", "Title": "bad" }), &fields).unwrap_err();
        assert_eq!(refused.members["fieldList"][0]["name"], "Title");
    }
}
