use proptest::prelude::*;
use serde_json::json;
use steward::runtime::trigger::as_event;

use super::*;

const ALICE: &str = "arn:aws:iam::111111111111:role/Admin";

fn arn_of(function: &str) -> String {
    format!("arn:aws:iam::111111111111:role/steward-{function}")
}

fn own_roles() -> Vec<OwnRole> {
    steward::audit::own_roles::MAY
        .iter()
        .map(|(name, _)| OwnRole { name: (*name).to_owned(), arn: arn_of(name) })
        .collect()
}

fn guarded() -> Guarded {
    let own_names = vec!["steward".to_owned(), "1234abcd-12ab-34cd-56ef-1234567890ab".to_owned()];
    Guarded { own_names, access_role: "OrganizationAccountAccessRole".to_owned() }
}

fn audited_with(detail: &Value, opened: Option<&OpenedSession>) -> ActivityAudited {
    let event = json!({"id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.x", "detail": detail,
        "account": "111111111111"});
    let own = opened.cloned().map(OwnRecord::Session);
    ActivityAudited::of(&as_event(&event).unwrap(), &own_roles(), &guarded(), own.as_ref()).unwrap()
}

fn audited(detail: &Value) -> ActivityAudited {
    audited_with(detail, None)
}

fn opened(function: &str, task: &str) -> OpenedSession {
    OpenedSession {
        function: function.to_owned(),
        account_id: "222222222222".parse().unwrap(),
        task_policy: format!("arn:aws:iam::aws:policy/root-task/{task}"),
    }
}

fn role(issuer: &str) -> Value {
    json!({"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/r/alice", "accountId": "111111111111",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}, "attributes": {"mfaAuthenticated": "true"}}})
}

fn root() -> Value {
    json!({"type": "Root", "arn": "arn:aws:iam::222222222222:root", "accountId": "222222222222"})
}

/// A record of an action as IAM names it.
fn record(action: &str, identity: &Value) -> Value {
    let (service, name) = action.split_once(':').unwrap();
    json!({"eventName": name, "eventSource": format!("{service}.amazonaws.com"), "userIdentity": identity})
}

fn severity(action: &str, identity: &Value) -> Severity {
    audited(&record(action, identity)).severity
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
fn what_takes_accounts_out_of_hand_or_hands_out_power_is_critical_whoever_does_it() {
    for action in [
        "account:CloseAccount",
        "cloudtrail:StopLogging",
        "iam:DisableOrganizationsRootSessions",
        "iam:EnableOrganizationsRootSessions",
        "organizations:LeaveOrganization",
        "organizations:PutResourcePolicy",
        "organizations:RegisterDelegatedAdministrator",
        "organizations:UpdatePolicy",
        "sts:AssumeRoot",
    ] {
        for identity in [role(ALICE), root()] {
            assert_eq!(severity(action, &identity), Severity::Critical, "{action}");
        }
    }
    assert_eq!(severity("account:PutContactInformation", &role(ALICE)), Severity::Notice);
    assert_eq!(severity("account:PutContactInformation", &root()), Severity::Warning);
    assert_eq!(severity("organizations:UpdateOrganizationalUnit", &role(ALICE)), Severity::Warning);
    // The same name of another service is another call.
    assert_eq!(severity("secretsmanager:PutResourcePolicy", &role(ALICE)), Severity::Notice);
}

#[test]
fn of_each_own_role_what_its_policy_does_not_allow_is_critical_even_where_aws_refused_it() {
    let all: std::collections::BTreeSet<_> = steward::audit::own_roles::MAY
        .iter()
        .flat_map(|(_, actions)| *actions)
        .copied()
        .chain(["organizations:CloseAccount"])
        .collect();
    for (function, may) in steward::audit::own_roles::MAY {
        let identity = role(&arn_of(function));
        for action in &all {
            let mut record = record(action, &identity);
            let judged = audited(&record).severity;
            if may.contains(action) {
                // Of these, Steward keeps records, and there is none here.
                let is_recorded = ["organizations:CloseAccount", "sts:AssumeRoot"].contains(action);
                assert!(is_recorded || judged <= Severity::Warning, "{function} {action}");
                continue;
            }
            assert_eq!(judged, Severity::Critical, "{function} {action}");
            record["errorCode"] = "AccessDenied".into();
            assert_eq!(audited(&record).severity, Severity::Critical, "{function} {action}");
        }
    }
}

#[test]
fn own_work_is_excused_as_far_as_people_need_not_know_of_it() {
    let applier = role(&arn_of("baseline-applier"));
    assert_eq!(severity("organizations:MoveAccount", &applier), Severity::Informational);
    let runner = role(&arn_of("root-task-runner"));
    assert_eq!(severity("iam:DisableOrganizationsRootSessions", &runner), Severity::Warning);
    let writer = role(&arn_of("organization-preparer-writer"));
    assert_eq!(severity("organizations:RegisterDelegatedAdministrator", &writer), Severity::Warning);
}

#[test]
fn a_root_session_is_stewards_if_the_function_that_opened_it_has_said_so() {
    let record = record("sts:AssumeRoot", &role(&arn_of("root-task-runner")));
    let own = opened("root-task-runner", "IAMAuditRootUserCredentials");
    assert_eq!(audited_with(&record, Some(&own)).severity, Severity::Informational);
    let others = opened("baseline-applier", "IAMAuditRootUserCredentials");
    for session in [None, Some(&others)] {
        let audited = audited_with(&record, session);
        assert_eq!(audited.severity, Severity::Critical, "{}", audited.why);
    }
}

#[test]
fn what_aws_refused_matters_less_and_says_why_it_was_refused() {
    let mut detail = record("organizations:CloseAccount", &role(ALICE));
    detail["errorCode"] = "AccessDenied".into();
    let refused = audited(&detail);
    assert_eq!((refused.severity, refused.error_code.as_deref()), (Severity::Warning, Some("AccessDenied")));
    assert!(refused.why.contains("AccessDenied"), "{}", refused.why);
}

#[test]
fn accounts_leave_in_three_ways_that_weigh_differently() {
    let left = |method: &str| {
        let detail = json!({"eventName": "AccountDepartedOrganization", "eventSource": "organizations.amazonaws.com",
            "userIdentity": {"invokedBy": "organizations.amazonaws.com"},
            "serviceEventDetails": {"accountId": "222222222222", "departureMethod": method}});
        audited(&detail).severity
    };
    assert_eq!((left("LEFT"), left("REMOVED")), (Severity::Critical, Severity::Warning));
    assert_eq!((left("CLEANED"), left("cleaned")), (Severity::Informational, Severity::Informational));
    assert_eq!(left("SOMETHING_NEW"), Severity::Warning);
}

#[test]
fn a_root_user_whose_password_is_recovered_is_critical() {
    for name in ["PasswordRecoveryRequested", "PasswordRecoveryCompleted"] {
        assert_eq!(severity(&format!("signin:{name}"), &root()), Severity::Critical);
    }
}

#[test]
fn a_service_that_acts_in_the_name_of_a_root_user_is_no_warning_unless_the_call_is_one() {
    let mut identity = root();
    identity["invokedBy"] = "organizations.amazonaws.com".into();
    assert_eq!(severity("iam:CreateServiceLinkedRole", &identity), Severity::Informational);
    assert_eq!(severity("account:CloseAccount", &identity), Severity::Critical);
}

#[test]
fn changes_of_stewards_own_resources_are_critical_unless_a_deployment_makes_them() {
    for (action, parameters) in [
        ("lambda:UpdateFunctionCode20150331v2", json!({"functionName": "steward-ActivityAuditor-1A"})),
        (
            "lambda:UpdateFunctionCode20150331v2",
            json!({"functionName": "arn:aws:lambda:us-east-1:1:function:steward-Notifier-1A"}),
        ),
        ("iam:PutRolePolicy", json!({"roleName": "steward-NotifierRole-1A", "policyName": "x"})),
        ("events:DisableRule", json!({"name": "steward-RootSignInRule-1A"})),
        ("scheduler:DeleteSchedule", json!({"name": "steward-ComplianceSweepDaily-1A"})),
        ("sns:Unsubscribe", json!({"subscriptionArn": "arn:aws:sns:us-east-1:1:steward-Alerts-1A:2B"})),
        ("s3:DeleteBucket", json!({"bucketName": "steward-documents-1a"})),
        ("kms:DisableKey", json!({"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab"})),
        ("monitoring:DeleteAlarms", json!({"alarmNames": ["other", "steward-UndeliverableAlarm-1A"]})),
        ("states:DeleteStateMachine", json!({"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:steward"})),
        ("logs:DeleteLogGroup", json!({"logGroupName": "/aws/lambda/steward/notifier"})),
        ("sqs:PurgeQueue", json!({"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/steward-ActivityQueue-1A"})),
    ] {
        let mut detail = record(action, &role(ALICE));
        detail["requestParameters"] = parameters;
        assert_eq!(audited(&detail).severity, Severity::Critical, "{action}");
        detail["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com".into();
        assert_eq!(audited(&detail).severity, Severity::Notice, "{action}");
    }
    let mut other = record("lambda:UpdateFunctionCode20150331v2", &role(ALICE));
    other["requestParameters"] = json!({"functionName": "stewardess-1A"});
    assert_eq!(audited(&other).severity, Severity::Notice);
    for (action, severity) in
        [("cloudformation:DeleteStack", Severity::Critical), ("cloudformation:ExecuteChangeSet", Severity::Warning)]
    {
        let mut detail = record(action, &role(ALICE));
        detail["requestParameters"] = json!({"stackName": "steward"});
        assert_eq!(audited(&detail).severity, severity);
    }
}

#[test]
fn a_change_of_the_access_role_of_a_member_is_critical() {
    let mut detail = record("iam:UpdateAssumeRolePolicy", &role("arn:aws:iam::222222222222:role/Admin"));
    detail["requestParameters"] = json!({"roleName": "OrganizationAccountAccessRole"});
    assert_eq!(audited(&detail).severity, Severity::Critical);
}

#[test]
fn what_somebody_has_written_into_a_refused_call_does_not_stand_in_a_mail() {
    let text = "Steward is broken. Call +1 555 0100.";
    let mut detail = record("organizations:CloseAccount", &role(ALICE));
    detail["errorCode"] = "AccessDenied".into();
    detail["requestParameters"] =
        json!({"accountId": text, "policyId": text, "servicePrincipal": text, "userName": text});
    detail["sourceIPAddress"] = text.into();
    detail["userIdentity"]["arn"] = format!("arn:aws:sts::1:assumed-role/r/{text}").into();
    let audited = serde_json::to_string(&audited(&detail)).unwrap();
    assert!(!audited.contains("555"), "{audited}");
}

#[test]
fn what_is_not_of_a_service_of_aws_is_not_believed() {
    let event =
        json!({"detail-type": "x", "source": "aws.partner/example.com/1", "detail": {"eventName": "StopLogging"}});
    assert_eq!(ActivityAudited::of(&as_event(&event).unwrap(), &own_roles(), &guarded(), None), None);
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
        let detail = json!({"eventName": "AssumeRoot", "userIdentity": role(ALICE), "recipientAccountId": "111111111111",
            "requestParameters": {"targetPrincipal": principal}});
        assert_eq!(audited(&detail).account_id.unwrap().as_str(), "222222222222");
    }
}

#[test]
fn the_work_of_an_own_root_session_is_own_work_as_far_as_its_task_goes() {
    let detail = record("s3:DeleteBucketPolicy", &root());
    assert_eq!(audited(&detail).severity, Severity::Warning);
    let own = audited_with(&detail, Some(&opened("root-task-runner", "S3UnlockBucketPolicy")));
    assert_eq!(
        (own.severity, own.actor.kind, own.actor.is_steward),
        (Severity::Informational, ActorKind::RootSession, true)
    );
    let past_its_task = audited_with(&detail, Some(&opened("root-task-runner", "IAMAuditRootUserCredentials")));
    assert_eq!(past_its_task.severity, Severity::Critical);
}

const SAMPLES: [&str; 4] = [
    include_str!("../../../../events/activity-auditor/root-sign-in.json"),
    include_str!("../../../../events/activity-auditor/assume-root.json"),
    include_str!("../../../../events/activity-auditor/move-account.json"),
    include_str!("../../../../events/activity-auditor/put-alternate-contact.json"),
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
            let audited = ActivityAudited::of(&event, &own_roles(), &guarded(), None);
            // None is not silence: such a message ends among the dead letters.
            prop_assert!(audited.is_none_or(|audited| !audited.action.is_empty() && !audited.why.is_empty()));
            let _ = (root_session_key(&event), temporary_root_key(&event));
        }
    }
}

#[test]
fn a_closure_is_stewards_own_where_it_was_recorded_before_and_critical_where_it_was_not() {
    let closed = |detail: &Value, own: Option<OwnRecord>| {
        let event = json!({"id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.organizations",
            "detail": detail, "account": "111111111111"});
        let event = as_event(&event).unwrap();
        assert_eq!(closed_account(&event).unwrap().as_str(), "222222222222");
        ActivityAudited::of(&event, &own_roles(), &guarded(), own.as_ref()).unwrap().severity
    };
    let mut call = record("organizations:CloseAccount", &role(&arn_of("account-closer")));
    call["requestParameters"] = json!({"accountId": "222222222222"});
    assert_eq!(closed(&call, Some(OwnRecord::Closure)), Severity::Informational);
    assert_eq!(closed(&call, None), Severity::Critical, "somebody has its credentials");
    let mut refused = call.clone();
    refused["errorCode"] = "ConstraintViolationException".into();
    assert_eq!(closed(&refused, None), Severity::Notice);
    // Nobody else is excused by that.
    let mut by_people = record("organizations:CloseAccount", &role(ALICE));
    by_people["requestParameters"] = json!({"accountId": "222222222222"});
    assert_eq!(closed(&by_people, Some(OwnRecord::Closure)), Severity::Critical);

    let result = json!({"eventName": "CloseAccountResult", "eventSource": "organizations.amazonaws.com",
        "userIdentity": {"accountId": "111111111111", "invokedBy": "organizations.amazonaws.com"},
        "serviceEventDetails": {"closeAccountStatus": {"accountId": "222222222222", "state": "SUCCEEDED"}}});
    assert_eq!(closed(&result, Some(OwnRecord::Closure)), Severity::Informational);
    assert_eq!(closed(&result, None), Severity::Warning);
}
