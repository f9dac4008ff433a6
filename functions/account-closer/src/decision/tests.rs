use steward::table::closures::CalledOff;

use super::*;
use crate::stacks::{By, tests::held};

const UNIT: &str = "ou-ab12-suspende";
const HOME: &str = "ou-ab12-workload";
const ELSEWHERE: &str = "ou-ab12-elsewher";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn unit(id: &str) -> OrganizationalUnitId {
    id.parse().unwrap()
}

fn closure(state: ClosureState) -> Closure {
    Closure {
        account_id: "222222222222".parse().unwrap(),
        account_name: "Shop".to_owned(),
        reason: "It is over".to_owned(),
        requested_by: None,
        requested_in: "i-1".to_owned(),
        requested_at: at("2026-11-01T00:00:00Z"),
        place: 0,
        from_unit: unit(HOME),
        closes_at: at("2026-11-08T00:00:00Z"),
        since: at("2026-11-01T00:00:00Z"),
        told: if state == ClosureState::Suspending { Told::Nothing } else { Told::Begun },
        state,
        past_steward: false,
        retry_at: None,
        revision: 1,
    }
}

fn keeping() -> ClosureState {
    ClosureState::Keeping(CalledOff::default())
}

fn seen(state: &str, parent: &str) -> Seen {
    let state = if state == "ACTIVE" { AccountState::Active } else { AccountState::Other(state.to_owned()) };
    let account = Account {
        id: "222222222222".parse().unwrap(),
        name: "Shop".to_owned(),
        email: "shop@example.com".to_owned(),
        state,
        joined_at: None,
        parent: Some(unit(parent)),
        units: vec![unit(parent)],
    };
    Seen { account: Some(account), protection: None, is_delegated: false, held: Vec::new() }
}

fn gone() -> Seen {
    Seen { account: None, ..seen("ACTIVE", HOME) }
}

/// A moment in the cooling-off time, and one after it.
const EARLY: &str = "2026-11-03T00:00:00Z";
const LATE: &str = "2026-11-08T00:00:00Z";

fn step(closure: &Closure, seen: Option<&Seen>, may_ask: bool, now: &str) -> Step {
    next(closure, seen, may_ask, &unit(UNIT), at(now))
}

/// The cause of the end that a step writes.
fn cause(step: &Step) -> Cause {
    match step {
        Step::Enter(ClosureState::Failed { failure }) => failure.cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_state_has_its_next_step_by_what_aws_shows() {
    use ClosureState::{Closing, Cooling, Pending, Suspending};
    let closed = || Step::Enter(ClosureState::Closed { closed_at: at(LATE) });
    let table = [
        (Suspending, seen("ACTIVE", HOME), Step::Suspend { from: Some(unit(HOME)) }),
        (Suspending, seen("ACTIVE", UNIT), Step::Suspend { from: None }),
        (Suspending, seen("PENDING_CLOSURE", HOME), Step::Enter(Pending)),
        (Suspending, seen("CLOSED", HOME), closed()),
        (Cooling, seen("ACTIVE", UNIT), Step::Enter(Closing)),
        (Cooling, seen("PENDING_CLOSURE", UNIT), Step::Enter(Pending)),
        (Cooling, seen("CLOSED", UNIT), closed()),
        (Closing, seen("ACTIVE", UNIT), Step::Ask),
        (Closing, seen("PENDING_CLOSURE", UNIT), Step::Enter(Pending)),
        (Closing, seen("CLOSED", UNIT), closed()),
        (Closing, gone(), closed()),
        (Pending, seen("PENDING_CLOSURE", UNIT), Step::Rest),
        (Pending, seen("CLOSED", UNIT), closed()),
        (Pending, gone(), closed()),
        (keeping(), seen("ACTIVE", UNIT), Step::Restore(WayBack::From(unit(UNIT)))),
        // Whoever has moved it has decided where it belongs.
        (keeping(), seen("ACTIVE", HOME), Step::Restore(WayBack::ShownBack(unit(UNIT)))),
        (keeping(), seen("ACTIVE", ELSEWHERE), Step::Restore(WayBack::Elsewhere(unit(ELSEWHERE)))),
        (keeping(), seen("PENDING_CLOSURE", UNIT), Step::Enter(Pending)),
        (keeping(), seen("CLOSED", UNIT), closed()),
    ];
    for (state, seen, expected) in table {
        let closure = closure(state);
        assert_eq!(step(&closure, None, true, LATE), Step::Look, "{closure:?}");
        assert_eq!(step(&closure, Some(&seen), true, LATE), expected, "{closure:?} {seen:?}");
    }
}

#[test]
fn nothing_is_closed_before_its_time_and_people_are_told_at_the_beginning_and_a_day_before_the_end() {
    let begun = Closure { told: Told::Nothing, ..closure(ClosureState::Cooling) };
    assert_eq!(step(&begun, None, true, LATE), Step::Announce(Told::Begun), "nobody is closed untold");
    let told = closure(ClosureState::Cooling);
    assert_eq!(step(&told, None, true, EARLY), Step::Rest);
    assert_eq!(step(&told, None, true, "2026-11-06T23:59:59Z"), Step::Rest);
    assert_eq!(step(&told, None, true, "2026-11-07T00:00:00Z"), Step::Announce(Told::Due));
    let again = Closure { told: Told::Due, ..told.clone() };
    assert_eq!(step(&again, None, true, "2026-11-07T23:59:59Z"), Step::Rest);
    assert_eq!(step(&again, None, true, LATE), Step::Look);
    let short = Closure { closes_at: at("2026-11-02T00:00:00Z"), ..told };
    assert_eq!(step(&short, None, true, "2026-11-01T12:00:00Z"), Step::Rest, "they have only just been told");
}

#[test]
fn an_account_whose_time_has_come_waits_for_room_without_a_call() {
    let due = closure(ClosureState::Cooling);
    assert_eq!(step(&due, None, false, LATE), Step::Rest);
    let asked = closure(ClosureState::Closing);
    assert_eq!(step(&asked, None, false, LATE), Step::Look, "whether AWS has the call is found out at any time");
    assert_eq!(step(&asked, Some(&seen("ACTIVE", UNIT)), false, LATE), Step::Rest);
}

#[test]
fn an_account_that_somebody_else_closes_in_its_cooling_off_time_is_noticed_once_it_is_looked_at() {
    let early = closure(ClosureState::Cooling);
    for (seen, expected) in [
        (seen("PENDING_CLOSURE", UNIT), ClosureState::Pending),
        (seen("CLOSED", UNIT), ClosureState::Closed { closed_at: at(EARLY) }),
    ] {
        let step = step(&early, Some(&seen), false, EARLY);
        assert_eq!(step, Step::Enter(expected.clone()));
        assert!(early.entered(expected, at(EARLY)).past_steward);
    }
    assert_eq!(step(&early, Some(&seen("ACTIVE", UNIT)), false, EARLY), Step::Rest);
}

#[test]
fn an_account_is_out_of_its_stack_sets_before_it_is_closed_and_what_must_not_be_closed_stays_in_them() {
    let due = closure(ClosureState::Cooling);
    for by in [By::Steward, By::People] {
        let held = vec![held("logging", by, "1")];
        let seen = Seen { held: held.clone(), ..seen("ACTIVE", UNIT) };
        assert_eq!(step(&due, Some(&seen), true, LATE), Step::Release(held));
        let protected = Seen { protection: Some(Protection::Document), ..seen };
        assert_eq!(cause(&step(&due, Some(&protected), true, LATE)), Cause::AccountProtected);
    }
    let of_units = Seen { held: vec![held("units", By::Aws, "1")], ..seen("ACTIVE", UNIT) };
    assert_eq!(step(&due, Some(&of_units), true, LATE), Step::Enter(ClosureState::Closing));
}

#[test]
fn what_comes_in_between_stops_it_and_is_told_once() {
    let due = closure(ClosureState::Cooling);
    let moved = step(&due, Some(&seen("ACTIVE", HOME)), true, LATE);
    assert_eq!(cause(&moved), Cause::ClosureStopped, "somebody has taken it back");
    assert_eq!(cause(&step(&due, Some(&gone()), true, LATE)), Cause::AccountNotInOrganization);
    assert_eq!(cause(&step(&due, Some(&seen("SUSPENDED", UNIT)), true, LATE)), Cause::AccountNotActive);
    for state in [ClosureState::Cooling, ClosureState::Suspending] {
        for (protection, delegated, expected) in [
            (Some(Protection::Stack), false, Cause::AccountProtected),
            (Some(Protection::Document), false, Cause::AccountProtected),
            (None, true, Cause::ClosureStopped),
        ] {
            let seen = Seen { protection, is_delegated: delegated, ..seen("ACTIVE", UNIT) };
            assert_eq!(cause(&step(&closure(state.clone()), Some(&seen), true, LATE)), expected);
        }
    }
    for state in [
        ClosureState::Failed { failure: Failure::new(Cause::ClosureStopped) },
        ClosureState::Kept(CalledOff::default()),
        ClosureState::Closed { closed_at: at(LATE) },
    ] {
        let ended = closure(state);
        assert_eq!(step(&ended, None, true, LATE), Step::TellEnd);
        assert_eq!(step(&ended.told(Told::End), None, true, LATE), Step::Rest);
    }
}

#[test]
fn where_an_account_was_a_moment_ago_is_no_sign_that_somebody_has_taken_it_back() {
    let moved = Closure { since: at(LATE), ..closure(ClosureState::Cooling) };
    let home = seen("ACTIVE", HOME);
    assert_eq!(step(&moved, Some(&home), true, "2026-11-08T00:00:59Z"), Step::Rest);
    assert_eq!(cause(&step(&moved, Some(&home), true, "2026-11-08T00:01:00Z")), Cause::ClosureStopped);
    let elsewhere = step(&moved, Some(&seen("ACTIVE", ELSEWHERE)), true, LATE);
    assert_eq!(cause(&elsewhere), Cause::ClosureStopped);
    // Who is kept at that moment is moved back all the same; who waited in its own place is not.
    let never_moved = Closure { from_unit: unit(UNIT), ..closure(keeping()) };
    let kept = step(&never_moved, Some(&seen("ACTIVE", UNIT)), true, EARLY);
    assert_eq!(kept, Step::Restore(WayBack::HasNotLeft));
}

#[test]
fn who_was_kept_a_moment_ago_and_is_still_shown_in_that_unit_is_not_taken_to_belong_there() {
    let kept = Closure { since: at(LATE), ..closure(ClosureState::Kept(CalledOff::default())) };
    let late = |ended: &Closure, parent: &str, now: &str| {
        may_be_shown_late(ended, &seen("ACTIVE", parent).account.unwrap(), at(now))
    };
    assert!(late(&kept, UNIT, "2026-11-08T00:00:59Z"));
    assert!(!late(&kept, UNIT, "2026-11-08T00:01:00Z"), "somebody has put it there");
    assert!(!late(&kept, HOME, "2026-11-08T00:00:01Z"));
    let failed = Closure { since: at(LATE), ..closure(ClosureState::Cooling) };
    assert!(!late(&failed, UNIT, "2026-11-08T00:00:01Z"));
}

#[test]
fn who_hears_at_its_first_call_that_aws_closes_the_account_already_was_not_the_one_who_asked() {
    for cause in [Cause::Conflict, Cause::AccountNotActive] {
        assert_eq!(after_asking(Some((cause, true)), false), After::TakenPastSteward);
        let again = after_asking(Some((cause, true)), true);
        assert_eq!(again, After::Taken, "the answer to an earlier call may have been lost");
    }
}

#[test]
fn while_the_switch_is_on_everything_waits_where_it_is() {
    for state in [ClosureState::Suspending, ClosureState::Cooling, ClosureState::Closing, keeping()] {
        let seen = Seen { protection: Some(Protection::Switch), ..seen("ACTIVE", UNIT) };
        assert_eq!(step(&closure(state), Some(&seen), true, LATE), Step::Rest);
    }
}

#[test]
fn the_unit_that_it_is_in_keeps_nobody_from_closing_it() {
    let seen = Seen { protection: Some(Protection::Suspended), ..seen("ACTIVE", UNIT) };
    assert_eq!(step(&closure(ClosureState::Cooling), Some(&seen), true, LATE), Step::Enter(ClosureState::Closing));
}

#[test]
fn a_call_that_aws_took_and_forgot_is_told_after_hours() {
    let pending = Closure { since: at(LATE), ..closure(ClosureState::Pending) };
    let active = seen("ACTIVE", UNIT);
    assert_eq!(step(&pending, Some(&active), true, "2026-11-08T06:00:00Z"), Step::Rest);
    assert_eq!(cause(&step(&pending, Some(&active), true, "2026-11-08T06:00:01Z")), Cause::ClosureStopped);
}

/// What AWS has of one account, and what was done to it.
#[derive(Clone, Debug, PartialEq)]
struct World {
    state: &'static str,
    parent: &'static str,
    is_tagged: bool,
    closed_by: usize,
}

/// Takes one step, in so many halves: the first is the effect at AWS, the second the record of it. A function that is killed
/// between the two has done the first alone.
fn take(step: &Step, closure: &mut Closure, world: &mut World, is_killed: bool, now: Timestamp) {
    let mut after = closure.clone();
    match step {
        Step::Rest | Step::Look | Step::Release(_) => {}
        Step::Announce(told) => after = closure.told(*told),
        Step::TellEnd => after = closure.told(Told::End),
        Step::Enter(state) => after = closure.entered(state.clone(), now),
        Step::Suspend { from } => {
            world.is_tagged = true;
            if from.is_some() {
                world.parent = UNIT;
            }
            after = closure.entered(ClosureState::Cooling, now);
        }
        Step::Ask => {
            // AWS refuses a second call for the same account.
            if world.state == "ACTIVE" {
                (world.state, world.closed_by) = ("PENDING_CLOSURE", world.closed_by + 1);
            }
            after = closure.entered(ClosureState::Pending, now);
        }
        Step::Restore(way_back) => {
            if let WayBack::From(_) | WayBack::ShownBack(_) = way_back {
                world.parent = HOME;
            }
            world.is_tagged = false;
            let ClosureState::Keeping(called_off) = closure.state.clone() else { panic!("{closure:?}") };
            after = closure.entered(ClosureState::Kept(called_off), now);
        }
    }
    if !is_killed {
        *closure = after;
    }
}

/// Runs a closure to its end, with a kill in the middle of the step of this number, and says what it came to.
fn run(from: &Closure, killed_at: usize) -> (Closure, World, usize) {
    let (mut closure, parent) = (from.clone(), if from.state == ClosureState::Suspending { HOME } else { UNIT });
    let mut world = World { state: "ACTIVE", parent, is_tagged: parent == UNIT, closed_by: 0 };
    let mut look = None;
    let mut steps = 0;
    for round in 0..60 {
        let step = next(&closure, look.as_ref(), true, &unit(UNIT), at(LATE));
        let is_killed = steps == killed_at;
        let acts = !matches!(step, Step::Rest | Step::Look);
        look = (step == Step::Look).then(|| seen(world.state, world.parent));
        take(&step, &mut closure, &mut world, acts && is_killed, at(LATE));
        steps += usize::from(acts);
        // AWS takes its time.
        if step == Step::Rest && world.state == "PENDING_CLOSURE" {
            world.state = "CLOSED";
        }
        if !closure.is_open() {
            return (closure, world, steps);
        }
        assert!(round < 59, "no end: {closure:?} {world:?}");
    }
    unreachable!("it ends in between");
}

#[test]
fn a_kill_in_the_middle_of_any_step_changes_nothing_about_the_outcome() {
    let begun = [
        Closure { closes_at: at(LATE), ..closure(ClosureState::Suspending) },
        Closure { told: Told::Begun, ..closure(keeping()) },
    ];
    for from in begun {
        let (expected, world, steps) = run(&from, usize::MAX);
        assert!(steps >= 2, "{steps}");
        let is_kept = matches!(expected.state, ClosureState::Kept(_));
        assert_eq!((world.parent, world.is_tagged), if is_kept { (HOME, false) } else { (UNIT, true) });
        for killed_at in 0..steps {
            let (closure, seen, _) = run(&from, killed_at);
            assert_eq!((closure.state, closure.told), (expected.state.clone(), expected.told), "killed at {killed_at}");
            assert_eq!(seen, world, "killed at {killed_at}");
            assert_eq!(seen.closed_by, usize::from(!is_kept), "AWS is asked once with an effect");
        }
    }
}
