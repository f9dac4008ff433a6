use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsOutput,
    types::{CancellationReason, error::TransactionCanceledException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;

use super::*;

fn gateway(rule: &Rule) -> DynamoDbGateway {
    DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, &[rule], |c| c), "table")
}

fn writes() -> Vec<Write> {
    let put = Write::Put { pk: "a".to_owned(), item: HashMap::new(), condition: None };
    let values = HashMap::from([(":one".to_owned(), AttributeValue::N("1".to_owned()))]);
    let update = Write::Update {
        pk: "b".to_owned(),
        expression: "ADD admitted :one".to_owned(),
        condition: Some("admitted < :one".to_owned()),
        values,
    };
    vec![put, update]
}

fn canceled(codes: &'static [&'static str]) -> Rule {
    mock!(Client::transact_write_items).then_error(move || {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        TransactWriteItemsError::TransactionCanceledException(
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build(),
        )
    })
}

#[tokio::test]
async fn all_writes_go_in_one_transaction_on_one_table() {
    let rule = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let items = request.transact_items();
            items.len() == 2
                && items[0].put().is_some_and(|put| put.table_name() == "table" && put.item().contains_key("pk"))
                && items[1].update().is_some_and(|update| update.condition_expression() == Some("admitted < :one"))
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    assert_eq!(gateway(&rule).write(writes()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_an_answer_with_its_position() {
    let refused = gateway(&canceled(&["None", "ConditionalCheckFailed"])).write(writes()).await.unwrap();
    assert_eq!(refused, Err(Refusal { position: 1 }));
}

#[tokio::test]
async fn a_transaction_that_meets_another_one_is_tried_again_and_not_taken_for_refused() {
    let met = canceled(&["None", "TransactionConflict"]);
    let done = mock!(Client::transact_write_items).then_output(|| TransactWriteItemsOutput::builder().build());
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, &[&met, &done], |c| c);
    assert_eq!(DynamoDbGateway::new(client, "table").write(writes()).await.unwrap(), Ok(()));
    assert_eq!((met.num_calls(), done.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_transaction_that_is_canceled_for_another_reason_is_an_error() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"no",
        "CancellationReasons":[{"Code":"ValidationError","Message":"bad"},{"Code":"None"}]}"#;
    let rule = mock!(Client::transact_write_items)
        .then_http_response(move || HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body)));
    let error = gateway(&rule).write(writes()).await.unwrap_err();
    assert!(error.detail.contains("TransactionCanceledException"), "{}", error.detail);
}
