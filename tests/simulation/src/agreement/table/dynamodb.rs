//! What is asked of Amazon DynamoDB: `GetItem`, `Query`, `BatchWriteItem`, and transactions, since every other write is one.

use serde_json::{Value, json};

use crate::agreement::row::Row;

/// A transaction.
fn transaction(says: &'static str, writes: &Value) -> Row {
    Row::new(says, "dynamodb", "TransactWriteItems", json!({"TransactItems": writes}))
}

/// A transaction that a condition stops.
fn cancelled(says: &'static str, writes: &Value) -> Row {
    transaction(says, writes).refused("TransactionCanceledException")
}

fn get(says: &'static str, pk: &str) -> Row {
    let input = json!({"TableName": "$table", "Key": {"pk": {"S": pk}}, "ConsistentRead": true});
    Row::new(says, "dynamodb", "GetItem", input)
}

fn put(pk: &str, condition: Option<&str>, values: &Value, attributes: &Value) -> Value {
    let mut put = json!({"TableName": "$table", "Item": {"pk": {"S": pk}}});
    for (name, value) in attributes.as_object().into_iter().flatten() {
        put["Item"][name] = value.clone();
    }
    json!({"Put": conditional(put, condition, values)})
}

fn update(pk: &str, expression: &str, condition: Option<&str>, values: &Value) -> Value {
    let update = json!({"TableName": "$table", "Key": {"pk": {"S": pk}}, "UpdateExpression": expression});
    json!({"Update": conditional(update, condition, values)})
}

fn conditional(mut write: Value, condition: Option<&str>, values: &Value) -> Value {
    if let Some(condition) = condition {
        write["ConditionExpression"] = condition.into();
    }
    if !values.is_null() {
        write["ExpressionAttributeValues"] = values.clone();
    }
    write
}

pub(super) fn items() -> Vec<Row> {
    const FRESH: Option<&str> = Some("attribute_not_exists(pk)");
    let none = Value::Null;
    let request = json!({"open": {"S": "yes"}, "completed": {"BOOL": false}, "claimed_at": {"N": "10"},
        "input": {"M": {"tags": {"L": [{"S": "a"}, {"NULL": true}]}}}});
    let check =
        json!({"TableName": "$table", "Key": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_exists(pk)"});
    let query = |says, open: &str| {
        let input = json!({"TableName": "$table", "IndexName": "open-requests", "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": "open"}, "ExpressionAttributeValues": {":key": {"S": open}}});
        Row::new(says, "dynamodb", "Query", input)
    };
    let batch = json!({"RequestItems": {"table": [
        {"PutRequest": {"Item": {"pk": {"S": "c"}, "kinds": {"L": []}}}},
        {"PutRequest": {"Item": {"pk": {"S": "d"}, "kinds": {"L": [{"S": "x"}]}}}}]}});
    vec![
        get("what is not there has no item", "a"),
        transaction("a new item is put", &json!([put("a", FRESH, &none, &request)])),
        get("an item has the attributes that were put", "a"),
        cancelled("an item is new once", &json!([put("a", FRESH, &none, &json!({}))])),
        cancelled(
            "of two writes, the second stops both",
            &json!([put("b", FRESH, &none, &json!({})), put("a", FRESH, &none, &json!({}))]),
        ),
        get("what was stopped is not there", "b"),
        transaction(
            "two writes are carried out together",
            &json!([
                put("b", FRESH, &none, &json!({})),
                update("a", "SET completed = :yes", None, &json!({":yes": {"BOOL": true}}))
            ]),
        ),
        transaction(
            "an item is checked and another one written",
            &json!([{"ConditionCheck": check}, put("b", None, &none, &json!({"open": {"S": "no"}}))]),
        ),
        query("the index has what has its attribute", "yes"),
        query("the index has nothing under another key", "neither"),
        Row::new("a batch of puts leaves nothing undone", "dynamodb", "BatchWriteItem", batch),
        get("an item of a batch is there", "d"),
        transaction("an item is deleted", &json!([{"Delete": {"TableName": "$table", "Key": {"pk": {"S": "d"}}}}])),
        get("a deleted item is not there", "d"),
        cancelled(
            "what is not there is not changed on the condition that it is",
            &json!([update(
                "e",
                "SET completed = :yes",
                Some("attribute_exists(pk)"),
                &json!({":yes": {"BOOL": true}})
            )]),
        ),
    ]
}

/// The conditions and updates that the functions use, each holding and not.
pub(super) fn conditions() -> Vec<Row> {
    let number = |number: u64| json!({"N": number.to_string()});
    let text = |text: &str| json!({"S": text});
    let add = |id: &str| {
        let condition = "attribute_not_exists(holders) OR size(holders) < :limit OR contains(holders, :id)";
        let values = json!({":holder": {"SS": [id]}, ":id": text(id), ":limit": number(2)});
        json!([update("slots", "ADD holders :holder", Some(condition), &values)])
    };
    let leave = |id: &str| json!([update("slots", "DELETE holders :holder", None, &json!({":holder": {"SS": [id]}}))]);
    let hold = |mine: &str, now: u64| {
        let condition = "attribute_not_exists(pk) OR held_until < :now OR invocation = :mine";
        let values = json!({":now": number(now), ":mine": text(mine)});
        json!([put("lease", Some(condition), &values, &json!({"held_until": number(100), "invocation": text(mine)}))])
    };
    let claim = |abandoned: u64| {
        let condition = "attribute_not_exists(pk) OR (completed = :no AND claimed_at < :abandoned)";
        let values = json!({":no": {"BOOL": false}, ":abandoned": number(abandoned)});
        json!([put(
            "claim",
            Some(condition),
            &values,
            &json!({"completed": {"BOOL": false}, "claimed_at": number(50)})
        )])
    };
    let count = |cap: u64| {
        let condition = "attribute_not_exists(admitted) OR admitted < :cap";
        let values = json!({":one": number(1), ":expiry": number(7), ":cap": number(cap)});
        json!([update("day", "ADD admitted :one SET expires_at = :expiry", Some(condition), &values)])
    };
    let brake = |begun: u64| {
        const FREE: &str = "attribute_not_exists(stopped) AND (attribute_not_exists(may_change) OR begun < may_change)";
        json!([update("brake", "ADD begun :one", Some(FREE), &json!({":one": number(begun)}))])
    };
    let stop = json!([update("brake", "SET stopped = :why", None, &json!({":why": text("by hand")}))]);
    let bound = json!([update("brake", "SET may_change = :most", None, &json!({":most": number(2)}))]);
    vec![
        transaction("a first holder is added to no set", &add("one")),
        transaction("a second holder is added", &add("two")),
        transaction("a holder is added again", &add("two")),
        cancelled("a set that is full takes no third holder", &add("three")),
        get("the set has both", "slots"),
        transaction("a holder leaves", &leave("one")),
        transaction("one who is not in the set leaves", &leave("three")),
        transaction("the last holder leaves", &leave("two")),
        get("a set without members is not there", "slots"),
        transaction("a lease is taken", &hold("me", 10)),
        transaction("a lease is taken again by its holder", &hold("me", 20)),
        cancelled("a lease of another one is not taken", &hold("you", 30)),
        cancelled("a lease is held to its end", &hold("you", 100)),
        transaction("a lease that has run out is taken", &hold("you", 101)),
        get("the lease is of who took it last", "lease"),
        transaction("an item that is not there is claimed", &claim(10)),
        cancelled("a claim is not abandoned at once", &claim(50)),
        transaction("an abandoned claim is taken over", &claim(51)),
        transaction("a first one is counted", &count(2)),
        transaction("a second one is counted", &count(2)),
        cancelled("one too many is not counted", &count(2)),
        get("two were counted", "day"),
        transaction("a brake without a bound lets through", &brake(1)),
        transaction("a brake is given a bound", &bound),
        transaction("a brake lets through below its bound", &brake(1)),
        cancelled("a brake stops at its bound", &brake(1)),
        transaction("a brake is stopped", &stop),
        cancelled("a brake that is stopped lets nothing through", &brake(1)),
        get("the brake is as it was", "brake"),
        transaction(
            "an attribute is removed",
            &json!([update(
                "brake",
                "REMOVE stopped",
                Some("begins_with(stopped, :by)"),
                &json!({":by": text("by ")})
            )]),
        ),
        get("a removed attribute is not there", "brake"),
    ]
}
