use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_http_client::test_util::infallible_client_fn;

use super::*;
use crate::{
    closed_set::ClosedSet,
    gateway::{
        DynamoDbGateway,
        testing::{taking_every_write, unreachable_config},
    },
    session::testing::guards,
};

fn member(protection: Option<Protection>) -> Admission {
    Admission::of_member("222222222222".parse().unwrap(), protection)
}

#[test]
fn a_session_name_is_what_sts_allows() {
    let name = session_name("create-account-poller", "8f5d2c1e-1111-2222-3333-444455556666/x y");
    assert!(name.starts_with("create-account-poller.8f5d2c1e") && name.len() <= 64, "{name}");
    assert!(!name.contains(['/', ' ']), "{name}");
}

#[test]
fn a_session_policy_names_each_action_once() {
    let policy: serde_json::Value =
        serde_json::from_str(&session_policy(&["sns:Subscribe", "sns:CreateTopic", "sns:Subscribe"])).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], json!(["sns:CreateTopic", "sns:Subscribe"]));
}

/// What AWS STS answers on the wire.
const ROOT_SESSION: &str = "<AssumeRootResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRootResult>\
    <Credentials><AccessKeyId>ASIAROOT</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
    <SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>\
    </AssumeRootResult></AssumeRootResponse>";

#[tokio::test]
async fn a_root_session_is_asked_for_in_the_region_for_one_task_and_no_longer_than_it_takes() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let http = infallible_client_fn(move |request| {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        record.lock().unwrap().push((request.uri().host().unwrap().to_owned(), body));
        http::Response::builder().status(200).body(ROOT_SESSION).unwrap()
    });
    let config = unreachable_config().to_builder().http_client(http).build();
    let sessions = Sessions::new(&config, "tests", guards(Vec::new())).recording_in(taking_every_write());
    for task in TaskPolicy::ALL {
        let session = sessions.assume_root(&member(None), *task).await.unwrap();
        assert_eq!(session.region().unwrap().as_ref(), "us-east-1");
    }

    let seen = seen.lock().unwrap();
    for ((host, body), (policy, seconds)) in seen.iter().zip([
        ("IAMAuditRootUserCredentials", 60),
        ("IAMDeleteRootUserCredentials", 900),
        ("IAMCreateRootUserPassword", 60),
        ("S3UnlockBucketPolicy", 900),
        ("SQSUnlockQueuePolicy", 900),
    ]) {
        assert_eq!(host, "sts.us-east-1.amazonaws.com");
        for part in [
            "Action=AssumeRoot&".to_owned(),
            "TargetPrincipal=222222222222".to_owned(),
            format!("root-task%2F{policy}"),
            format!("DurationSeconds={seconds}"),
        ] {
            assert!(body.contains(&part), "{part} is not in {body}");
        }
    }
    assert_eq!(seen.len(), TaskPolicy::ALL.len());
}

fn answering_sessions() -> Sessions {
    let http = infallible_client_fn(|_| http::Response::builder().status(200).body(ROOT_SESSION).unwrap());
    Sessions::new(&unreachable_config().to_builder().http_client(http).build(), "tests", guards(Vec::new()))
}

#[tokio::test]
async fn a_root_session_is_recorded_by_whoever_opens_it_before_it_is_used() {
    use aws_sdk_dynamodb::{Client, operation::transact_write_items::TransactWriteItemsOutput};
    let recorded = aws_smithy_mocks::mock!(Client::transact_write_items)
        .match_requests(|input| {
            let item = input.transact_items()[0].put().unwrap().item();
            let session = item["session"].as_m().unwrap();
            item["pk"].as_s().unwrap() == "root-session#ASIAROOT"
                && session["function"].as_s().unwrap() == "tests"
                && session["account_id"].as_s().unwrap() == "222222222222"
                && session["task_policy"].as_s().unwrap().ends_with("S3UnlockBucketPolicy")
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let client = aws_smithy_mocks::mock_client!(aws_sdk_dynamodb, [&recorded]);
    let sessions = answering_sessions().recording_in(DynamoDbGateway::new(client, "table"));
    sessions.assume_root(&member(None), TaskPolicy::UnlockBucketPolicy).await.unwrap();
    assert_eq!(recorded.num_calls(), 1);
}

#[tokio::test]
async fn no_root_session_is_opened_where_none_can_be_recorded() {
    let refused = answering_sessions().assume_root(&member(None), TaskPolicy::AuditCredentials).await.unwrap_err();
    assert_eq!(refused.cause, Cause::RootSessionDenied);
}

#[tokio::test]
async fn a_protected_account_is_not_entered_for_a_change_and_one_of_the_stack_not_at_all() {
    let sessions = answering_sessions().recording_in(taking_every_write());
    let role = RoleName::organization_account_access();
    for task in TaskPolicy::ALL {
        for protection in [Protection::Document, Protection::Switch, Protection::PlanOnly] {
            let opened = sessions.assume_root(&member(Some(protection)), *task).await;
            assert_eq!(opened.is_ok(), *task == TaskPolicy::AuditCredentials, "{task:?}");
        }
        let refused = sessions.assume_root(&member(Some(Protection::Stack)), *task).await.unwrap_err();
        assert_eq!(refused.cause, Cause::AccountProtected);
    }
    let refused = sessions.enter(&member(Some(Protection::Stack)), &role, &[], "i-1").await.unwrap_err();
    assert_eq!(refused.cause, Cause::AccountProtected);
}

#[test]
fn a_session_within_grants_may_do_each_action_with_its_resources_alone() {
    let grant =
        |action: &'static str, resource: &str| Grant { actions: vec![action], resources: vec![resource.to_owned()] };
    let none = Grant { actions: Vec::new(), resources: vec!["*".to_owned()] };
    let policy = bounded_policy(&[grant("iam:GetUser", "*"), none, grant("iam:DeleteUser", "arn:aws:iam::1:user/a/*")]);
    let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 2, "{policy}");
    assert_eq!(policy["Statement"][1]["Resource"], serde_json::json!(["arn:aws:iam::1:user/a/*"]));
}

#[tokio::test]
async fn who_may_only_look_gets_no_session_of_a_role_that_is_there_to_change_something() {
    let sessions = answering_sessions();
    let role = RoleName::organization_account_access();
    let refused = invocation::reaching(Reach::Looks, Duration::from_mins(1), async {
        sessions.allow_changes().await.map_err(|failure| failure.cause).expect_err("it may only look");
        sessions.assume_own(&role, &[], "i-1").await.expect_err("it may only look")
    });
    assert_eq!(refused.await.cause, Cause::PlanOnly);
}
