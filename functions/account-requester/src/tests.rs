//! Requests as they come on AWS: many at once, each invocation cold, the published rates unscaled, on a clock that
//! stands still until somebody waits.

mod aws;

use futures_util::future::join_all;
use lambda_runtime::Context;
use serde_json::json;

use super::*;
use aws::Aws;

/// The function's timeout.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A process of its own, as each invocation is that comes at the same time as others.
fn function(aws: &Aws) -> AccountRequester {
    AccountRequester::new(&aws.config()).expect("the settings are complete")
}

async fn invoke(function: &AccountRequester, payload: Value) -> Result<Value, Failure> {
    let event = LambdaEvent::new(payload, Context::default());
    let answer = invocation::lasting(TIMEOUT, function.handle(event)).await?;
    Ok(serde_json::to_value(answer).expect("an answer is JSON"))
}

fn spec(n: usize, unit: Option<&str>) -> Value {
    let mut spec = json!({"account_name": format!("Team {n}"), "email": format!("team-{n}@example.com")});
    if let Some(unit) = unit {
        spec["organizational_unit"] = unit.into();
    }
    spec
}

fn event(n: usize, spec: &Value, time: &str) -> Value {
    json!({"id": format!("event-{n}"), "detail-type": "AccountRequested", "source": "example.portal", "time": time,
        "detail": spec})
}

/// Works the queue off as Lambda does: at most two processes, ten messages a batch, until nothing waits.
async fn process_queue(aws: &Aws) {
    let worker = async || {
        let function = function(aws);
        loop {
            let batch = aws.receive();
            if batch.is_empty() {
                if aws.is_queue_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            let records: Vec<_> =
                batch.iter().map(|body| json!({"messageId": "m", "body": body, "eventSource": "aws:sqs"})).collect();
            let begun = tokio::time::Instant::now();
            let answer = invoke(&function, json!({"Records": records})).await.expect("a batch is answered");
            assert_eq!(answer["batchItemFailures"], json!([]), "nothing fails because it has to wait");
            assert!(begun.elapsed() < TIMEOUT, "{:?}", begun.elapsed());
            aws.batch_is_done();
        }
    };
    tokio::join!(worker(), worker());
}

#[tokio::test(start_paused = true)]
async fn twenty_events_at_once_are_twenty_requests_in_an_organization_of_twenty_thousand_that_nobody_has_listed() {
    let aws = Aws::new(20_000);
    for n in 0..20 {
        aws.enqueue(&event(n, &spec(n, Some("/Workloads/Production")), "2026-11-27T08:00:00Z"));
    }
    Box::pin(process_queue(&aws)).await;
    assert_eq!(aws.requests(), 20, "{:?}", aws.published());
    assert!(aws.published().is_empty(), "nothing is refused: {:?}", aws.published());
    assert_eq!(aws.calls("ListAccounts"), 1000, "one listing serves all who wait");
    assert!(aws.calls("ListRoots") <= 2 && aws.calls("ListOrganizationalUnitsForParent") <= 4, "one walk a process");
    assert_eq!(aws.throttled(), 0, "Steward's own speed throttles nobody");
}

#[tokio::test(start_paused = true)]
async fn twenty_people_at_once_get_their_answers_within_two_seconds_in_an_organization_of_ten_thousand() {
    let aws = Aws::new(10_000);
    aws.index_is_whole();
    let functions: Vec<_> = (0..20).map(|_| function(&aws)).collect();
    let begun = tokio::time::Instant::now();
    let asked = functions.iter().enumerate().map(|(n, function)| async move { invoke(function, spec(n, None)).await });
    for answer in join_all(asked).await {
        assert_eq!(answer.expect("an answer")["state"], "REQUESTED");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(aws.calls("ListAccounts"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_for_twenty_people_at_once_waits_in_the_queue_and_is_never_refused() {
    let aws = Aws::new(10_000);
    aws.index_is_whole();
    let functions: Vec<_> = (0..20).map(|_| function(&aws)).collect();
    let asked = functions.iter().enumerate().map(|(n, function)| {
        let begun = tokio::time::Instant::now();
        async move { (invoke(function, spec(n, Some("/Workloads/Production"))).await, begun.elapsed()) }
    });
    for (answer, took) in join_all(asked).await {
        let answer = answer.expect("an answer");
        let state = answer["state"].as_str().expect("a state");
        assert!(["REQUESTED", "WAITING"].contains(&state), "{answer}");
        assert!(answer["request_id"].is_string() && took < Duration::from_secs(10), "{took:?}: {answer}");
    }
    Box::pin(process_queue(&aws)).await;
    assert_eq!((aws.requests(), aws.published().len()), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_person_who_comes_before_the_first_sweep_of_a_large_organization_is_not_kept_waiting() {
    let aws = Aws::new(10_000);
    let begun = tokio::time::Instant::now();
    let answer = invoke(&function(&aws), spec(1, None)).await.unwrap();
    assert_eq!(answer["state"], "WAITING", "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    Box::pin(process_queue(&aws)).await;
    assert_eq!(aws.requests(), 1);
    assert_eq!(aws.calls("ListAccounts"), 500, "the list goes on where the first one stopped");
    let again = invoke(&function(&aws), spec(1, None)).await.unwrap();
    assert_eq!(again["state"], "REQUESTED");
}

#[tokio::test(start_paused = true)]
async fn a_small_organization_is_listed_at_once() {
    let aws = Aws::new(200);
    let answer = invoke(&function(&aws), spec(1, None)).await.unwrap();
    assert_eq!((answer["state"].as_str(), aws.calls("ListAccounts")), (Some("REQUESTED"), 10));
}

#[tokio::test(start_paused = true)]
async fn an_address_in_the_index_counts_only_if_aws_still_says_so() {
    let aws = Aws::new(100);
    aws.index_is_whole();
    let taken = json!({"account_name": "Mine", "email": aws.email_of(7)});
    let answer = invoke(&function(&aws), taken.clone()).await.unwrap();
    assert_eq!((answer["cause"].as_str(), aws.calls("DescribeAccount")), (Some("EmailInOrganization"), 1));
    aws.close(7);
    let answer = invoke(&function(&aws), taken.clone()).await.unwrap();
    assert_eq!(answer["cause"], "EmailOfInactiveAccount", "{answer}");
    aws.rename_email(7, "elsewhere@example.com");
    let answer = invoke(&function(&aws), taken).await.unwrap();
    assert_eq!(answer["state"], "REQUESTED", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn the_name_of_another_account_is_a_note_and_no_refusal() {
    let aws = Aws::new(100);
    aws.close(7);
    aws.index_is_whole();
    for (n, is_closed) in [(7, true), (8, false)] {
        let spec = json!({"account_name": aws.name_of(n), "email": format!("new-{n}@example.com")});
        let answer = invoke(&function(&aws), spec).await.unwrap();
        assert_eq!(answer["state"], "REQUESTED", "{answer}");
        let note = answer["notes"][0].as_str().expect("a note");
        assert!(note.contains("has the same name") && note.contains("SUSPENDED") == is_closed, "{note}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_reported_with_its_name_its_address_its_request_and_itself() {
    let aws = Aws::new(100);
    aws.index_is_whole();
    let spec = json!({"account_name": "Mine", "email": aws.email_of(7)});
    aws.enqueue(&event(1, &spec, "2026-11-27T08:00:00Z"));
    aws.enqueue(&event(2, &json!({"account_name": "Nobody", "email": "nobody"}), "2026-11-27T08:00:00Z"));
    Box::pin(process_queue(&aws)).await;
    let published = aws.published();
    let of = |id: &str| {
        published.iter().find(|published| published["event_id"] == id).unwrap_or_else(|| panic!("{published:?}"))
    };
    assert_eq!(of("event-1")["account_name"], "Mine");
    assert_eq!(of("event-1")["email"], aws.email_of(7));
    assert!(of("event-1")["request_id"].as_str().is_some_and(|id| id.starts_with("req-")));
    assert_eq!((&of("event-2")["account_name"], &of("event-2")["email"]), (&json!("Nobody"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_twice_is_refused_once() {
    let aws = Aws::new(100);
    aws.index_is_whole();
    let twice = event(1, &json!({"account_name": "Nobody", "email": "nobody"}), "2026-11-27T08:00:00Z");
    aws.enqueue(&twice);
    Box::pin(process_queue(&aws)).await;
    aws.enqueue(&twice);
    Box::pin(process_queue(&aws)).await;
    assert_eq!(aws.published().len(), 1, "{:?}", aws.published());
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_read_stops_nobody() {
    let aws = Aws::new(100);
    aws.index_is_whole();
    aws.spoil("request#req-000000000000000000000000");
    let answer = invoke(&function(&aws), spec(1, None)).await.unwrap();
    assert_eq!(answer["state"], "REQUESTED", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_waited_for_hours_is_given_up_where_people_see_it() {
    let aws = Aws::new(100);
    aws.throttle("ListAccounts");
    let message = event(1, &spec(1, None), "2026-11-27T01:00:00Z").to_string();
    let batch = json!({"Records": [{"messageId": "m", "body": message, "eventSource": "aws:sqs"}]});
    let answer = invoke(&function(&aws), batch).await.unwrap();
    assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m");
}

#[test]
fn every_way_of_asking_has_a_sample_and_each_is_taken() {
    let role: RoleName = "OrganizationAccountAccessRole".parse().expect("a role");
    let ways = ["by an event", "by hand", "and is taken", "and is refused"];
    payloads::check(AccountRequester::NAME, ways, |sample| {
        let (way, input) = match Trigger::of(sample.payload) {
            Trigger::Event(event) => ("by an event", event.detail),
            Trigger::Manual(input) => ("by hand", input),
            Trigger::Queue(_) => return Err("a batch".to_owned()),
        };
        // Samples of this name show how every problem is named at once.
        match (AccountSpec::read(input, &role), sample.name.starts_with("invalid-")) {
            (Ok(_), false) => Ok([way, "and is taken"]),
            (Err(problems), true) if problems.len() > 1 => Ok([way, "and is refused"]),
            (Err(problems), _) => Err(in_words(&problems)),
            (Ok(_), true) => Err("it is valid".to_owned()),
        }
    });
}
