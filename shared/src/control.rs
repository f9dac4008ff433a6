//! Controls: one definition of each thing that every account must have, for apply, plan, check and audit alike.
//!
//! A control reads the actual state, compares it with the desired one, and makes single changes. The
//! [engine](run) puts these together in one order for everybody: inspect, plan, apply, inspect again.

pub mod billing_alarm;
mod engine;
mod registry;
mod scope;

use std::{fmt::Display, future::Future};

use serde::{Deserialize, Serialize};

pub use engine::{AnyControl, ControlId, Outcome, Row, actions, run};
pub use registry::{ALL, find};
pub use scope::Scope;

use crate::{baseline::Baseline, gateway::CallError};

/// Whether changes are made or only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Names what would be changed. The session cannot write.
    Plan,
    /// Makes the changes.
    Apply,
}

/// One thing that every account must have.
pub trait Control: Send + Sync {
    /// Its name in the baseline, in answers, events, metrics and documentation.
    const ID: &'static str;
    /// The IAM actions of [`Control::inspect`].
    const READS: &'static [&'static str];
    /// The IAM actions of [`Control::apply`].
    const WRITES: &'static [&'static str];
    /// What should be: the control's section of the baseline.
    type Desired: Send + Sync;
    /// What is, as far as it matters.
    type Actual: Send + Sync;
    /// One change, which says in words what it does.
    type Change: Display + Send + Sync;

    /// The control's section; None when there is none.
    fn desired(baseline: &Baseline) -> Option<&Self::Desired>;

    /// Reads what is.
    fn inspect(
        &self,
        scope: &Scope,
        desired: &Self::Desired,
    ) -> impl Future<Output = Result<Self::Actual, CallError>> + Send;

    /// The changes that lead from what is to what should be, in the order in which they are to be made.
    fn plan(&self, scope: &Scope, desired: &Self::Desired, actual: &Self::Actual) -> Vec<Self::Change>;

    /// Makes one change.
    fn apply(&self, scope: &Scope, change: &Self::Change) -> impl Future<Output = Result<(), CallError>> + Send;

    /// What a person should know although it is no drift, for example a mail that waits to be confirmed.
    fn notes(&self, _actual: &Self::Actual) -> Vec<String> {
        Vec::new()
    }
}
