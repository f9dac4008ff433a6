//! What can come of a control.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::AnyControl;
use crate::{
    error::{Cause, Failure, Retry},
    gateway::CallError,
    ids::AccountId,
};

/// After how many seconds a denial in a young account is worth another look.
const SETTLING_SECONDS: u32 = 30;

/// What a line begins with that says what is left to people, among lines that say what is or would be changed.
const BY_HAND: &str = "by hand: ";

/// Marks what is left to people.
pub(super) fn by_hand(what: &str) -> String {
    format!("{BY_HAND}{what}")
}

/// What is known of one control in one account after it ran. A read that failed is never `Compliant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, VariantNames)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Everything is as it should be.
    Compliant,
    /// Something differs; nothing was changed.
    Drifted {
        /// What would be changed, and behind it what is left to people.
        planned: Vec<String>,
    },
    /// Something differed; it was changed, and read back.
    Fixed {
        /// What was changed.
        applied: Vec<String>,
    },
    /// The changes went through, if there were any, and what was read back still differs.
    NotConverged {
        /// What was changed.
        applied: Vec<String>,
        /// What still differs, and what is left to people.
        remaining: Vec<String>,
    },
    /// It is a matter of time: the account is too young, or AWS is still at work. It is worth a look later.
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
    /// Somebody has decided that the account need not have it.
    Exempt {
        /// The reason that the document gives.
        reason: String,
        /// The last day on which that holds.
        until: Date,
    },
    /// It is not looked at, because the baseline does not ask for it or the account cannot have it.
    Skipped {
        /// The reason, as a sentence.
        why: String,
    },
}

impl Outcome {
    /// Whether the account has what it should have, as far as this control goes.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Compliant | Self::Fixed { .. } | Self::Exempt { .. } | Self::Skipped { .. } => true,
            Self::Drifted { .. } | Self::NotConverged { .. } | Self::NotReady { .. } | Self::Unknown { .. } => false,
        }
    }

    /// Whether looking again later can lead to another outcome by itself.
    pub fn is_worth_another_look(&self) -> bool {
        match self {
            Self::NotReady { .. } | Self::NotConverged { .. } => true,
            Self::Unknown { failure, .. } => failure.retryable,
            Self::Compliant
            | Self::Drifted { .. }
            | Self::Fixed { .. }
            | Self::Exempt { .. }
            | Self::Skipped { .. } => false,
        }
    }

    /// Whether something differs of it, and none of that is for Steward to change.
    pub fn is_left_to_people(&self) -> bool {
        match self {
            Self::Drifted { planned: open } | Self::NotConverged { remaining: open, .. } => {
                open.iter().all(|line| line.starts_with(BY_HAND))
            }
            Self::Compliant
            | Self::Fixed { .. }
            | Self::NotReady { .. }
            | Self::Unknown { .. }
            | Self::Exempt { .. }
            | Self::Skipped { .. } => false,
        }
    }

    /// The same, seen in a young account. What AWS grants a new account's access role takes a while to hold everywhere, so
    /// until the account is settled a denial is a matter of time; afterwards even a role that cannot be assumed is none.
    pub(super) fn in_an_account(self, is_settling: bool) -> Self {
        match self {
            Self::Unknown { applied, failure }
                if is_settling && matches!(failure.cause, Cause::AccessDenied | Cause::RootSessionDenied) =>
            {
                Self::NotReady { applied, retry_after: SETTLING_SECONDS, failure: failure.that_may_pass() }
            }
            Self::NotReady { applied, failure, .. } if !is_settling && failure.cause == Cause::RoleNotAssumable => {
                Self::Unknown { applied, failure: failure.because_of(Cause::AccessRoleUnusable) }
            }
            other => other,
        }
    }

    /// The outcome of a control that had to stop.
    pub(super) fn stopped(applied: Vec<String>, failure: Failure) -> Self {
        match (is_matter_of_time(failure.cause), failure.cause.row().retry) {
            (true, Retry::AfterSeconds(retry_after)) => Self::NotReady { applied, retry_after, failure },
            _ => Self::Unknown { applied, failure },
        }
    }
}

/// Whether the cause is a state that ends by itself, and not a call that went wrong.
fn is_matter_of_time(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::RoleNotAssumable
            | Cause::OptInRequired
            | Cause::SubscriptionRequired
            | Cause::CredentialsNotAccepted
            | Cause::NotVisibleYet
            | Cause::RegionDisabled
            | Cause::RegionInTransition
            | Cause::RegionOptQuota
            | Cause::StackSetBusy
    )
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// The account.
    pub account_id: AccountId,
    /// The control.
    #[schemars(with = "String")]
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
        Self::stopped(account_id, control, Failure::from(error))
    }

    /// As [`Row::failed`], for a control that was never begun because of something else than its own calls.
    pub fn stopped(account_id: &AccountId, control: &dyn AnyControl, failure: Failure) -> Self {
        Self::of(account_id, control, Outcome::stopped(Vec::new(), failure))
    }

    /// The row of a control that is not run.
    pub fn skipped(account_id: &AccountId, control: &dyn AnyControl, why: impl Into<String>) -> Self {
        Self::of(account_id, control, Outcome::Skipped { why: why.into() })
    }

    /// The row of a control that the account is exempt from.
    pub fn exempt(account_id: &AccountId, control: &dyn AnyControl, reason: impl Into<String>, until: Date) -> Self {
        Self::of(account_id, control, Outcome::Exempt { reason: reason.into(), until })
    }

    pub(super) fn of(account_id: &AccountId, control: &dyn AnyControl, outcome: Outcome) -> Self {
        Self { account_id: account_id.clone(), control: ControlId(control.id()), outcome, notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exemption_settles_a_control_and_names_its_last_day() {
        let exempt = Outcome::Exempt { reason: "migration".into(), until: "2027-03-31".parse().unwrap() };
        assert!(exempt.is_settled() && !exempt.is_worth_another_look());
        let shown = serde_json::to_value(&exempt).unwrap();
        assert_eq!(shown, json!({"outcome": "exempt", "reason": "migration", "until": "2027-03-31"}));
        assert_eq!(serde_json::from_value::<Outcome>(shown).unwrap(), exempt);
    }

    #[test]
    fn what_ends_by_itself_is_not_ready_and_everything_else_is_unknown() {
        for cause in Cause::ALL {
            let outcome = Outcome::stopped(Vec::new(), Failure::new(*cause));
            assert!(!outcome.is_settled(), "{cause}");
            match outcome {
                Outcome::NotReady { retry_after, .. } => assert!(retry_after > 0, "{cause}"),
                // A cause that is a matter of time has to say of how much.
                _ => assert!(!is_matter_of_time(*cause), "{cause}"),
            }
        }
    }
}
