//! What is asked about the policies of a bucket and a queue of a member, in a session as its root user.

use serde_json::{Value, json};

use crate::{agreement::row::Row, aws::locks::BUCKET};

/// AWS sends no map where there is nothing to put into it.
const NOTHING: &str = "MiniStack sends an empty map; to the functions both are the same";

/// A policy that locks nobody out: in the local cloud that would be for good.
const OF_MESSAGES: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Readers","Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"arn:aws:sqs:us-east-1:200000000001:orders","Principal":{"AWS":"arn:aws:iam::200000000002:root"}}]}"#;

pub(super) fn rows() -> Vec<Row> {
    let of_bucket = |says, operation, mut more: Value| {
        if more["Bucket"].is_null() {
            more["Bucket"] = BUCKET.into();
        }
        Row::new(says, "s3", operation, more).by("root session")
    };
    let of_queue = |says, operation, mut more: Value| {
        if more["QueueUrl"].is_null() {
            more["QueueUrl"] = "$orders".into();
        }
        Row::new(says, "sqs", operation, more).by("root session")
    };
    let of_objects = OF_MESSAGES
        .replace("sqs:ReceiveMessage", "s3:GetObject")
        .replace("arn:aws:sqs:us-east-1:200000000001:orders", &format!("arn:aws:s3:::{BUCKET}/*"));
    let gone = "https://sqs.us-east-1.amazonaws.com/200000000001/gone";
    let wanted = json!({"AttributeNames": ["Policy"]});
    vec![
        of_bucket("there is no such bucket", "GetBucketPolicy", json!({"Bucket": "nobodys"})).refused("NoSuchBucket"),
        of_bucket("a bucket has no policy", "GetBucketPolicy", json!({})).refused("NoSuchBucketPolicy"),
        of_bucket("it gets one", "PutBucketPolicy", json!({"Policy": of_objects})),
        of_bucket("it has that policy", "GetBucketPolicy", json!({})),
        of_bucket("the policy is deleted", "DeleteBucketPolicy", json!({})),
        of_bucket("what is deleted can be deleted again", "DeleteBucketPolicy", json!({})),
        of_queue(
            "there is no such queue",
            "GetQueueAttributes",
            json!({"QueueUrl": gone, "AttributeNames": ["Policy"]}),
        )
        .refused("AWS.SimpleQueueService.NonExistentQueue"),
        of_queue("a queue has no policy", "GetQueueAttributes", wanted.clone()).differs("members.Attributes", NOTHING),
        of_queue("it gets one", "SetQueueAttributes", json!({"Attributes": {"Policy": OF_MESSAGES}})),
        of_queue("after a while, it has that policy", "GetQueueAttributes", wanted)
            .settles("/members/Attributes/Policy", OF_MESSAGES),
        of_queue("the policy is taken away", "SetQueueAttributes", json!({"Attributes": {"Policy": ""}})),
    ]
}
