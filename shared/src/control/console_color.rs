//! # console-color
//!
//! **What it does.** Keeps the color in which the AWS console shows itself to everybody in the account.
//!
//! **Why.** Whoever has five accounts open sees which of them is production before they click.
//!
//! **Desired state.** `color`: `pink`, `purple`, `darkBlue`, `lightBlue`, `teal`, `green`, `yellow`, `orange`, `red`, or
//! `none` for the console's own. It is meant to differ by unit: the example document paints production red. Which services
//! and regions the console shows is left alone.
//!
//! **Calls.** A compliant account costs one `GetAccountCustomizations`.
//!
//! **Source.** AWS User Experience Customization API reference, `GetAccountCustomizations` and
//! `UpdateAccountCustomizations`: an account reaches its own settings alone, a setting that is not sent stays as it is,
//! and setting the same color twice changes nothing. The color belongs to the account; what a person sets for a role that
//! they switch to is theirs.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Validate},
    closed_set::ClosedSet,
    gateway::CallError,
    input::Problem,
    shown,
};

/// The `console-color` section of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsoleColor {
    /// The color.
    pub color: Color,
}

/// A color of the console, spelt as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantArray)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
#[schemars(inline)]
#[expect(missing_docs, reason = "they are colors")]
pub enum Color {
    None,
    Pink,
    Purple,
    DarkBlue,
    LightBlue,
    Teal,
    Green,
    Yellow,
    Orange,
    Red,
}

impl Validate for ConsoleColor {
    fn problems(&self, _path: &str) -> Vec<Problem> {
        // Every color is one that AWS takes.
        Vec::new()
    }
}

/// The one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The color as it will be.
    color: Color,
    /// The color whose place it takes.
    instead_of: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change the color of the console: {} -> {}", shown::name(&self.instead_of), self.color.name())
    }
}

/// The control `console-color`.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleColorControl;

impl Control for ConsoleColorControl {
    const ID: &'static str = "console-color";
    const READS: &'static [&'static str] = &["uxc:GetAccountCustomizations"];
    const WRITES: &'static [&'static str] = &["uxc:UpdateAccountCustomizations"];
    type Scope = MemberScope;
    type Desired = ConsoleColor;
    type Actual = String;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&ConsoleColor> {
        baseline.console_color.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, _desired: &ConsoleColor) -> Result<String, CallError> {
        scope.uxc.account_color().await
    }

    fn plan(&self, _scope: &MemberScope, desired: &ConsoleColor, actual: &String) -> Vec<Change> {
        plan(*desired, actual).into_iter().collect()
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        scope.uxc.set_account_color(change.color.name()).await
    }
}

fn plan(desired: ConsoleColor, present: &str) -> Option<Change> {
    let color = desired.color;
    (present != color.name()).then(|| Change { color, instead_of: present.to_owned() })
}

#[cfg(test)]
mod tests;
