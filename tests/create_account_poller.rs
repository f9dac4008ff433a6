//! The way of a request from its record to its account, with everything that can happen on it.

use std::time::Duration;

use local_cloud::{FailureReason, Fault, FaultKind};
use serde_json::json;

use crate::scenario::{PATIENCE, Scenario, email, spec};

#[tokio::test]
async fn an_account_is_created_tagged_placed_and_reported_once() {
    let scenario = Scenario::shared().await;
    let listener = scenario.listen("placed").await;
    let mut spec = spec("Placed");
    spec["organizational_unit"] = "/Workloads/Sandbox".into();
    spec["tags"] = json!({"team": "blue"});
    let id = scenario.request(&spec).await;
    let progress = scenario.end_of(&id).await;
    let states: Vec<_> = progress.history.iter().map(|passed| passed.state.as_str()).collect();
    assert_eq!(states, ["REQUESTED", "CREATING", "IN_PROGRESS", "PLACING", "READY"]);

    let account = progress.account_id().unwrap();
    assert_eq!(scenario.organization.parent_of(account), scenario.organization.unit_id("/Workloads/Sandbox"));
    assert_eq!(scenario.organization.tags_of(account)["team"], "blue");
    let published = listener.wait_for("AccountCreated", "request_id", &id, PATIENCE).await;
    assert_eq!(published.detail["account_id"], account);
    listener.wait_for("BaselineApplied", "account_id", account, PATIENCE).await;
    assert_eq!(listener.received("AccountCreated", "request_id", &id).await.len(), 1);
}

#[tokio::test]
async fn an_answer_of_create_account_that_got_lost_is_looked_up_and_not_asked_for_again() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("lost-answer").await;
    let lost = scenario.fault(
        Fault::new(FaultKind::AnswerLost)
            .operation("organizations", "CreateAccount")
            .account(scenario.organization.management_account())
            .times(1),
    );
    let id = scenario.request(&spec("Lost Answer")).await;
    let progress = scenario.end_of(&id).await;
    assert_eq!(lost.hits(), 1);
    assert_eq!(progress.state(), "READY", "{}", progress.record);
    assert_eq!(scenario.organization.requests().len(), 1, "AWS was asked once");
    listener.wait_for("AccountCreated", "request_id", &id, PATIENCE).await;
    assert_eq!(listener.received("AccountCreated", "request_id", &id).await.len(), 1);
}

#[tokio::test]
async fn a_function_killed_between_create_account_and_its_record_leaves_one_account() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("killed").await;
    let management_account = scenario.organization.management_account();
    // What a kill at this moment looks like from outside: AWS has the call, and nothing is written or sent any more.
    let in_poller = |fault: Fault| fault.account(management_account).function("create-account-poller");
    let faults = [
        scenario
            .fault(in_poller(Fault::new(FaultKind::AnswerLost).operation("organizations", "CreateAccount")).times(1)),
        scenario.fault(in_poller(Fault::new(FaultKind::Reset).operation("sqs", "SendMessage"))),
    ];
    let id = scenario.request(&spec("Killed")).await;
    scenario.reaches(&id, "CREATING").await;
    harness::eventually("the kill", PATIENCE, async || (faults[1].hits() > 0).then_some(())).await;
    drop(faults);
    // Its message comes again after minutes; a person, or the sweep, is faster.
    harness::eventually("the look-up", PATIENCE, async || {
        let answer = scenario.stack.poll(&json!({"request_id": id})).await.ok()?;
        (answer["state"] != "CREATING").then_some(())
    })
    .await;
    assert_eq!(scenario.end_of(&id).await.state(), "READY");
    assert_eq!(scenario.organization.requests().len(), 1, "AWS was asked once");
    listener.wait_for("AccountCreated", "request_id", &id, PATIENCE).await;
    assert_eq!(listener.received("AccountCreated", "request_id", &id).await.len(), 1);
}

#[tokio::test]
async fn a_poller_invoked_many_times_at_once_makes_one_account_and_announces_it_once() {
    let scenario = Scenario::shared().await;
    let listener = scenario.listen("invoked-often").await;
    let id = scenario.request(&spec("Invoked Often")).await;
    let input = json!({"request_id": id});
    while scenario.stack.item(&format!("request#{id}")).await.unwrap().unwrap()["announced"] != true {
        let poll = || scenario.stack.poll(&input);
        let answers = tokio::join!(poll(), poll(), poll(), poll());
        assert!(answers.0.is_ok() && answers.3.is_ok(), "{answers:?}");
    }
    let progress = scenario.end_of(&id).await;
    assert_eq!(progress.state(), "READY");
    assert_eq!(scenario.accounts_made_for(&email("Invoked Often")), 1);
    listener.wait_for("BaselineApplied", "account_id", progress.account_id().unwrap(), PATIENCE).await;
    assert_eq!(listener.received("AccountCreated", "request_id", &id).await.len(), 1);
}

#[tokio::test]
async fn events_that_come_twice_or_not_at_all_make_one_account() {
    for (copies, name) in [(0, "No Event"), (2, "Doubled Event")] {
        let scenario = Scenario::own(&[]).await;
        let listener = scenario.listen("events").await;
        scenario.organization.set_events(copies, Duration::ZERO);
        for _ in 0..2 {
            scenario.stack.put_event("AccountRequested", &spec(name)).await.unwrap();
        }
        let id = harness::eventually("the record", PATIENCE, async || {
            scenario.stack.find_request(&email(name)).await.unwrap()
        })
        .await;
        let progress = scenario.end_of(&id).await;
        assert_eq!(progress.state(), "READY");
        assert_eq!(scenario.organization.requests().len(), 1, "{name}");
        listener.wait_for("BaselineApplied", "request_id", &id, PATIENCE).await;
        assert_eq!(listener.received("AccountCreated", "request_id", &id).await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_failed_request_names_the_remedy_and_can_be_sent_again_with_another_address() {
    let scenario = Scenario::shared().await;
    let listener = scenario.listen("taken").await;
    scenario.organization.email_used_elsewhere(&email("Taken"));
    let id = scenario.request(&spec("Taken")).await;
    assert_eq!(scenario.end_of(&id).await.state(), "FAILED");
    let published = listener.wait_for("AccountCreationFailed", "request_id", &id, PATIENCE).await;
    assert_eq!(published.detail["cause"], "EmailAlreadyExists");
    assert!(published.detail["remedy"].as_str().unwrap().contains("another address"));

    let mut corrected = spec("Taken");
    corrected["email"] = email("Not Taken").into();
    let id = scenario.request(&corrected).await;
    assert_eq!(scenario.end_of(&id).await.state(), "READY");
}

#[tokio::test]
async fn the_same_failed_request_sent_again_is_a_second_attempt() {
    let scenario = Scenario::shared().await;
    scenario.organization.fail_creation(&email("Again"), FailureReason::InvalidAddress);
    let id = scenario.request(&spec("Again")).await;
    assert_eq!(scenario.end_of(&id).await.state(), "FAILED");
    scenario.organization.fail_creation(&email("Again"), None);
    let answer = scenario.stack.request(&spec("Again")).await.unwrap();
    assert_eq!((answer["request_id"].as_str(), answer["attempt"].as_u64()), (Some(id.as_str()), Some(2)));
    assert_eq!(scenario.end_of(&id).await.state(), "READY");
}

#[tokio::test]
async fn faults_of_the_services_on_the_way_delay_a_request_and_do_not_change_its_end() {
    let scenario = Scenario::own(&[]).await;
    let management_account = scenario.organization.management_account();
    let at = |service: &str, operation: &str, kind: FaultKind| {
        let fault = Fault::new(kind).operation(service, operation).account(management_account);
        scenario.fault(fault.function("create-account-poller").times(1))
    };
    let faults = [
        at("organizations", "CreateAccount", FaultKind::Throttle),
        at("organizations", "DescribeCreateAccountStatus", FaultKind::Unavailable(500)),
        at("organizations", "DescribeAccount", FaultKind::Reset),
        at("organizations", "MoveAccount", FaultKind::AnswerLost),
        at("dynamodb", "TransactWriteItems", FaultKind::AnswerReplaced(500)),
    ];
    let mut spec = spec("Troubled");
    spec["organizational_unit"] = "/Workloads".into();
    let id = scenario.request(&spec).await;
    let progress = scenario.end_of(&id).await;
    assert_eq!(progress.state(), "READY", "{}", progress.record);
    assert!(faults.iter().all(|fault| fault.hits() == 1), "{:?}", faults.each_ref().map(local_cloud::FaultGuard::hits));
    assert_eq!(scenario.accounts_made_for(&email("Troubled")), 1);
    let account = progress.account_id().unwrap();
    assert_eq!(scenario.organization.parent_of(account), scenario.organization.unit_id("/Workloads"));
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_fails_for_itself_alone() {
    let scenario = Scenario::shared().await;
    let batch = json!({"Records": [
        {"messageId": "1", "body": "not json", "eventSource": "aws:sqs"},
        {"messageId": "2", "body": "{\"request_id\": 7}", "eventSource": "aws:sqs"},
        {"messageId": "3", "body": "{\"request_id\": \"req-000000000000000000000000\"}", "eventSource": "aws:sqs"},
    ]});
    let answer = scenario.stack.poll(&batch).await.unwrap();
    let failed: Vec<_> =
        answer["batchItemFailures"].as_array().unwrap().iter().map(|f| f["itemIdentifier"].clone()).collect();
    assert_eq!(failed, ["1", "2", "3"]);
}
