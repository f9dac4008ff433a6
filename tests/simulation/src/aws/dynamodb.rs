//! Amazon DynamoDB: one table, whose writes are transactions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Answer, Refusal, expression};
use crate::{call::Call, template::items};

/// The table, by partition key.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) BTreeMap<String, Map<String, Value>>);

impl Table {
    pub(super) fn serve(&mut self, call: &Call) -> Result<Answer, Refusal> {
        match call.operation.as_str() {
            "GetItem" => {
                let key = key(&call.input["Key"]);
                Ok(Answer::json(&match self.0.get(&key) {
                    Some(item) => json!({"Item": item}),
                    None => json!({}),
                }))
            }
            "Query" => {
                let (names, values) =
                    (&call.input["ExpressionAttributeNames"], &call.input["ExpressionAttributeValues"]);
                let condition = call.text("KeyConditionExpression");
                let found: Vec<_> =
                    self.0.values().filter(|item| expression::holds(condition, Some(item), names, values)).collect();
                Ok(Answer::json(&json!({"Items": found, "Count": found.len(), "ScannedCount": found.len()})))
            }
            "TransactWriteItems" => self.transact(&call.input),
            "BatchWriteItem" => {
                for write in call.input["RequestItems"].as_object().into_iter().flatten().flat_map(|(_, of)| items(of))
                {
                    let put = write["PutRequest"]["Item"].as_object().expect("batches of puts alone are simulated");
                    self.0.insert(key(&write["PutRequest"]["Item"]), put.clone());
                }
                Ok(Answer::json(&json!({"UnprocessedItems": {}})))
            }
            other => panic!("{other} of DynamoDB is not simulated"),
        }
    }

    fn transact(&mut self, input: &Value) -> Result<Answer, Refusal> {
        let writes: Vec<&Value> = items(&input["TransactItems"]).collect();
        let mut reasons = Vec::new();
        for write in &writes {
            let (_, write) = write.as_object().and_then(|write| write.iter().next()).expect("a write");
            let item = self.0.get(&target(write));
            let holds = write["ConditionExpression"].as_str().is_none_or(|condition| {
                let (names, values) = (&write["ExpressionAttributeNames"], &write["ExpressionAttributeValues"]);
                expression::holds(condition, item, names, values)
            });
            reasons.push(if holds {
                json!({"Code": "None"})
            } else {
                json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"})
            });
        }
        if reasons.iter().any(|reason| reason["Code"] != "None") {
            let refusal = Refusal::new(400, "TransactionCanceledException", "Transaction cancelled");
            return Err(refusal.with("CancellationReasons", reasons));
        }
        for write in writes {
            let (kind, write) = write.as_object().and_then(|write| write.iter().next()).expect("a write");
            let key = target(write);
            match kind.as_str() {
                "Put" => {
                    self.0.insert(key, write["Item"].as_object().expect("an item").clone());
                }
                "Update" => {
                    let fresh = || Map::from_iter([("pk".to_owned(), json!({"S": key}))]);
                    let item = self.0.entry(key.clone()).or_insert_with(fresh);
                    let expression = write["UpdateExpression"].as_str().expect("an expression");
                    expression::update(expression, item, &write["ExpressionAttributeValues"]);
                }
                "Delete" => {
                    self.0.remove(&key);
                }
                "ConditionCheck" => {}
                other => panic!("{other} in a transaction is not simulated"),
            }
        }
        Ok(Answer::json(&json!({})))
    }

    /// The text, number or set in an attribute of an item, for invariants.
    pub(crate) fn find(&self, key: &str) -> Option<&Map<String, Value>> {
        self.0.get(key)
    }
}

fn target(write: &Value) -> String {
    key(if write["Key"].is_object() { &write["Key"] } else { &write["Item"] })
}

fn key(item: &Value) -> String {
    item["pk"]["S"].as_str().expect("a key").to_owned()
}

/// An attribute as plain JSON.
pub(crate) fn plain(value: &Value) -> Value {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a typed value");
    match kind.as_str() {
        "M" => {
            let fields = value.as_object().expect("a map");
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        "L" => items(value).map(plain).collect(),
        "N" => serde_json::from_str(value.as_str().expect("a number")).expect("a number"),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}
