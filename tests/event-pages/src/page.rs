//! The page for people: what each event means, who publishes it, and what its detail holds.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;
use steward::closed_set::ClosedSet;

use crate::Published;

const INTRODUCTION: &str = "# Events

Generated from the types of the events by `make docs`. Every event on the stack's bus has the source `steward` and one of these
types as its `detail-type`. A new field may come at any time; a field that is here does not change its meaning. An event may come
twice: consumers go by the ids that it carries.

";

/// A field of an event.
#[derive(Default)]
struct Field {
    kind: String,
    description: String,
    /// Of an event of several shapes: those that have it.
    shapes: Vec<String>,
    is_always_there: bool,
}

pub(crate) fn of(all: &[Published]) -> String {
    let mut page = INTRODUCTION.to_owned();
    for published in all {
        let (name, schema) = (published.event_type.name(), &published.schema);
        let by: Vec<_> = published.by.iter().map(|function| format!("`{function}`")).collect();
        let description = schema["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "## {name}\n\n{description}\n");
        let _ = writeln!(page, "Published by {}. [Schema](events/{name}.schema.json).\n", by.join(", "));
        page.push_str("| field | is | |\n| --- | --- | --- |\n");
        for (field, of) in fields(schema) {
            let when = match (of.is_always_there, of.shapes.as_slice()) {
                (true, []) => String::new(),
                (false, []) if of.description.contains("left out") => String::new(),
                (false, []) => " May be left out.".to_owned(),
                (_, shapes) => format!(" With {}.", shapes.join(", ")),
            };
            let description = of.description.replace('\n', " ");
            let _ = writeln!(page, "| `{field}` | {} | {description}{when} |", of.kind);
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

/// The fields of an event, those of its shapes among them, by their names.
fn fields(schema: &Value) -> BTreeMap<String, Field> {
    let mut fields = BTreeMap::new();
    add(&mut fields, schema, schema, None);
    for shape in ["oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        let constant = |(name, value): (&String, &Value)| Some(format!("{name} `{}`", value["const"].as_str()?));
        let named = shape["properties"].as_object().into_iter().flatten().find_map(constant);
        add(&mut fields, schema, shape, named.as_deref());
    }
    fields
}

fn add(fields: &mut BTreeMap<String, Field>, root: &Value, of: &Value, shape: Option<&str>) {
    let required: Vec<&str> = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in of["properties"].as_object().into_iter().flatten() {
        let field = fields.entry(name.clone()).or_default();
        field.is_always_there = required.contains(&name.as_str());
        if let Some(constant) = property["const"].as_str() {
            let more = if field.kind.is_empty() { "" } else { ", " };
            let _ = write!(field.kind, "{more}`{constant}`");
            field.description = "What came of it.".into();
        } else {
            field.kind = kind(root, property);
            field.description = property["description"].as_str().unwrap_or_default().into();
            field.shapes.extend(shape.map(ToOwned::to_owned));
        }
    }
}

/// What a value is, in few words.
fn kind(root: &Value, schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let definition = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        return kind(root, definition);
    }
    for inner in ["allOf", "anyOf"] {
        if let Some(one) = schema[inner].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            return kind(root, one);
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        many => many.as_array().into_iter().flatten().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
    };
    match types.as_slice() {
        ["array"] => format!("list of {}", kind(root, &schema["items"])),
        ["string"] if schema["format"].is_string() => schema["format"].as_str().unwrap_or_default().to_owned(),
        [] if schema["oneOf"].is_array() => names(&schema["oneOf"]),
        types => types.join(" or "),
    }
}

/// The values of a closed set, where they are few.
fn names(set: &Value) -> String {
    let listed: Vec<_> = set.as_array().into_iter().flatten().filter_map(|one| one["const"].as_str()).collect();
    match listed.len() {
        0..=6 => listed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        many => format!("one of {many} names that the schema lists"),
    }
}
