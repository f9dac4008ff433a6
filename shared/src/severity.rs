//! How much something matters.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::NotValid;

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
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

impl FromStr for Severity {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        match text {
            "informational" => Ok(Self::Informational),
            "notice" => Ok(Self::Notice),
            "warning" => Ok(Self::Warning),
            "critical" => Ok(Self::Critical),
            _ => Err(NotValid("informational, notice, warning or critical")),
        }
    }
}

impl Severity {
    /// Every severity, in rising order.
    pub const ALL: [Self; 4] = [Self::Informational, Self::Notice, Self::Warning, Self::Critical];

    /// One step less: for what was tried and refused.
    pub fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::Warning,
            Self::Warning | Self::Notice => Self::Notice,
            Self::Informational => Self::Informational,
        }
    }
}
