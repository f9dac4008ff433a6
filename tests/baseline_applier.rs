//! The baseline of an account: planned, applied, and waited for where the account is young.

use std::time::Duration;

use local_cloud::{AwsClient, Fault, FaultKind};
use serde_json::json;

use crate::scenario::{PATIENCE, Scenario, spec};

/// An account with its baseline, and a client in it.
async fn ready_account(scenario: &Scenario, name: &str) -> (String, AwsClient) {
    let listener = scenario.listen(&name.replace(' ', "-")).await;
    let id = scenario.request(&spec(name)).await;
    let account = scenario.end_of(&id).await.account_id().expect("an account").to_owned();
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    let client = scenario.cloud.client(&account);
    (account, client)
}

#[tokio::test]
async fn a_new_account_has_topic_subscription_and_alarm_as_its_own_api_shows_them() {
    let scenario = Scenario::shared().await;
    let (account, member) = ready_account(&scenario, "Read Back").await;
    let topic = format!("arn:aws:sns:us-east-1:{account}:DefaultBillingAlertTopic");
    let topics = member.query("sns", "ListTopics", "2010-03-31", &[]).await.unwrap();
    assert_eq!(topics.texts("TopicArn"), [topic.as_str()]);
    let subscriptions =
        member.query("sns", "ListSubscriptionsByTopic", "2010-03-31", &[("TopicArn", &topic)]).await.unwrap();
    assert_eq!(subscriptions.texts("Endpoint"), ["platform@example.com"]);
    let alarms = member.json("monitoring", "GraniteServiceVersion20100801.DescribeAlarms", json!({})).await.unwrap();
    let alarm = &alarms["MetricAlarms"][0];
    assert_eq!(alarm["AlarmName"], "DefaultBillingAlarm");
    assert_eq!(alarm["MetricName"], "EstimatedCharges");
    assert_eq!(alarm["Statistic"], "Maximum");
    assert_eq!((alarm["Period"].as_i64(), alarm["Threshold"].as_f64()), (Some(21_600), Some(100.0)), "{alarm}");
    assert_eq!(alarm["AlarmActions"], json!([topic]));
}

#[tokio::test]
async fn a_second_run_finds_everything_in_place_and_writes_nothing() {
    let scenario = Scenario::shared().await;
    let (account, _) = ready_account(&scenario, "Second Run").await;
    let since = scenario.cloud.sequence();
    let answer = scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    assert_eq!(answer["rows"][0]["outcome"], "compliant", "{answer}");
    let calls = scenario.cloud.calls().since(since).by_account(&account);
    assert_eq!(
        calls.actions(),
        ["cloudwatch:DescribeAlarms", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
    );
}

#[tokio::test]
async fn a_plan_names_the_drift_and_its_session_could_not_change_anything() {
    let scenario = Scenario::shared().await;
    let (account, member) = ready_account(&scenario, "Planned").await;
    let alarm = [("AlarmNames.member.1", "DefaultBillingAlarm")];
    member.query("monitoring", "DeleteAlarms", "2010-08-01", &alarm).await.unwrap();
    let since = scenario.cloud.sequence();
    let answer = scenario.stack.baseline(&json!({"account_ids": [account]})).await.unwrap();
    assert_eq!(answer["mode"], "plan");
    assert_eq!(answer["rows"][0]["planned"], json!(["create the alarm DefaultBillingAlarm at 100 USD"]), "{answer}");

    let calls = scenario.cloud.calls().since(since).by_account(&account);
    let policy = calls.iter().find_map(|call| call.session_policy.clone()).expect("a session with a policy");
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let session = scenario.stack.client.assume_role(&role, "as-in-a-plan", Some(&policy)).await.unwrap();
    session.query("monitoring", "DescribeAlarms", "2010-08-01", &[]).await.unwrap();
    let denied = session.query("sns", "CreateTopic", "2010-03-31", &[("Name", "x")]).await.unwrap_err();
    assert!(denied.code.starts_with("AccessDenied") || denied.code == "AuthorizationError", "{denied}");

    let answer = scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    assert_eq!(answer["rows"][0]["outcome"], "fixed", "{answer}");
}

#[tokio::test]
async fn an_account_whose_role_comes_late_gets_its_baseline_late() {
    let scenario = Scenario::own(&[]).await;
    scenario.organization.set_role_delay(Duration::from_secs(100));
    let listener = scenario.listen("late").await;
    let id = scenario.request(&spec("Late Role")).await;
    let account = scenario.end_of(&id).await.account_id().expect("an account").to_owned();
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    let denied = scenario
        .cloud
        .calls()
        .to("sts", "AssumeRole")
        .only(|call| call.error.is_some() && call.input.to_string().contains(&account));
    assert!(!denied.is_empty(), "the role was there at once");
}

#[tokio::test]
async fn an_account_that_joined_in_another_way_gets_its_baseline_and_one_of_our_own_gets_it_once() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("joined").await;
    let ours = scenario.request(&spec("Our Own")).await;
    let created_by_hand = json!({"AccountName": "By Hand", "Email": "by-hand@example.com"});
    scenario.stack.client.json("organizations", "CreateAccount", created_by_hand).await.unwrap();
    let by_hand = harness::eventually("the account made by hand", PATIENCE, async || {
        scenario.organization.account_with_email("by-hand@example.com")
    })
    .await;
    let published = listener.wait_for("BaselineApplied", "account_id", &by_hand, PATIENCE).await;
    assert_eq!(published.detail["request_id"], json!(null));

    // By then the first hearing of our own account was judged as well.
    let own = scenario.end_of(&ours).await.account_id().expect("an account").to_owned();
    assert_eq!(listener.received("BaselineApplied", "account_id", &own).await.len(), 1);
}

/// A new account that cannot be entered for a while yet: time to prepare what its services will answer.
async fn young_account(scenario: &Scenario, name: &str) -> (String, String) {
    scenario.organization.set_role_delay(Duration::from_mins(2));
    let id = scenario.request(&spec(name)).await;
    let account = scenario.end_of(&id).await.account_id().expect("an account").to_owned();
    (id, account)
}

#[tokio::test]
async fn what_waiting_cannot_fix_is_reported_with_the_remedy() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("incomplete").await;
    let (_, account) = young_account(&scenario, "Denied").await;
    let denied = Fault::error("AccessDenied", "no").operation("cloudwatch", "DescribeAlarms").account(&account);
    let denied = scenario.fault(denied);
    // While the account is young, a denial is a matter of time.
    harness::eventually("a denial", PATIENCE, async || (denied.hits() > 0).then_some(())).await;
    scenario.organization.set_joined(&account, Duration::from_hours(1));
    let published = listener.wait_for("BaselineIncomplete", "account_id", &account, PATIENCE).await;
    assert_eq!(published.detail["cause"], "AccessDenied", "{}", published.detail);
    assert!(published.detail["remedy"].as_str().unwrap().contains("permission"));
    assert!(denied.hits() > 0);
}

#[tokio::test]
async fn a_denial_in_the_first_minutes_of_an_account_passes() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("settling").await;
    let (_, account) = young_account(&scenario, "Settling").await;
    let denied = Fault::error("AccessDenied", "not everywhere yet").operation("cloudwatch", "DescribeAlarms");
    let denied = scenario.fault(denied.account(&account).times(2));
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    assert_eq!(denied.hits(), 2);
    assert!(listener.received("BaselineIncomplete", "account_id", &account).await.is_empty());
}

#[tokio::test]
async fn an_account_that_is_suspended_soon_after_it_joined_is_reported_and_not_entered() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("suspended").await;
    let (_, account) = young_account(&scenario, "Suspended").await;
    let root = scenario.cloud.client(scenario.organization.management_account());
    root.json("organizations", "CloseAccount", json!({"AccountId": account})).await.expect("the account is closed");
    let published = listener.wait_for("BaselineIncomplete", "account_id", &account, PATIENCE).await;
    assert_eq!(published.detail["cause"], "AccountNotActive", "{}", published.detail);
}

#[tokio::test]
async fn the_contacts_and_regions_of_the_management_account_are_kept_as_well() {
    let document = "version: 1\ndefaults:\n  regions: {enabled: [eu-central-2]}\n  alternate-contacts:\n    \
        security: {name: A, title: B, email: a@example.com, phone: '+49 30 1'}\n";
    let scenario = Scenario::with_document(document).await;
    let account = scenario.organization.management_account();
    let input = json!({"account_ids": [account], "mode": "apply", "controls": ["regions", "alternate-contacts"]});
    let answer = scenario.stack.baseline(&input).await.unwrap();
    for row in answer["rows"].as_array().unwrap() {
        // A region takes minutes.
        let expected = if row["control"] == "regions" { "not_ready" } else { "fixed" };
        assert_eq!(row["outcome"], expected, "{answer}");
    }
}

#[tokio::test]
async fn an_account_outside_the_organization_is_named_as_such_and_not_entered() {
    let scenario = Scenario::shared().await;
    let stranger = scenario.cloud.new_account_id();
    let answer = scenario.stack.baseline(&json!({"account_ids": [stranger], "mode": "apply"})).await.unwrap();
    assert_eq!(answer["failed"][0]["account_id"], stranger.as_str(), "{answer}");
    assert_eq!(answer["failed"][0]["cause"], "NotFound");
    let entered =
        scenario.cloud.calls().to("sts", "AssumeRole").only(|call| call.input.to_string().contains(&stranger));
    assert!(entered.is_empty());
}

#[tokio::test]
async fn a_wrong_input_by_hand_names_every_problem_and_enters_no_account() {
    let scenario = Scenario::shared().await;
    let input = json!({"account_ids": ["12"], "mode": "force", "controls": ["no-such"], "all": true});
    let error = scenario.stack.baseline(&input).await.unwrap_err();
    assert_eq!(error.code, "InvalidRequest");
    for path in ["account_ids[0]", "mode", "controls[0]", "all"] {
        assert!(error.message.contains(path), "{path}: {}", error.message);
    }
}

#[tokio::test]
async fn a_message_that_always_fails_ends_in_the_dead_letter_queue() {
    let scenario = Scenario::shared().await;
    let batch = json!({"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]});
    let answer = scenario.stack.baseline(&batch).await.unwrap();
    assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "1");
}

#[tokio::test]
async fn faults_in_the_member_account_delay_the_baseline_and_do_not_change_its_end() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("member-faults").await;
    let (id, account) = young_account(&scenario, "Member Faults").await;
    let faults = [
        Fault::error("OptInRequired", "not yet").operation("sns", "CreateTopic"),
        Fault::new(FaultKind::Unavailable(500)).operation("cloudwatch", "PutMetricAlarm"),
        Fault::new(FaultKind::Reset).operation("sns", "ListSubscriptionsByTopic"),
    ]
    .map(|fault| scenario.fault(fault.account(&account).times(1)));
    let published = listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    assert_eq!(published.detail["request_id"], id.as_str());
    assert!(faults.iter().all(|fault| fault.hits() == 1), "{:?}", faults.each_ref().map(local_cloud::FaultGuard::hits));
}

#[tokio::test]
async fn a_forged_fact_on_the_bus_changes_no_account() {
    let scenario = Scenario::own(&[]).await;
    let since = scenario.cloud.sequence();
    let victim = scenario.member();
    let forged = json!({"request_id": "req-0123456789abcdef01234567", "account_id": victim, "account_name": "Shop",
        "email": "shop@example.com", "role_name": "OrganizationAccountAccessRole"});
    scenario.stack.put_event_on("BusName", "steward", "AccountCreated", &forged).await.expect("the bus takes it");
    let event = json!({"detail-type": "AccountCreated", "source": "steward", "detail": forged});
    let error = scenario.stack.baseline(&event).await.unwrap_err();
    assert_eq!(error.code, "NotInRecord", "{error}");
    harness::eventually("the message to be looked at", PATIENCE, async || {
        let calls = scenario.calls_since(since).by_function("baseline-applier");
        let looked =
            calls.only(|call| call.operation == "GetItem" && call.input.to_string().contains("req-0123456789"));
        // The message, and the event by hand.
        (looked.len() > 1).then_some(())
    })
    .await;
    // Other tests' accounts are entered at the same time.
    let about = scenario.cloud.calls().since(since).only(|call| call.input.to_string().contains(&victim));
    let entered = about.by_function("baseline-applier");
    assert!(!entered.actions().iter().any(|action| action.starts_with("sts:Assume")), "{:?}", entered.actions());
}
