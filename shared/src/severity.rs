//! How much something matters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::{closed_set::not_one_of, ids::NotValid};

/// How much something matters, in rising order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = NotValid, parse_err_fn = not_one_of::<Severity>)]
pub enum Severity {
    /// For whoever looks it up.
    Informational,
    /// Worth a line in a daily mail.
    Notice,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now.
    Critical,
}

impl Severity {
    /// One step less: for what was tried and refused.
    pub fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::Warning,
            Self::Warning | Self::Notice => Self::Notice,
            Self::Informational => Self::Informational,
        }
    }
}
