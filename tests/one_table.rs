//! The stack's tables, which functions share: each may touch what it works with, and nothing else.

use std::collections::BTreeSet;

use local_cloud::{AwsClient, Call};
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// A session of the role of one function, with which somebody does by hand what the role may do. Its trust policy admits
/// the Lambda service alone, and so is replaced first.
pub(crate) async fn as_function(scenario: &Scenario, policy: &str) -> AwsClient {
    let (client, account) = (&scenario.stack.client, scenario.organization.management_account());
    let (role, ..) = crate::permissions::policy(scenario, policy).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]});
    let input = [("RoleName", role.as_str()), ("PolicyDocument", &trust.to_string())];
    client.query("iam", "UpdateAssumeRolePolicy", "2010-05-08", &input).await.expect("the role trusts its account");
    client.assume_role(&format!("arn:aws:iam::{account}:role/{role}"), "somebody", None).await.expect("a session")
}

/// Puts an item into one of the tables; the code of the refusal, if it is refused.
async fn put(client: &AwsClient, table: &str, pk: &str, in_transaction: bool) -> Result<(), String> {
    let put = json!({"TableName": table, "Item": {"pk": {"S": pk}}});
    let (operation, input) = if in_transaction {
        ("TransactWriteItems", json!({"TransactItems": [{"Put": put}]}))
    } else {
        ("PutItem", put)
    };
    client.json("dynamodb", operation, input).await.map(drop).map_err(|error| error.code)
}

#[tokio::test]
async fn whoever_has_a_functions_credentials_writes_its_own_items_and_no_lock_or_switch() {
    let scenario = Scenario::own(&[]).await;
    let (table, journal) = (scenario.stack.output("StateTable"), scenario.stack.output("JournalTable"));
    let denied = Err("AccessDeniedException".to_owned());
    let others = ["switch", "remediating-sweep", "in-flight", "day#2026-01-01", "request#req-1", "installation"];

    let notifier = as_function(&scenario, "notifier").await;
    for in_transaction in [false, true] {
        assert_eq!(put(&notifier, table, "notification#1", in_transaction).await, Ok(()));
        for pk in others {
            assert_eq!(put(&notifier, table, pk, in_transaction).await, denied, "{pk}");
        }
    }
    // One item of its own does not carry another one along.
    let both = ["notification#2", "switch"].map(|pk| json!({"Put": {"TableName": table, "Item": {"pk": {"S": pk}}}}));
    let both = notifier.json("dynamodb", "TransactWriteItems", json!({"TransactItems": both})).await;
    assert_eq!(both.map_err(|error| error.code), Err("AccessDeniedException".to_owned()));

    // Who changes every account may neither turn the switch nor say that a sweep may remediate, nor make a backup known.
    let applier = as_function(&scenario, "baseline-applier").await;
    for pk in ["switch", "remediating-sweep", "turn#another#123456789012"] {
        assert_eq!(put(&applier, table, pk, true).await, denied, "{pk}");
    }
    assert_eq!(put(&applier, journal, "backup#root-task-backups/1", true).await, denied);
    assert_eq!(put(&applier, journal, "root-session#ASIAX", true).await, Ok(()));
    let switch = json!({"TableName": table, "Key": {"pk": {"S": "switch"}}});
    applier.json("dynamodb", "GetItem", switch.clone()).await.expect("it reads the switch");
    let denied = applier.json("dynamodb", "DeleteItem", switch).await.map(drop).map_err(|error| error.code);
    assert_eq!(denied, Err("AccessDeniedException".to_owned()));
}

/// Takes the ways to the items of the tables that no other flow takes. `failed` is a request for this spec.
pub(crate) async fn every_way(scenario: &Scenario, failed: &str, spec: &Value) {
    let (client, table) = (&scenario.stack.client, scenario.stack.output("StateTable"));
    // A request that was given up while AWS went on with its call is asked for again, and goes on with it.
    let call = scenario.organization.requests().pop().expect("a call of CreateAccount").id;
    let update = json!({"TableName": table, "Key": {"pk": {"S": format!("request#{failed}")}},
        "UpdateExpression": "SET #state.create_account_request_id = :call",
        "ExpressionAttributeNames": {"#state": "state"}, "ExpressionAttributeValues": {":call": {"S": call}}});
    client.json("dynamodb", "UpdateItem", update).await.expect("the record is changed");
    assert_eq!(scenario.request(spec).await, failed);
    scenario.end_of(failed).await;
    // A record that cannot be read is told of once, in whichever sweep finds it.
    let unreadable = json!({"pk": {"S": "request#unreadable"}, "open": {"S": "yes"}});
    scenario.stack.put_item(&unreadable).await.expect("the table takes it");
    for _ in 0..2 {
        scenario.stack.poll(&json!({})).await.expect("the sweep works");
    }
    let gone = json!({"TableName": table, "Key": {"pk": {"S": "request#unreadable"}}});
    client.json("dynamodb", "DeleteItem", gone).await.expect("it is taken away");
    // Somebody asks for a change of a region; it is told twice.
    let call = include_str!("../events/region-opt-auditor/enable-region-call.json");
    let change = include_str!("../events/region-opt-auditor/region-enabled.json");
    for event in [call, change, change] {
        let event = serde_json::from_str(event).expect("a sample");
        scenario.stack.invoke("RegionOptAuditorFunction", &event).await.expect("the auditor answers");
    }
}

/// What of a table an action may touch, or has touched: table, action, and a pattern of keys or a key. Writing an item and
/// changing it count as one: whoever may do either can make it what they like.
pub(crate) type Touch = (String, String, String);

fn counted(action: String) -> String {
    if action == "dynamodb:UpdateItem" { "dynamodb:PutItem".to_owned() } else { action }
}

/// What the statements of a policy allow of the tables. An index is touched as a whole.
pub(crate) fn allowed(document: &Value) -> BTreeSet<Touch> {
    let list = |value: &Value| match value {
        Value::Array(many) => many.iter().filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect(),
        one => one.as_str().map(ToOwned::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let mut found = BTreeSet::new();
    for statement in document["Statement"].as_array().into_iter().flatten() {
        let condition = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let actions =
            list(&statement["Action"]).into_iter().filter(|action| action.starts_with("dynamodb:")).map(counted);
        for action in actions {
            for resource in list(&statement["Resource"]) {
                let (_, table) = resource.split_once(":table/").expect("a table");
                let patterns = if condition.is_null() { vec!["*".to_owned()] } else { list(condition) };
                found.extend(patterns.into_iter().map(|pattern| (table.to_owned(), action.clone(), pattern)));
            }
        }
    }
    found
}

/// What a call has touched.
pub(crate) fn touched(call: &Call) -> Vec<Touch> {
    let touch = |table: &Value, action: &str, named: &Value| {
        let table = table.as_str().expect("a table").to_owned();
        let key = named["pk"]["S"].as_str().expect("a key").to_owned();
        (table, counted(format!("dynamodb:{action}")), key)
    };
    let input = &call.input;
    match (call.service.as_str(), call.operation.as_str()) {
        ("dynamodb", "TransactWriteItems") => {
            let writes = input["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
            let of = |(kind, write): (&String, &Value)| {
                let named = if write["Key"].is_null() { &write["Item"] } else { &write["Key"] };
                touch(&write["TableName"], &format!("{kind}Item"), named)
            };
            writes.map(of).collect()
        }
        ("dynamodb", "BatchWriteItem") => {
            let tables = input["RequestItems"].as_object().into_iter().flatten();
            let of = |(table, writes): (&String, &Value)| {
                let writes = writes.as_array().cloned().unwrap_or_default();
                let items = writes.into_iter().map(|write| write["PutRequest"]["Item"].clone());
                items.map(|item| touch(&json!(table), "BatchWriteItem", &item)).collect::<Vec<_>>()
            };
            tables.flat_map(of).collect()
        }
        ("dynamodb", "Query") => {
            let (table, index) = (input["TableName"].as_str(), input["IndexName"].as_str());
            let index = format!("{}/index/{}", table.expect("a table"), index.expect("an index"));
            vec![(index, "dynamodb:Query".to_owned(), String::new())]
        }
        ("dynamodb", operation) => vec![touch(&input["TableName"], operation, &input["Key"])],
        _ => Vec::new(),
    }
}

/// Whether something that was touched is within what is allowed.
fn is_within((table, action, key): &Touch, (of_table, of_action, pattern): &Touch) -> bool {
    let fits = match pattern.strip_suffix('*') {
        Some(beginning) => key.starts_with(beginning),
        None => key == pattern,
    };
    table == of_table && action == of_action && fits
}

/// What was touched although nothing allows it, and what is allowed although nobody has touched it.
pub(crate) fn differences(touched: &BTreeSet<Touch>, allowed: &BTreeSet<Touch>) -> Vec<String> {
    let beyond = touched.iter().filter(|one| !allowed.iter().any(|all| is_within(one, all)));
    let unused = allowed.iter().filter(|all| !touched.iter().any(|one| is_within(one, all)));
    let beyond = beyond.map(|(table, action, key)| format!("{action} of {key} in {table} is not allowed"));
    beyond.chain(unused.map(|(table, action, key)| format!("{action} of {key} in {table} is not called"))).collect()
}

#[test]
fn what_is_touched_beyond_the_allowed_and_what_is_allowed_for_nothing_both_show() {
    let of = |action: &str, key: &str| ("t".to_owned(), action.to_owned(), key.to_owned());
    let touched = BTreeSet::from([of("dynamodb:GetItem", "day#1"), of("dynamodb:PutItem", "switch")]);
    let allowed = BTreeSet::from([of("dynamodb:GetItem", "day#*"), of("dynamodb:PutItem", "day#*")]);
    assert_eq!(
        differences(&touched, &allowed),
        ["dynamodb:PutItem of switch in t is not allowed", "dynamodb:PutItem of day#* in t is not called"]
    );
    assert!(differences(&BTreeSet::from([of("a", "x")]), &BTreeSet::from([of("a", "x")])).is_empty());
}
