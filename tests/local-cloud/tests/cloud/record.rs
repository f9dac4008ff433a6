//! Who called what.

use serde_json::json;

use crate::{CLOUD, organization};

#[tokio::test]
async fn a_call_is_attributed_to_its_function_and_caller() {
    let (_organization, root) = organization().await;
    let account = root.credentials().access_key_id.clone();
    let before = CLOUD.sequence();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "sts:AssumeRole"}
    ]});
    let parameters = [("RoleName", "poller"), ("AssumeRolePolicyDocument", &trust.to_string())];
    root.query("iam", "CreateRole", "2010-05-08", &parameters).await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "organizations:ListRoots", "Resource": "*"}
    ]})
    .to_string();
    let role = format!("arn:aws:iam::{account}:role/poller");
    let session = root.assume_role(&role, "run-1", Some(&policy)).await.unwrap().with_app_name("create-account-poller");
    session.json("organizations", "ListRoots", json!({})).await.unwrap_err();

    let calls = CLOUD.calls().since(before).by_account(&account).by_function("create-account-poller");
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("organizations", "ListRoots"));
    assert_eq!(call.caller, Some(format!("arn:aws:sts::{account}:assumed-role/poller/run-1")));
    assert_eq!(call.session_policy.as_deref(), Some(policy.as_str()));
    assert_eq!((call.status, call.error.as_deref()), (400, Some("AccessDeniedException")));
    assert_eq!(calls.actions(), ["organizations:ListRoots"]);

    let all = CLOUD.calls().since(before).by_account(&account);
    let operations: Vec<&str> = all.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["CreateRole", "AssumeRole", "ListRoots"]);
    assert_eq!(all[0].caller, Some(format!("arn:aws:iam::{account}:root")));
}

#[tokio::test]
async fn transactions_and_batches_are_recorded_by_the_actions_they_need() {
    let client = CLOUD.client(&CLOUD.new_account_id());
    let account = client.credentials().access_key_id.clone();
    let table = json!({
        "TableName": "requests", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    client.json("dynamodb", "CreateTable", table).await.unwrap();
    let before = CLOUD.sequence();
    let items = json!({"TransactItems": [
        {"Put": {"TableName": "requests", "Item": {"pk": {"S": "a"}}}},
        {"ConditionCheck": {
            "TableName": "requests", "Key": {"pk": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(pk)",
        }},
    ]});
    client.json("dynamodb", "TransactWriteItems", items).await.unwrap();
    let calls = CLOUD.calls().since(before).by_account(&account);
    assert_eq!(calls.actions(), ["dynamodb:ConditionCheckItem", "dynamodb:PutItem"]);
}
