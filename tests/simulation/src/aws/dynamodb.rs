//! Amazon DynamoDB: one table with a sparse index, whose writes are transactions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    Answer, Refusal,
    expression::{self, Condition},
};
use crate::{call::Call, template::items};

type Item = Map<String, Value>;

/// The attribute that the index of the table goes by.
const INDEXED: &str = "open";
/// Its value in what has ended and is kept in the index all the same.
const ENDED: &str = "closed-account";
/// How the index is asked.
const OF_INDEX: &str = "#key = :key";

/// The table, by partition key.
#[derive(Debug, Default)]
pub(crate) struct Table {
    items: BTreeMap<String, Item>,
    /// The keys of the items that the index has, by their value of its attribute.
    index: BTreeMap<String, BTreeSet<String>>,
}

impl Table {
    pub(super) fn serve(&mut self, call: &Call) -> Result<Answer, Refusal> {
        match call.operation.as_str() {
            "GetItem" => {
                let key = key(&call.input["Key"]);
                Ok(Answer::json(&match self.items.get(&key) {
                    Some(item) => json!({"Item": item}),
                    None => json!({}),
                }))
            }
            "Query" => {
                let (names, values) =
                    (&call.input["ExpressionAttributeNames"], &call.input["ExpressionAttributeValues"]);
                let is_known = call.text("KeyConditionExpression") == OF_INDEX && names["#key"] == INDEXED;
                assert!(is_known, "this query of DynamoDB is not simulated: {}", call.input);
                let keys = self.index.get(values[":key"]["S"].as_str().expect("a text"));
                let found: Vec<_> = keys.into_iter().flatten().map(|key| &self.items[key]).collect();
                Ok(Answer::json(&json!({"Items": found, "Count": found.len(), "ScannedCount": found.len()})))
            }
            "TransactWriteItems" => self.transact(&call.input),
            "BatchWriteItem" => {
                for write in call.input["RequestItems"].as_object().into_iter().flatten().flat_map(|(_, of)| items(of))
                {
                    let put = write["PutRequest"]["Item"].as_object().expect("batches of puts alone are simulated");
                    self.put(key(&write["PutRequest"]["Item"]), put.clone());
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
            let item = self.items.get(&target(write));
            let holds = write["ConditionExpression"].as_str().is_none_or(|condition| {
                let (names, values) = (&write["ExpressionAttributeNames"], &write["ExpressionAttributeValues"]);
                Condition::read(condition, names, values).holds(item)
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
                    self.put(key, write["Item"].as_object().expect("an item").clone());
                }
                "Update" => {
                    let fresh = || Map::from_iter([("pk".to_owned(), json!({"S": key}))]);
                    let mut item = self.remove(&key).unwrap_or_else(fresh);
                    let expression = write["UpdateExpression"].as_str().expect("an expression");
                    expression::update(expression, &mut item, &write["ExpressionAttributeValues"]);
                    self.put(key, item);
                }
                "Delete" => {
                    self.remove(&key);
                }
                "ConditionCheck" => {}
                other => panic!("{other} in a transaction is not simulated"),
            }
        }
        Ok(Answer::json(&json!({})))
    }

    fn put(&mut self, key: String, item: Item) {
        self.remove(&key);
        if let Some(value) = indexed(&item) {
            self.index.entry(value.to_owned()).or_default().insert(key.clone());
        }
        self.items.insert(key, item);
    }

    fn remove(&mut self, key: &str) -> Option<Item> {
        let item = self.items.remove(key)?;
        if let Some(keys) = indexed(&item).and_then(|value| self.index.get_mut(value)) {
            keys.remove(key);
        }
        Some(item)
    }

    /// Whether the index has anything that is not at its end.
    pub(crate) fn has_open_work(&self) -> bool {
        self.index.iter().any(|(value, keys)| value != ENDED && !keys.is_empty())
    }

    /// An item, for invariants.
    pub(crate) fn find(&self, key: &str) -> Option<&Item> {
        self.items.get(key)
    }

    /// Every item by its key, for invariants.
    pub(crate) fn items(&self) -> &BTreeMap<String, Item> {
        &self.items
    }
}

fn indexed(item: &Item) -> Option<&str> {
    item.get(INDEXED)?["S"].as_str()
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
