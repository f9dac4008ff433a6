//! Documents of policies, as IAM, Amazon S3, Amazon SQS and AWS Organizations write them.

use serde_json::Value;

/// The values of a member: IAM writes a list of one entry as that entry (IAM user guide, "Grammar of the IAM JSON policy
/// language"). None where it is left out.
pub fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_is_a_list_of_one_and_none_an_empty_list() {
        assert_eq!(one_or_many(&json!("a")), [json!("a")]);
        assert_eq!(one_or_many(&json!(["a", "b"])), [json!("a"), json!("b")]);
        assert!(one_or_many(&Value::Null).is_empty());
    }
}
