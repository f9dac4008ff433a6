//! Controls: one definition of each thing that every account must have, for apply, plan, check and audit alike.
//!
//! A control reads the actual state, compares it with the desired one, and makes single changes. The [`Engine`] puts
//! these together in one order for everybody: inspect, plan, apply, inspect again.

mod access;
pub mod access_role;
pub mod account_alias;
pub mod account_name;
pub mod account_tags;
pub mod alternate_contacts;
pub mod billing_alarm;
pub mod brake;
pub mod budget;
mod conclusion;
pub mod config_recorder;
pub mod console_color;
mod engine;
pub mod jump_groups;
pub mod member_events;
pub mod organizational_unit;
mod outcome;
pub mod password_policy;
pub mod primary_contact;
pub mod primary_email;
pub mod regions;
mod registry;
mod role;
pub mod root_credentials;
pub mod s3_public_access_block;
pub mod stack_instances;
pub mod switch_roles;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
pub(crate) mod wildcard;

use std::{fmt::Display, future::Future};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

pub use access::{
    AccessError, AccessPath, AccountAccess, AccountScope, AccountView, EnteredBy, Known, ManagementScope, MemberScope,
    RootScope, Scope, Visit, is_settling,
};
pub use conclusion::{Conclusion, another_look, conclude};
pub(crate) use engine::converge;
pub use engine::{AnyControl, Engine, actions};
pub use outcome::{ControlId, Outcome, Row};
pub use registry::{ALL, find};

use crate::{baseline::Baseline, closed_set::not_one_of, error::Failure, gateway::CallError, ids::NotValid};

/// Whether changes are made or only named.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = NotValid, parse_err_fn = not_one_of::<Mode>)]
pub enum Mode {
    /// Names what would be changed. The session cannot write.
    Plan,
    /// Makes the changes.
    Apply,
}

/// One thing that must be as somebody has written down: in every account, with the baseline as what is written, or once in
/// the organization, with another document as `S`.
pub trait Control<S = Baseline>: Send + Sync {
    /// Its name in the baseline, in answers, events, metrics and documentation.
    const ID: &'static str;
    /// The IAM actions of [`Control::inspect`], which the control's way into the account must allow.
    const READS: &'static [&'static str];
    /// Those of [`Control::READS`] that it does without where they are denied: a note says what is not known then.
    const OPTIONAL_READS: &'static [&'static str] = &[];
    /// The IAM actions of [`Control::apply`], which the control's way into the account must allow.
    const WRITES: &'static [&'static str];
    /// Whether it is about what an account has in an organization alone, so that there is nothing to look at without one.
    const NEEDS_ORGANIZATION: bool = false;
    /// What it can touch, and thereby the way in which it reaches an account.
    type Scope: Send + Sync;
    /// What should be: the control's section of the baseline.
    type Desired: Send + Sync;
    /// What is, as far as it matters.
    type Actual: Send + Sync;
    /// One change, which says in words what it does.
    type Change: Display + Send + Sync;

    /// The control's section; None when there is none.
    fn desired(document: &S) -> Option<&Self::Desired>;

    /// Why there is nothing to look at in such an account; None where there is.
    fn not_in(&self, _scope: &Self::Scope) -> Option<&'static str> {
        None
    }

    /// Reads what is.
    fn inspect(
        &self,
        scope: &Self::Scope,
        desired: &Self::Desired,
    ) -> impl Future<Output = Result<Self::Actual, CallError>> + Send;

    /// The changes that lead from what is to what should be, in the order in which they are to be made.
    fn plan(&self, scope: &Self::Scope, desired: &Self::Desired, actual: &Self::Actual) -> Vec<Self::Change>;

    /// Makes one change.
    fn apply(&self, scope: &Self::Scope, change: &Self::Change) -> impl Future<Output = Result<(), CallError>> + Send;

    /// What a person should know although it is no drift, for example a mail that waits to be confirmed.
    fn notes(&self, _desired: &Self::Desired, _actual: &Self::Actual) -> Vec<String> {
        Vec::new()
    }

    /// What differs and is left to people, in words that say what is to be done: a change of it would undo what somebody
    /// has decided. It is drift that no apply removes.
    fn by_hand(&self, _desired: &Self::Desired, _actual: &Self::Actual) -> Vec<String> {
        Vec::new()
    }

    /// How many changes AWS has room for now. The others wait for another look.
    fn capacity(&self, _actual: &Self::Actual) -> usize {
        usize::MAX
    }

    /// Why it cannot be said yet that the account has what it should have: a change that AWS took and is still at work
    /// on, or something that could be read and not understood. Until then the control is neither compliant nor fixed.
    fn pending(&self, _desired: &Self::Desired, _actual: &Self::Actual) -> Option<Failure> {
        None
    }

    /// Whether two changes that follow one another in the plan may be made at the same time.
    fn are_concurrent(&self, _one: &Self::Change, _next: &Self::Change) -> bool {
        false
    }
}
