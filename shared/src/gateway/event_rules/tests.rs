use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;
use crate::error::Cause;

fn gateway(rules: &[&Rule]) -> EventRulesGateway {
    EventRulesGateway::new(mock_client!(aws_sdk_eventbridge, RuleMode::Sequential, rules))
}

fn answered(status: u16, body: &Value) -> impl Fn() -> HttpResponse + use<> {
    let body = body.to_string();
    move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.clone()))
}

fn error(code: &str) -> impl Fn() -> HttpResponse + use<> {
    answered(400, &json!({"__type": code, "message": "words"}))
}

#[tokio::test]
async fn the_rules_of_every_page_are_listed_and_a_list_without_an_end_is_given_up() {
    let page = |name: &str, next: Option<&str>| {
        let mut body = json!({"RuleNames": [name]});
        if let Some(next) = next {
            body["NextToken"] = next.into();
        }
        mock!(Client::list_rule_names_by_target).then_http_response(answered(200, &body))
    };
    let names = gateway(&[&page("a", Some("more")), &page("b", None)]).list_rules_with_target("arn").await.unwrap();
    assert_eq!(names, ["a", "b"]);
    let endless = mock!(Client::list_rule_names_by_target).sequence();
    let endless = endless.http_response(answered(200, &json!({"RuleNames": ["a"], "NextToken": "more"})));
    let endless = endless.repeatedly().build();
    assert_eq!(gateway(&[&endless]).list_rules_with_target("arn").await.unwrap_err().cause, Cause::TooMuchToRead);
    assert_eq!(endless.num_calls(), 20);
}

#[tokio::test]
async fn no_rule_and_no_permission_are_two_answers() {
    let absent = mock!(Client::describe_rule).then_http_response(error("ResourceNotFoundException"));
    let denied = mock!(Client::describe_rule).then_http_response(error("AccessDeniedException"));
    let gateway = gateway(&[&absent, &denied]);
    assert_eq!(gateway.find_rule("a").await.unwrap(), None);
    assert_eq!(gateway.find_rule("a").await.unwrap_err().cause, Cause::AccessDenied);
}

#[tokio::test]
async fn what_a_target_gets_instead_of_the_event_is_seen() {
    let targets = json!({"Targets": [
        {"Id": "a", "Arn": "bus", "RoleArn": "role"},
        {"Id": "b", "Arn": "bus", "Input": "{}"},
        {"Id": "c", "Arn": "bus", "InputPath": "$.detail"},
        {"Id": "d", "Arn": "bus", "InputTransformer": {"InputTemplate": "x"}},
    ]});
    let rule = mock!(Client::list_targets_by_rule).then_http_response(answered(200, &targets));
    let found = gateway(&[&rule]).list_targets("a").await.unwrap();
    assert_eq!(found.iter().map(|target| target.is_whole).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(found[0].role_arn.as_deref(), Some("role"));
}
