//! Compares a tree of values with the schema and names everything that does not fit. serde stops at the first thing.
//!
//! Only the keywords that [the schema of the document](super::json_schema) uses for shape are read: types, fields,
//! closed lists and formats. Bounds and whatever depends on two values at once are [`Validate`](super::Validate)'s,
//! and serde has the last word, so a keyword that is not read here cannot let anything through.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::grammar;
use crate::input::{Problem, inner};

/// Everything about `value` that does not fit the schema. Unknown fields are taken out, and an example stands in for
/// what is wrong or missing, so that the rest can still be read and checked.
pub(super) fn problems(schema: &Value, value: &mut Value) -> Misfits {
    let mut walk = Walk { root: schema, misfits: Misfits::default() };
    walk.node(schema, value, "$");
    walk.misfits
}

/// What does not fit.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// Where an example stands now.
    pub(super) examples: BTreeSet<String>,
}

struct Walk<'a> {
    root: &'a Value,
    misfits: Misfits,
}

impl Walk<'_> {
    fn note(&mut self, path: &str, problem: impl Into<String>) {
        self.misfits.problems.push(Problem::new(path, problem));
    }

    /// Notes a problem, and puts an example in the place of what has it.
    fn misfit(&mut self, schema: &Value, value: &mut Value, path: &str, problem: impl Into<String>) {
        self.note(path, problem);
        self.misfits.examples.insert(path.to_owned());
        *value = self.example(schema);
    }

    fn node(&mut self, schema: &Value, value: &mut Value, path: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let root = self.root;
            let target = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            return self.node(target, value, path);
        }
        if value.is_null() {
            let problem = format!("must be {}, and has no value", self.expected(schema));
            return self.misfit(schema, value, path, problem);
        }
        if !is_of_type(&schema["type"], value) {
            let quotes = if value.is_number() && schema["type"] == "string" { " without quotes" } else { "" };
            let problem = format!("must be {}, not {}{quotes}", self.expected(schema), kind(value));
            return self.misfit(schema, value, path, problem);
        }
        if let Some(wanted) = schema.get("const").filter(|wanted| *wanted != value) {
            return self.misfit(schema, value, path, format!("must be {wanted}"));
        }
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
            return self.misfit(schema, value, path, format!("must be one of {}", listed(allowed)));
        }
        if let (Some(format), Some(text)) = (schema["format"].as_str(), value.as_str())
            && let Some(grammar) = grammar::of_format(format)
            && !(grammar.is_met)(text)
        {
            return self.misfit(schema, value, path, format!("must be {}", grammar.expected));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.node(part, value, path);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema[keyword].as_array() {
                self.alternatives(alternatives, value, path);
            }
        }
        match value {
            Value::Object(fields) => self.fields(schema, fields, path),
            Value::Array(entries) => {
                for (position, entry) in entries.iter_mut().enumerate() {
                    self.node(&schema["items"], entry, &format!("{path}[{position}]"));
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, schema: &Value, fields: &mut Map<String, Value>, path: &str) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                let expected = self.expected(&schema["properties"][name]);
                let path = inner(path, name);
                self.note(&path, format!("is missing; must be {expected}"));
                fields.insert(name.to_owned(), self.example(&schema["properties"][name]));
                self.misfits.examples.insert(path);
            }
        }
        let others = schema.get("additionalProperties");
        fields.retain(|name, field| {
            let path = inner(path, name);
            match (schema["properties"].get(name), others) {
                (Some(known), _) => self.node(known, field, &path),
                (None, Some(Value::Bool(false))) => {
                    self.note(&path, format!("is not known here; what can stand here is {}", names(schema)));
                    return false;
                }
                (None, Some(other)) => self.node(other, field, &path),
                (None, None) => {}
            }
            true
        });
    }

    /// One alternative must fit. Where none does, the problems of the one that comes closest are given.
    fn alternatives(&mut self, alternatives: &[Value], value: &mut Value, path: &str) {
        let constants: Vec<_> =
            alternatives.iter().filter_map(|alternative| alternative.get("const")).cloned().collect();
        if constants.len() == alternatives.len() {
            if !constants.contains(value) {
                self.misfit(&alternatives[0], value, path, format!("must be one of {}", listed(&constants)));
            }
            return;
        }
        let tries = alternatives.iter().map(|alternative| {
            let mut walk = Walk { root: self.root, misfits: Misfits::default() };
            let mut value = value.clone();
            walk.node(alternative, &mut value, path);
            (walk.misfits, value)
        });
        if let Some((misfits, left)) = tries.min_by_key(|(misfits, _)| misfits.problems.len()) {
            self.misfits.problems.extend(misfits.problems);
            self.misfits.examples.extend(misfits.examples);
            *value = left;
        }
    }

    /// A value that fits.
    fn example(&self, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.example(self.root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null));
        }
        if let Some(wanted) = schema.get("const") {
            return wanted.clone();
        }
        for keyword in ["enum", "allOf", "anyOf", "oneOf"] {
            match schema[keyword].as_array().and_then(|alternatives| alternatives.first()) {
                Some(first) if keyword == "enum" => return first.clone(),
                Some(first) => return self.example(first),
                None => {}
            }
        }
        if let Some(grammar) = schema["format"].as_str().and_then(grammar::of_format) {
            return grammar.example.into();
        }
        match schema["type"].as_str() {
            Some("string") => "example".into(),
            Some("integer") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
            Some("number") => 1.into(),
            Some("boolean") => false.into(),
            Some("array") => Value::Array(Vec::new()),
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                required.map(|name| (name.to_owned(), self.example(&schema["properties"][name]))).collect()
            }
            _ => Value::Null,
        }
    }

    /// What would be right, in words.
    fn expected(&self, schema: &Value) -> String {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.expected(self.root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null));
        }
        if let Some(only) = schema["allOf"].as_array().and_then(|parts| parts.first()) {
            return self.expected(only);
        }
        if let Some(wanted) = schema.get("const") {
            return wanted.to_string();
        }
        if let Some(allowed) = schema["enum"].as_array() {
            return format!("one of {}", listed(allowed));
        }
        if let Some(grammar) = schema["format"].as_str().and_then(grammar::of_format) {
            return grammar.expected.to_owned();
        }
        match schema["type"].as_str() {
            Some("string") => "a text",
            Some("integer") => "a whole number",
            Some("number") => "a number",
            Some("boolean") => "true or false",
            Some("array") => "a list",
            Some("object") if schema["properties"].is_object() => {
                return format!("a mapping of {}", names(schema));
            }
            Some("object") => "a mapping",
            _ => "a value",
        }
        .to_owned()
    }
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    match expected {
        Value::Array(types) => types.iter().any(|expected| is_of_type(expected, value)),
        Value::String(expected) => match expected.as_str() {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        },
        _ => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The names of the fields that may stand in a mapping.
fn names(schema: &Value) -> String {
    let names = schema["properties"].as_object().into_iter().flat_map(Map::keys);
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn listed(values: &[Value]) -> String {
    values
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::ids::Region;

    /// What sections are made of.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Section {
        regions: Vec<Region>,
        #[serde(default)]
        others: Others,
        contact: Option<Contact>,
        #[serde(default)]
        tags: BTreeMap<String, String>,
        age: Option<u16>,
        target: Option<Target>,
    }

    #[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Others {
        /// They stay as they are.
        #[default]
        Leave,
        /// They must go.
        Disable,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Contact {
        name: String,
        phone: Option<String>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Target {
        Account(String),
        Units(Vec<String>),
    }

    fn found(mut value: Value) -> Vec<(String, String)> {
        let misfits = problems(&super::super::schema::of::<Section>(), &mut value);
        // What is left can be read, whatever was wrong.
        Section::deserialize(value).unwrap();
        misfits.problems.into_iter().map(|p| (p.path, p.problem)).collect()
    }

    #[test]
    fn what_fits_is_no_problem() {
        for value in [
            json!({"regions": []}),
            json!({"regions": ["eu-central-1"], "others": "disable", "contact": {"name": "A"}, "tags": {"a": "b"}}),
            json!({"regions": [], "age": 90, "target": {"units": ["/A"]}}),
        ] {
            assert_eq!(found(value.clone()), [], "{value}");
            Section::deserialize(value).unwrap();
        }
    }

    #[test]
    fn every_kind_of_misfit_is_named_with_what_would_be_right() {
        for (value, path, words) in [
            (json!({"regions": ["europe"]}), "regions[0]", "must be a region such as us-east-1"),
            (json!({"regions": "eu-central-1"}), "regions", "must be a list, not a text"),
            (json!({"regions": [], "others": "keep"}), "others", "must be one of leave, disable"),
            (json!({"regions": [], "contact": "A"}), "contact", "must be a mapping of name, phone, not a text"),
            (json!({"regions": [], "contact": {}}), "contact.name", "is missing; must be a text"),
            (
                json!({"regions": [], "contact": {"name": "A", "phone": 1}}),
                "contact.phone",
                "not a number without quotes",
            ),
            (json!({"regions": [], "tags": {"a": true}}), "tags.a", "must be a text, not true or false"),
            (json!({"regions": [], "age": "old"}), "age", "must be a whole number, not a text"),
            (json!({"regions": [], "age": 1.5}), "age", "must be a whole number, not a number"),
            (json!({"regions": [], "age": null}), "age", "must be a whole number, and has no value"),
            (json!({"regions": [], "target": {"units": [7]}}), "target.units[0]", "not a number"),
            (json!({"regions": [], "tag": {}}), "tag", "is not known here; what can stand here is regions, others"),
        ] {
            let found = found(value);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].0 == path && found[0].1.contains(words), "{found:?}");
        }
    }
}
