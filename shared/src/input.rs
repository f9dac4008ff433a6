//! Reading what a person sends: every problem is found before the first one is reported.

use std::{collections::BTreeMap, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::{Cause, Failure},
    ids::NotValid,
    tags,
};

/// The longest name that a path shows whole.
const MAX_NAME: usize = 60;

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where: the field's name, with a dot before the name of an inner field; `$` is the input itself.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub problem: String,
}

impl Problem {
    /// A problem at a path.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

/// The path of a field below `path`, as [`Problem::path`] has it. A long name is cut: a path is shown to a person.
pub fn inner(path: &str, name: &str) -> String {
    let dot = if path == "$" { "" } else { "." };
    let path = path.trim_start_matches('$');
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{path}{dot}{}…", &name[..end]),
        None => format!("{path}{dot}{name}"),
    }
}

/// The problems as one sentence for places that hold only text.
pub fn in_words(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{}: {}", p.path, p.problem)).collect::<Vec<_>>().join("; ")
}

/// The one answer to an input that is wrong: every problem at once.
pub fn refused(problems: &[Problem]) -> Failure {
    Failure::with_detail(Cause::InvalidRequest, in_words(problems))
}

/// A sentence or a name, in the words of whoever asks: 1 to 500 characters in one line, without spaces at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub String);

impl FromStr for Line {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let fits = !text.trim().is_empty() && text.chars().count() <= 500 && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.trim().to_owned()))
        } else {
            Err(NotValid::expected("1 to 500 characters of text in one line"))
        }
    }
}

/// The fields of one JSON object, taken one by one; what is wrong is kept until [`Fields::finish`].
#[derive(Debug)]
pub struct Fields {
    given: Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl Fields {
    /// The fields of a value, which should be an object.
    pub fn of(value: Value) -> Self {
        match value {
            Value::Object(given) => Self { given, known: Vec::new(), problems: Vec::new() },
            other => {
                let problem = format!("must be a JSON object, not {}", kind(&other));
                Self { given: Map::new(), known: Vec::new(), problems: vec![Problem::new("$", problem)] }
            }
        }
    }

    /// Notes a problem that no single field's grammar shows.
    pub fn note(&mut self, path: &str, problem: impl Into<String>) {
        self.problems.push(Problem::new(path, problem));
    }

    /// Whether something is noted of this path already.
    pub fn has_problem(&self, path: &str) -> bool {
        self.problems.iter().any(|problem| problem.path == path || problem.path == "$")
    }

    /// Whether the input has a field that nobody has taken yet.
    pub fn is_given(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text that must be there and be valid.
    pub fn required<T: FromStr<Err = NotValid>>(&mut self, name: &'static str) -> Option<T> {
        match self.take(name) {
            Some(value) => self.text(name, &value),
            // Where the input is no object at all, that is the one thing to say.
            None if self.problems.iter().any(|p| p.path == "$") => None,
            None => {
                self.note(name, "is missing");
                None
            }
        }
    }

    /// A text that may be left out.
    pub fn optional<T: FromStr<Err = NotValid>>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take(name)?;
        self.text(name, &value)
    }

    /// `true` or `false`, or left out.
    pub fn optional_bool(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        if value.as_bool().is_none() {
            self.note(name, format!("must be true or false, not {}", kind(&value)));
        }
        value.as_bool()
    }

    /// A list of texts, or left out.
    pub fn optional_list<T: FromStr<Err = NotValid>>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let value = self.take(name)?;
        let Value::Array(entries) = value else {
            self.note(name, format!("must be a list, not {}", kind(&value)));
            return None;
        };
        let mut parsed = Vec::with_capacity(entries.len());
        for (position, entry) in entries.iter().enumerate() {
            parsed.extend(self.text::<T>(&format!("{name}[{position}]"), entry));
        }
        Some(parsed)
    }

    /// A list of objects, or left out. Each is read by `read`, and what is wrong with it is noted with its place in the list.
    pub fn optional_objects<T>(&mut self, name: &'static str, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let value = self.take(name)?;
        let Value::Array(entries) = value else {
            self.note(name, format!("must be a list, not {}", kind(&value)));
            return None;
        };
        let mut parsed = Vec::with_capacity(entries.len());
        for (position, entry) in entries.into_iter().enumerate() {
            let path = format!("{name}[{position}]");
            let mut fields = Self::of(entry);
            parsed.extend(read(&mut fields));
            for Problem { path: field, problem } in fields.finish() {
                let path = if field == "$" { path.clone() } else { inner(&path, &field) };
                self.note(&path, problem);
            }
        }
        Some(parsed)
    }

    /// An object with fields of its own, or left out. Of what is wrong with its shape, the first thing is said.
    pub fn optional_object<T: serde::de::DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take(name)?;
        if !value.is_object() {
            self.note(name, format!("must be an object, not {}", kind(&value)));
            return None;
        }
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.note(name, format!("does not fit: {error}"));
                None
            }
        }
    }

    /// Names and texts, or left out.
    pub fn optional_map<K, V>(&mut self, name: &'static str) -> Option<BTreeMap<K, V>>
    where
        K: FromStr<Err = NotValid> + Ord,
        V: FromStr<Err = NotValid>,
    {
        let value = self.take(name)?;
        let Value::Object(entries) = value else {
            self.note(name, format!("must be an object of names and values, not {}", kind(&value)));
            return None;
        };
        let mut parsed = BTreeMap::new();
        for (key, value) in entries {
            let path = inner(name, &key);
            let value = self.text::<V>(&path, &value);
            match (key.parse(), value) {
                (Ok(key), Some(value)) => drop(parsed.insert(key, value)),
                (Err(NotValid(expected)), _) => {
                    self.note(&path, format!("must have a name that is {expected}"));
                }
                (Ok(_), None) => {}
            }
        }
        Some(parsed)
    }

    /// The tags of an account, or left out.
    pub fn optional_tags(&mut self, name: &'static str) -> Option<BTreeMap<String, String>> {
        let value = self.take(name)?;
        let Value::Object(entries) = value else {
            self.note(name, format!("must be an object of names and values, not {}", kind(&value)));
            return None;
        };
        let mut tags = BTreeMap::new();
        for (key, value) in entries {
            if !value.is_string() {
                self.note(&inner(name, &key), format!("must be a text, not {}", kind(&value)));
            }
            // A key is judged even where its value cannot be.
            tags.insert(key, value.as_str().unwrap_or_default().to_owned());
        }
        self.problems.extend(tags::problems(&tags, name));
        Some(tags)
    }

    /// Every problem of the fields that were asked for, where it cannot be said which others there may be.
    pub fn finish_known(self) -> Vec<Problem> {
        self.problems
    }

    /// Every problem, with the fields that nobody asked for.
    pub fn finish(mut self) -> Vec<Problem> {
        let known = self.known.join(", ");
        for name in self.given.keys() {
            self.problems.push(Problem::new(name, format!("is not a field of this input; the fields are {known}")));
        }
        self.problems
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.given.remove(name).filter(|value| !value.is_null())
    }

    fn text<T: FromStr<Err = NotValid>>(&mut self, path: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.note(path, format!("must be a text, not {}", kind(value)));
            return None;
        };
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(NotValid(expected)) => {
                self.note(path, format!("must be {expected}"));
                None
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
