//! `dead-letter-replayer`: what was given up is sent again by one command.

use harness::eventually;
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, Scenario};

async fn replay(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke("DeadLetterReplayerFunction", input).await.expect("the replayer answers")
}

/// What Lambda leaves of an asynchronous invocation that failed for good.
pub(crate) fn failed_invocation(scenario: &Scenario, output: &str, payload: &Value) -> Value {
    let (account, name) = (scenario.organization.management_account(), scenario.stack.output(output));
    json!({
        "version": "1.0",
        "timestamp": "2026-11-26T08:00:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-4a2c-8a18-63d2b10a9b1a",
            "functionArn": format!("arn:aws:lambda:us-east-1:{account}:function:{name}:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "AccessDenied", "errorMessage": "AWS denied a call."}
    })
}

#[tokio::test]
async fn a_dead_letter_is_shown_then_sent_back_to_its_queue_and_worked_on() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("dead-letters").await;
    let sample = include_str!("../events/activity-auditor/move-account.json");
    scenario.stack.send("ActivityDeadLettersUrl", sample).await.expect("the letter lies there");

    let planned = replay(&scenario, &json!({})).await;
    let letter = &planned["letters"][0];
    assert_eq!(
        (&letter["from"], &letter["event"]),
        (&json!("activity"), &json!("aws.organizations AWS API Call via CloudTrail"))
    );
    assert_eq!(letter["to"]["queue"], scenario.stack.output("ActivityQueueUrl"), "{planned}");
    assert_eq!(planned["letters"].as_array().unwrap().len(), 1, "{planned}");
    assert_eq!(scenario.stack.peek("ActivityDeadLettersUrl").await.unwrap().len(), 1, "a plan leaves it there");
    assert!(listener.all("ActivityAudited").await.is_empty());

    let sent = replay(&scenario, &json!({"mode": "apply", "queues": ["activity"]})).await;
    assert_eq!(sent["letters"][0]["message_id"], letter["message_id"], "{sent}");
    listener.wait_for("ActivityAudited", "action", "MoveAccount", PATIENCE).await;
    assert!(scenario.stack.peek("ActivityDeadLettersUrl").await.unwrap().is_empty());
    assert_eq!(replay(&scenario, &json!({"mode": "apply"})).await["letters"], json!([]));
}

#[tokio::test]
async fn a_failed_invocation_is_made_again() {
    let scenario = Scenario::own(&[]).await;
    let record = failed_invocation(&scenario, "CreateAccountPollerFunction", &json!({}));
    let since = scenario.cloud.sequence();
    scenario.stack.send("UndeliverableUrl", &record.to_string()).await.expect("the record lies there");
    let sent = replay(&scenario, &json!({"mode": "apply", "queues": ["undeliverable"]})).await;
    assert!(sent["letters"][0]["to"]["function"].is_string(), "{sent}");
    eventually("the poller to look at its requests", PATIENCE, async || {
        (!scenario.calls_since(since).by_function("create-account-poller").is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_event_whose_queue_was_gone_reaches_it_once_it_is_back() {
    let scenario = Scenario::own(&[]).await;
    let url = scenario.stack.output("NotificationQueueUrl");
    let client = &scenario.stack.client;
    client.json("sqs", "DeleteQueue", json!({"QueueUrl": url})).await.expect("somebody deletes the queue");
    scenario.stack.put_event("AccountRequested", &json!({})).await.expect("the bus takes it");
    eventually("the event to be undeliverable", PATIENCE, async || {
        let waiting = scenario.stack.peek("UndeliverableUrl").await.expect("the queue can be read");
        (!waiting.is_empty()).then_some(())
    })
    .await;

    let again = json!({"mode": "apply", "queues": ["undeliverable"]});
    let too_early = replay(&scenario, &again).await;
    assert_eq!(too_early["letters"], json!([]), "{too_early}");
    assert!(too_early["kept"][0]["why"].as_str().unwrap().contains("sqs:SendMessage"), "{too_early}");

    let name = url.rsplit('/').next().unwrap();
    client.json("sqs", "CreateQueue", json!({"QueueName": name})).await.expect("the queue is back");
    let sent = replay(&scenario, &again).await;
    assert_eq!(sent["letters"][0]["event"], "steward AccountCreationFailed", "{sent}");
    assert!(scenario.stack.peek("UndeliverableUrl").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_names_no_target_of_this_stack_stays_where_it_is_and_is_said() {
    let scenario = Scenario::own(&[]).await;
    scenario.stack.send("UndeliverableUrl", "{}").await.expect("it lies there");
    let mut record = failed_invocation(&scenario, "AccountRequesterFunction", &json!({}));
    record["requestContext"]["functionArn"] = "arn:aws:lambda:us-east-1:111111111111:function:other".into();
    scenario.stack.send("UndeliverableUrl", &record.to_string()).await.expect("it lies there");
    let answer = replay(&scenario, &json!({"mode": "apply"})).await;
    assert_eq!((&answer["letters"], answer["kept"].as_array().unwrap().len()), (&json!([]), 2), "{answer}");
    assert_eq!(scenario.stack.peek("UndeliverableUrl").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_forged_letter_invokes_nothing_that_people_call() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    let recovery =
        json!({"task": "allow-password-recovery", "account_ids": [account], "mode": "apply", "reason": "mine"});
    let forged = failed_invocation(&scenario, "RootTaskRunnerFunction", &recovery);
    scenario.stack.send("UndeliverableUrl", &forged.to_string()).await.expect("it lies there");
    let baseline = failed_invocation(&scenario, "BaselineApplierFunction", &json!({"all": true, "mode": "apply"}));
    scenario.stack.send("UndeliverableUrl", &baseline.to_string()).await.expect("it lies there");
    let since = scenario.cloud.sequence();
    let answer = replay(&scenario, &json!({"mode": "apply"})).await;
    assert_eq!(answer["letters"], json!([]), "{answer}");
    assert_eq!(answer["kept"].as_array().map(Vec::len), Some(2), "{answer}");
    assert!(answer["kept"][0]["why"].as_str().unwrap().contains("invoked again by a person"), "{answer}");
    let invoked = scenario.calls_since(since).only(|call| call.service == "lambda" && call.function.is_some());
    assert!(invoked.is_empty(), "{invoked:?}");
}
