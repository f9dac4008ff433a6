//! Where something secret went: looked for wherever a stack writes.

use local_cloud::{Method, Xml};
use serde_json::json;

use crate::scenario::Scenario;

/// Whether a text has this word, and not as a part of a longer one: a short secret may be a part of an id.
fn has_word(text: &str, word: &str) -> bool {
    let is_apart = |neighbour: Option<char>| !neighbour.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.match_indices(word).any(|(start, _)| {
        is_apart(text[..start].chars().next_back()) && is_apart(text[start + word.len()..].chars().next())
    })
}

/// Sees that a secret is in no table, log, bucket or queue of a stack, and that its function has said it to AWS in these
/// operations alone.
pub(crate) async fn went_to(scenario: &Scenario, secret: &str, function: &str, operations: &[&str]) {
    let stack = &scenario.stack;
    for table in ["StateTable", "JournalTable"] {
        let items =
            stack.client.json("dynamodb", "Scan", json!({"TableName": stack.output(table)})).await.expect(table);
        assert!(items["Count"].as_u64() > Some(0) && !has_word(&items.to_string(), secret), "{table}");
    }
    let groups = json!({"logGroupNamePrefix": "/aws/lambda"});
    let groups = stack.client.json("logs", "DescribeLogGroups", groups).await.expect("log groups");
    let groups =
        groups["logGroups"].as_array().expect("groups").iter().filter_map(|group| group["logGroupName"].as_str());
    for group in groups {
        let lines = stack.client.json("logs", "FilterLogEvents", json!({"logGroupName": group})).await.expect(group);
        assert!(!has_word(&lines.to_string(), secret), "{group}");
    }
    for bucket in ["DocumentsBucket", "ReportsBucket", "BackupsBucket"] {
        let path = format!("/{}?list-type=2", stack.output(bucket));
        let keys = stack.client.rest("s3", Method::GET, &path, "").await.expect(bucket);
        let keys = Xml(String::from_utf8_lossy(keys.body()).into_owned());
        for key in keys.texts("Key") {
            let path = format!("/{}/{key}", stack.output(bucket));
            let object = stack.client.rest("s3", Method::GET, &path, "").await.expect(bucket);
            assert!(!has_word(&String::from_utf8_lossy(object.body()), secret), "{bucket}/{key}");
        }
    }
    for queue in ["AccountUpdateQueueUrl", "UndeliverableUrl", "NotificationQueueUrl", "NotificationDeadLettersUrl"] {
        assert!(!has_word(&stack.peek(queue).await.expect(queue).concat(), secret), "{queue}");
    }
    let calls = scenario.cloud.calls().by_function(function);
    let published = calls.only(|call| has_word(&call.input.to_string(), secret));
    let said: Vec<_> = published.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(said, operations, "where the secret went");
    let log = std::fs::read_to_string(scenario.cloud.log()).expect("the log of the local cloud");
    assert!(!has_word(&log, secret), "the log of the functions and of MiniStack");
}
