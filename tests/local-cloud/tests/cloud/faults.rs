//! Failures on demand.

use std::time::{Duration, Instant};

use local_cloud::{Fault, FaultKind};
use serde_json::json;

use crate::{CLOUD, organization};

#[tokio::test]
async fn a_service_throttles_in_its_own_words_and_protocol() {
    let (_organization, client) = organization().await;
    let account = &client.credentials().access_key_id;
    let _guard = CLOUD.faults().add(Fault::new(FaultKind::Throttle).account(account));
    let refused = client.json("organizations", "ListRoots", json!({})).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (400, "TooManyRequestsException"));
    let refused = client.json("sqs", "ListQueues", json!({})).await.unwrap_err();
    assert_eq!(refused.code, "RequestThrottled");
    let refused = client.query("sts", "GetCallerIdentity", "2011-06-15", &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (400, "Throttling"));
    let refused = client.rest("s3", local_cloud::Method::GET, "/", "").await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (503, "SlowDown"));
}

#[tokio::test]
async fn an_error_can_carry_further_members() {
    let (_organization, client) = organization().await;
    let fault = Fault::error("ConstraintViolationException", "No.")
        .with_member("Reason", "MASTER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED")
        .operation("organizations", "CreateAccount")
        .account(&client.credentials().access_key_id)
        .times(1);
    let guard = CLOUD.faults().add(fault);
    let input = json!({"AccountName": "A", "Email": "a@example.com"});
    let refused = client.json("organizations", "CreateAccount", input.clone()).await.unwrap_err();
    assert_eq!(refused.detail["Reason"], "MASTER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED");
    client.json("organizations", "CreateAccount", input).await.unwrap();
    assert_eq!(guard.hits(), 1);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done() {
    let (organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let lost =
        |kind| CLOUD.faults().add(Fault::new(kind).operation("organizations", "CreateAccount").account(&account));

    let guard = lost(FaultKind::AnswerLost);
    let input = json!({"AccountName": "A", "Email": "a@example.com"});
    let none = client.json("organizations", "CreateAccount", input).await.unwrap_err();
    assert_eq!((none.status, none.code.as_str()), (0, "NoAnswer"));
    assert_eq!(organization.requests().len(), 1);
    drop(guard);

    let guard = lost(FaultKind::AnswerReplaced(500));
    let input = json!({"AccountName": "B", "Email": "b@example.com"});
    assert_eq!(client.json("organizations", "CreateAccount", input).await.unwrap_err().status, 500);
    assert_eq!(organization.requests().len(), 2);
    drop(guard);

    let _guard = lost(FaultKind::Reset);
    let input = json!({"AccountName": "C", "Email": "c@example.com"});
    assert_eq!(client.json("organizations", "CreateAccount", input).await.unwrap_err().code, "NoAnswer");
    assert_eq!(organization.requests().len(), 2, "nothing was done before the reset");
}

#[tokio::test]
async fn a_fault_can_strike_one_function_alone() {
    let (_organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let fault = Fault::new(FaultKind::Unavailable(503)).account(&account).function("create-account-poller");
    let _guard = CLOUD.faults().add(fault);
    client.json("sqs", "ListQueues", json!({})).await.unwrap();
    let function = client.with_app_name("create-account-poller");
    assert_eq!(function.json("sqs", "ListQueues", json!({})).await.unwrap_err().status, 503);
}

#[tokio::test]
async fn calls_can_be_slow() {
    let (_organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let _guard = CLOUD.faults().add(Fault::new(FaultKind::Latency(Duration::from_millis(150))).account(&account));
    let started = Instant::now();
    client.json("sqs", "ListQueues", json!({})).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150));
}
