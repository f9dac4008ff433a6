use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use steward::{
    account_creation::{AccountSpec, State},
    gateway::DynamoDbGateway,
    ids::RoleName,
    invocation,
    runtime::settings::Settings,
};

use super::*;

const OURS: &str = "222222222222";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn request() -> Request {
    let spec = AccountSpec {
        account_name: "Sandbox".parse().unwrap(),
        email: "sandbox@example.com".parse().unwrap(),
        organizational_unit: None,
        tags: std::collections::BTreeMap::new(),
        iam_user_access_to_billing: true,
        role_name: RoleName::organization_account_access(),
    };
    Request::new(spec, State::Creating, at(0), at(7200))
}

/// Looks at an AWS whose answers a function gives, and says which operations were called.
async fn look_at(
    request: &Request,
    answer: impl Fn(&str, &Value) -> Value + Send + Sync + 'static,
) -> (Evidence, Vec<String>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&calls);
    let http = infallible_client_fn(move |request| {
        let target = request.headers().get("x-amz-target").unwrap().to_str().unwrap();
        let (_, operation) = target.rsplit_once('.').unwrap();
        let input = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        record.lock().unwrap().push(operation.to_owned());
        let answer = answer(operation, &input);
        let status = if answer["__type"].is_string() { 400 } else { 200 };
        http::Response::builder().status(status).body(answer.to_string()).unwrap()
    });
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .http_client(http)
        .build();
    let organizations = Settings::from_environment().management(&config).organizations;
    let index = AccountIndex::new(DynamoDbGateway::of(&config, "table"));
    let timeout = std::time::Duration::from_mins(2);
    let evidence = invocation::lasting(timeout, look(&organizations, &index, request)).await.unwrap();
    (evidence, calls.lock().unwrap().clone())
}

fn account(email: &str) -> Value {
    json!({"Account": {"Id": OURS, "Name": "Sandbox", "Email": email, "State": "ACTIVE",
        "JoinedTimestamp": at(3).as_second()}})
}

fn succeeded(name: &str, requested_at: Timestamp) -> Value {
    json!({"Id": "car-0123456789abcdef", "AccountName": name, "State": "SUCCEEDED", "AccountId": OURS,
        "RequestedTimestamp": requested_at.as_second()})
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_among_the_calls_and_nobody_lists_the_accounts() {
    let (evidence, calls) = look_at(&request(), |operation, _| match operation {
        "GetItem" => json!({}),
        "ListCreateAccountStatus" => json!({"CreateAccountStatuses": [
            succeeded("Other", at(1)), succeeded("Sandbox", at(-9999)), succeeded("Sandbox", at(1))]}),
        _ => account("Sandbox@Example.com"),
    })
    .await;
    assert_eq!(evidence.account.map(|account| account.id.to_string()).as_deref(), Some(OURS));
    assert_eq!(calls, ["GetItem", "ListCreateAccountStatus", "DescribeAccount"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_of_the_same_name_with_another_address_is_not_taken_up() {
    let (evidence, _) = look_at(&request(), |operation, _| match operation {
        "GetItem" => json!({}),
        "ListCreateAccountStatus" => json!({"CreateAccountStatuses": [succeeded("Sandbox", at(1))]}),
        _ => account("somebody@example.com"),
    })
    .await;
    assert_eq!((evidence.account, evidence.more), (None, None));
}

#[tokio::test(start_paused = true)]
async fn an_account_in_the_index_is_found_by_two_calls() {
    let (evidence, calls) = look_at(&request(), |operation, _| match operation {
        "GetItem" => json!({"Item": {"account_id": {"S": OURS}, "state": {"S": "ACTIVE"}, "seen_at": {"N": "1"},
            "expires_at": {"N": "1"}}}),
        _ => account("sandbox@example.com"),
    })
    .await;
    assert!(evidence.account.is_some());
    assert_eq!(calls, ["GetItem", "DescribeAccount"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_of_calls_is_read_in_parts_that_each_end_in_time() {
    let begun = tokio::time::Instant::now();
    let pages = |operation: &str, input: &Value| {
        let page: u32 = input["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let page = json!({"CreateAccountStatuses": [], "NextToken": (page + 1).to_string()});
        if operation == "GetItem" { json!({}) } else { page }
    };
    let (first, _) = look_at(&request(), pages).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(first.more.as_deref(), Some("50"));
    let (second, _) = look_at(&request().searched(first.more), pages).await;
    assert_eq!(second.more.as_deref(), Some("100"), "it goes on where it stopped");
}

#[tokio::test(start_paused = true)]
async fn a_place_in_the_list_that_aws_has_forgotten_begins_the_search_anew() {
    let (evidence, calls) = look_at(&request().searched(Some("old".to_owned())), |operation, input| match operation {
        "GetItem" => json!({}),
        _ if input["NextToken"].is_string() => {
            json!({"__type": "InvalidInputException", "Message": "no", "Reason": "INVALID_NEXT_TOKEN"})
        }
        _ => json!({"CreateAccountStatuses": []}),
    })
    .await;
    assert_eq!((evidence.more, calls.len()), (None, 3));
}

#[test]
fn a_search_is_part_of_the_record() {
    let searched = request().searched(Some("page".to_owned())).put_off(at(9) + SignedDuration::from_secs(1));
    assert_eq!(searched.search_from.as_deref(), Some("page"));
    assert_eq!(searched.entered(State::Requested, at(10)).search_from, None);
}
