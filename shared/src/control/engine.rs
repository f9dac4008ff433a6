//! The one order in which controls run, and what can come of it.

use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Serialize};

use super::{Control, Mode, Scope};
use crate::{
    baseline::Baseline,
    error::{Cause, Failure, Retry},
    gateway::CallError,
    ids::AccountId,
};

/// What is known of one control in one account after it ran. A read that failed is never `Compliant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is as it should be.
    Compliant,
    /// Something differs; nothing was changed.
    Drifted {
        /// What would be changed.
        planned: Vec<String>,
    },
    /// Something differed; it was changed, and read back.
    Fixed {
        /// What was changed.
        applied: Vec<String>,
    },
    /// The changes went through, and what was read back still differs.
    NotConverged {
        /// What was changed.
        applied: Vec<String>,
        /// What still differs.
        remaining: Vec<String>,
    },
    /// The account is too young. It is worth a look later.
    NotReady {
        /// What was changed before the control had to stop.
        applied: Vec<String>,
        /// Seconds after which a look makes sense.
        retry_after: u32,
        /// What stands in the way.
        failure: Failure,
    },
    /// It could not be found out.
    Unknown {
        /// What was changed before the failure.
        applied: Vec<String>,
        /// What happened.
        failure: Failure,
    },
    /// The baseline has no section for it.
    Skipped {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// Whether the account has what it should have, as far as this control goes.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Compliant | Self::Fixed { .. } | Self::Skipped { .. })
    }

    /// Whether looking again later can lead to another outcome by itself.
    pub fn is_worth_another_look(&self) -> bool {
        match self {
            Self::NotReady { .. } | Self::NotConverged { .. } => true,
            Self::Unknown { failure, .. } => failure.retryable,
            Self::Compliant | Self::Drifted { .. } | Self::Fixed { .. } | Self::Skipped { .. } => false,
        }
    }

    fn failed(applied: Vec<String>, error: &CallError) -> Self {
        let failure = Failure::from(error);
        match (failure.cause, failure.cause.row().retry) {
            (
                Cause::RoleNotAssumable | Cause::OptInRequired | Cause::SubscriptionRequired,
                Retry::AfterSeconds(retry_after),
            ) => Self::NotReady { applied, retry_after, failure },
            _ => Self::Unknown { applied, failure },
        }
    }
}

/// The name of a control of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ControlId(&'static str);

impl ControlId {
    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What came of one control in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account.
    pub account_id: AccountId,
    /// The control.
    pub control: ControlId,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What a person should know beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Row {
    /// The row of a control that could not even begin.
    pub fn failed(account_id: &AccountId, control: &dyn AnyControl, error: &CallError) -> Self {
        Self {
            account_id: account_id.clone(),
            control: ControlId(control.id()),
            outcome: Outcome::failed(Vec::new(), error),
            notes: Vec::new(),
        }
    }

    /// The row of a control that is not run.
    pub fn skipped(account_id: &AccountId, control: &dyn AnyControl, why: impl Into<String>) -> Self {
        let outcome = Outcome::Skipped { why: why.into() };
        Self { account_id: account_id.clone(), control: ControlId(control.id()), outcome, notes: Vec::new() }
    }
}

/// The face that every [`Control`] shows to the engine and the registry.
pub trait AnyControl: Send + Sync {
    /// Its name.
    fn id(&self) -> &'static str;
    /// The IAM actions of its reads.
    fn reads(&self) -> &'static [&'static str];
    /// The IAM actions of its changes.
    fn writes(&self) -> &'static [&'static str];
    /// Runs it in one account.
    fn run<'a>(
        &'a self,
        scope: &'a Scope,
        baseline: &'a Baseline,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = Row> + Send + 'a>>;
}

impl<C: Control> AnyControl for C {
    fn id(&self) -> &'static str {
        C::ID
    }

    fn reads(&self) -> &'static [&'static str] {
        C::READS
    }

    fn writes(&self) -> &'static [&'static str] {
        C::WRITES
    }

    fn run<'a>(
        &'a self,
        scope: &'a Scope,
        baseline: &'a Baseline,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = Row> + Send + 'a>> {
        Box::pin(async move {
            let mut notes = Vec::new();
            let outcome = match C::desired(baseline) {
                Some(desired) => converge(self, scope, desired, mode, &mut notes).await,
                None => Outcome::Skipped { why: "the baseline has no section for it".to_owned() },
            };
            Row { account_id: scope.account_id.clone(), control: ControlId(C::ID), outcome, notes }
        })
    }
}

async fn converge<C: Control>(
    control: &C,
    scope: &Scope,
    desired: &C::Desired,
    mode: Mode,
    notes: &mut Vec<String>,
) -> Outcome {
    let in_words = |changes: &[C::Change]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();

    let actual = match control.inspect(scope, desired).await {
        Ok(actual) => actual,
        Err(error) => return Outcome::failed(Vec::new(), &error),
    };
    *notes = control.notes(&actual);
    let changes = control.plan(scope, desired, &actual);
    if changes.is_empty() {
        return Outcome::Compliant;
    }
    if mode == Mode::Plan {
        return Outcome::Drifted { planned: in_words(&changes) };
    }

    let mut applied = Vec::with_capacity(changes.len());
    for change in &changes {
        if let Err(error) = control.apply(scope, change).await {
            return Outcome::failed(applied, &error);
        }
        applied.push(change.to_string());
    }
    match control.inspect(scope, desired).await {
        Ok(actual) => {
            *notes = control.notes(&actual);
            let remaining = control.plan(scope, desired, &actual);
            if remaining.is_empty() {
                Outcome::Fixed { applied }
            } else {
                Outcome::NotConverged { applied, remaining: in_words(&remaining) }
            }
        }
        Err(error) => Outcome::failed(applied, &error),
    }
}

/// The IAM actions that these controls need in this mode. In plan mode they read and nothing else, so that a bug
/// cannot write.
pub fn actions(controls: &[&'static dyn AnyControl], mode: Mode) -> Vec<&'static str> {
    let of = |control: &&'static dyn AnyControl| match mode {
        Mode::Plan => control.reads().to_vec(),
        Mode::Apply => [control.reads(), control.writes()].concat(),
    };
    let mut actions: Vec<_> = controls.iter().flat_map(of).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// Runs these controls in one account. What happens to one does not stop another.
pub async fn run(controls: &[&'static dyn AnyControl], scope: &Scope, baseline: &Baseline, mode: Mode) -> Vec<Row> {
    let mut rows = Vec::with_capacity(controls.len());
    for control in controls {
        rows.push(control.run(scope, baseline, mode).await);
    }
    rows
}
