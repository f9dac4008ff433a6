//! What people and functions do to accounts and the organization: read, judged, and told once.

use std::time::Duration;

use local_cloud::{Method, RootCredentials};
use serde_json::{Value, json};
use stage::{Listener, Told, eventually};

use crate::theatre::{PATIENCE, Theatre, wish};

/// A user of the management account with every permission, so that calls are not root's.
async fn alice(theatre: &Theatre) -> local_cloud::AwsClient {
    theatre.administrator(theatre.organization.management_account(), "Admin", "alice").await
}

/// The first telling of an action about an account.
async fn told(listener: &Listener, action: &str, account: &str) -> Told {
    eventually(&format!("{action} about {account}"), PATIENCE, async || {
        let all = listener.heard("ActivityAudited", "action", action).await;
        all.into_iter().find(|told| told.detail["account_id"] == account)
    })
    .await
}

#[tokio::test]
async fn what_a_person_does_is_told_with_who_what_where_and_how_much_it_matters() {
    let theatre = Theatre::own(&[]).await;
    let listener = theatre.listen("person").await;
    let account = theatre.member();
    let alice = alice(&theatre).await;
    let to = theatre.organization.unit_id("/Workloads/Sandbox").expect("a unit");
    let from = theatre.organization.parent_of(&account).expect("a unit");
    let moved = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
    alice.json("organizations", "MoveAccount", moved).await.expect("the account is moved");

    let moved = told(&listener, "MoveAccount", &account).await.detail;
    assert_eq!(moved["severity"], "notice", "{moved}");
    assert_eq!((&moved["actor"]["kind"], &moved["actor"]["name"]), (&json!("role"), &json!("Admin/alice")));
    assert_eq!(moved["actor"]["is_steward"], false);
    assert_eq!(moved["account_name"], "Shop", "the record does not say it");
    assert_eq!((&moved["target"]["from"], &moved["target"]["to"]), (&json!(from), &json!(to)));
    assert!(moved["source_address"].is_string() && moved["error_code"].is_null(), "{moved}");
}

#[tokio::test]
async fn a_refused_attempt_is_told_with_the_reason() {
    let theatre = Theatre::own(&[]).await;
    let listener = theatre.listen("refused").await;
    let alice = alice(&theatre).await;
    let stranger = theatre.cloud.new_account_id();
    alice.json("organizations", "CloseAccount", json!({"AccountId": stranger})).await.expect_err("no such account");
    let closed = told(&listener, "CloseAccount", &stranger).await.detail;
    assert_eq!((&closed["severity"], &closed["error_code"]), (&json!("warning"), &json!("AccountNotFoundException")));
    assert!(closed["account_name"].is_null(), "an account that is not there has no name: {closed}");
}

#[tokio::test]
async fn stewards_own_work_is_told_apart_from_peoples() {
    let theatre = Theatre::with_document("version: 1\ndefaults: {root-credentials: {}}\n").await;
    let listener = theatre.listen("own-work").await;
    let account = theatre.member();
    theatre
        .organization
        .set_root_credentials(&account, RootCredentials { password: true, ..RootCredentials::default() });
    // The record of the session comes before that of its work, as both take the same way.
    let answer = theatre.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    assert_eq!(answer["rows"][0]["outcome"], "skipped", "{answer}");
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["control"] == "root-credentials" && row["outcome"] == "fixed"), "{answer}");

    let opened = told(&listener, "AssumeRoot", &account).await.detail;
    assert_eq!(
        (&opened["severity"], &opened["actor"]["is_steward"]),
        (&json!("informational"), &json!(true)),
        "{opened}"
    );
    assert!(opened["target"]["task_policy"].as_str().unwrap().contains("root-task/"), "{opened}");

    // Somebody else's root session is not.
    let alice = alice(&theatre).await;
    let input = [
        ("TargetPrincipal", account.as_str()),
        ("TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"),
    ];
    alice.query("sts", "AssumeRoot", "2011-06-15", &input).await.expect("a session");
    eventually("alice's root session", PATIENCE, async || {
        let all = listener.heard("ActivityAudited", "action", "AssumeRoot").await;
        all.into_iter()
            .find(|told| told.detail["severity"] == "critical" && told.detail["actor"]["name"] == "Admin/alice")
    })
    .await;
}

#[tokio::test]
async fn an_account_that_joins_is_told_and_gets_its_baseline_once() {
    let theatre = Theatre::own(&[]).await;
    let listener = theatre.listen("joined").await;
    theatre.organization.set_events(2, Duration::ZERO);
    let id = theatre.request(&wish("Joined Twice")).await;
    let account = theatre.end_of(&id).await.account_id().expect("an account").to_owned();
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    let joined = told(&listener, "AccountJoinedOrganization", &account).await.detail;
    assert_eq!((&joined["severity"], &joined["actor"]["kind"]), (&json!("notice"), &json!("service")), "{joined}");
    // Both copies of both events have been heard when the one that is sent last has.
    let marker = json!({"id": "m", "detail-type": "x", "source": "aws.organizations", "detail": {"eventName": "AcceptHandshake", "eventID": "m"}});
    theatre.stack.send("ActivityQueueUrl", &marker.to_string()).await.unwrap();
    listener.wait_for("ActivityAudited", "action", "AcceptHandshake", PATIENCE).await;
    assert_eq!(listener.heard("ActivityAudited", "action", "AccountJoinedOrganization").await.len(), 1);
    assert_eq!(listener.heard("BaselineApplied", "account_id", &account).await.len(), 1);
}

#[tokio::test]
async fn a_root_user_who_changes_contacts_of_a_member_is_a_warning() {
    let theatre = Theatre::own(&[]).await;
    let listener = theatre.listen("root-contacts").await;
    let account = theatre.member();
    crate::member_events::forward_events(&theatre, &theatre.cloud.client(&account)).await;
    let body = json!({"AlternateContactType": "SECURITY", "Name": "Mallory", "Title": "CISO",
        "EmailAddress": "mallory@example.com", "PhoneNumber": "+49 30 1"});
    let member = theatre.cloud.client(&account);
    member.rest("account", Method::POST, "/putAlternateContact", body.to_string()).await.expect("the contact is set");
    let changed = told(&listener, "PutAlternateContact", &account).await.detail;
    assert_eq!((&changed["severity"], &changed["actor"]["kind"]), (&json!("warning"), &json!("root")), "{changed}");
    assert_eq!(changed["target"]["alternate_contact"], "SECURITY");
    assert!(!changed.to_string().contains("mallory@example.com"), "{changed}");
}

#[tokio::test]
async fn what_is_no_event_is_given_back_to_the_queue_for_its_dead_letters() {
    let theatre = Theatre::shared().await;
    let record = |id: &str, body: Value| json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"});
    let event = |detail: Value| json!({"detail-type": "x", "source": "aws.x", "detail": detail});
    let good = json!({"eventName": "MoveAccount", "eventID": theatre.cloud.new_account_id()});
    let batch = json!({"Records": [
        record("1", json!({})), record("2", event(json!({}))), record("3", event(good)), record("4", json!("text")),
    ]});
    let answer = theatre.stack.invoke("ActivityAuditorFunction", &batch).await.expect("the auditor answers");
    let failed: Vec<_> =
        answer["batchItemFailures"].as_array().unwrap().iter().map(|f| f["itemIdentifier"].clone()).collect();
    assert_eq!(failed, ["1", "2", "4"], "{answer}");
}
