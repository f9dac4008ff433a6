use aws_sdk_sqs::{
    Client,
    config::BehaviorVersion,
    operation::{
        change_message_visibility::{ChangeMessageVisibilityError, ChangeMessageVisibilityOutput},
        receive_message::{ReceiveMessageError, ReceiveMessageOutput},
    },
    types::Message,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use lambda_runtime::Context;
use serde_json::json;
use steward::{error::Cause, invocation::Reach};

use super::*;

/// How long the invocations of these tests may still take.
const LEFT: Duration = Duration::from_mins(5);

/// A letter that nobody understands, and that therefore stays.
fn message(id: &str) -> Message {
    Message::builder().message_id(id).receipt_handle(format!("receipt of {id}")).body("{}").build()
}

/// What one look shows.
fn look(ids: &[&str]) -> Rule {
    let messages: Vec<_> = ids.iter().map(|id| message(id)).collect();
    mock!(Client::receive_message)
        .match_requests(|input| {
            let hidden = input.visibility_timeout().unwrap_or_default();
            // Longer than this invocation lives; and every server is asked.
            i64::from(hidden) >= LEFT.as_secs().cast_signed() && input.wait_time_seconds() >= Some(1)
        })
        .then_output(move || ReceiveMessageOutput::builder().set_messages(Some(messages.clone())).build())
}

fn released() -> Rule {
    mock!(Client::change_message_visibility)
        .match_requests(|input| input.visibility_timeout() == Some(0))
        .then_output(|| ChangeMessageVisibilityOutput::builder().build())
}

/// The function where the only queue is that of undeliverable messages.
fn replayer(rules: &[&Rule]) -> DeadLetterReplayer {
    let client = mock_client!(aws_sdk_sqs, RuleMode::Sequential, rules);
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    DeadLetterReplayer {
        undeliverable: SqsGateway::new(client, "undeliverable"),
        lambda: LambdaGateway::of(&config),
        routes: Vec::new(),
        functions: Vec::new(),
        own_role_ids: Vec::new(),
    }
}

/// What is answered to `{}` there.
async fn answer(rules: &[&Rule], input: Value) -> Report {
    let event = LambdaEvent::new(input, Context::default());
    invocation::lasting(LEFT, replayer(rules).handle(event)).await.unwrap()
}

#[tokio::test]
async fn who_may_only_look_sees_what_lies_there_and_that_nothing_is_sent() {
    let ask = async |rules: &[&Rule], input: Value| {
        let event = LambdaEvent::new(input, Context::default());
        invocation::reaching(Reach::Looks, LEFT, replayer(rules).handle(event)).await
    };
    let (first, empty, last, released) = (look(&["a"]), look(&[]), look(&[]), released());
    let report = ask(&[&first, &empty, &last, &released], json!({})).await.unwrap();
    assert_eq!(kept(&report), ["a"]);
    let refused = ask(&[], json!({"mode": "apply"})).await.unwrap_err();
    assert_eq!(refused.cause, Cause::PlanOnly);
}

fn kept(report: &Report) -> Vec<&str> {
    report.kept.iter().map(|kept| kept.message_id.as_str()).collect()
}

#[tokio::test]
async fn one_look_that_shows_nothing_does_not_end_a_queue() {
    let rules = [look(&[]), look(&["a"]), look(&[]), look(&["b"]), look(&[]), look(&[]), released(), released()];
    let report = answer(&rules.each_ref(), json!({})).await;
    assert_eq!((kept(&report), report.more), (vec!["a", "b"], false));
    assert!(rules.iter().all(|rule| rule.num_calls() == 1));
}

#[tokio::test]
async fn a_message_that_is_seen_twice_is_shown_once_and_ends_nothing() {
    let rules = [look(&["a"]), look(&["a"]), look(&["b"]), look(&[]), look(&[]), released(), released()];
    let report = answer(&rules.each_ref(), json!({})).await;
    assert_eq!((kept(&report), report.more), (vec!["a", "b"], false));
}

#[tokio::test]
async fn a_message_that_cannot_be_released_is_a_line_of_the_report() {
    let failed = mock!(Client::change_message_visibility).then_error(|| {
        ChangeMessageVisibilityError::generic(
            aws_sdk_sqs::error::ErrorMetadata::builder().code("InvalidParameterValue").message("expired").build(),
        )
    });
    let rules = [look(&["a", "b"]), look(&[]), look(&[]), failed, released()];
    let report = answer(&rules.each_ref(), json!({})).await;
    assert_eq!(kept(&report), ["a", "b"]);
    assert_eq!(report.hidden.len(), 1);
    assert!(report.hidden[0].why.contains("expired"), "{:?}", report.hidden);
    assert_eq!(rules[4].num_calls(), 1, "the others are released all the same");
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_loses_nothing_of_the_report() {
    let failed = mock!(Client::receive_message).then_error(|| {
        ReceiveMessageError::generic(aws_sdk_sqs::error::ErrorMetadata::builder().code("AccessDenied").build())
    });
    let rules = [look(&["a"]), failed, released()];
    let report = answer(&rules.each_ref(), json!({})).await;
    assert_eq!((kept(&report), report.unread.len(), report.more), (vec!["a"], 1, true));
}

#[tokio::test]
async fn of_named_messages_the_others_stay_and_those_that_are_not_there_are_said() {
    const WANTED: &str = "07adc3fc-889d-4107-bb8f-84429e0aa0fa";
    const ABSENT: &str = "07adc3fc-889d-4107-bb8f-84429e0aa0fb";
    let rules = [look(&["other", WANTED]), look(&[]), look(&[]), released(), released()];
    let report = answer(&rules.each_ref(), json!({"mode": "apply", "message_ids": [WANTED, ABSENT]})).await;
    assert_eq!(kept(&report), [WANTED]);
    assert_eq!(report.missing, BTreeSet::from([ABSENT.to_owned()]));
    // Once all are seen, nothing else is looked for.
    let rules = [look(&["other", WANTED]), released(), released()];
    let report = answer(&rules.each_ref(), json!({"mode": "apply", "message_ids": [WANTED]})).await;
    assert!(report.missing.is_empty() && rules.iter().all(|rule| rule.num_calls() == 1), "{report:?}");
}
