//! Whether a spec becomes a request. Pure: the requester reads, this decides.

use jiff::Timestamp;

use super::{AccountSpec, Request, State};
use crate::{
    error::{Cause, Failure},
    gateway::{Account, AccountState},
    ids::EventId,
    input::Problem,
};

/// When and by what a request was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When: the time of the event, or of the call.
    pub at: Timestamp,
    /// The event, if an event did.
    pub event_id: Option<EventId>,
}

/// What is known when a spec comes in.
#[derive(Debug, Default)]
pub struct Known {
    /// The request with the spec's e-mail address, if there is one.
    pub earlier: Option<Request>,
    /// The account of that request as AWS shows it now; None when it has none, or when the account has left.
    pub earlier_account: Option<Account>,
    /// The account of the organization that has the spec's e-mail address, as AWS shows it now.
    pub holder: Option<Account>,
    /// Requests that have not ended, whoever sent them.
    pub open_requests: Vec<Request>,
    /// How many requests were admitted today.
    pub admitted_today: u32,
    /// How many may be.
    pub daily_cap: u32,
    /// Whether the unit that the spec names does not exist.
    pub lacks_unit: bool,
}

/// What becomes of a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is already a request: the same one again.
    Known(Box<Request>),
    /// It becomes a request.
    Start(Box<Request>),
    /// It is refused, with everything that stands against it.
    Refuse(Failure, Vec<Problem>),
}

/// Decides about a spec. `deadline` is that of an attempt whose turn begins now.
pub fn admit(spec: AccountSpec, asked: &Asked, known: &Known, now: Timestamp, deadline: Timestamp) -> Admission {
    if let Some(request) = &known.earlier {
        if is_late(request, asked) {
            return Admission::Known(Box::new(request.clone()));
        }
        if holds(request, known) && !known.lacks_unit {
            return same_again(request, &spec);
        }
    }

    // The account that an earlier attempt has left behind is taken up again, not refused.
    let ours = known.earlier.as_ref().and_then(|request| left_behind(request, &spec, known));
    let objections = objections(&spec, ours, known);
    if let Some((cause, _)) = objections.first() {
        let failure = Failure::new(*cause);
        return Admission::Refuse(failure, objections.into_iter().map(|(_, problem)| problem).collect());
    }

    let start = match (ours, known.earlier.as_ref().and_then(|request| request.state.create_account_request_id())) {
        (Some(account), _) => State::Placing { account_id: account.id.clone() },
        (None, Some(id)) => State::InProgress { create_account_request_id: id.clone() },
        (None, None) => State::Requested,
    };
    let request = match &known.earlier {
        Some(request) => request.again(spec, start, now, deadline),
        None => Request::new(spec, start, now, deadline),
    };
    Admission::Start(Box::new(request.asked_by(asked.event_id.clone())))
}

/// Whether the spec is older than the end of the request for its address: a copy that came late, or one that was
/// replayed. It has had its answer. Events carry whole seconds.
fn is_late(request: &Request, asked: &Asked) -> bool {
    request.state.is_final() && asked.at.as_second() < request.since().as_second()
}

/// Whether the request still stands: it is under way, or its account is active and has the address.
fn holds(request: &Request, known: &Known) -> bool {
    match &request.state {
        State::Failed { .. } => false,
        State::Ready { .. } => known
            .earlier_account
            .as_ref()
            .is_some_and(|account| is_usable(account) && account.has_email(&request.spec.email)),
        State::Requested | State::Creating | State::InProgress { .. } | State::Placing { .. } => true,
    }
}

fn same_again(request: &Request, spec: &AccountSpec) -> Admission {
    let different = request.spec.differences(spec);
    if different.is_empty() {
        return Admission::Known(Box::new(request.clone()));
    }
    let problem = |name: &&str| Problem::new(*name, format!("differs from request {}", request.request_id));
    Admission::Refuse(Failure::new(Cause::RequestConflict), different.iter().map(problem).collect())
}

/// The account that the earlier request has left behind, if it can be used.
fn left_behind<'a>(earlier: &Request, spec: &AccountSpec, known: &'a Known) -> Option<&'a Account> {
    let has_failed = matches!(earlier.state, State::Failed { .. });
    let has_address = |account: &&Account| is_usable(account) && account.has_email(&spec.email);
    let recorded = known.earlier_account.as_ref().filter(has_address);
    let since = earlier.first_requested_at;
    let looks_ours = |account: &&Account| {
        account.name == spec.account_name.as_str() && account.joined_at.is_some_and(|at| at >= since)
    };
    recorded.or_else(|| known.holder.as_ref().filter(|_| has_failed).filter(has_address).filter(looks_ours))
}

fn is_usable(account: &Account) -> bool {
    account.state == AccountState::Active
}

fn objections(spec: &AccountSpec, ours: Option<&Account>, known: &Known) -> Vec<(Cause, Problem)> {
    let mut objections = Vec::new();
    if known.lacks_unit {
        let problem = Problem::new("organizational_unit", "does not exist in this organization");
        objections.push((Cause::OrganizationalUnitNotFound, problem));
    }
    let has_address = |account: &&Account| account.has_email(&spec.email);
    let mut others = known.holder.iter().chain(&known.earlier_account).filter(has_address);
    if let Some(account) = others.find(|account| ours.is_none_or(|ours| ours.id != account.id)) {
        let (cause, state) = match &account.state {
            AccountState::Active => (Cause::EmailInOrganization, String::new()),
            AccountState::Other(state) => (Cause::EmailOfInactiveAccount, format!(", which is {state}")),
        };
        let problem = format!("is the address of account {} ({}){state}", account.id, account.name);
        objections.push((cause, Problem::new("email", problem)));
    }
    let same_name = |request: &&Request| {
        request.spec.account_name == spec.account_name && request.spec.email.normalised() != spec.email.normalised()
    };
    let unfinished = |request: &&Request| !request.state.is_final();
    if let Some(request) = known.open_requests.iter().filter(unfinished).find(same_name) {
        let problem = format!("is the name in request {}, which has not ended", request.request_id);
        objections.push((Cause::AccountNameInRequest, Problem::new("account_name", problem)));
    }
    if known.admitted_today >= known.daily_cap {
        let problem = format!("{} of {} for today are used up", known.admitted_today, known.daily_cap);
        objections.push((Cause::DailyCapReached, Problem::new("$", problem)));
    }
    objections
}

#[cfg(test)]
mod tests;
