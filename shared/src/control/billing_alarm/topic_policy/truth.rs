//! Answers to questions about policies that Steward does not understand to the last detail.

use std::ops::Not;

use serde_json::Value;

/// Whether something holds. Of several that must all hold the least counts, of several of which one will do the
/// greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    /// It depends on something that Steward does not know.
    Perhaps,
    Yes,
}

impl Truth {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Perhaps => Self::Perhaps,
            Self::Yes => Self::No,
        }
    }
}

/// Whether something holds for one of the texts of a value that is one or several. What is not text might be any.
pub(super) fn each_text(value: &Value, holds: impl Fn(&str) -> Truth) -> Truth {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let of_value = |value: &Value| match value {
        Value::String(text) => holds(text),
        // To IAM, `true` and `"true"` are the same.
        Value::Bool(_) | Value::Number(_) => holds(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Truth::Perhaps,
    };
    values.iter().map(of_value).max().unwrap_or(Truth::Perhaps)
}
