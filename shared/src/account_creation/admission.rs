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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{gateway::AccountState, ids::RoleName};

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn deadline() -> Timestamp {
        now() + SignedDuration::from_hours(2)
    }

    fn wish(name: &str, email: &str) -> Wish {
        Wish {
            account_name: name.parse().unwrap(),
            email: email.parse().unwrap(),
            organizational_unit: None,
            tags: std::collections::BTreeMap::new(),
            iam_user_access_to_billing: true,
            role_name: RoleName::organization_account_access(),
        }
    }

    fn account(name: &str, email: &str) -> Account {
        Account {
            id: "123456789012".parse().unwrap(),
            name: name.to_owned(),
            email: email.to_owned(),
            state: AccountState::Active,
            joined_at: Some(now()),
            parent: None,
            units: Vec::new(),
        }
    }

    fn empty() -> Organization {
        Organization { daily_cap: 3, ..Organization::default() }
    }

    fn failed(wish: Wish, account_id: Option<&str>, call: Option<&str>) -> Request {
        let state = State::Failed {
            failure: Failure::new(Cause::DeadlineExceeded),
            account_id: account_id.map(|id| id.parse().unwrap()),
            create_account_request_id: call.map(|id| id.parse().unwrap()),
        };
        Request::new(wish, State::Requested, now(), deadline()).entered(state, now())
    }

    fn started(admission: Admission) -> Request {
        match admission {
            Admission::Start(request) => *request,
            other => panic!("not started: {other:?}"),
        }
    }

    #[test]
    fn a_wish_that_nothing_stands_against_becomes_a_request() {
        let request = started(admit(wish("A", "a@example.com"), None, &empty(), now(), deadline()));
        assert_eq!((request.attempt, request.revision, &request.state), (1, 1, &State::Requested));
    }

    #[test]
    fn the_same_wish_again_is_the_same_request() {
        let first = Request::new(wish("A", "a@example.com"), State::Requested, now(), deadline());
        let again = admit(wish("A", "A@Example.com"), Some(first.clone()), &empty(), now(), deadline());
        assert_eq!(again, Admission::Known(Box::new(first)));
    }

    #[test]
    fn another_wish_for_the_same_address_is_refused_with_what_differs() {
        let first = Request::new(wish("A", "a@example.com"), State::Requested, now(), deadline());
        let Admission::Refuse(failure, problems) =
            admit(wish("B", "a@example.com"), Some(first), &empty(), now(), deadline())
        else {
            panic!()
        };
        assert_eq!(failure.cause, Cause::RequestConflict);
        assert_eq!(problems[0].path, "account_name");
    }

    #[test]
    fn everything_that_stands_against_a_wish_is_said_at_once() {
        let organization = Organization {
            accounts: vec![account("Other", "A@example.com"), account("A", "other@example.com")],
            admitted_today: 3,
            lacks_unit: true,
            ..empty()
        };
        let Admission::Refuse(failure, problems) =
            admit(wish("A", "a@example.com"), None, &organization, now(), deadline())
        else {
            panic!()
        };
        assert_eq!(failure.cause, Cause::OrganizationalUnitNotFound);
        let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(paths, ["organizational_unit", "email", "account_name", "$"]);
    }

    #[test]
    fn two_unfinished_requests_cannot_have_one_name_and_a_failed_one_does_not_count() {
        let other = Request::new(wish("A", "other@example.com"), State::Requested, now(), deadline());
        let organization = Organization { open_requests: vec![other.clone()], ..empty() };
        let admission = admit(wish("A", "a@example.com"), None, &organization, now(), deadline());
        assert!(matches!(admission, Admission::Refuse(..)), "{admission:?}");

        let organization =
            Organization { open_requests: vec![failed(wish("A", "other@example.com"), None, None)], ..empty() };
        started(admit(wish("A", "a@example.com"), None, &organization, now(), deadline()));
    }

    #[test]
    fn a_failed_request_sent_again_is_a_new_attempt_with_new_details() {
        let earlier = failed(wish("A", "a@example.com"), None, None);
        let request = started(admit(wish("B", "a@example.com"), Some(earlier.clone()), &empty(), now(), deadline()));
        assert_eq!((request.attempt, request.revision), (2, earlier.revision + 1));
        assert_eq!(request.wish.account_name.as_str(), "B");
        assert!(request.looks > earlier.looks, "messages of the earlier attempt are out of date");
    }

    #[test]
    fn the_next_attempt_goes_on_where_the_last_one_stopped() {
        let with_account = failed(wish("A", "a@example.com"), Some("123456789012"), None);
        let organization = Organization { accounts: vec![account("A", "a@example.com")], ..empty() };
        let request = started(admit(wish("A", "a@example.com"), Some(with_account), &organization, now(), deadline()));
        assert_eq!(request.state.name(), "PLACING");

        let with_call = failed(wish("A", "a@example.com"), None, Some("car-0123456789abcdef"));
        let request = started(admit(wish("A", "a@example.com"), Some(with_call), &empty(), now(), deadline()));
        assert_eq!(request.state.name(), "IN_PROGRESS");
    }

    #[test]
    fn an_account_that_came_after_all_is_taken_up_and_not_refused() {
        let earlier = failed(wish("A", "a@example.com"), None, None);
        let organization = Organization { accounts: vec![account("A", "a@example.com")], ..empty() };
        let request = started(admit(wish("A", "a@example.com"), Some(earlier), &organization, now(), deadline()));
        assert_eq!(request.state.name(), "PLACING");
    }
}
