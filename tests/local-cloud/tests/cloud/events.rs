//! Events of Organizations reach the targets of the rules on the default bus.

use std::collections::HashMap;
use std::time::Duration;

use local_cloud::{AwsClient, Organization};
use serde_json::{Value, json};

use crate::{CLOUD, eventually, organization};

/// A queue that is the target of a rule for the results of creations.
async fn queue(client: &AwsClient) -> String {
    let results = json!({"source": ["aws.organizations"], "detail": {"eventName": ["CreateAccountResult"]}});
    queue_for(client, &results).await
}

/// A queue that is the target of a rule with this pattern.
pub(crate) async fn queue_for(client: &AwsClient, pattern: &Value) -> String {
    let created = client.json("sqs", "CreateQueue", json!({"QueueName": "events"})).await.unwrap();
    let url = created["QueueUrl"].as_str().unwrap().to_owned();
    let rule = json!({"Name": "results", "EventPattern": pattern.to_string()});
    client.json("events", "PutRule", rule).await.unwrap();
    let account = &client.credentials().access_key_id;
    let target = json!({"Id": "queue", "Arn": format!("arn:aws:sqs:us-east-1:{account}:events")});
    client.json("events", "PutTargets", json!({"Rule": "results", "Targets": [target]})).await.unwrap();
    url
}

/// The events in a queue that nobody received yet.
pub(crate) async fn received(client: &AwsClient, queue: &str) -> Vec<Value> {
    let input = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
    let answer = client.json("sqs", "ReceiveMessage", input).await.unwrap();
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect()
}

/// Creates two accounts one after the other and returns the events about each, by request. The second is delivered
/// once, so when its event is there, those of the first are there as well, if ever.
async fn create_two(organization: &Organization, client: &AwsClient, copies: usize) -> Vec<Vec<Value>> {
    let queue = queue(client).await;
    let mut ids = Vec::new();
    for (email, copies) in [("first@example.com", copies), ("second@example.com", 1)] {
        organization.set_events(copies, Duration::ZERO);
        let input = json!({"AccountName": "Payments", "Email": email});
        let answer = client.json("organizations", "CreateAccount", input).await.unwrap();
        ids.push(answer["CreateAccountStatus"]["Id"].as_str().unwrap().to_owned());
        eventually("the account", async || organization.account_with_email(email)).await;
    }
    let mut events: HashMap<String, Vec<Value>> = HashMap::new();
    eventually("the second event", async || {
        for event in received(client, &queue).await {
            let id = event["detail"]["serviceEventDetails"]["createAccountStatus"]["id"].as_str().unwrap().to_owned();
            events.entry(id).or_default().push(event);
        }
        events.contains_key(&ids[1]).then_some(())
    })
    .await;
    ids.iter().map(|id| events.remove(id).unwrap_or_default()).collect()
}

#[tokio::test]
async fn the_result_of_a_creation_is_delivered_once() {
    let (organization, client) = organization().await;
    let events = create_two(&organization, &client, 1).await;
    assert_eq!((events[0].len(), events[1].len()), (1, 1));
    let event = &events[0][0];
    assert_eq!(event["account"], organization.management_account());
    assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
    let status = &event["detail"]["serviceEventDetails"]["createAccountStatus"];
    assert_eq!((&status["state"], &status["accountName"]), (&json!("SUCCEEDED"), &json!("****")));
    assert_eq!(status["accountId"].as_str().map(str::to_owned), organization.account_with_email("first@example.com"));
    assert_eq!(CLOUD.mishaps(), Vec::<String>::new());
}

#[tokio::test]
async fn an_event_can_be_lost() {
    let (organization, client) = organization().await;
    let events = create_two(&organization, &client, 0).await;
    assert_eq!((events[0].len(), events[1].len()), (0, 1));
}

#[tokio::test]
async fn an_event_can_be_doubled() {
    let (organization, client) = organization().await;
    let events = create_two(&organization, &client, 2).await;
    assert_eq!((events[0].len(), events[1].len()), (2, 1));
    assert_eq!(events[0][0]["id"], events[0][1]["id"]);
}
