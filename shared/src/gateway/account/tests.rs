use std::time::Duration;

use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::invocation::lasting;

fn gateway(rules: &[&Rule]) -> AccountGateway {
    AccountGateway::mocked(mock_client!(aws_sdk_account, RuleMode::Sequential, rules))
}

fn account() -> AccountId {
    "222222222222".parse().unwrap()
}

fn member() -> AccountTarget {
    AccountTarget::of(&account(), &"999999999999".parse().unwrap())
}

fn answered(status: u16, body: &'static str) -> impl Fn() -> HttpResponse {
    move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

async fn enable(status: u16, body: &'static str) -> (Cause, usize) {
    let rule = mock!(Client::enable_region).sequence().http_response(answered(status, body)).repeatedly().build();
    let gateway = gateway(&[&rule]);
    let (member, region) = (member(), "af-south-1".parse().unwrap());
    let error = lasting(Duration::from_mins(1), gateway.enable_region(&member, &region)).await.unwrap_err();
    assert!(error.refused || error.cause == Cause::ServiceFault, "{error}");
    (error.cause, rule.num_calls())
}

#[test]
fn the_management_account_is_never_named() {
    assert_eq!(member().id().as_deref(), Some("222222222222"));
    assert_eq!(AccountTarget::of(&account(), &account()).id(), None);
}

#[tokio::test(start_paused = true)]
async fn errors_of_a_region_change_are_told_apart_and_a_throttled_one_is_asked_for_again_at_its_next_turn() {
    let quota = concat!(
        r#"{"__type":"TooManyRequestsException","message":"This request has exceeded the quota for 'Number of "#,
        r#"concurrent region-opt requests for an account'. Consider retrying the operation later."}"#
    );
    assert_eq!(enable(429, quota).await, (Cause::RegionOptQuota, 1));
    let rate = r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#;
    assert_eq!(enable(429, rate).await, (Cause::Throttled, 4));
    let busy = r#"{"__type":"ConflictException","message":"ENABLING"}"#;
    assert_eq!(enable(409, busy).await, (Cause::RegionInTransition, 1));
    let fault = r#"{"__type":"InternalServerException","message":"boom"}"#;
    assert_eq!(enable(500, fault).await, (Cause::ServiceFault, 1));
    let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    assert_eq!(enable(403, denied).await, (Cause::AccountManagementDenied, 1));
}

#[tokio::test]
async fn a_contact_that_is_not_set_and_one_that_is_denied_are_two_answers() {
    let absent = answered(404, r#"{"__type":"ResourceNotFoundException","message":"none"}"#);
    let absent = mock!(Client::get_alternate_contact).then_http_response(absent);
    let denied = answered(403, r#"{"__type":"AccessDeniedException","message":"no"}"#);
    let denied = mock!(Client::get_alternate_contact).then_http_response(denied);
    let gateway = gateway(&[&absent, &denied]);
    let find = async || gateway.find_alternate_contact(&member(), ContactKind::Billing).await;
    assert_eq!(find().await.unwrap(), None);
    assert_eq!(find().await.unwrap_err().cause, Cause::AccountManagementDenied);
}

#[tokio::test]
async fn removing_a_contact_that_is_not_there_is_done() {
    let absent = answered(404, r#"{"__type":"ResourceNotFoundException","message":"none"}"#);
    let rule = mock!(Client::delete_alternate_contact).then_http_response(absent);
    gateway(&[&rule]).delete_alternate_contact(&member(), ContactKind::Security).await.unwrap();
}

#[tokio::test]
async fn regions_of_every_page_are_listed() {
    let page = |body| mock!(Client::list_regions).then_http_response(answered(200, body));
    let first = page(r#"{"NextToken":"more","Regions":[{"RegionName":"af-south-1","RegionOptStatus":"DISABLED"}]}"#);
    let second = page(r#"{"Regions":[{"RegionName":"us-east-1","RegionOptStatus":"ENABLED_BY_DEFAULT"}]}"#);
    let regions = gateway(&[&first, &second]).list_regions(&member()).await.unwrap();
    let expected = [
        ("af-south-1".parse().unwrap(), RegionStatus::Disabled),
        ("us-east-1".parse().unwrap(), RegionStatus::EnabledByDefault),
    ];
    assert_eq!(regions, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_region_status_that_nobody_knows_is_an_error_and_no_guess() {
    let new = answered(200, r#"{"Regions":[{"RegionName":"af-south-1","RegionOptStatus":"PAUSED"}]}"#);
    let rule = mock!(Client::list_regions).then_http_response(new);
    let error = gateway(&[&rule]).list_regions(&member()).await.unwrap_err();
    assert_eq!(error.cause, Cause::CallFailed);
    assert!(error.detail.contains("af-south-1"), "{}", error.detail);
}
