//! The IAM actions a request needs, so that a record of calls can be compared with a policy.

use serde_json::Value;

use crate::front::request::Incoming;

/// Every action the caller's policies must allow for this request to succeed.
pub(crate) fn needed(request: &Incoming) -> Vec<String> {
    let (service, operation) = (request.service.as_str(), request.operation.as_str());
    let mut actions = match (service, operation) {
        // AWS Budgets has two actions for all of its operations on budgets.
        ("budgets", name) if name.starts_with("Describe") => vec!["budgets:ViewBudget".to_owned()],
        ("budgets", _) => vec!["budgets:ModifyBudget".to_owned()],
        ("dynamodb", "TransactWriteItems") => transact_write(&request.input),
        ("dynamodb", "TransactGetItems") => vec!["dynamodb:GetItem".to_owned()],
        ("dynamodb", "ExecuteStatement" | "BatchExecuteStatement") => vec!["dynamodb:PartiQL*".to_owned()],
        ("lambda", "Invoke") => vec!["lambda:InvokeFunction".to_owned()],
        ("s3", _) => vec![format!("s3:{}", s3_action(operation))],
        // A batch is authorised as the single operation it repeats.
        ("sqs" | "sns", batch) if batch.ends_with("Batch") => {
            vec![format!("{service}:{}", batch.trim_end_matches("Batch"))]
        }
        _ => vec![format!("{service}:{operation}")],
    };
    if operation.starts_with("Create") || operation.starts_with("Put") {
        actions.extend(tagging(service).filter(|_| has_tags(&request.input)));
    }
    actions
}

fn transact_write(input: &Value) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    let items = input["TransactItems"].as_array().into_iter().flatten();
    for kind in items.filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        let action = if kind == "ConditionCheck" {
            "dynamodb:ConditionCheckItem".to_owned()
        } else {
            format!("dynamodb:{kind}Item")
        };
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions
}

fn s3_action(operation: &str) -> &str {
    match operation {
        "HeadObject" => "GetObject",
        "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "ListBuckets" => "ListAllMyBuckets",
        "GetPublicAccessBlock" => "GetAccountPublicAccessBlock",
        // Deleting the settings is allowed by the action that puts them.
        "DeletePublicAccessBlock" | "PutPublicAccessBlock" => "PutAccountPublicAccessBlock",
        "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => "PutObject",
        other => other,
    }
}

/// The action that a service also requires when a resource is created with tags.
fn tagging(service: &str) -> Option<String> {
    match service {
        "cloudwatch" | "dynamodb" | "events" | "lambda" | "organizations" | "sns" => {
            Some(format!("{service}:TagResource"))
        }
        "sqs" => Some("sqs:TagQueue".to_owned()),
        _ => None,
    }
}

fn has_tags(input: &Value) -> bool {
    let given = |name: &str| match &input[name] {
        Value::Array(tags) => !tags.is_empty(),
        Value::Object(tags) => !tags.is_empty(),
        _ => false,
    };
    let in_form = || input.as_object().is_some_and(|form| form.keys().any(|name| name.starts_with("Tags.")));
    given("Tags") || given("tags") || in_form()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    fn actions(service: &str, target: &str, body: &'static str) -> Vec<String> {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = Request::builder()
            .header("authorization", authorization)
            .header("x-amz-target", target)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let (parts, body) = request.into_parts();
        needed(&Incoming::new(parts, body))
    }

    #[test]
    fn a_transaction_is_authorised_as_its_items() {
        let body = r#"{"TransactItems":[{"Put":{}},{"Update":{}},{"Put":{}},{"ConditionCheck":{}}]}"#;
        assert_eq!(
            actions("dynamodb", "DynamoDB_20120810.TransactWriteItems", body),
            ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"]
        );
    }

    #[test]
    fn whoever_may_see_a_budget_sees_all_of_it_and_whoever_may_modify_it_modifies_all() {
        for (operation, action) in [
            ("DescribeSubscribersForNotification", "budgets:ViewBudget"),
            ("CreateNotification", "budgets:ModifyBudget"),
        ] {
            assert_eq!(actions("budgets", &format!("AWSBudgetServiceGateway.{operation}"), "{}"), [action]);
        }
    }

    #[test]
    fn tags_at_creation_need_an_action_of_their_own() {
        let target = "AWSOrganizationsV20161128.CreateAccount";
        assert_eq!(actions("organizations", target, "{}"), ["organizations:CreateAccount"]);
        assert_eq!(
            actions("organizations", target, r#"{"Tags":[{"Key":"a","Value":"b"}]}"#),
            ["organizations:CreateAccount", "organizations:TagResource"]
        );
    }

    #[test]
    fn a_batch_needs_the_action_it_repeats() {
        assert_eq!(actions("sqs", "AmazonSQS.SendMessageBatch", "{}"), ["sqs:SendMessage"]);
    }
}
