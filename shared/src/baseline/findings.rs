//! The problems of one section, noted field by field.

use std::{collections::BTreeSet, ops::RangeInclusive};

use crate::input::{Problem, inner};

/// What a section says wrong, as [`Validate`](super::Validate) finds it.
#[derive(Debug)]
pub struct Findings<'a> {
    path: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Nothing yet about the value that stands at `path`.
    pub fn at(path: &'a str) -> Self {
        Self { path, problems: Vec::new() }
    }

    /// Notes a problem of a field.
    pub fn note(&mut self, field: &str, problem: impl Into<String>) {
        self.problems.push(Problem::new(inner(self.path, field), problem));
    }

    /// Notes a problem of a field unless the condition holds.
    pub fn expect(&mut self, field: &str, holds: bool, problem: &str) {
        if !holds {
            self.note(field, problem);
        }
    }

    /// Expects a text of so many characters.
    pub fn length(&mut self, field: &str, text: &str, expected: RangeInclusive<usize>) {
        let characters = text.chars().count();
        if !expected.contains(&characters) {
            let (least, most) = (expected.start(), expected.end());
            self.note(field, format!("must have {least} to {most} characters, not {characters}"));
        }
    }

    /// Expects a text of so many characters, if there is one.
    pub fn optional_length(&mut self, field: &str, text: Option<&str>, expected: RangeInclusive<usize>) {
        if let Some(text) = text {
            self.length(field, text, expected);
        }
    }

    /// Expects a number in a range.
    pub fn range(&mut self, field: &str, number: i32, expected: RangeInclusive<i32>) {
        if !expected.contains(&number) {
            self.note(field, format!("must be {} to {}, not {number}", expected.start(), expected.end()));
        }
    }

    /// Expects that nothing is in a list twice.
    pub fn distinct<T: Ord>(&mut self, list: &str, entries: impl IntoIterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for (position, entry) in entries.into_iter().enumerate() {
            if !seen.insert(entry) {
                self.note(&format!("{list}[{position}]"), "is in the list twice");
            }
        }
    }

    /// Takes over what was found about an inner value.
    pub fn extend(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Everything that was found.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

#[cfg(test)]
mod tests;
