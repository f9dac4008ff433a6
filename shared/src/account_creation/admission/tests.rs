use jiff::SignedDuration;

use super::*;

const ACCOUNT: &str = "123456789012";

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn deadline() -> Timestamp {
    now() + SignedDuration::from_hours(2)
}

/// By hand, a minute after everything else.
fn asked() -> Asked {
    Asked { at: now() + SignedDuration::from_mins(1), event_id: None }
}

fn spec(name: &str, email: &str) -> AccountSpec {
    AccountSpec::named(name, email)
}

fn account(name: &str, email: &str) -> Account {
    Account {
        id: ACCOUNT.parse().unwrap(),
        name: name.to_owned(),
        email: email.to_owned(),
        state: AccountState::Active,
        joined_at: Some(now()),
        parent: None,
        units: Vec::new(),
    }
}

fn empty() -> Known {
    Known { daily_cap: 3, ..Known::default() }
}

fn after(earlier: Request) -> Known {
    Known { earlier: Some(earlier), ..empty() }
}

fn requested(spec: AccountSpec) -> Request {
    Request::new(spec, State::Requested, now(), deadline())
}

fn failed(spec: AccountSpec, account_id: Option<&str>, call: Option<&str>) -> Request {
    let state = State::Failed {
        failure: Failure::new(Cause::DeadlineExceeded),
        account_id: account_id.map(|id| id.parse().unwrap()),
        create_account_request_id: call.map(|id| id.parse().unwrap()),
    };
    requested(spec).entered(state, now())
}

fn ready(spec: AccountSpec) -> Request {
    requested(spec).entered(State::Ready { account_id: ACCOUNT.parse().unwrap() }, now())
}

fn decided(spec: AccountSpec, known: &Known) -> Admission {
    admit(spec, &asked(), known, now(), deadline())
}

fn started(admission: Admission) -> Request {
    match admission {
        Admission::Start(request) => *request,
        other => panic!("not started: {other:?}"),
    }
}

fn refused(admission: Admission) -> (Cause, Vec<String>) {
    match admission {
        Admission::Refuse(failure, problems) => {
            (failure.cause, problems.into_iter().map(|problem| problem.path).collect())
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_spec_without_problems_becomes_a_request_whose_time_does_not_count_yet() {
    let event_id = Some("0b1c2d3e-4f50".parse().unwrap());
    let asked = Asked { event_id: event_id.clone(), ..asked() };
    let request = started(admit(spec("A", "a@example.com"), &asked, &empty(), now(), deadline()));
    assert_eq!((request.attempt, request.revision, &request.state), (1, 1, &State::Requested));
    assert_eq!((request.deadline, request.event_id), (None, event_id));
}

#[test]
fn the_same_spec_again_is_the_same_request() {
    let first = requested(spec("A", "a@example.com"));
    let again = decided(spec("A", "A@Example.com"), &after(first.clone()));
    assert_eq!(again, Admission::Known(Box::new(first)));
}

#[test]
fn another_spec_for_the_same_address_is_refused_with_what_differs() {
    let first = requested(spec("A", "a@example.com"));
    let (cause, paths) = refused(decided(spec("B", "a@example.com"), &after(first)));
    assert_eq!((cause, paths), (Cause::RequestConflict, vec!["account_name".to_owned()]));
}

#[test]
fn every_problem_of_a_spec_is_answered_at_once() {
    let known = Known {
        holder: Some(account("Other", "A@example.com")),
        open_requests: vec![requested(spec("A", "other@example.com"))],
        admitted_today: 3,
        lacks_unit: true,
        ..empty()
    };
    let (cause, paths) = refused(decided(spec("A", "a@example.com"), &known));
    assert_eq!(cause, Cause::OrganizationalUnitNotFound);
    assert_eq!(paths, ["organizational_unit", "email", "account_name", "$"]);
}

#[test]
fn two_unfinished_requests_cannot_have_one_name_and_a_failed_one_does_not_count() {
    let other = requested(spec("A", "other@example.com"));
    let known = Known { open_requests: vec![other], ..empty() };
    assert_eq!(refused(decided(spec("A", "a@example.com"), &known)).0, Cause::AccountNameInRequest);

    let known = Known { open_requests: vec![failed(spec("A", "other@example.com"), None, None)], ..empty() };
    started(decided(spec("A", "a@example.com"), &known));
}

#[test]
fn a_failed_request_sent_again_is_a_new_attempt_with_new_details() {
    let earlier = failed(spec("A", "a@example.com"), None, None);
    let request = started(decided(spec("B", "a@example.com"), &after(earlier.clone())));
    assert_eq!((request.attempt, request.revision), (2, earlier.revision + 1));
    assert_eq!(request.spec.account_name.as_str(), "B");
    assert!(request.looks > earlier.looks, "messages of the earlier attempt are out of date");
}

#[test]
fn the_next_attempt_goes_on_where_the_last_one_stopped_and_has_its_turn_at_once() {
    let with_account = failed(spec("A", "a@example.com"), Some(ACCOUNT), None);
    let known = Known { earlier_account: Some(account("A", "a@example.com")), ..after(with_account) };
    let request = started(decided(spec("A", "a@example.com"), &known));
    assert_eq!((request.state.name(), request.deadline), ("PLACING", Some(deadline())));

    let with_call = failed(spec("A", "a@example.com"), None, Some("car-0123456789abcdef"));
    let request = started(decided(spec("A", "a@example.com"), &after(with_call)));
    assert_eq!((request.state.name(), request.deadline), ("IN_PROGRESS", Some(deadline())));
}

#[test]
fn an_account_that_came_after_all_is_taken_up_and_not_refused() {
    let earlier = failed(spec("A", "a@example.com"), None, None);
    let known = Known { holder: Some(account("A", "a@example.com")), ..after(earlier) };
    assert_eq!(started(decided(spec("A", "a@example.com"), &known)).state.name(), "PLACING");
}

#[test]
fn a_ready_request_holds_while_its_account_is_active_and_has_the_address() {
    let request = ready(spec("A", "a@example.com"));
    let known = Known { earlier_account: Some(account("A", "A@example.com")), ..after(request.clone()) };
    assert_eq!(decided(spec("A", "a@example.com"), &known), Admission::Known(Box::new(request)));
}

#[test]
fn the_address_of_a_closed_account_is_refused_with_that_reason() {
    for state in ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"] {
        let closed = Account { state: AccountState::Other(state.to_owned()), ..account("A", "a@example.com") };
        let known = Known { earlier_account: Some(closed.clone()), ..after(ready(spec("A", "a@example.com"))) };
        let (cause, paths) = refused(decided(spec("A", "a@example.com"), &known));
        assert_eq!((cause, paths), (Cause::EmailOfInactiveAccount, vec!["email".to_owned()]), "{state}");
        let known = Known { holder: Some(closed), ..empty() };
        assert_eq!(refused(decided(spec("A", "a@example.com"), &known)).0, Cause::EmailOfInactiveAccount);
    }
    assert!(Cause::EmailOfInactiveAccount.row().remedy.contains("90 days"));
}

#[test]
fn an_address_that_its_account_has_given_up_is_free_for_a_new_attempt() {
    for now_there in [Some(account("A", "renamed@example.com")), None] {
        let known = Known { earlier_account: now_there, ..after(ready(spec("A", "a@example.com"))) };
        let request = started(decided(spec("A", "a@example.com"), &known));
        assert_eq!((request.state.name(), request.attempt), ("REQUESTED", 2));
    }
}

#[test]
fn a_failed_request_does_not_take_up_an_account_that_was_closed_or_has_another_address_by_now() {
    let earlier = || failed(spec("A", "a@example.com"), Some(ACCOUNT), None);
    let known = Known { earlier_account: Some(account("A", "renamed@example.com")), ..after(earlier()) };
    assert_eq!(started(decided(spec("A", "a@example.com"), &known)).state.name(), "REQUESTED");
    let closed = Account { state: AccountState::Other("SUSPENDED".to_owned()), ..account("A", "a@example.com") };
    let known = Known { earlier_account: Some(closed), ..after(earlier()) };
    assert_eq!(refused(decided(spec("A", "a@example.com"), &known)).0, Cause::EmailOfInactiveAccount);
}

#[test]
fn an_event_that_is_older_than_the_end_of_its_request_is_not_a_new_one() {
    let late = Asked { at: now() - SignedDuration::from_secs(1), event_id: None };
    for earlier in [failed(spec("A", "a@example.com"), None, None), ready(spec("A", "a@example.com"))] {
        let known = after(earlier.clone());
        let admission = admit(spec("A", "a@example.com"), &late, &known, now(), deadline());
        assert_eq!(admission, Admission::Known(Box::new(earlier.clone())), "a late copy or a replay");
        let in_time = Asked { at: now(), ..late.clone() };
        let admission = admit(spec("A", "a@example.com"), &in_time, &known, now(), deadline());
        assert!(matches!(admission, Admission::Start(_)), "{admission:?}");
    }
}
