//! Where something secret went: looked for wherever a stack writes.

use std::collections::HashSet;

use local_cloud::{Method, Xml};
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// Whether a text has this word, and not as a part of a longer one: a short secret may be a part of an id.
fn has_word(text: &str, word: &str) -> bool {
    let is_apart = |neighbour: Option<char>| !neighbour.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.match_indices(word).any(|(start, _)| {
        is_apart(text[..start].chars().next_back()) && is_apart(text[start + word.len()..].chars().next())
    })
}

/// Secrets that are looked for all at once, whatever there is to look through.
struct Secrets<'a> {
    /// Those that are words by themselves.
    words: HashSet<&'a str>,
    others: Vec<&'a str>,
}

impl<'a> Secrets<'a> {
    fn new(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let is_word = |secret: &&str| secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (words, others): (Vec<_>, Vec<_>) = secrets.into_iter().partition(is_word);
        Self { words: words.into_iter().collect(), others }
    }

    fn are_in(&self, text: &str) -> bool {
        text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| self.words.contains(word))
            || self.others.iter().any(|secret| has_word(text, secret))
    }
}

/// Sees that a secret is in no table, log, bucket or queue of a stack, and that its function has said it to AWS in these
/// operations alone.
pub(crate) async fn went_to(scenario: &Scenario, secret: &str, function: &str, operations: &[&str]) {
    assert_eq!(said(scenario, [secret], function).await, operations, "where the secret went");
}

/// Sees that none of these secrets is in a table, log, bucket or queue of a stack, or in what another function has said to AWS;
/// in which operations this function has said one.
pub(crate) async fn said<'a>(
    scenario: &Scenario,
    secrets: impl IntoIterator<Item = &'a str>,
    function: &str,
) -> Vec<String> {
    let (stack, secrets) = (&scenario.stack, Secrets::new(secrets));
    for table in ["StateTable", "JournalTable"] {
        let items = scan(scenario, table).await;
        assert!(!items.is_empty() && !secrets.are_in(&json!(items).to_string()), "{table}");
    }
    let groups = json!({"logGroupNamePrefix": "/aws/lambda"});
    let groups = stack.client.json("logs", "DescribeLogGroups", groups).await.expect("log groups");
    let groups =
        groups["logGroups"].as_array().expect("groups").iter().filter_map(|group| group["logGroupName"].as_str());
    for group in groups {
        let mut input = json!({"logGroupName": group});
        loop {
            let lines = stack.client.json("logs", "FilterLogEvents", input.clone()).await.expect(group);
            assert!(!secrets.are_in(&lines.to_string()), "{group}");
            if lines["nextToken"].is_null() {
                break;
            }
            input["nextToken"] = lines["nextToken"].clone();
        }
    }
    for bucket in ["DocumentsBucket", "ReportsBucket", "BackupsBucket"] {
        let path = format!("/{}?list-type=2", stack.output(bucket));
        let keys = stack.client.rest("s3", Method::GET, &path, "").await.expect(bucket);
        let keys = Xml(String::from_utf8_lossy(keys.body()).into_owned());
        for key in keys.texts("Key") {
            let path = format!("/{}/{key}", stack.output(bucket));
            let object = stack.client.rest("s3", Method::GET, &path, "").await.expect(bucket);
            assert!(!secrets.are_in(&String::from_utf8_lossy(object.body())), "{bucket}/{key}");
        }
    }
    for queue in ["AccountUpdateQueueUrl", "UndeliverableUrl", "NotificationQueueUrl", "NotificationDeadLettersUrl"] {
        assert!(!secrets.are_in(&stack.peek(queue).await.expect(queue).concat()), "{queue}");
    }
    let log = std::fs::read_to_string(scenario.cloud.log()).expect("the log of the local cloud");
    assert!(!secrets.are_in(&log), "the log of the functions and of MiniStack");
    // Events are among it: the bus takes them by a call.
    let said = scenario.cloud.calls().only(|call| call.function.is_some() && secrets.are_in(&call.input.to_string()));
    let by_others: Vec<_> =
        said.iter().filter(|call| call.function.as_deref() != Some(function)).map(|call| &call.operation).collect();
    assert!(by_others.is_empty(), "{by_others:?}");
    said.iter().map(|call| call.operation.clone()).collect()
}

/// Every item of a table.
pub(crate) async fn scan(scenario: &Scenario, table: &str) -> Vec<Value> {
    let (mut items, mut input) = (Vec::new(), json!({"TableName": scenario.stack.output(table)}));
    loop {
        let page = scenario.stack.client.json("dynamodb", "Scan", input.clone()).await.expect(table);
        items.extend(page["Items"].as_array().cloned().unwrap_or_default());
        if page["LastEvaluatedKey"].is_null() {
            return items;
        }
        input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}
