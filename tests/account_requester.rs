//! Requests for accounts: what is admitted, what is refused, and what is recorded of it.

use std::time::Duration;

use futures_util::future::join_all;
use harness::eventually;
use serde_json::{Map, Value, json};

use crate::scenario::{PATIENCE, Scenario, email, spec};

fn paths(answer: &Value) -> Vec<&str> {
    answer["problems"].as_array().into_iter().flatten().filter_map(|problem| problem["path"].as_str()).collect()
}

/// No call that changes anything, by this function, about this address.
fn nothing_was_written(scenario: &Scenario, since: u64, address: &str) {
    let writes = scenario.cloud.calls().since(since).by_function("account-requester").only(|call| {
        let is_write =
            ["TransactWriteItems", "BatchWriteItem", "SendMessage", "PutEvents"].contains(&call.operation.as_str());
        is_write && call.input.to_string().contains(address)
    });
    assert_eq!(writes.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn an_input_that_is_wrong_in_every_field_gets_one_answer_and_leaves_no_trace() {
    let scenario = Scenario::shared().await;
    let since = scenario.cloud.sequence();
    let tags: Map<String, Value> = (0..60).map(|n| (format!("key-{n}"), json!("value"))).collect();
    let answer = scenario
        .stack
        .request(&json!({
            "account_name": "n".repeat(51), "email": "not-an-address", "organizational_unit": "Workloads",
            "tags": tags, "iam_user_access_to_billing": "yes", "role_name": "Another", "colour": "blue",
        }))
        .await
        .unwrap();
    assert_eq!(answer["state"], "REFUSED");
    assert_eq!(answer["cause"], "InvalidRequest");
    assert_eq!(
        paths(&answer),
        ["account_name", "email", "organizational_unit", "tags", "iam_user_access_to_billing", "role_name", "colour"]
    );
    nothing_was_written(&scenario, since, "not-an-address");
}

#[tokio::test]
async fn a_text_a_list_and_an_empty_object_are_answered_like_any_other_wrong_input() {
    let scenario = Scenario::shared().await;
    for (input, expected) in
        [(json!("not an object"), vec!["$"]), (json!([]), vec!["$"]), (json!({}), vec!["account_name", "email"])]
    {
        let answer = scenario.stack.request(&input).await.unwrap();
        assert_eq!(paths(&answer), expected, "{input}: {answer}");
    }
}

#[tokio::test]
async fn what_the_organization_has_already_is_refused_before_anything_is_recorded() {
    let scenario = Scenario::shared().await;
    let since = scenario.cloud.sequence();
    let taken = format!("SHOP@{}.example.com", scenario.organization.management_account());
    let spec = json!({"account_name": "Shop", "email": taken, "organizational_unit": "/Workloads/Nowhere"});
    let answer = scenario.stack.request(&spec).await.unwrap();
    assert_eq!(paths(&answer), ["organizational_unit", "email"], "{answer}");
    assert!(answer["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20));
    nothing_was_written(&scenario, since, &taken);
}

#[tokio::test]
async fn an_address_that_somebody_else_has_taken_since_the_sweep_never_becomes_a_request_s_account() {
    let scenario = Scenario::with_members(1, "version: 1\n").await;
    crate::compliance_sweep::sweep(&scenario).await;
    let address = format!("since@{}.example.com", scenario.organization.management_account());
    let input = json!({"AccountName": "Theirs", "Email": address});
    scenario.stack.client.json("organizations", "CreateAccount", input).await.expect("somebody makes an account");
    let theirs =
        eventually("their account", PATIENCE, async || scenario.organization.account_with_email(&address)).await;
    let answer = scenario.stack.request(&json!({"account_name": "Ours", "email": address})).await.expect("an answer");
    // Either the index knows by the event of AWS, or AWS refuses what it has already.
    if answer["cause"] != "EmailInOrganization" {
        let id = answer["request_id"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let end = scenario.end_of(id).await;
        assert_eq!(end.state(), "FAILED", "{}", end.record);
        assert_eq!(end.record["account_id"], Value::Null, "{}", end.record);
    }
    assert_eq!(scenario.organization.account_with_email(&address), Some(theirs));
}

#[tokio::test]
async fn a_refused_event_is_reported_because_nobody_reads_its_answer() {
    let scenario = Scenario::shared().await;
    let listener = scenario.listen("refused-event").await;
    scenario.stack.put_event("AccountRequested", &json!({"account_name": "Nobody at All"})).await.unwrap();
    let published = listener.wait_for("AccountCreationFailed", "account_name", "Nobody at All", PATIENCE).await;
    assert_eq!((published.detail["cause"].as_str(), paths(&published.detail)), (Some("InvalidRequest"), vec!["email"]));
    assert!(published.detail["event_id"].is_string(), "{:?}", published.detail);
}

#[tokio::test]
async fn the_same_request_sent_five_times_at_once_is_one_request_and_one_account() {
    let scenario = Scenario::shared().await;
    let spec = spec("Five Times");
    let send = || scenario.request(&spec);
    let ids: [String; 5] = tokio::join!(send(), send(), send(), send(), send()).into();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    scenario.end_of(&ids[0]).await;
    let again = scenario.stack.request(&spec).await.unwrap();
    assert_eq!((again["state"].as_str(), again["attempt"].as_u64()), (Some("READY"), Some(1)));
    assert_eq!(scenario.accounts_made_for(&email("Five Times")), 1);
}

#[tokio::test]
async fn another_request_for_the_same_address_is_refused_with_what_differs() {
    let scenario = Scenario::shared().await;
    let first = scenario.request(&spec("Conflict")).await;
    let mut other = spec("Conflict");
    other["account_name"] = "Conflict Two".into();
    other["tags"] = json!({"team": "red"});
    // Behind many others the answer is that it waits; then it is asked for again.
    let answer = eventually("an answer", PATIENCE, async || {
        let answer = scenario.stack.request(&other).await.unwrap();
        (answer["state"] != "WAITING").then_some(answer)
    })
    .await;
    assert_eq!(answer["cause"], "RequestConflict", "{answer}");
    assert_eq!(paths(&answer), ["account_name", "tags"]);
    scenario.end_of(&first).await;
}

#[tokio::test]
async fn twenty_requests_at_once_become_twenty_accounts_five_in_flight_and_the_next_one_must_wait_for_tomorrow() {
    let scenario = Scenario::own(&[("MaxAccountsPerDay", "20")]).await;
    let listener = scenario.listen("twenty").await;
    // AWS takes its time until it has begun with a second one, however slow this machine is.
    scenario.organization.set_creation_time(Duration::from_hours(1));
    let names: Vec<_> = (0..20).map(|n| format!("Many {n:02}")).collect();
    let put = async |name: &String| {
        let mut spec = spec(name);
        spec["organizational_unit"] = "/Workloads/Sandbox".into();
        scenario.stack.put_event("AccountRequested", &spec).await.unwrap();
    };
    join_all(names.iter().map(put)).await;
    let ids = eventually("twenty records", PATIENCE, async || {
        let mut ids = Vec::new();
        for name in &names {
            ids.push(scenario.stack.find_request(&email(name)).await.unwrap()?);
        }
        Some(ids)
    })
    .await;

    let in_flight = async || (scenario.organization.peak_creations_in_progress() > 1).then_some(());
    eventually("two creations at once", PATIENCE, in_flight).await;
    scenario.organization.set_creation_time(Duration::from_secs(3));

    let answer = scenario.stack.request(&spec("One Too Many")).await.unwrap();
    assert_eq!((answer["state"].as_str(), answer["cause"].as_str()), (Some("REFUSED"), Some("DailyCapReached")));
    assert!(answer["remedy"].as_str().unwrap().contains("MaxAccountsPerDay"), "{answer}");

    for id in &ids {
        let progress = scenario.end_of(id).await;
        assert_eq!(progress.state(), "READY", "{}", progress.record);
    }
    assert_eq!(scenario.organization.accounts_created(), 20);
    assert!(listener.all("AccountCreationFailed").await.is_empty(), "nobody is refused for being many");
    let peak = scenario.organization.peak_creations_in_progress();
    assert!((2..=5).contains(&peak), "{peak} in flight");
}

#[tokio::test]
async fn a_request_that_was_recorded_but_not_queued_is_found_by_the_sweep() {
    let scenario = Scenario::own(&[]).await;
    let fault = scenario.fault(
        local_cloud::Fault::new(local_cloud::FaultKind::Unavailable(503))
            .operation("sqs", "SendMessage")
            .account(scenario.organization.management_account())
            .function("account-requester"),
    );
    let error = scenario.stack.request(&spec("Not Queued")).await.unwrap_err();
    assert_eq!(error.code, "ServiceFault", "{error}");
    drop(fault);
    let id = scenario.stack.find_request(&email("Not Queued")).await.unwrap().expect("it is recorded");
    eventually("the sweep to resume it", PATIENCE, async || {
        let answer = scenario.stack.poll(&json!({})).await.unwrap();
        (answer["resumed"].as_u64() == Some(1)).then_some(())
    })
    .await;
    assert_eq!(scenario.end_of(&id).await.state(), "READY");
}

#[tokio::test]
async fn a_request_for_a_closed_account_s_address_is_refused_and_one_that_was_given_up_is_free() {
    let scenario = Scenario::own(&[]).await;
    let request = async |name: &str| {
        let id = scenario.request(&spec(name)).await;
        scenario.end_of(&id).await.account_id().expect("an account").to_owned()
    };
    let closed = request("Closed Later").await;
    let input = json!({"AccountId": closed});
    scenario.stack.client.json("organizations", "CloseAccount", input).await.expect("the account is closed");
    let answer = scenario.stack.request(&spec("Closed Later")).await.unwrap();
    assert_eq!(answer["cause"], "EmailOfInactiveAccount", "{answer}");
    assert!(answer["remedy"].as_str().unwrap().contains("90 days"), "{answer}");

    let mut same_name = spec("Closed Later");
    same_name["email"] = email("Another").into();
    let answer = scenario.stack.request(&same_name).await.unwrap();
    assert_eq!(answer["state"], "REQUESTED", "{answer}");
}
