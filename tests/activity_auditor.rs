//! What people and functions do to accounts and the organization: read, judged, and told once.

use std::time::Duration;

use harness::{Listener, PublishedEvent, eventually};
use local_cloud::{Method, RootCredentials};
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, Scenario, spec};

/// A user of the management account with every permission, so that calls are not root's.
async fn alice(scenario: &Scenario) -> local_cloud::AwsClient {
    scenario.administrator(scenario.organization.management_account(), "Admin", "alice").await
}

/// The first telling of an action about an account.
async fn published(listener: &Listener, action: &str, account: &str) -> PublishedEvent {
    eventually(&format!("{action} about {account}"), PATIENCE, async || {
        let all = listener.received("ActivityAudited", "action", action).await;
        all.into_iter().find(|published| published.detail["account_id"] == account)
    })
    .await
}

#[tokio::test]
async fn what_a_person_does_is_reported_with_who_what_where_and_how_much_it_matters() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("person").await;
    let account = scenario.member();
    let alice = alice(&scenario).await;
    let to = scenario.organization.unit_id("/Workloads/Sandbox").expect("a unit");
    let from = scenario.organization.parent_of(&account).expect("a unit");
    let moved = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
    alice.json("organizations", "MoveAccount", moved).await.expect("the account is moved");

    let moved = published(&listener, "MoveAccount", &account).await.detail;
    assert_eq!(moved["severity"], "notice", "{moved}");
    assert_eq!((&moved["actor"]["kind"], &moved["actor"]["name"]), (&json!("role"), &json!("Admin/alice")));
    assert_eq!(moved["actor"]["is_steward"], false);
    assert_eq!(moved["account_name"], "Shop", "the record does not say it");
    assert_eq!((&moved["target"]["from"], &moved["target"]["to"]), (&json!(from), &json!(to)));
    assert!(moved["source_address"].is_string() && moved["error_code"].is_null(), "{moved}");
}

#[tokio::test]
async fn a_refused_attempt_is_reported_with_the_reason() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("refused").await;
    let alice = alice(&scenario).await;
    let stranger = scenario.cloud.new_account_id();
    alice.json("organizations", "CloseAccount", json!({"AccountId": stranger})).await.expect_err("no such account");
    let closed = published(&listener, "CloseAccount", &stranger).await.detail;
    assert_eq!((&closed["severity"], &closed["error_code"]), (&json!("warning"), &json!("AccountNotFoundException")));
    assert!(closed["account_name"].is_null(), "an account that is not there has no name: {closed}");
}

#[tokio::test]
async fn stewards_own_work_is_told_apart_from_peoples() {
    let scenario = Scenario::with_document("version: 1\ndefaults: {root-credentials: {}}\n").await;
    let listener = scenario.listen("own-work").await;
    let account = scenario.member();
    scenario
        .organization
        .set_root_credentials(&account, RootCredentials { password: true, ..RootCredentials::default() });
    // The record of the session comes before that of its work, as both take the same way.
    let answer = scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    assert_eq!(answer["rows"][0]["outcome"], "skipped", "{answer}");
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["control"] == "root-credentials" && row["outcome"] == "fixed"), "{answer}");

    let opened = published(&listener, "AssumeRoot", &account).await.detail;
    assert_eq!(
        (&opened["severity"], &opened["actor"]["is_steward"]),
        (&json!("informational"), &json!(true)),
        "{opened}"
    );
    assert!(opened["target"]["task_policy"].as_str().unwrap().contains("root-task/"), "{opened}");

    // Somebody else's root session is not.
    let alice = alice(&scenario).await;
    let input = [
        ("TargetPrincipal", account.as_str()),
        ("TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"),
    ];
    alice.query("sts", "AssumeRoot", "2011-06-15", &input).await.expect("a session");
    eventually("alice's root session", PATIENCE, async || {
        let all = listener.received("ActivityAudited", "action", "AssumeRoot").await;
        all.into_iter().find(|published| {
            published.detail["severity"] == "critical" && published.detail["actor"]["name"] == "Admin/alice"
        })
    })
    .await;
}

#[tokio::test]
async fn an_account_that_joins_is_reported_and_gets_its_baseline_once() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("joined").await;
    scenario.organization.set_events(2, Duration::ZERO);
    let id = scenario.request(&spec("Joined Twice")).await;
    let account = scenario.end_of(&id).await.account_id().expect("an account").to_owned();
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    let joined = published(&listener, "AccountJoinedOrganization", &account).await.detail;
    assert_eq!((&joined["severity"], &joined["actor"]["kind"]), (&json!("notice"), &json!("service")), "{joined}");
    // Both copies of both events have been heard when the one that is sent last has.
    let marker = json!({"id": "m", "detail-type": "x", "source": "aws.organizations", "detail": {"eventName": "AcceptHandshake", "eventID": "m"}});
    scenario.stack.send("ActivityQueueUrl", &marker.to_string()).await.unwrap();
    listener.wait_for("ActivityAudited", "action", "AcceptHandshake", PATIENCE).await;
    assert_eq!(listener.received("ActivityAudited", "action", "AccountJoinedOrganization").await.len(), 1);
    assert_eq!(listener.received("BaselineApplied", "account_id", &account).await.len(), 1);
}

#[tokio::test]
async fn a_root_user_who_changes_contacts_of_a_member_is_a_warning() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("root-contacts").await;
    let account = scenario.member();
    crate::member_events::forward_events(&scenario, &scenario.cloud.client(&account)).await;
    let body = json!({"AlternateContactType": "SECURITY", "Name": "Mallory", "Title": "CISO",
        "EmailAddress": "mallory@example.com", "PhoneNumber": "+49 30 1"});
    let member = scenario.cloud.client(&account);
    member.rest("account", Method::POST, "/putAlternateContact", body.to_string()).await.expect("the contact is set");
    let changed = published(&listener, "PutAlternateContact", &account).await.detail;
    assert_eq!((&changed["severity"], &changed["actor"]["kind"]), (&json!("warning"), &json!("root")), "{changed}");
    assert_eq!(changed["target"]["alternate_contact"], "SECURITY");
    assert!(!changed.to_string().contains("mallory@example.com"), "{changed}");
}

#[tokio::test]
async fn what_is_no_event_is_given_back_to_the_queue_for_its_dead_letters() {
    let scenario = Scenario::shared().await;
    let record = |id: &str, body: Value| json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"});
    let event = |detail: Value| json!({"detail-type": "x", "source": "aws.x", "detail": detail});
    let good = json!({"eventName": "MoveAccount", "eventID": scenario.cloud.new_account_id()});
    let batch = json!({"Records": [
        record("1", json!({})), record("2", event(json!({}))), record("3", event(good)), record("4", json!("text")),
    ]});
    let answer = scenario.stack.invoke("ActivityAuditorFunction", &batch).await.expect("the auditor answers");
    let failed: Vec<_> =
        answer["batchItemFailures"].as_array().unwrap().iter().map(|f| f["itemIdentifier"].clone()).collect();
    assert_eq!(failed, ["1", "2", "4"], "{answer}");
}
