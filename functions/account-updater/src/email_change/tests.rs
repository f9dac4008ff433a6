use super::*;

pub(crate) fn id(number: usize) -> AccountId {
    format!("{:012}", 222_222_222_222_usize + number).parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

/// A change that waits in the queue.
pub(crate) fn change_of(number: usize, email: &str) -> EmailChange {
    let asked = Asked { reason: "new name of the company".to_owned(), requested_by: None };
    let account = (id(number), format!("Account {number}"), "a@old.example".to_owned());
    EmailChange::new(account, email.parse().unwrap(), &asked, Some("run-1".to_owned()), None, at("20T08:00:00"))
}

fn update(status: EmailUpdateStatus, updated_at: Timestamp) -> EmailUpdate {
    EmailUpdate { status, updated_at: Some(updated_at) }
}

#[test]
fn a_call_whose_answer_was_lost_is_found_at_aws_or_waited_for_and_made_again_only_then() {
    let starting = change_of(1, "a@new.example").starting(at("20T09:00:00.9"));
    assert_eq!((starting.starts, starting.revision), (1, 2));
    let arrived = Some(update(EmailUpdateStatus::Pending, at("20T09:00:00")));
    assert_eq!(starting.seen(arrived, at("20T09:00:01")), Seen::Started, "AWS counts in whole seconds");
    let of_before = Some(update(EmailUpdateStatus::Completed, at("19T09:00:00")));
    for nothing_new in [None, of_before] {
        assert_eq!(starting.seen(nothing_new, at("20T09:01:00")), Seen::NotYet);
        assert_eq!(starting.seen(nothing_new, at("20T09:01:01")), Seen::NotStarted);
    }
}

#[test]
fn a_change_follows_what_aws_says_of_it_and_believes_nothing_older() {
    let pending = change_of(1, "a@new.example").starting(at("20T09:00:00")).in_state(State::Pending, at("20T09:00:01"));
    let now = at("20T10:00:00");
    let after =
        |status, updated_at, present| pending.after(Some(update(status, updated_at)), present, now).map(|c| c.state);
    assert_eq!(after(EmailUpdateStatus::Pending, at("20T09:00:00"), None), None);
    assert_eq!(after(EmailUpdateStatus::Accepted, at("20T09:30:00"), None), Some(State::Accepted));
    assert_eq!(after(EmailUpdateStatus::Completed, at("20T09:30:00"), Some("A@new.example")), Some(State::Completed));
    assert_eq!(after(EmailUpdateStatus::Completed, at("19T09:30:00"), Some("a@new.example")), None, "another one");
    let elsewhere = after(EmailUpdateStatus::Completed, at("20T09:30:00"), Some("x@new.example"));
    assert!(matches!(elsewhere, Some(State::Failed { why }) if why.contains("elsewhere")));
    let failed = after(EmailUpdateStatus::Failed, at("20T09:30:00"), None);
    assert!(matches!(failed, Some(State::Failed { .. })), "{failed:?}");
    assert_eq!(pending.after(None, None, now), None);
}

#[test]
fn a_change_that_waits_for_its_code_is_told_after_twenty_hours_before_the_code_ends() {
    let pending = change_of(1, "a@new.example").starting(at("20T09:00:00")).in_state(State::Pending, at("20T09:00:01"));
    assert_eq!(pending.code_ends_at(), Some(at("21T09:00:00")));
    assert!(!pending.is_abandoned(at("21T04:59:59")) && pending.is_abandoned(at("21T05:00:00")));
    // Asked for again, it has a code of its own.
    let again = pending.told(at("21T05:00:00")).starting(at("21T08:00:00")).in_state(State::Pending, at("21T08:00:01"));
    assert_eq!((again.told_at, again.starts, again.is_abandoned(at("21T09:00:00"))), (None, 2, false));
    let accepted = pending.in_state(State::Accepted, at("20T10:00:00"));
    assert!(!accepted.is_abandoned(at("23T00:00:00")));
}

#[test]
fn only_a_change_of_a_run_that_nobody_has_worked_on_for_half_an_hour_has_lost_its_message() {
    let queued = change_of(1, "a@new.example");
    assert!(!queued.is_stranded(at("20T08:29:59")) && queued.is_stranded(at("20T08:30:00")));
    assert!(!EmailChange { run: None, ..queued.clone() }.is_stranded(at("21T00:00:00")));
    assert!(!queued.in_state(State::Pending, at("20T08:00:00")).is_stranded(at("21T00:00:00")));
}

#[test]
fn what_aws_was_not_asked_for_waits_in_a_run_and_ends_where_nobody_goes_on_with_it() {
    let of_run = change_of(1, "a@new.example").starting(at("20T09:00:00"));
    assert_eq!(of_run.not_asked(at("20T09:01:00")).state, State::Queued);
    let alone = EmailChange { run: None, ..of_run };
    let ended = alone.not_asked(at("20T09:01:00"));
    assert!(matches!(&ended.state, State::Failed { why } if why.contains("start it again")) && !ended.is_open());
    // It was ended before the record said that AWS is about to be asked.
    let queued = EmailChange { run: None, ..change_of(1, "a@new.example") };
    assert!(!queued.is_dropped(at("20T08:00:59")) && queued.is_dropped(at("20T08:01:00")));
    assert!(!change_of(1, "a@new.example").is_dropped(at("21T08:00:00")), "its message is sent again");
}

#[test]
fn a_record_is_read_back_as_it_was_written_and_has_no_room_for_a_code() {
    for state in [State::Queued, State::Pending, State::Failed { why: "no".to_owned() }, State::Forgotten] {
        let change = change_of(1, "a@new.example").starting(at("20T09:00:00")).in_state(state, at("20T09:00:01"));
        let written = serde_json::to_value(&change).unwrap();
        assert_eq!(written["state"]["name"], change.state.name());
        assert!(written.get("otp").is_none() && written.get("code").is_none());
        assert_eq!(serde_json::from_value::<EmailChange>(written).unwrap(), change);
    }
}
