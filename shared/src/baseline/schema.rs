//! The JSON Schema of the document: what editors complete by, and what the reader finds problems with.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Value, json};

use super::Document;

/// The JSON Schema of `baseline.yaml`, in the draft (7) that editors know best.
pub fn json_schema() -> Value {
    of::<Document>()
}

/// The same, as it is published. The functions read documents by this copy: the generator weighs more than the text.
pub(super) fn published() -> Value {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/baseline.schema.json"));
    serde_json::from_str(text).expect("the published schema is JSON: a test compares it with the types")
}

/// The JSON Schema of a type.
pub(super) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().for_deserialize().with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Takes the null out of what may be left out. In YAML a key without a value is null: more often a slip of the hand
/// than useful, and never needed.
fn without_null(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    for (keyword, null) in [("type", json!("null")), ("enum", Value::Null), ("anyOf", json!({"type": "null"}))] {
        if let Some(Value::Array(alternatives)) = schema.get_mut(keyword) {
            alternatives.retain(|alternative| *alternative != null);
        }
    }
    if let Some(Value::Array(types)) = schema.get_mut("type")
        && types.len() == 1
    {
        let only = types.remove(0);
        schema.insert("type".to_owned(), only);
    }
    if schema.get("anyOf").and_then(Value::as_array).is_some_and(|alternatives| alternatives.len() == 1) {
        // Not in its place: beside `$ref`, draft 7 ignores the description.
        let only = schema.remove("anyOf").unwrap_or_default();
        schema.insert("allOf".to_owned(), only);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_that_of_the_types() {
        assert_eq!(published(), json_schema(), "stale: run `make docs`");
    }

    #[test]
    fn nothing_in_the_schema_may_be_null() {
        assert!(!json_schema().to_string().contains("null"));
    }
}
