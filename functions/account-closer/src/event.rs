//! What is published, and kept in the journal, of the closing of accounts.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    closed_set::ClosedSet,
    error::Failure,
    gateway::{Event, EventType},
    ids::{AccountId, OrganizationalUnitId},
    table::{
        closures::{CalledOff, Closure, ClosureState, Told},
        journal::Journaled,
        keys::{self, Many},
    },
};
use strum::{IntoStaticStr, VariantArray};

/// What was done, or was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// To tag the account and move it to the unit for accounts that are to be closed.
    Suspend,
    /// To take the account out of a stack set, whose stacks stay.
    Release,
    /// To ask AWS to close it.
    Close,
    /// To move it back and take its tag away.
    Keep,
    /// Nothing more: it is over.
    End,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Finding {
    /// It has begun; whoever finds this and nothing else knows that it was killed.
    Begun,
    /// It was not even tried.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
    /// The account is tagged, and in the unit for accounts that are to be closed.
    Suspended {
        /// Where it was.
        #[schemars(with = "String")]
        from_unit: OrganizationalUnitId,
        /// The end of the cooling-off time.
        closes_at: Timestamp,
    },
    /// AWS has taken the call that takes it out of a stack set.
    Released {
        /// The stack set.
        stack_set: String,
        /// The operation.
        operation: String,
    },
    /// AWS has taken the call to close it.
    Asked,
    /// It was called off, and the account is back where it was, or where somebody has moved it in between.
    Kept {
        /// Where it is.
        #[schemars(with = "String")]
        unit: OrganizationalUnitId,
        /// Who has called it off.
        #[serde(flatten)]
        called_off: CalledOff,
    },
    /// It is closed.
    Closed {
        /// When that was seen.
        closed_at: Timestamp,
        /// The day on which AWS removes it for good.
        #[serde(skip_serializing_if = "Option::is_none")]
        gone_on: Option<Date>,
        /// Whether somebody else has asked AWS to, before Steward was to.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        past_steward: bool,
    },
    /// It could not be done now, and is tried again.
    PutOff {
        /// What stands in the way.
        #[serde(flatten)]
        failure: Failure,
    },
    /// It stopped.
    Failed {
        /// Why, and what to do.
        #[serde(flatten)]
        failure: Failure,
    },
}

/// The closing of an account has come further, or was refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountClosureAdvanced {
    /// The invocation; CloudTrail and the function's log have it as well.
    pub invocation: String,
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// Why it is closed, in the words of whoever asked.
    pub reason: String,
    /// Who asked, as they say; CloudTrail knows who invoked the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// What was done, or was to be done.
    pub act: Act,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
    /// What the rows of the journal are told apart by.
    #[serde(skip)]
    subject: String,
}

impl AccountClosureAdvanced {
    /// What came of an act of this invocation.
    pub(crate) fn of(closure: &Closure, act: Act, finding: Finding, invocation: &str) -> Self {
        Self {
            invocation: invocation.to_owned(),
            account_id: closure.account_id.clone(),
            account_name: closure.account_name.clone(),
            reason: closure.reason.clone(),
            requested_by: closure.requested_by.clone(),
            act,
            finding,
            subject: format!("{}#{}", closure.account_id, act.name()),
        }
    }

    /// The same of one stack set that the account is in.
    pub(crate) fn of_stack_set(closure: &Closure, stack_set: &str, finding: Finding, invocation: &str) -> Self {
        let event = Self::of(closure, Act::Release, finding, invocation);
        Self { subject: format!("{}-{stack_set}", event.subject), ..event }
    }

    /// That it was refused to close an account.
    pub(crate) fn refused(
        (account_id, account_name): (&AccountId, &str),
        (reason, requested_by): (&str, Option<&str>),
        why: &str,
        invocation: &str,
    ) -> Self {
        Self {
            invocation: invocation.to_owned(),
            account_id: account_id.clone(),
            account_name: account_name.to_owned(),
            reason: reason.to_owned(),
            requested_by: requested_by.map(ToOwned::to_owned),
            act: Act::Suspend,
            finding: Finding::Refused { why: why.to_owned() },
            subject: format!("{account_id}#{}", Act::Suspend.name()),
        }
    }

    /// How the closing of an account has ended; None while it has not.
    pub(crate) fn end(closure: &Closure, invocation: &str) -> Option<Self> {
        let (act, finding) = match &closure.state {
            ClosureState::Closed { closed_at } => {
                let (gone_on, past_steward) = (closure.gone_on(), closure.past_steward);
                (Act::End, Finding::Closed { closed_at: *closed_at, gone_on, past_steward })
            }
            ClosureState::Kept(called_off) => {
                (Act::Keep, Finding::Kept { unit: closure.from_unit.clone(), called_off: called_off.clone() })
            }
            ClosureState::Failed { failure } => (Act::End, Finding::Failed { failure: failure.clone() }),
            _ => return None,
        };
        Some(Self::of(closure, act, finding, invocation))
    }
}

impl Event for AccountClosureAdvanced {
    const TYPE: EventType = EventType::AccountClosureAdvanced;
}

impl Journaled for AccountClosureAdvanced {
    const KIND: Many = keys::ACCOUNT_CLOSURE;

    fn invocation(&self) -> &str {
        &self.invocation
    }

    fn subject(&self) -> &str {
        &self.subject
    }
}

/// Accounts will be closed, if nobody calls it off.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountClosuresAnnounced {
    /// `begun` when they have begun to wait for it, `due` when it is less than a day away, `held` when its time has come and
    /// somebody has to do something first.
    pub notice: Told,
    /// The earliest moment at which one of them is closed.
    pub closes_at: Timestamp,
    /// How many they are.
    pub count: usize,
    /// The accounts, in the order in which they are closed.
    pub accounts: Vec<Announced>,
}

/// An account that will be closed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Announced {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// Why it is closed.
    pub reason: String,
    /// Who asked, as they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// When it is closed at the earliest.
    pub closes_at: Timestamp,
    /// What has to be done first, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How many accounts one event names: with reasons as long as they may be, EventBridge takes it (256 KB).
pub(crate) const ANNOUNCED_AT_ONCE: usize = 50;

impl AccountClosuresAnnounced {
    /// The news of these closures, each with what has to be done first; None of none.
    pub(crate) fn of(notice: Told, closures: &[(Closure, Option<String>)]) -> Option<Self> {
        let closes_at = closures.iter().map(|(closure, _)| closure.closes_at).min()?;
        let accounts = closures.iter().map(|(closure, why)| Announced {
            account_id: closure.account_id.clone(),
            account_name: closure.account_name.clone(),
            reason: closure.reason.clone(),
            requested_by: closure.requested_by.clone(),
            closes_at: closure.closes_at,
            why: why.clone(),
        });
        Some(Self { notice, closes_at, count: closures.len(), accounts: accounts.collect() })
    }
}

impl Event for AccountClosuresAnnounced {
    const TYPE: EventType = EventType::AccountClosuresAnnounced;
}
