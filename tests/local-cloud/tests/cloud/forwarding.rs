//! What MiniStack answers comes through unchanged.

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
    let poll = async {
        let poll = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
        client.json("sqs", "ReceiveMessage", poll).await.unwrap()
    };
    // What is waited for comes only once another call was answered: a poll that held it up would end with nothing.
    let meanwhile = async {
        client.json("sqs", "ListQueues", json!({})).await.unwrap();
        client.json("sqs", "SendMessage", json!({"QueueUrl": url, "MessageBody": "hello"})).await.unwrap();
    };
    let (received, ()) = tokio::join!(poll, meanwhile);
    assert_eq!(received["Messages"][0]["Body"], "hello");
}

#[tokio::test]
async fn services_that_are_switched_off_say_so() {
    let client = CLOUD.client(&CLOUD.new_account_id());
    let refused = client.rest("backup", Method::GET, "/backup-vaults/", "").await.unwrap_err();
    assert_eq!(refused.status, 400);
}
