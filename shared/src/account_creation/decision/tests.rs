use super::*;
use crate::{account_creation::AccountSpec, gateway::AccountState, ids::RequestId};

const BACKOFF: PollBackoff = PollBackoff { poll: Duration::from_secs(5) };
const CALL: &str = "car-0123456789abcdef";
const ACCOUNT: &str = "123456789012";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn spec() -> AccountSpec {
    AccountSpec {
        organizational_unit: Some("ou-ab12-cdef3456".parse().unwrap()),
        ..AccountSpec::named("Sandbox", "sandbox@example.com")
    }
}

/// A request that entered `state` at the second 0, at which its time began to count.
fn request(state: State) -> Request {
    Request { deadline: Some(at(7200)), ..Request::new(spec(), state, at(0), at(7200)) }
}

/// The same before its turn.
fn in_line() -> Request {
    Request::new(spec(), State::Requested, at(0), at(7200))
}

fn in_progress() -> State {
    State::InProgress { create_account_request_id: CALL.parse().unwrap() }
}

fn placing() -> State {
    State::Placing { account_id: ACCOUNT.parse().unwrap() }
}

fn status(outcome: CreateAccountOutcome) -> CreateAccountStatus {
    CreateAccountStatus {
        id: CALL.parse().unwrap(),
        account_name: Some("Sandbox".to_owned()),
        requested_at: Some(at(1)),
        outcome,
    }
}

fn failed_with(reason: &str) -> CreateAccountOutcome {
    CreateAccountOutcome::Failed(reason.to_owned())
}

fn account(name: &str, joined: i64) -> Account {
    Account {
        id: ACCOUNT.parse().unwrap(),
        name: name.to_owned(),
        email: "Sandbox@example.com".to_owned(),
        state: AccountState::Active,
        joined_at: Some(at(joined)),
        parent: Some("r-ab12".parse().unwrap()),
        units: vec!["r-ab12".parse().unwrap()],
    }
}

fn error(cause: Cause, refused: bool) -> CallError {
    let mut error = CallError::unusable("organizations:Some", cause, "words");
    error.refused = refused;
    error
}

fn cause_of(progress: &Progress) -> Cause {
    match progress {
        Progress::Enter(State::Failed { failure, .. }) => failure.cause,
        other => panic!("no failure: {other:?}"),
    }
}

#[test]
fn a_recorded_request_is_claimed_before_aws_is_asked() {
    assert_eq!(next_step(&request(State::Requested), Seen::Found, BACKOFF, at(1)), Step::Claim);
    assert_eq!(next_step(&request(State::Creating), Seen::Entered, BACKOFF, at(1)), Step::Create);
}

#[test]
fn who_finds_a_request_between_call_and_record_never_calls_again_but_waits_and_then_looks() {
    let found = request(State::Creating);
    assert_eq!(next_step(&found, Seen::Found, BACKOFF, at(1)), Step::Wait(at(30)));
    assert_eq!(next_step(&found, Seen::Found, BACKOFF, at(30)), Step::LookForLostAnswer);
}

#[test]
fn a_request_that_others_have_put_off_is_where_it_was_and_one_that_they_have_moved_is_not() {
    let mine = request(State::Creating);
    let is_put_off = mine.searched(Some("next".to_owned())).put_off(at(40));
    assert!(is_put_off.is_where(&mine));
    // By somebody whose clock is late.
    assert!(is_put_off.clamped(at(-1)).is_where(&mine));
    let moved = [
        mine.entered(in_progress(), at(1)),
        mine.back_in_line(at(1)).claimed(at(2), at(7200)),
        Request { announced: true, ..mine.clone() },
        mine.again(spec(), State::Creating, at(0), at(7200)),
    ];
    assert!(moved.iter().all(|found| !found.is_where(&mine)), "{moved:?}");
}

#[test]
fn the_end_is_reported_by_who_wrote_it_and_by_others_only_after_a_while() {
    let mut ready = request(State::Ready { account_id: ACCOUNT.parse().unwrap() });
    assert_eq!(next_step(&ready, Seen::Entered, BACKOFF, at(0)), Step::Announce);
    assert_eq!(next_step(&ready, Seen::Found, BACKOFF, at(1)), Step::Wait(at(60)));
    assert_eq!(next_step(&ready, Seen::Found, BACKOFF, at(60)), Step::Announce);
    ready.announced = true;
    assert_eq!(next_step(&ready, Seen::Found, BACKOFF, at(60)), Step::Done);
}

#[test]
fn after_the_deadline_every_unfinished_state_fails_with_what_is_known() {
    for state in [State::Requested, State::Creating, in_progress(), placing()] {
        let request = request(state.clone());
        assert_eq!(next_step(&request, Seen::Found, BACKOFF, at(7200)), Step::TimeOut, "{state:?}");
        let timed_out = request.timed_out();
        assert_eq!(timed_out.account_id(), state.account_id());
        assert_eq!(timed_out.create_account_request_id(), state.create_account_request_id());
    }
}

#[test]
fn the_time_in_line_does_not_count() {
    let hours_later = 7200 * 5;
    assert_eq!(next_step(&in_line(), Seen::Found, BACKOFF, at(hours_later)), Step::Claim);
    let claimed = in_line().claimed(at(hours_later), at(hours_later + 7200));
    assert_eq!(next_step(&claimed, Seen::Entered, BACKOFF, at(hours_later)), Step::Create);
    assert_eq!(next_step(&claimed, Seen::Found, BACKOFF, at(hours_later + 7200)), Step::TimeOut);
}

#[test]
fn a_request_that_aws_had_no_room_for_is_in_line_again_and_its_time_does_not_count() {
    let claimed = in_line().claimed(at(0), at(7200));
    let waiting = claimed.back_in_line(at(1));
    assert_eq!(next_step(&waiting, Seen::Found, BACKOFF, at(8000)), Step::Claim);
    assert_eq!(waiting.claimed(at(8000), at(15_200)).deadline, Some(at(15_200)));
}

#[test]
fn what_aws_has_taken_up_and_failed_keeps_its_deadline_when_it_is_asked_again() {
    let verdict = after_status(&request(in_progress()), &status(failed_with("INTERNAL_FAILURE")), BACKOFF, at(10));
    let Verdict::Progress(Progress::EnterAndWait(state, _)) = verdict else { panic!("{verdict:?}") };
    let again = request(in_progress()).entered(state, at(10));
    assert_eq!(again.claimed(at(20), at(9999)).deadline, Some(at(7200)));
}

#[test]
fn nothing_waits_in_line_for_ever() {
    let week = 7 * 24 * 3600;
    assert_eq!(next_step(&in_line(), Seen::Found, BACKOFF, at(week - 1)), Step::Claim);
    assert_eq!(next_step(&in_line(), Seen::Found, BACKOFF, at(week)), Step::TimeOut);
    let State::Failed { failure, .. } = in_line().timed_out() else { panic!() };
    assert!(failure.message.contains("its turn has not come"), "{}", failure.message);
}

#[test]
fn no_times_of_a_record_keep_a_request_going_for_ever() {
    let far = "9000-01-01T00:00:00Z".parse().unwrap();
    let mut forged = request(in_progress());
    forged.deadline = Some(far);
    forged.first_requested_at = far;
    forged.next_look_at = far;
    forged.history[0].at = far;
    let clamped = forged.clamped(at(100));
    assert_eq!((clamped.since(), clamped.first_requested_at), (at(100), at(100)));
    assert!(clamped.next_look_at <= at(100 + 24 * 3600) && clamped.deadline <= Some(at(100 + 24 * 3600)));
    let mut announced = request(State::Ready { account_id: ACCOUNT.parse().unwrap() });
    announced.history[0].at = far;
    assert_eq!(next_step(&announced.clamped(at(0)), Seen::Found, BACKOFF, at(60)), Step::Announce);

    let mut looked_at = request(in_progress());
    (looked_at.first_look, looked_at.looks) = (100, 20_100);
    assert_eq!(next_step(&looked_at, Seen::Found, BACKOFF, at(1)), Step::TimeOut, "looks are counted");
    (looked_at.first_look, looked_at.looks) = (20_000, 20_100);
    assert!(matches!(next_step(&looked_at, Seen::Found, BACKOFF, at(1)), Step::CheckStatus(_)), "of each attempt");
}

#[test]
fn a_record_does_not_grow_for_ever() {
    let mut request = in_line();
    for n in 0..1000 {
        request = request.claimed(at(n), at(n + 7200)).back_in_line(at(n));
    }
    assert_eq!((request.history.len(), request.attempted_at()), (40, at(0)));
}

#[test]
fn an_accepted_call_is_recorded_with_its_id() {
    let progress =
        after_create(&request(State::Creating), &Ok(status(CreateAccountOutcome::InProgress)), BACKOFF, at(1));
    assert_eq!(progress, Progress::EnterAndWait(in_progress(), BACKOFF.poll));
}

#[test]
fn an_answer_that_got_lost_leaves_the_request_to_be_looked_for() {
    for cause in [Cause::Unreachable, Cause::ServiceFault] {
        let progress = after_create(&request(State::Creating), &Err(error(cause, false)), BACKOFF, at(1));
        assert_eq!(progress, Progress::Stay(BACKOFF.call_patience()));
    }
}

#[test]
fn a_full_house_throttling_and_a_young_organization_send_the_request_back_to_wait() {
    for (cause, wait) in [
        (Cause::TooManyCreationsInProgress, 15),
        (Cause::Throttled, 15),
        (Cause::ConcurrentModification, 15),
        (Cause::FinalizingOrganization, 300),
    ] {
        let progress = after_create(&request(State::Creating), &Err(error(cause, true)), BACKOFF, at(1));
        assert_eq!(progress, Progress::BackInLine(Duration::from_secs(wait)), "{cause}");
    }
    let progress = after_create(&request(State::Creating), &Err(error(Cause::Throttled, true)), BACKOFF, at(36_000));
    assert_eq!(progress, Progress::BackInLine(Duration::from_mins(1)), "ever more seldom, and not too seldom");
}

#[test]
fn what_only_a_person_can_fix_fails_at_once() {
    for cause in [Cause::AccessDenied, Cause::OrganizationNotInUse, Cause::AccountLimitExceeded, Cause::InputRefused] {
        let progress = after_create(&request(State::Creating), &Err(error(cause, true)), BACKOFF, at(1));
        assert_eq!(cause_of(&progress), cause);
    }
}

#[test]
fn every_failure_reason_ends_the_request_or_sends_it_back_to_wait() {
    for reason in aws_sdk_organizations::types::CreateAccountFailureReason::values() {
        let verdict = after_status(&request(in_progress()), &status(failed_with(reason)), BACKOFF, at(10));
        let cause = Cause::of_create_account_failure(reason);
        match (verdict, cause) {
            (Verdict::MayBeOurs(said), Cause::EmailAlreadyExists | Cause::ConcurrentAccountModification) => {
                assert_eq!(said, cause);
            }
            (Verdict::Progress(Progress::EnterAndWait(State::Requested, _)), cause) => assert!(cause.is_retryable()),
            (Verdict::Progress(progress), cause) => {
                assert_eq!(cause_of(&progress), cause);
                assert!(!cause.is_retryable());
            }
            (verdict, _) => panic!("{reason}: {verdict:?}"),
        }
    }
}

#[test]
fn an_account_with_our_address_and_name_made_since_is_ours() {
    let found = Evidence { account: Some(account("Sandbox", 3)), ..Evidence::default() };
    assert_eq!(after_looking(&request(State::Creating), &found, BACKOFF, at(60)), Progress::Enter(placing()));
    assert_eq!(
        after_duplicate(&request(in_progress()), Cause::EmailAlreadyExists, &found, BACKOFF, at(60)),
        Progress::Enter(placing())
    );
}

#[test]
fn an_older_account_or_one_of_another_name_is_not_ours() {
    for other in [account("Sandbox", -3600), account("Production", 3)] {
        let found = Evidence { account: Some(other), ..Evidence::default() };
        let progress = after_looking(&request(State::Creating), &found, BACKOFF, at(60));
        assert_eq!(cause_of(&progress), Cause::EmailInOrganization);
    }
    let closed = Account { state: AccountState::Other("SUSPENDED".to_owned()), ..account("Sandbox", -3600) };
    let found = Evidence { account: Some(closed), ..Evidence::default() };
    let progress = after_looking(&request(State::Creating), &found, BACKOFF, at(60));
    assert_eq!(cause_of(&progress), Cause::EmailOfInactiveAccount);
}

#[test]
fn a_search_that_has_not_seen_everything_goes_on_before_anything_is_concluded() {
    let part = Evidence { more: Some("page-51".to_owned()), ..Evidence::default() };
    let on = Progress::SearchOn("page-51".to_owned(), BACKOFF.poll);
    assert_eq!(after_looking(&request(State::Creating), &part, BACKOFF, at(7000)), on);
    assert_eq!(after_duplicate(&request(in_progress()), Cause::EmailAlreadyExists, &part, BACKOFF, at(9)), on);
}

#[test]
fn a_running_call_of_our_name_is_taken_up() {
    let found = Evidence { calls: vec![status(CreateAccountOutcome::InProgress)], ..Evidence::default() };
    assert_eq!(after_looking(&request(State::Creating), &found, BACKOFF, at(60)), Progress::Enter(in_progress()));
}

#[test]
fn a_failed_call_of_our_name_is_judged_like_any_other() {
    let found = Evidence { calls: vec![status(failed_with("INVALID_EMAIL"))], ..Evidence::default() };
    let progress = after_looking(&request(State::Creating), &found, BACKOFF, at(60));
    assert_eq!(cause_of(&progress), Cause::InvalidEmail);
}

#[test]
fn calls_of_other_names_and_of_last_week_are_not_ours() {
    let mut other = status(CreateAccountOutcome::InProgress);
    other.account_name = Some("Production".to_owned());
    let mut old = status(failed_with("INVALID_EMAIL"));
    old.requested_at = Some(at(-600_000));
    let found = Evidence { calls: vec![other, old], ..Evidence::default() };
    assert_eq!(after_looking(&request(State::Creating), &found, BACKOFF, at(31)), Progress::Stay(BACKOFF.poll * 2));
}

#[test]
fn a_call_that_left_no_trace_for_long_is_made_again() {
    let found = Evidence::default();
    assert_eq!(after_looking(&request(State::Creating), &found, BACKOFF, at(149)), Progress::Stay(BACKOFF.poll * 2));
    assert_eq!(after_looking(&request(State::Creating), &found, BACKOFF, at(150)), Progress::Enter(State::Requested));
}

#[test]
fn an_address_that_is_taken_elsewhere_fails_after_the_look() {
    let progress =
        after_duplicate(&request(in_progress()), Cause::EmailAlreadyExists, &Evidence::default(), BACKOFF, at(9));
    assert_eq!(cause_of(&progress), Cause::EmailAlreadyExists);
}

#[test]
fn an_account_is_moved_only_when_it_sits_elsewhere() {
    let request = request(placing());
    let to: OrganizationalUnitId = "ou-ab12-cdef3456".parse().unwrap();
    let from: OrganizationalUnitId = "r-ab12".parse().unwrap();
    assert_eq!(placement(&request, &account("Sandbox", 3)), Placement::Move { from, to: to.clone() });
    assert_eq!(placement(&request, &Account { parent: Some(to), ..account("Sandbox", 3) }), Placement::InPlace);
    assert_eq!(placement(&request, &Account { parent: None, ..account("Sandbox", 3) }), Placement::NotShown);
    let others = Account { email: "other@example.com".to_owned(), ..account("Sandbox", 3) };
    assert_eq!(placement(&request, &others), Placement::NotOurs, "taken up by its name alone");
    let mut anywhere = request;
    anywhere.spec.organizational_unit = None;
    assert_eq!(placement(&anywhere, &account("Sandbox", 3)), Placement::InPlace);
}

#[test]
fn an_account_that_was_moved_is_ready_once_aws_shows_it_in_its_place() {
    assert_eq!(after_move(&request(placing()), Ok(()), BACKOFF, at(2)), Progress::Stay(BACKOFF.poll));
}

#[test]
fn a_move_that_somebody_else_made_is_looked_at_again_and_a_missing_unit_fails_with_the_account() {
    let request = request(placing());
    let id: AccountId = ACCOUNT.parse().unwrap();
    let after = |cause| after_move(&request, Err(error(cause, true)), BACKOFF, at(2));
    for cause in [Cause::Conflict, Cause::NotFound, Cause::ConcurrentModification, Cause::Throttled] {
        assert!(matches!(after(cause), Progress::Stay(_)), "{cause}");
    }
    let Progress::Enter(failed) = after(Cause::OrganizationalUnitNotFound) else { panic!() };
    assert_eq!(failed.account_id(), Some(&id));
}

#[test]
fn waits_grow_with_the_time_already_waited_between_one_poll_and_twelve() {
    let request = request(in_progress());
    let waits: Vec<_> = [0, 20, 60, 600].map(|seconds| delay(&request, BACKOFF, at(seconds)).as_secs()).into();
    assert_eq!(waits, [5, 10, 30, 60]);
}

#[test]
fn a_record_survives_being_stored() {
    let requests = [
        request(State::Requested),
        request(in_progress()),
        request(placing()).entered(request(placing()).timed_out(), at(9)),
    ];
    for request in requests {
        let item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue> =
            serde_dynamo::to_item(&request).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, Request>(item).unwrap(), request);
    }
    assert_eq!(RequestId::of(&spec().email), request(State::Requested).request_id);
}

#[test]
fn an_account_that_joins_long_after_its_request_was_met_was_invited() {
    let ready = request(State::Ready { account_id: ACCOUNT.parse().unwrap() });
    assert!(ready.can_explain(Some(at(-3600))), "an account joins before its request is met");
    assert!(ready.can_explain(Some(at(60))), "clocks differ");
    assert!(ready.can_explain(None));
    assert!(!ready.can_explain(Some(at(3600))), "it left and was invited again");
}
