//! Amazon DynamoDB: one table with a sparse index, whose writes are transactions.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use steward::table::keys::BASELINE_DOCUMENT;

use super::{
    Answer, Refusal,
    expression::{self, Condition},
};
use crate::{call::Call, draw::Draws, template::items, time};

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
    index: Index,
    /// When it was first written down which document is a good one.
    pub(crate) good_document_at: Option<Timestamp>,
}

/// What the index of the table has: copies of items, by their value of its attribute and their keys. It follows the table
/// after a while (developer guide, "Global secondary indexes", "Data synchronization").
#[derive(Debug, Default)]
struct Index {
    shown: BTreeMap<String, BTreeMap<String, Item>>,
    /// Changes that it does not show yet, in their order: when it will, the value and key, and the item unless it is gone.
    coming: VecDeque<(Timestamp, String, String, Option<Item>)>,
}

impl Index {
    /// Takes a change in, to be shown after a while, and after every change before it.
    fn follow(&mut self, wait: Duration, key: &str, before: Option<&Item>, after: Option<&Item>) {
        let shown_at = time::now() + SignedDuration::try_from(wait).expect("seconds");
        let shown_at = self.coming.back().map_or(shown_at, |(last, ..)| shown_at.max(*last));
        let value_of = |item: Option<&Item>| item.and_then(indexed).map(ToOwned::to_owned);
        let (before, value) = (value_of(before), value_of(after));
        if let Some(gone) = before.filter(|before| Some(before) != value.as_ref()) {
            self.coming.push_back((shown_at, gone, key.to_owned(), None));
        }
        if let Some(value) = value {
            self.coming.push_back((shown_at, value, key.to_owned(), after.cloned()));
        }
    }

    /// What it has under a value now.
    fn of(&mut self, value: &str) -> impl Iterator<Item = &Item> {
        let now = time::now();
        while let Some((_, value, key, item)) = self.coming.pop_front_if(|(shown_at, ..)| *shown_at <= now) {
            let shown = self.shown.entry(value).or_default();
            match item {
                Some(item) => shown.insert(key, item),
                None => shown.remove(&key),
            };
        }
        self.shown.get(value).into_iter().flat_map(BTreeMap::values)
    }
}

impl Table {
    pub(super) fn serve(&mut self, call: &Call, draws: &mut Draws) -> Result<Answer, Refusal> {
        let lag = lag(draws, call);
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
                let found: Vec<_> = self.index.of(values[":key"]["S"].as_str().expect("a text")).collect();
                Ok(Answer::json(&json!({"Items": found, "Count": found.len(), "ScannedCount": found.len()})))
            }
            "TransactWriteItems" => self.transact(&call.input, lag),
            "BatchWriteItem" => {
                for write in call.input["RequestItems"].as_object().into_iter().flatten().flat_map(|(_, of)| items(of))
                {
                    let put = write["PutRequest"]["Item"].as_object().expect("batches of puts alone are simulated");
                    self.put(key(&write["PutRequest"]["Item"]), put.clone(), lag);
                }
                Ok(Answer::json(&json!({"UnprocessedItems": {}})))
            }
            other => panic!("{other} of DynamoDB is not simulated"),
        }
    }

    fn transact(&mut self, input: &Value, lag: Duration) -> Result<Answer, Refusal> {
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
                    self.put(key, write["Item"].as_object().expect("an item").clone(), lag);
                }
                "Update" => {
                    let fresh = || Map::from_iter([("pk".to_owned(), json!({"S": key}))]);
                    let mut item = self.items.get(&key).cloned().unwrap_or_else(fresh);
                    let expression = write["UpdateExpression"].as_str().expect("an expression");
                    expression::update(expression, &mut item, &write["ExpressionAttributeValues"]);
                    self.put(key, item, lag);
                }
                "Delete" => {
                    let gone = self.items.remove(&key);
                    self.index.follow(lag, &key, gone.as_ref(), None);
                }
                "ConditionCheck" => {}
                other => panic!("{other} in a transaction is not simulated"),
            }
        }
        Ok(Answer::json(&json!({})))
    }

    fn put(&mut self, key: String, item: Item, lag: Duration) {
        if key == BASELINE_DOCUMENT.key() {
            self.good_document_at.get_or_insert_with(time::now);
        }
        self.index.follow(lag, &key, self.items.get(&key), Some(&item));
        self.items.insert(key, item);
    }

    /// Whether anything is there that the index is for, and that is not at its end.
    pub(crate) fn has_open_work(&self) -> bool {
        self.items.values().filter_map(indexed).any(|value| value != ENDED)
    }

    /// An item, for invariants.
    pub(crate) fn find(&self, key: &str) -> Option<&Item> {
        self.items.get(key)
    }

    /// The items whose keys begin so, by the rest of their keys, as plain JSON, for invariants.
    pub(crate) fn records(&self, prefix: &str) -> impl Iterator<Item = (&str, Value)> {
        let items = self.items.iter().filter_map(move |(key, item)| Some((key.strip_prefix(prefix)?, item)));
        items.map(|(key, item)| (key, item.iter().map(|(name, value)| (name.clone(), plain(value))).collect()))
    }

    /// Every item by its key, for invariants.
    pub(crate) fn items(&self) -> &BTreeMap<String, Item> {
        &self.items
    }
}

/// After which time the index shows what a call writes: mostly at once, seldom after seconds.
fn lag(draws: &mut Draws, call: &Call) -> Duration {
    if !call.operation.contains("Write") {
        return Duration::ZERO;
    }
    let most = if draws.happens("index late", 10) { 5_000 } else { 50 };
    draws.millis("index lag", 1, most)
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
