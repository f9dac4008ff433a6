//! What is next for an account that is being closed. Pure.

use jiff::{SignedDuration, Timestamp};
use steward::{
    error::{Cause, Failure},
    gateway::{Account, AccountState},
    ids::OrganizationalUnitId,
    session::Protection,
    table::closures::{Closure, ClosureState, Told},
};

use crate::stacks::{self, Held};

/// How many accounts AWS closes at once for one organization (AWS Organizations user guide, "Quotas").
pub(crate) const AT_ONCE: usize = 3;
/// How long before the end of the cooling-off time people are told once more.
const DUE: SignedDuration = SignedDuration::from_hours(24);
/// How long the cooling-off time must be for that: before a shorter one, they have only just been told.
const WORTH_TELLING_AGAIN: SignedDuration = SignedDuration::from_hours(48);
/// How long AWS may show an account where it was before it was moved (AWS Organizations API reference, "eventual consistency").
const SHOWN_LATE: SignedDuration = SignedDuration::from_mins(1);
/// How long AWS may show an account as active although it has taken the call to close it.
const PATIENCE: SignedDuration = SignedDuration::from_hours(6);

/// An account as it was seen a moment ago.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The account; None for one that is not in the organization.
    pub(crate) account: Option<Account>,
    /// What keeps it from being changed, beside the unit that it is in.
    pub(crate) protection: Option<Protection>,
    /// Whether it administers a service for the organization.
    pub(crate) is_delegated: bool,
    /// What it has of stack sets; looked at when its time has come.
    pub(crate) held: Vec<Held>,
}

impl Seen {
    /// Whether AWS shows it as usable.
    pub(crate) fn is_active(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.state == AccountState::Active)
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Nothing now.
    Rest,
    /// AWS is asked about the account.
    Look,
    /// People are told this.
    Announce(Told),
    /// This is written.
    Enter(ClosureState),
    /// The account is tagged and, from this unit, moved to the one for accounts that are to be closed.
    Suspend { from: Option<OrganizationalUnitId> },
    /// It is to be taken out of stack sets, by Steward or by people, before it is closed.
    Release(Vec<Held>),
    /// AWS is asked to close it.
    Ask,
    /// Its tag is taken away, and it comes back.
    Restore(WayBack),
    /// People are told how it ended.
    TellEnd,
}

/// How an account whose closing was called off comes back to where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// It is moved, from the unit for accounts that are to be closed.
    From(OrganizationalUnitId),
    /// AWS shows it there: then it is, or AWS shows late that it was moved away, to this unit.
    ShownBack(OrganizationalUnitId),
    /// It has not left.
    HasNotLeft,
    /// It does not: somebody has moved it to this unit, and so decided where it belongs.
    Elsewhere(OrganizationalUnitId),
}

/// Whether AWS may show an account late where it was before it was kept. Asked for again at that moment, it would be taken to
/// belong there.
pub(crate) fn may_be_shown_late(ended: &Closure, account: &Account, now: Timestamp) -> bool {
    matches!(ended.state, ClosureState::Kept(_))
        && account.parent.as_ref() != Some(&ended.from_unit)
        && now.duration_since(ended.since) < SHOWN_LATE
}

/// What is next. `seen` is there once AWS was asked; `may_ask` says whether there is room for one more call that closes an
/// account; `unit` is the one for accounts that are to be closed.
pub(crate) fn next(
    closure: &Closure,
    seen: Option<&Seen>,
    may_ask: bool,
    unit: &OrganizationalUnitId,
    now: Timestamp,
) -> Step {
    use ClosureState::{Closed, Closing, Cooling, Failed, Keeping, Kept, Pending, Suspending};
    match &closure.state {
        Closed { .. } | Kept(_) | Failed { .. } => {
            return if closure.told < Told::End { Step::TellEnd } else { Step::Rest };
        }
        // What AWS closes, or has closed, past Steward waits for nothing.
        Cooling if seen.is_none_or(Seen::is_active) => {
            if let Some(step) = waiting(closure, may_ask, now) {
                return step;
            }
        }
        Cooling | Suspending | Closing | Pending | Keeping(_) => {}
    }
    let Some(seen) = seen else { return Step::Look };
    let Some(account) = &seen.account else {
        return Step::Enter(if closure.state.is_with_aws() {
            Closed { closed_at: now }
        } else {
            stopped(Failure::new(Cause::AccountNotInOrganization))
        });
    };
    match &account.state {
        AccountState::Active => {}
        AccountState::Other(state) if state == "CLOSED" => return Step::Enter(Closed { closed_at: now }),
        AccountState::Other(state) if state == "PENDING_CLOSURE" => {
            return if closure.state == Pending { Step::Rest } else { Step::Enter(Pending) };
        }
        AccountState::Other(state) => {
            let detail = format!("The account is {state}.");
            return Step::Enter(stopped(Failure::with_detail(Cause::AccountNotActive, detail)));
        }
    }
    // Nothing is changed while the switch is on, and nothing given up for it.
    if matches!(seen.protection, Some(Protection::Switch | Protection::PlanOnly)) {
        return Step::Rest;
    }
    let is_in_unit = account.parent.as_ref() == Some(unit);
    let is_shown_back = !is_in_unit && account.parent.as_ref() == Some(&closure.from_unit);
    match &closure.state {
        Suspending => match obstacle(seen) {
            Some(failure) => Step::Enter(stopped(failure)),
            None => Step::Suspend { from: account.parent.clone().filter(|_| !is_in_unit) },
        },
        // It was moved away from there a moment ago.
        Cooling if is_shown_back && now.duration_since(closure.since) < SHOWN_LATE => Step::Rest,
        Cooling if !is_in_unit => {
            let detail = "Somebody has moved it out of the unit for accounts that are to be closed.";
            Step::Enter(stopped(Failure::with_detail(Cause::ClosureStopped, detail)))
        }
        Cooling => match (obstacle(seen), stacks::obstacle(&seen.held)) {
            (Some(failure), _) => Step::Enter(stopped(failure)),
            (None, Some(_)) => Step::Release(seen.held.clone()),
            (None, None) => Step::Enter(Closing),
        },
        Closing if may_ask => Step::Ask,
        Pending if now.duration_since(closure.since) > PATIENCE => {
            let detail = "AWS has taken the call to close it, and shows it as active.";
            Step::Enter(stopped(Failure::with_detail(Cause::ClosureStopped, detail)))
        }
        Keeping(_) => {
            let elsewhere = account.parent.clone().filter(|_| !is_in_unit && !is_shown_back);
            Step::Restore(match elsewhere {
                Some(elsewhere) => WayBack::Elsewhere(elsewhere),
                None if closure.from_unit == *unit || account.parent.is_none() => WayBack::HasNotLeft,
                None if is_shown_back => WayBack::ShownBack(unit.clone()),
                None => WayBack::From(unit.clone()),
            })
        }
        _ => Step::Rest,
    }
}

/// What is next for an account in its cooling-off time; None when its time has come.
fn waiting(closure: &Closure, may_ask: bool, now: Timestamp) -> Option<Step> {
    if closure.told < Told::Begun {
        return Some(Step::Announce(Told::Begun));
    }
    let left = closure.closes_at.duration_since(now);
    if left.is_positive() {
        let is_worth_it = closure.closes_at.duration_since(closure.requested_at) >= WORTH_TELLING_AGAIN;
        let tells = closure.told < Told::Due && left <= DUE && is_worth_it;
        return Some(if tells { Step::Announce(Told::Due) } else { Step::Rest });
    }
    (!may_ask).then_some(Step::Rest)
}

/// Why an account must not be closed, although it was asked for.
fn obstacle(seen: &Seen) -> Option<Failure> {
    match seen.protection {
        Some(protection @ (Protection::Stack | Protection::Document)) => {
            Some(Failure::with_detail(protection.cause(), protection.why()))
        }
        _ if seen.is_delegated => Some(Failure::with_detail(
            Cause::ClosureStopped,
            "It administers a service for the organization; deregister it as delegated administrator first.",
        )),
        _ => None,
    }
}

fn stopped(failure: Failure) -> ClosureState {
    ClosureState::Failed { failure }
}

/// What AWS's answer to the call that closes an account comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// AWS is closing it, or has.
    Taken,
    /// It waits for its turn: AWS has not taken the call.
    BackInLine,
    /// The same, for the quota of 30 days.
    QuotaUsedUp,
    /// Nobody knows whether AWS has taken the call; the next look will show it.
    Unknown,
    /// AWS will not close it.
    Refused,
    /// AWS closes it already, and was asked by somebody else.
    TakenPastSteward,
}

/// What an answer to the call that closes an account comes to, or the cause of an error in its place and whether AWS has refused
/// the call. `may_have_asked`: whether an invocation before this one may have made that call.
pub(crate) fn after_asking(error: Option<(Cause, bool)>, may_have_asked: bool) -> After {
    let Some((cause, is_refused)) = error else { return After::Taken };
    match cause {
        // It is being closed already, or is closed: by an earlier call, whose answer was lost.
        Cause::Conflict | Cause::AccountNotActive if may_have_asked => After::Taken,
        Cause::Conflict | Cause::AccountNotActive => After::TakenPastSteward,
        Cause::ClosureQuotaExceeded => After::QuotaUsedUp,
        Cause::TooManyClosuresInProgress | Cause::Throttled | Cause::NoTimeLeft | Cause::ConcurrentModification => {
            After::BackInLine
        }
        _ if !is_refused => After::Unknown,
        cause if cause.is_retryable() => After::BackInLine,
        _ => After::Refused,
    }
}

/// In which order closures are worked on: those that are called off, those that AWS has, those that are waiting to be closed,
/// and then those that begin.
pub(crate) fn rank(state: &ClosureState) -> u8 {
    match state {
        ClosureState::Keeping(_) => 0,
        ClosureState::Closing | ClosureState::Pending => 1,
        ClosureState::Closed { .. } | ClosureState::Kept(_) | ClosureState::Failed { .. } => 2,
        ClosureState::Cooling => 3,
        ClosureState::Suspending => 4,
    }
}

#[cfg(test)]
mod tests;
