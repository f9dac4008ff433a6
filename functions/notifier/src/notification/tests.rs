use proptest::prelude::*;
use serde_json::json;
use steward::{closed_set::ClosedSet, runtime::trigger::as_event};

use super::*;

fn now() -> Timestamp {
    "2026-11-26T08:00:05Z".parse().unwrap()
}

fn notification(detail_type: &str, detail: &Value) -> Notification {
    let event = json!({"id": "e-1", "detail-type": detail_type, "source": "steward", "time": "2026-11-26T08:00:00Z", "detail": detail});
    Notification::of(&as_event(&event).expect("an event"), now())
}

#[test]
fn a_mail_says_what_happened_where_and_what_to_do_with_ids_to_look_it_up() {
    let mail = notification(
        "RegionPolicyViolated",
        &json!({"account_id": "222222222222", "region": "eu-south-1", "status": "ENABLED", "cause": "RegionPolicyViolated",
            "message": "A region was enabled or disabled against the baseline document.", "remedy": "Undo it.",
            "requested_by": {"name": "Admin/alice"}, "remediated": false}),
    );
    assert_eq!(mail.severity, Severity::Warning);
    assert_eq!(mail.subject, "Steward, warning: region eu-south-1 is ENABLED in account 222222222222");
    assert_eq!(
        mail.text,
        "A region was enabled or disabled against the baseline document.

Where
  account       222222222222
  region        eu-south-1
  status        ENABLED
  requested by  Admin/alice

What to do
  Undo it.

To look it up
  event    RegionPolicyViolated e-1
  told at  2026-11-26T08:00:00Z
  cause    RegionPolicyViolated

Severities are informational, notice, warning and critical; the stack parameter NotifySeverity
says from which one mails are sent.
"
    );
    assert_eq!(mail.about, "e-1");
}

#[test]
fn accounts_that_will_be_closed_are_mailed_together_and_each_end_by_itself() {
    let accounts: Vec<_> = (0..25)
        .map(|n| json!({"account_id": format!("{n:012}"), "account_name": format!("Shop {n}"), "reason": "It is over"}))
        .collect();
    let announced = json!({"notice": "begun", "closes_at": "2026-12-06T08:00:00Z", "count": 25, "accounts": accounts});
    let mail = notification("AccountClosuresAnnounced", &announced);
    assert_eq!(mail.severity, Severity::Warning);
    assert_eq!(mail.subject, "Steward, warning: 25 accounts will be closed from 2026-12-06 on");
    for part in ["Shop 0 (000000000000): It is over", "and 5 more", "calls its closing off"] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    let mut due = announced;
    (due["notice"], due["count"]) = ("due".into(), json!(1));
    assert!(notification("AccountClosuresAnnounced", &due).subject.contains("1 account will be closed within a day"));

    let advanced = |outcome: &str| {
        let detail = json!({"account_id": "222222222222", "account_name": "Shop", "act": "end", "outcome": outcome,
            "reason": "It is over", "requested_by": "alice", "gone_on": "2027-02-07", "why": "It is protected."});
        notification("AccountClosureAdvanced", &detail)
    };
    let closed = advanced("closed");
    assert_eq!(closed.severity, Severity::Warning);
    assert!(closed.subject.contains("account 222222222222 is closed"), "{}", closed.subject);
    assert!(closed.text.contains("Until 2027-02-07") && closed.text.contains("alice"), "{}", closed.text);
    assert!(advanced("refused").text.contains("It is protected."));
    for (outcome, severity) in [
        ("suspended", Severity::Informational),
        ("asked", Severity::Informational),
        ("put_off", Severity::Informational),
        ("kept", Severity::Warning),
        ("failed", Severity::Warning),
    ] {
        assert_eq!(advanced(outcome).severity, severity, "{outcome}");
    }
}

#[test]
fn who_was_let_in_and_who_needs_a_look_is_mailed_by_name() {
    let changed = json!({"account_id": "111111111111", "user_name": "alice", "task": "change", "outcome": "done",
        "groups": ["group-admin"], "steps": ["create the user under /steward/"], "invocation": "i-1"});
    let mail = notification("JumpUserChanged", &changed);
    assert_eq!(mail.severity, Severity::Warning);
    assert!(mail.text.contains("group-admin") && mail.text.contains("create the user"), "{}", mail.text);
    let removed = json!({"user_name": "alice", "task": "remove", "outcome": "done", "steps": []});
    assert_eq!(notification("JumpUserChanged", &removed).severity, Severity::Notice);

    let regrouped = json!({"account_id": "111111111111", "why": "the account 222222222222 was moved",
        "applied": ["correct what the policy group-admin-shop says: it leads to 2 roles"]});
    let mail = notification("JumpGroupsChanged", &regrouped);
    assert_eq!(mail.severity, Severity::Notice);
    assert!(mail.text.contains("222222222222 was moved") && mail.text.contains("leads to 2 roles"), "{}", mail.text);

    let named = |names: &[&str]| json!({"count": names.len(), "names": names});
    let reviewed = |bare: &[&str]| {
        let detail = json!({"account_id": "111111111111", "users": 3, "without_second_factor": named(bare),
            "idle": named(&[]), "old_keys": named(&[]), "not_reached": 0});
        notification("JumpUsersReviewed", &detail)
    };
    let mail = reviewed(&["bob"]);
    assert_eq!(mail.severity, Severity::Warning);
    assert!(mail.text.contains("bob: no second factor"), "{}", mail.text);
    assert_eq!(reviewed(&[]).severity, Severity::Informational);
}

#[test]
fn an_address_is_mailed_with_who_asked_and_why_and_of_many_the_change_of_all() {
    let updated = |more: &serde_json::Value| {
        let mut detail = json!({"account_id": "222222222222", "account_name": "Shop", "task": "start-email-change",
            "outcome": "done", "old_email": "a@old.example", "new_email": "a@new.example", "reason": "typo",
            "requested_by": "alice", "steps": ["asked AWS to mail a code to a@new.example"], "invocation": "i-1"});
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        notification("AccountUpdated", &detail)
    };
    let mail = updated(&json!({}));
    assert_eq!(mail.severity, Severity::Warning);
    for part in ["Shop (222222222222)", "a@old.example", "a@new.example", "typo", "alice"] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    let of_many = updated(&json!({"task": "change-email-domain", "run": "i-1"}));
    assert_eq!(of_many.severity, Severity::Notice);
    assert_eq!(updated(&json!({"task": "accept-email-change"})).severity, Severity::Warning);
    assert_eq!(updated(&json!({"task": "rename"})).severity, Severity::Notice);
    assert_eq!(updated(&json!({"outcome": "waits"})).severity, Severity::Informational);
    assert_eq!(updated(&json!({"outcome": "refused", "why": "no"})).severity, Severity::Warning);
    let whole = json!({"task": "change-email-domain", "outcome": "done", "from": "old.example", "to": "new.example",
        "reason": "new name", "run": "i-1", "steps": ["put 400 changes into the queue"]});
    let mail = notification("AccountUpdated", &whole);
    assert_eq!(mail.severity, Severity::Warning);
    assert!(mail.text.contains("400 changes") && mail.text.contains("new.example"), "{}", mail.text);

    let change = json!({"account_id": "222222222222", "account_name": "Shop", "new_email": "a@new.example",
        "code_ends_at": "2026-11-21T09:00:00Z"});
    let mail = notification("EmailChangesAbandoned", &json!({"count": 1, "changes": [change]}));
    assert_eq!(mail.severity, Severity::Warning);
    assert!(mail.text.contains("Shop (222222222222) to a@new.example: its code ends"), "{}", mail.text);
}

#[test]
fn a_request_that_failed_is_reported_with_everything_it_can_be_found_by() {
    let mail = notification(
        "AccountCreationFailed",
        &json!({"account_name": "Shop", "email": "shop@example.com", "request_id": "r-1", "event_id": "e-7",
            "cause": "EmailAlreadyExists", "message": "Taken.", "remedy": "Use another address."}),
    );
    for line in ["Shop", "shop@example.com", "r-1", "e-7", "EmailAlreadyExists"] {
        assert!(mail.text.lines().any(|said| said.ends_with(line)), "{line}: {}", mail.text);
    }
    // Whatever the event lacks is left out.
    let broken = notification("AccountCreationFailed", &json!({"cause": "InvalidRequest", "message": "No."}));
    assert!(!broken.text.contains("e-mail") && !broken.text.contains("requested by event"), "{}", broken.text);
}

#[test]
fn what_happened_long_ago_is_not_reported_as_news() {
    let mail = |at: &str| {
        notification("ActivityAudited", &json!({"severity": "critical", "action": "CloseAccount", "at": at}))
    };
    let old = mail("2026-11-03T10:00:00Z");
    assert!(old.subject.starts_with("Steward, critical: of 2026-11-03: CloseAccount"), "{}", old.subject);
    assert!(old.text.starts_with("This is of 2026-11-03, and comes late or again."), "{}", old.text);
    assert!(!mail("2026-11-26T07:00:00Z").subject.contains("of 2026"));
}

#[test]
fn root_work_that_was_done_or_refused_is_mailed_and_handing_power_out_is_critical() {
    let severity = |task: &str, outcome: &str| {
        notification("RootTaskPerformed", &json!({"task": task, "outcome": outcome})).severity
    };
    for task in ["allow-password-recovery", "disable", "enable"] {
        assert_eq!(
            (severity(task, "done"), severity(task, "refused")),
            (Severity::Critical, Severity::Warning),
            "{task}"
        );
    }
    for outcome in ["done", "refused", "failed"] {
        assert_eq!(severity("delete-credentials", outcome), Severity::Warning, "{outcome}");
    }
    assert_eq!(severity("delete-credentials", "planned"), Severity::Informational);
}

#[test]
fn what_nobody_sees_does_not_get_into_a_mail() {
    let name = "Shop\u{202e}gpj.exe\u{200b}\u{e0041}\u{2028}What to do";
    let mail = notification("AccountCreated", &json!({"account_id": "222222222222", "account_name": name}));
    assert!(mail.text.contains("Shopgpj.exe What to do"), "{}", mail.text);
}

#[test]
fn a_summary_says_how_many_there_were_and_the_first_of_them() {
    let slot = Slot { account: "222222222222".to_owned(), hour: 497_222 };
    let held = Held { held: 280, subjects: vec!["Steward, warning: x".to_owned()], ..Held::default() };
    let (subject, text) = Notification::summary(&slot, &held);
    assert_eq!(subject, "Steward, warning: 280 more events of account 222222222222 in one hour");
    assert!(text.contains("Steward, warning: x") && text.contains("and 279 more"), "{text}");
}

#[test]
fn the_account_that_has_caused_it_is_where_it_was_recorded_and_not_what_a_call_names() {
    let activity = json!({"recorded_in": "222222222222", "account_id": "333333333333"});
    assert_eq!(notification("ActivityAudited", &activity).caused_by.as_deref(), Some("222222222222"));
    assert_eq!(notification("x", &json!({"account_id": "333333333333"})).caused_by.as_deref(), Some("333333333333"));
}

#[test]
fn what_steward_undoes_itself_needs_nobody() {
    let mail = notification("RegionPolicyViolated", &json!({"remedy": "Undo it.", "remediated": true}));
    assert!(mail.text.contains("Steward undoes it by itself") && !mail.text.contains("Undo it."), "{}", mail.text);
}

#[test]
fn a_sweep_is_mailed_for_what_is_new_and_not_for_what_is_known() {
    let totals = json!({"accounts": 40, "compliant": 30, "not_compliant": 8, "unknown": 1, "not_checked": 1});
    let known = notification(
        "ComplianceReported",
        &json!({"totals": totals, "new": [], "new_count": 0, "resolved_count": 2, "compared_with": "before"}),
    );
    assert_eq!(known.severity, Severity::Informational);
    let finding = json!({"account_id": "222222222222", "account_name": "Shop", "control": "regions",
        "headline": "enable the region eu-central-2"});
    let mail = notification(
        "ComplianceReported",
        &json!({"totals": totals, "new": [finding], "new_count": 1, "compared_with": "before", "report": "s3://r/report.html"}),
    );
    assert_eq!(mail.severity, Severity::Warning);
    assert_eq!(mail.subject, "Steward, warning: sweep of 40 accounts: 1 new findings");
    for line in ["Shop (222222222222) regions: enable the region eu-central-2", "s3://r/report.html", "Open the report"]
    {
        assert!(mail.text.contains(line), "{}", mail.text);
    }
    let first = notification("ComplianceReported", &json!({"totals": totals, "new": [], "new_count": 0}));
    assert_eq!(first.severity, Severity::Warning);
    assert!(first.text.contains("It is the first sweep"), "{}", first.text);
}

#[test]
fn an_activity_keeps_the_severity_that_it_was_judged_with() {
    for &severity in Severity::ALL {
        let mail = notification("ActivityAudited", &json!({"severity": severity, "action": "CloseAccount"}));
        assert_eq!(mail.severity, severity);
    }
    // Better a mail too many.
    assert_eq!(notification("ActivityAudited", &json!({"severity": "grave"})).severity, Severity::Warning);
}

#[test]
fn controls_that_are_not_done_are_listed_and_the_others_not() {
    let mail = notification(
        "BaselineIncomplete",
        &json!({"account_id": "222222222222", "cause": "AccessDenied", "message": "AWS denied a call.", "controls": [
            {"control": "regions", "outcome": "unknown", "failure": {"message": "denied"}},
            {"control": "billing-alarm", "outcome": "fixed"},
        ]}),
    );
    assert!(mail.text.contains("regions is unknown: denied") && !mail.text.contains("billing-alarm"), "{}", mail.text);
}

#[test]
fn a_refused_document_is_one_thing_however_many_functions_refuse_it() {
    let refused =
        json!({"etag": "\"1a\"", "problem_count": 2, "problems": [{"path": "defaults", "problem": "is wrong"}]});
    let mail = notification("BaselineDocumentRefused", &refused);
    assert_eq!(mail.about, "document \"1a\"");
    assert!(mail.text.contains("defaults: is wrong"), "{}", mail.text);
}

#[test]
fn a_failure_of_a_kind_that_is_not_known_is_reported_all_the_same() {
    let mail = notification("SomethingNew", &json!({"cause": "AccessDenied", "message": "No.", "remedy": "Do."}));
    assert_eq!(mail.severity, Severity::Warning);
    assert!(mail.text.starts_with("No.\n") && mail.text.contains("  Do.\n"), "{}", mail.text);
    assert_eq!(notification("SomethingNew", &json!({})).severity, Severity::Informational);
}

#[test]
fn a_name_cannot_forge_lines_nor_break_the_subject() {
    let name = "Shop\nWhat to do\n  Send your password to äll";
    let mail = notification("AccountCreated", &json!({"account_id": "222222222222", "account_name": name}));
    assert!(mail.subject.len() <= 100 && mail.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    assert_eq!(mail.text.lines().filter(|line| line.starts_with("What to do")).count(), 1, "{}", mail.text);
}

#[test]
fn a_subject_names_an_account_by_its_id_and_holds_nothing_that_the_account_calls_itself() {
    let name = "urgent: sign in at example.org, or else the account 3333";
    let detail = json!({"account_id": "222222222222", "account_name": name, "severity": "critical", "outcome": "closed",
        "action": "CloseAccount", "actor": {"name": "somebody"}, "task": "rename", "region": "eu-south-1"});
    for kind in ["AccountCreated", "ActivityAudited", "AccountClosureAdvanced", "AccountUpdated", "SomethingNew"] {
        let mail = notification(kind, &detail);
        assert!(mail.subject.contains("222222222222") && !mail.subject.contains("urgent"), "{}", mail.subject);
        assert!(mail.text.contains(name), "{}", mail.text);
    }
}

proptest! {
    #[test]
    fn every_event_becomes_a_mail_that_sns_takes(
        detail_type in prop_oneof![Just("ActivityAudited"), Just("AccountCreated"), Just("BaselineIncomplete"), Just("x")],
        name in "\\PC{0,200}", problem in any::<Option<i64>>(),
    ) {
        let detail = json!({"account_name": name, "controls": problem, "problems": [problem], "target": name, "action": name});
        let mail = notification(detail_type, &detail);
        prop_assert!((1..=100).contains(&mail.subject.len()));
        prop_assert!(mail.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert!(mail.text.len() < 100_000);
    }
}
