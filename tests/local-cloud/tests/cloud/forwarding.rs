//! What MiniStack answers comes through unchanged.

use std::time::{Duration, Instant};

use local_cloud::Method;
use serde_json::json;

use crate::CLOUD;

#[tokio::test]
async fn bytes_and_odd_names_survive() {
    let client = CLOUD.client(&CLOUD.new_account_id());
    client.rest("s3", Method::PUT, "/reports-of-a-test", "").await.unwrap();
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let path = "/reports-of-a-test/2026/a%20b+c%2Bd.bin";
    client.rest("s3", Method::PUT, path, body.clone()).await.unwrap();
    let read = client.rest("s3", Method::GET, path, "").await.unwrap();
    assert_eq!(read.body().as_ref(), body);
    let head = client.rest("s3", Method::HEAD, path, "").await.unwrap();
    assert_eq!(head.headers()["content-length"], "100000");
}

#[tokio::test]
async fn a_long_poll_waits_and_holds_nobody_up() {
    let client = CLOUD.client(&CLOUD.new_account_id());
    let created = client.json("sqs", "CreateQueue", json!({"QueueName": "slow"})).await.unwrap();
    let url = created["QueueUrl"].clone();
    let late = json!({"QueueUrl": url, "MessageBody": "hello", "DelaySeconds": 2});
    client.json("sqs", "SendMessage", late).await.unwrap();
    let started = Instant::now();
    let poll = async {
        let poll = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
        let received = client.json("sqs", "ReceiveMessage", poll).await.unwrap();
        assert_eq!(received["Messages"][0]["Body"], "hello");
        started.elapsed()
    };
    let meanwhile = async {
        client.json("sqs", "ListQueues", json!({})).await.unwrap();
        started.elapsed()
    };
    let (polled, others) = tokio::join!(poll, meanwhile);
    assert!(polled > Duration::from_secs(1) && polled < Duration::from_secs(15), "{polled:?}");
    assert!(others < polled, "{others:?}");
}

#[tokio::test]
async fn services_that_are_switched_off_say_so() {
    let client = CLOUD.client(&CLOUD.new_account_id());
    let refused = client.rest("backup", Method::GET, "/backup-vaults/", "").await.unwrap_err();
    assert_eq!(refused.status, 400);
}
