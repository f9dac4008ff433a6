//! What to do next about a request, and what an answer of AWS means for it. Pure: no call, no clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Request, State};
use crate::{
    error::{Cause, Failure},
    gateway::{Account, AccountState, CallError, CreateAccountOutcome, CreateAccountStatus},
    ids::{AccountId, CreateAccountRequestId, OrganizationalUnitId},
    poll_backoff::PollBackoff,
};

/// Whether this invocation has put the request into its state, or found it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// This invocation wrote the state a moment ago: it alone goes on from here.
    Entered,
    /// Somebody else did, who may be at work or gone.
    Found,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take a place among the accounts in flight, and write [`State::Creating`].
    Claim,
    /// Call `CreateAccount`.
    Create,
    /// Look at AWS for what a call whose answer is lost has done.
    LookForLostAnswer,
    /// Ask how far the call has come.
    CheckStatus(CreateAccountRequestId),
    /// Move the account to its unit, unless it is there.
    Place(AccountId),
    /// Tell the end.
    Announce,
    /// Give up.
    TimeOut,
    /// Look again at this time: another invocation is at it.
    Wait(Timestamp),
    /// Nothing is left to do.
    Done,
}

/// The next thing to do about a request.
pub fn next_step(request: &Request, seen: Seen, backoff: PollBackoff, now: Timestamp) -> Step {
    let after = |patience: Duration| later(request.since(), patience);
    match &request.state {
        State::Ready { .. } | State::Failed { .. } => match (request.announced, seen) {
            (true, _) => Step::Done,
            (false, Seen::Found) if now < after(backoff.announce_patience()) => {
                Step::Wait(after(backoff.announce_patience()))
            }
            (false, _) => Step::Announce,
        },
        _ if request.is_spent(now) => Step::TimeOut,
        State::Requested => Step::Claim,
        State::Creating => match seen {
            Seen::Entered => Step::Create,
            Seen::Found if now < after(backoff.call_patience()) => Step::Wait(after(backoff.call_patience())),
            Seen::Found => Step::LookForLostAnswer,
        },
        State::InProgress { create_account_request_id } => Step::CheckStatus(create_account_request_id.clone()),
        State::Placing { account_id } => Step::Place(account_id.clone()),
    }
}

/// What an answer means for the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It enters a state, and is looked at at once.
    Enter(State),
    /// It enters a state, and is looked at again after a while.
    EnterAndWait(State, Duration),
    /// It stays, and is looked at again after a while.
    Stay(Duration),
    /// AWS had no room for it: it waits in line again, where its time does not count.
    BackInLine(Duration),
    /// It stays, and the search for its lost answer goes on from here after a while.
    SearchOn(String, Duration),
}

/// What the answer of `CreateAccount` means.
pub fn after_create(
    request: &Request,
    answer: &Result<CreateAccountStatus, CallError>,
    backoff: PollBackoff,
    now: Timestamp,
) -> Progress {
    match answer {
        Ok(status) => match &status.outcome {
            CreateAccountOutcome::InProgress => {
                let state = State::InProgress { create_account_request_id: status.id.clone() };
                Progress::EnterAndWait(state, backoff.poll)
            }
            CreateAccountOutcome::Succeeded(account_id) => {
                Progress::Enter(State::Placing { account_id: account_id.clone() })
            }
            // Read again by id, where failures are judged.
            CreateAccountOutcome::Failed(_) => {
                Progress::Enter(State::InProgress { create_account_request_id: status.id.clone() })
            }
        },
        // AWS may have taken the call: that is found out later, by looking.
        Err(error) if !error.refused => Progress::Stay(backoff.call_patience()),
        Err(CallError { cause, .. }) if is_no_turn(*cause) => {
            Progress::BackInLine(line_wait(request, *cause, backoff, now))
        }
        Err(error) => give_up_or_ask_again(request, error.cause, || error.into(), backoff, now),
    }
}

/// Whether AWS has not even looked at the request: others were too many or too fast, the organization was busy, or the
/// call was held back.
fn is_no_turn(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::TooManyCreationsInProgress
            | Cause::Throttled
            | Cause::NoTimeLeft
            | Cause::ConcurrentModification
            | Cause::FinalizingOrganization
    )
}

/// How long to wait for the next turn: as the catalogue says, and more seldom when that lasts, so that many who wait do
/// not keep each other from it.
fn line_wait(request: &Request, cause: Cause, backoff: PollBackoff, now: Timestamp) -> Duration {
    let seldom = (waited(request.attempted_at(), now) / 8).min(backoff.poll * 12);
    backoff.wait_for(cause).unwrap_or(backoff.poll).max(seldom)
}

/// What the status of a call means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on.
    Progress(Progress),
    /// AWS says that the account is already there or in the making: by this very request, perhaps. Look.
    MayBeOurs(Cause),
}

/// What the status of the call means.
pub fn after_status(request: &Request, status: &CreateAccountStatus, backoff: PollBackoff, now: Timestamp) -> Verdict {
    Verdict::Progress(match &status.outcome {
        CreateAccountOutcome::InProgress => Progress::Stay(delay(request, backoff, now)),
        CreateAccountOutcome::Succeeded(account_id) => {
            Progress::Enter(State::Placing { account_id: account_id.clone() })
        }
        CreateAccountOutcome::Failed(reason) => match Cause::of_create_account_failure(reason) {
            cause @ (Cause::EmailAlreadyExists | Cause::ConcurrentAccountModification) => {
                return Verdict::MayBeOurs(cause);
            }
            cause => give_up_or_ask_again(request, cause, || refused(cause, reason), backoff, now),
        },
    })
}

/// What AWS shows of a request whose answer was lost.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The account of the organization with the request's e-mail address.
    pub account: Option<Account>,
    /// Calls of `CreateAccount` that were looked at.
    pub calls: Vec<CreateAccountStatus>,
    /// From where the search goes on, when not every call was looked at.
    pub more: Option<String>,
}

/// What is found when AWS is looked at for the answer of a call that was lost.
pub fn after_looking(request: &Request, evidence: &Evidence, backoff: PollBackoff, now: Timestamp) -> Progress {
    if let Some(progress) = adopted(request, evidence) {
        return progress;
    }
    let failed = calls_of(request, &evidence.calls, request.since()).find_map(|status| match &status.outcome {
        CreateAccountOutcome::Failed(reason) => Some(reason.as_str()),
        _ => None,
    });
    match (failed, &evidence.more) {
        (Some(reason), _) => {
            let cause = Cause::of_create_account_failure(reason);
            give_up_or_ask_again(request, cause, || refused(cause, reason), backoff, now)
        }
        (None, Some(next)) => Progress::SearchOn(next.clone(), backoff.poll),
        // The call never reached AWS. A second one cannot make a second account: an address has one account.
        (None, None) if now >= later(request.since(), backoff.call_patience() + backoff.lookup_patience()) => {
            Progress::Enter(State::Requested)
        }
        (None, None) => Progress::Stay(backoff.poll * 2),
    }
}

/// What is found when a call failed because the account is already there or in the making.
pub fn after_duplicate(
    request: &Request,
    cause: Cause,
    evidence: &Evidence,
    backoff: PollBackoff,
    now: Timestamp,
) -> Progress {
    match (adopted(request, evidence), &evidence.more) {
        (Some(progress), _) => progress,
        (None, Some(next)) => Progress::SearchOn(next.clone(), backoff.poll),
        (None, None) => give_up_or_ask_again(request, cause, || Failure::new(cause), backoff, now),
    }
}

/// The account, or the running call, that this request has brought about.
fn adopted(request: &Request, evidence: &Evidence) -> Option<Progress> {
    if let Some(account) = &evidence.account {
        let ours = account.state == AccountState::Active
            && account.name == request.spec.account_name.as_str()
            && account.joined_at.is_some_and(|at| at >= with_skew(request.first_requested_at));
        return Some(Progress::Enter(if ours {
            State::Placing { account_id: account.id.clone() }
        } else {
            let is_active = account.state == AccountState::Active;
            let cause = if is_active { Cause::EmailInOrganization } else { Cause::EmailOfInactiveAccount };
            let failure = Failure::with_detail(cause, format_args!("It is {}.", account.id));
            State::Failed { failure, account_id: None, create_account_request_id: None }
        }));
    }
    let running = calls_of(request, &evidence.calls, request.first_requested_at)
        .find(|status| status.outcome == CreateAccountOutcome::InProgress)?;
    Some(Progress::Enter(State::InProgress { create_account_request_id: running.id.clone() }))
}

/// The calls for an account of the request's name, made since a time. AWS does not show the address of a call; the
/// requester admits no two open requests with one name, and an account is only taken up when it has the address.
pub fn calls_of<'a>(
    request: &'a Request,
    calls: &'a [CreateAccountStatus],
    since: Timestamp,
) -> impl Iterator<Item = &'a CreateAccountStatus> {
    calls.iter().filter(move |status| {
        status.account_name.as_deref() == Some(request.spec.account_name.as_str())
            && status.requested_at.is_some_and(|at| at >= with_skew(since))
    })
}

/// Where the account sits, and what that calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It is where it should be, or nobody said where that is.
    InPlace,
    /// It is to be moved.
    Move {
        /// The unit or root that holds it.
        from: OrganizationalUnitId,
        /// The unit that should.
        to: OrganizationalUnitId,
    },
    /// AWS does not show it yet.
    NotShown,
    /// It has another address: it was taken up by its name, and is somebody else's.
    NotOurs,
}

/// Where an account sits, and what that calls for.
pub fn placement(request: &Request, account: &Account) -> Placement {
    if !account.has_email(&request.spec.email) {
        return Placement::NotOurs;
    }
    match (&request.spec.organizational_unit, &account.parent) {
        (None, _) => Placement::InPlace,
        (Some(to), Some(from)) if to == from => Placement::InPlace,
        (Some(to), Some(from)) => Placement::Move { from: from.clone(), to: to.clone() },
        (Some(_), None) => Placement::NotShown,
    }
}

/// What the answer of `MoveAccount` means.
pub fn after_move(request: &Request, answer: Result<(), CallError>, backoff: PollBackoff, now: Timestamp) -> Progress {
    match answer {
        // Others read where it sits to know its baseline. AWS Organizations is eventually consistent: it is announced once AWS
        // shows it in its place.
        Ok(()) => Progress::Stay(backoff.poll),
        // Moved meanwhile, by another invocation or by a person: the next look tells where to.
        Err(error) if matches!(error.cause, Cause::Conflict | Cause::NotFound) => {
            Progress::Stay(delay(request, backoff, now))
        }
        Err(error) => after_failed_read(request, error, backoff, now),
    }
}

/// The end of a request whose account has turned out to be another one's. Nothing of it is kept: the next attempt starts
/// from the beginning.
pub fn not_recognised(account_id: &AccountId) -> State {
    let failure = Failure::with_detail(Cause::AccountNotRecognised, format_args!("It is {account_id}."));
    State::Failed { failure, account_id: None, create_account_request_id: None }
}

/// What a failed call means that can be repeated without harm.
pub fn after_failed_read(request: &Request, error: CallError, backoff: PollBackoff, now: Timestamp) -> Progress {
    match backoff.wait_for(error.cause) {
        Some(wait) => Progress::Stay(wait.max(delay(request, backoff, now))),
        // An account that was made a moment ago is not shown everywhere at once.
        None if error.cause == Cause::NotFound => Progress::Stay(delay(request, backoff, now)),
        None => Progress::Enter(failed(request, error.into())),
    }
}

/// How long to wait before the next look at a state: half of what was waited already, one poll at least and twelve
/// at most. A state that takes seconds is seen within seconds, and one that takes hours costs few calls.
pub fn delay(request: &Request, backoff: PollBackoff, now: Timestamp) -> Duration {
    waited(request.since(), now).div_f64(2.0).clamp(backoff.poll, backoff.poll * 12)
}

/// The end of a request, with what the next attempt can go on from.
fn failed(request: &Request, failure: Failure) -> State {
    State::Failed {
        failure,
        account_id: request.state.account_id().cloned(),
        create_account_request_id: request.state.create_account_request_id().cloned(),
    }
}

/// The end of a request that took too long.
impl Request {
    /// The state after the deadline.
    pub fn timed_out(&self) -> State {
        let why = match self.deadline {
            Some(_) => "when the time was up",
            None => "and its turn has not come within a week",
        };
        let detail = format_args!("It was {} {why}.", self.state.name());
        failed(self, Failure::with_detail(Cause::DeadlineExceeded, detail))
    }
}

/// AWS has refused to create the account. Where the catalogue says that waiting helps, it is asked again, ever more
/// seldom.
fn give_up_or_ask_again(
    request: &Request,
    cause: Cause,
    failure: impl FnOnce() -> Failure,
    backoff: PollBackoff,
    now: Timestamp,
) -> Progress {
    let Some(wait) = backoff.wait_for(cause) else {
        let failure = failure();
        return Progress::Enter(State::Failed { failure, account_id: None, create_account_request_id: None });
    };
    let waited = waited(request.first_requested_at, now).min(backoff.poll * 600);
    Progress::EnterAndWait(State::Requested, wait.max(waited / 8))
}

fn refused(cause: Cause, reason: &str) -> Failure {
    Failure::with_detail(cause, format_args!("AWS gave the reason {reason}."))
}

fn waited(since: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(since).try_into().unwrap_or_default()
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| time.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Clocks differ, and AWS gives whole seconds.
fn with_skew(time: Timestamp) -> Timestamp {
    time.checked_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
