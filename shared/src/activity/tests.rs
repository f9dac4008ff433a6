use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::events::as_event;

const OWN: &str = "arn:aws:iam::111111111111:role/steward-RootTaskRunnerRole-1";

fn audited(detail: &Value) -> ActivityAudited {
    let event = json!({"id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.x", "detail": detail});
    ActivityAudited::of(&as_event(&event).unwrap(), &[OWN.to_owned()]).unwrap()
}

fn role(issuer: &str) -> Value {
    json!({"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/r/alice", "accountId": "111111111111",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}, "attributes": {"mfaAuthenticated": "true"}}})
}

fn root() -> Value {
    json!({"type": "Root", "arn": "arn:aws:iam::222222222222:root", "accountId": "222222222222"})
}

fn severity(name: &str, identity: &Value) -> Severity {
    audited(&json!({"eventName": name, "userIdentity": identity})).severity
}

#[test]
fn a_root_sign_in_matters_most_without_a_second_factor() {
    let sign_in = |mfa: &str, said: &str| {
        let detail = json!({"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "userIdentity": root(),
            "responseElements": {"ConsoleLogin": said}, "additionalEventData": {"MFAUsed": mfa}});
        audited(&detail)
    };
    assert_eq!(sign_in("No", "Success").severity, Severity::Critical);
    assert_eq!(sign_in("Yes", "Success").severity, Severity::Warning);
    let failed = sign_in("No", "Failure");
    assert_eq!((failed.severity, failed.error_code.as_deref()), (Severity::Warning, Some("Failure")));
}

#[test]
fn calls_on_the_deny_list_are_critical_unless_steward_makes_them() {
    let alice = role("arn:aws:iam::111111111111:role/Admin");
    for name in ["LeaveOrganization", "AssumeRoot", "CloseAccount", "DisableOrganizationsRootSessions"] {
        assert_eq!(severity(name, &alice), Severity::Critical, "{name}");
        assert_eq!(severity(name, &role(OWN)), Severity::Informational, "{name}");
    }
    assert_eq!(severity("PutContactInformation", &alice), Severity::Notice);
    assert_eq!(severity("PutContactInformation", &root()), Severity::Warning);
}

#[test]
fn what_aws_refused_matters_less_and_says_why_it_was_refused() {
    let detail = json!({"eventName": "CloseAccount", "errorCode": "AccessDenied", "userIdentity": role("arn:aws:iam::111111111111:role/Admin")});
    let refused = audited(&detail);
    assert_eq!((refused.severity, refused.error_code.as_deref()), (Severity::Warning, Some("AccessDenied")));
    assert!(refused.why.contains("AccessDenied"), "{}", refused.why);
}

#[test]
fn only_parameters_that_say_what_it_is_about_get_out() {
    let detail = json!({"eventName": "AcceptPrimaryEmailUpdate", "userIdentity": root(),
        "requestParameters": {"accountId": "333333333333", "primaryEmail": "new@example.com", "otp": "123456"}});
    let audited = audited(&detail);
    assert_eq!(audited.account_id.as_ref().unwrap().as_str(), "333333333333");
    assert_eq!(audited.target, BTreeMap::from([("account".to_owned(), "333333333333".to_owned())]));
    assert!(!serde_json::to_string(&audited).unwrap().contains("123456"));
}

#[test]
fn the_account_of_a_root_session_is_the_one_it_enters() {
    for principal in ["222222222222", "arn:aws:iam::222222222222:root"] {
        let detail = json!({"eventName": "AssumeRoot", "userIdentity": role(OWN), "recipientAccountId": "111111111111",
            "requestParameters": {"targetPrincipal": principal}});
        assert_eq!(audited(&detail).account_id.unwrap().as_str(), "222222222222");
    }
}

#[test]
fn the_work_of_an_own_root_session_is_own_work() {
    let audited = audited(&json!({"eventName": "DeleteBucketPolicy", "userIdentity": root()}));
    assert_eq!(audited.severity, Severity::Warning);
    let own = audited.by_own_root_session();
    assert_eq!(
        (own.severity, own.actor.kind, own.actor.is_steward),
        (Severity::Informational, ActorKind::RootSession, true)
    );
}

const SAMPLES: [&str; 4] = [
    include_str!("../../../events/activity-auditor/root-sign-in.json"),
    include_str!("../../../events/activity-auditor/assume-root.json"),
    include_str!("../../../events/activity-auditor/move-account.json"),
    include_str!("../../../events/activity-auditor/put-alternate-contact.json"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn no_damage_to_an_event_panics_the_reader(
        sample in 0usize..4, at in 0usize..3000, length in 0usize..40, insert in "[a-zA-Z0-9\"{}\\[\\],: \\-*]{0,6}"
    ) {
        let text = SAMPLES[sample].as_bytes();
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let damaged = [&text[..at], insert.as_bytes(), &text[end..]].concat();
        if let Some(event) = serde_json::from_slice(&damaged).ok().as_ref().and_then(as_event) {
            let audited = ActivityAudited::of(&event, &[OWN.to_owned()]);
            // None is not silence: such a message ends among the dead letters.
            prop_assert!(audited.is_none_or(|audited| !audited.action.is_empty() && !audited.why.is_empty()));
            let _ = (root_session_key(&event), temporary_root_key(&event));
        }
    }
}
