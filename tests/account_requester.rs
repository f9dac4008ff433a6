//! Requests for accounts: what is admitted, what is refused, and what is recorded of it.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use stage::eventually;

use crate::theatre::{PATIENCE, Theatre, email, wish};

fn paths(answer: &Value) -> Vec<&str> {
    answer["problems"].as_array().into_iter().flatten().filter_map(|problem| problem["path"].as_str()).collect()
}

/// No call that changes anything, by this function, about this address.
fn nothing_was_written(theatre: &Theatre, since: u64, address: &str) {
    let writes = theatre.cloud.calls().since(since).by_function("account-requester").only(|call| {
        let is_write =
            ["TransactWriteItems", "BatchWriteItem", "SendMessage", "PutEvents"].contains(&call.operation.as_str());
        is_write && call.input.to_string().contains(address)
    });
    assert_eq!(writes.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn an_input_that_is_wrong_in_every_field_gets_one_answer_and_leaves_no_trace() {
    let theatre = Theatre::shared().await;
    let since = theatre.cloud.sequence();
    let tags: Map<String, Value> = (0..60).map(|n| (format!("key-{n}"), json!("value"))).collect();
    let answer = theatre
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
    nothing_was_written(&theatre, since, "not-an-address");
}

#[tokio::test]
async fn a_text_a_list_and_an_empty_object_are_answered_like_any_other_wrong_input() {
    let theatre = Theatre::shared().await;
    for (input, expected) in
        [(json!("not an object"), vec!["$"]), (json!([]), vec!["$"]), (json!({}), vec!["account_name", "email"])]
    {
        let answer = theatre.stack.request(&input).await.unwrap();
        assert_eq!(paths(&answer), expected, "{input}: {answer}");
    }
}

#[tokio::test]
async fn what_the_organization_has_already_is_refused_before_anything_is_recorded() {
    let theatre = Theatre::shared().await;
    let since = theatre.cloud.sequence();
    let taken = format!("SHOP@{}.example.com", theatre.organization.management_account());
    let wish = json!({"account_name": "Shop", "email": taken, "organizational_unit": "/Workloads/Nowhere"});
    let answer = theatre.stack.request(&wish).await.unwrap();
    assert_eq!(paths(&answer), ["organizational_unit", "email"], "{answer}");
    assert!(answer["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20));
    nothing_was_written(&theatre, since, &taken);
}

#[tokio::test]
async fn a_refused_event_is_told_because_nobody_reads_its_answer() {
    let theatre = Theatre::shared().await;
    let listener = theatre.listen("refused-event").await;
    theatre.stack.put_event("AccountRequested", &json!({"account_name": "Nobody at All"})).await.unwrap();
    let told = listener.wait_for("AccountCreationFailed", "account_name", "Nobody at All", PATIENCE).await;
    assert_eq!((told.detail["cause"].as_str(), paths(&told.detail)), (Some("InvalidRequest"), vec!["email"]));
    assert!(told.detail["event_id"].is_string(), "{:?}", told.detail);
}

#[tokio::test]
async fn the_same_request_sent_five_times_at_once_is_one_request_and_one_account() {
    let theatre = Theatre::shared().await;
    let wish = wish("Five Times");
    let send = || theatre.request(&wish);
    let ids: [String; 5] = tokio::join!(send(), send(), send(), send(), send()).into();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    theatre.end_of(&ids[0]).await;
    let again = theatre.stack.request(&wish).await.unwrap();
    assert_eq!((again["state"].as_str(), again["attempt"].as_u64()), (Some("READY"), Some(1)));
    assert_eq!(theatre.accounts_made_for(&email("Five Times")), 1);
}

#[tokio::test]
async fn another_request_for_the_same_address_is_refused_with_what_differs() {
    let theatre = Theatre::shared().await;
    let first = theatre.request(&wish("Conflict")).await;
    let mut other = wish("Conflict");
    other["account_name"] = "Conflict Two".into();
    other["tags"] = json!({"team": "red"});
    // Behind many others the answer is that it waits; then it is asked for again.
    let answer = eventually("an answer", PATIENCE, async || {
        let answer = theatre.stack.request(&other).await.unwrap();
        (answer["state"] != "WAITING").then_some(answer)
    })
    .await;
    assert_eq!(answer["cause"], "RequestConflict", "{answer}");
    assert_eq!(paths(&answer), ["account_name", "tags"]);
    theatre.end_of(&first).await;
}

#[tokio::test]
async fn twenty_requests_at_once_become_twenty_accounts_five_in_flight_and_the_next_one_must_wait_for_tomorrow() {
    let theatre = Theatre::own(&[("MaxAccountsPerDay", "20")]).await;
    let listener = theatre.listen("twenty").await;
    let names: Vec<_> = (0..20).map(|n| format!("Many {n:02}")).collect();
    let put = async |name: &String| {
        let mut wish = wish(name);
        wish["organizational_unit"] = "/Workloads/Sandbox".into();
        theatre.stack.put_event("AccountRequested", &wish).await.unwrap();
    };
    join_all(names.iter().map(put)).await;
    let ids = eventually("twenty records", PATIENCE, async || {
        let mut ids = Vec::new();
        for name in &names {
            ids.push(theatre.stack.find_request(&email(name)).await.unwrap()?);
        }
        Some(ids)
    })
    .await;

    let answer = theatre.stack.request(&wish("One Too Many")).await.unwrap();
    assert_eq!((answer["state"].as_str(), answer["cause"].as_str()), (Some("REFUSED"), Some("DailyCapReached")));
    assert!(answer["remedy"].as_str().unwrap().contains("MaxAccountsPerDay"), "{answer}");

    for id in &ids {
        let progress = theatre.end_of(id).await;
        assert_eq!(progress.state(), "READY", "{}", progress.record);
    }
    assert_eq!(theatre.organization.accounts_created(), 20);
    assert!(listener.all("AccountCreationFailed").await.is_empty(), "nobody is refused for being many");
    let peak = theatre.organization.peak_creations_in_progress();
    assert!((2..=5).contains(&peak), "{peak} in flight");
}

#[tokio::test]
async fn a_request_that_was_recorded_but_not_queued_is_found_by_the_sweep() {
    let theatre = Theatre::own(&[]).await;
    let fault = theatre.cloud.faults().add(
        local_cloud::Fault::new(local_cloud::FaultKind::Unavailable(503))
            .operation("sqs", "SendMessage")
            .account(theatre.organization.management_account())
            .function("account-requester"),
    );
    let error = theatre.stack.request(&wish("Not Queued")).await.unwrap_err();
    assert_eq!(error.code, "ServiceFault", "{error}");
    drop(fault);
    let id = theatre.stack.find_request(&email("Not Queued")).await.unwrap().expect("it is recorded");
    eventually("the sweep to resume it", PATIENCE, async || {
        let answer = theatre.stack.poll(&json!({})).await.unwrap();
        (answer["resumed"].as_u64() == Some(1)).then_some(())
    })
    .await;
    assert_eq!(theatre.end_of(&id).await.state(), "READY");
}

#[tokio::test]
async fn a_request_for_a_closed_account_s_address_is_refused_and_one_that_was_given_up_is_free() {
    let theatre = Theatre::own(&[]).await;
    let request = async |name: &str| {
        let id = theatre.request(&wish(name)).await;
        theatre.end_of(&id).await.account_id().expect("an account").to_owned()
    };
    let closed = request("Closed Later").await;
    let input = json!({"AccountId": closed});
    theatre.stack.client.json("organizations", "CloseAccount", input).await.expect("the account is closed");
    let answer = theatre.stack.request(&wish("Closed Later")).await.unwrap();
    assert_eq!(answer["cause"], "EmailOfInactiveAccount", "{answer}");
    assert!(answer["remedy"].as_str().unwrap().contains("90 days"), "{answer}");

    let mut same_name = wish("Closed Later");
    same_name["email"] = email("Another").into();
    let answer = theatre.stack.request(&same_name).await.unwrap();
    assert_eq!(answer["state"], "REQUESTED", "{answer}");
}
