//! Whether a wish becomes a request. Pure: the requester reads, this decides.

use jiff::Timestamp;

use super::{Request, State, Wish};
use crate::{
    error::{Cause, Failure},
    gateway::Account,
    ids::AccountId,
    input::Problem,
};

/// What is known of the organization when a wish comes in.
#[derive(Debug, Default)]
pub struct Organization {
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// Requests that have not ended, whoever sent them.
    pub open_requests: Vec<Request>,
    /// How many requests were admitted today.
    pub admitted_today: u32,
    /// How many may be.
    pub daily_cap: u32,
    /// Whether the unit that the wish names does not exist.
    pub lacks_unit: bool,
}

/// What becomes of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is already a request: the same one again.
    Known(Box<Request>),
    /// It becomes a request.
    Start(Box<Request>),
    /// It is refused, with everything that stands against it.
    Refuse(Failure, Vec<Problem>),
}

/// Decides about a wish. `earlier` is the request with its e-mail address, if there is one.
pub fn admit(
    wish: Wish,
    earlier: Option<Request>,
    organization: &Organization,
    now: Timestamp,
    deadline: Timestamp,
) -> Admission {
    let settled = |request: &&Request| !organization.lacks_unit && !matches!(request.state, State::Failed { .. });
    if let Some(request) = earlier.as_ref().filter(settled) {
        let different = request.wish.differences(&wish);
        if different.is_empty() {
            return Admission::Known(Box::new(request.clone()));
        }
        let problem = |name: &&str| Problem::new(*name, format!("differs from request {}", request.request_id));
        return Admission::Refuse(Failure::new(Cause::RequestConflict), different.iter().map(problem).collect());
    }

    // The account that an earlier attempt has left behind is taken up again, not refused.
    let ours = earlier.as_ref().and_then(|request| left_behind(request, &wish, organization));
    let objections = objections(&wish, ours.as_ref(), organization);
    if let Some((cause, _)) = objections.first() {
        let failure = Failure::new(*cause);
        return Admission::Refuse(failure, objections.into_iter().map(|(_, problem)| problem).collect());
    }

    let start = match (ours, earlier.as_ref().and_then(|request| request.state.create_account_request_id())) {
        (Some(account_id), _) => State::Placing { account_id },
        (None, Some(id)) => State::InProgress { create_account_request_id: id.clone() },
        (None, None) => State::Requested,
    };
    Admission::Start(Box::new(match earlier {
        Some(request) => request.again(wish, start, now, deadline),
        None => Request::new(wish, start, now, deadline),
    }))
}

fn left_behind(earlier: &Request, wish: &Wish, organization: &Organization) -> Option<AccountId> {
    if let Some(id) = earlier.state.account_id() {
        return Some(id.clone());
    }
    let account = organization.accounts.iter().find(|account| has_email_of(account, wish))?;
    let since = earlier.first_requested_at;
    let ours = account.name == wish.account_name.as_str() && account.joined_at.is_some_and(|at| at >= since);
    ours.then(|| account.id.clone())
}

fn objections(wish: &Wish, ours: Option<&AccountId>, organization: &Organization) -> Vec<(Cause, Problem)> {
    let mut objections = Vec::new();
    if organization.lacks_unit {
        let problem = Problem::new("organizational_unit", "does not exist in this organization");
        objections.push((Cause::OrganizationalUnitNotFound, problem));
    }
    let others = || organization.accounts.iter().filter(|account| Some(&account.id) != ours);
    if let Some(account) = others().find(|account| has_email_of(account, wish)) {
        let problem = format!("is the address of account {} ({})", account.id, account.name);
        objections.push((Cause::EmailInOrganization, Problem::new("email", problem)));
    }
    if let Some(account) = others().find(|account| account.name == wish.account_name.as_str()) {
        let problem = format!("is the name of account {}", account.id);
        objections.push((Cause::AccountNameInOrganization, Problem::new("account_name", problem)));
    }
    let same_name = |request: &&Request| {
        request.wish.account_name == wish.account_name && request.wish.email.normalised() != wish.email.normalised()
    };
    let unfinished = |request: &&Request| !request.state.is_final();
    if let Some(request) = organization.open_requests.iter().filter(unfinished).find(same_name) {
        let problem = format!("is the name in request {}, which has not ended", request.request_id);
        objections.push((Cause::AccountNameInOrganization, Problem::new("account_name", problem)));
    }
    if organization.admitted_today >= organization.daily_cap {
        let problem = format!("{} of {} for today are used up", organization.admitted_today, organization.daily_cap);
        objections.push((Cause::DailyCapReached, Problem::new("$", problem)));
    }
    objections
}

fn has_email_of(account: &Account, wish: &Wish) -> bool {
    account.email.eq_ignore_ascii_case(wish.email.as_str())
}
