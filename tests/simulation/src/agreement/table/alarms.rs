//! What is asked in a member about the topic that hears of its charges, and the block of public access.

use serde_json::{Value, json};

use crate::agreement::row::Row;

pub(super) fn rows() -> Vec<Row> {
    const TOPIC: &str = "arn:aws:sns:us-east-1:200000000001:billing-alarm";
    let ask = |says, service, operation, parameters: Value| {
        Row::new(says, service, operation, parameters).by("alarm session")
    };
    let of_topic = |says, operation, mut more: Value| {
        more["TopicArn"] = TOPIC.into();
        ask(says, "sns", operation, more)
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
        "sns:CreateTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:ListSubscriptionsByTopic",
        "sns:Subscribe", "s3:GetAccountPublicAccessBlock", "s3:PutAccountPublicAccessBlock"]}]});
    let for_all = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Alarms", "Effect": "Allow", "Resource": TOPIC,
        "Action": "sns:Publish", "Principal": {"Service": "cloudwatch.amazonaws.com"}}]});
    let block = |on: bool| {
        json!({"AccountId": "200000000001", "PublicAccessBlockConfiguration": {"BlockPublicAcls": on,
            "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}})
    };
    let account = json!({"AccountId": "200000000001"});
    vec![
        super::assume("the role of a member is entered to watch its charges", "200000000001", &policy.to_string())
            .keeps("alarm session", "/members/Credentials"),
        of_topic("there is no such topic", "GetTopicAttributes", json!({})).refused("NotFound"),
        of_topic(
            "nobody is subscribed to no topic",
            "Subscribe",
            json!({"Protocol": "email", "Endpoint": "a@example.com"}),
        )
        .refused("NotFound"),
        ask("a topic is made", "sns", "CreateTopic", json!({"Name": "billing-alarm"})),
        ask("it is made again", "sns", "CreateTopic", json!({"Name": "billing-alarm"})),
        of_topic(
            "it gets another policy",
            "SetTopicAttributes",
            json!({"AttributeName": "Policy", "AttributeValue": for_all.to_string()}),
        ),
        of_topic("it has that policy", "GetTopicAttributes", json!({})),
        of_topic("nobody is subscribed", "ListSubscriptionsByTopic", json!({})),
        ask("there is no block of public access", "s3control", "GetPublicAccessBlock", account.clone())
            .refused("NoSuchPublicAccessBlockConfiguration"),
        ask("public access is blocked", "s3control", "PutPublicAccessBlock", block(true)),
        ask("it is blocked", "s3control", "GetPublicAccessBlock", account.clone()),
        ask("some of it is allowed", "s3control", "PutPublicAccessBlock", block(false)),
        ask("it is as it was put last", "s3control", "GetPublicAccessBlock", account),
    ]
}
