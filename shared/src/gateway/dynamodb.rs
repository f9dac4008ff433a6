//! Amazon DynamoDB: one table, partition key `pk`, all writes through transactions with conditions.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, PutRequest, TransactWriteItem, Update, WriteRequest},
};
use futures_util::{TryStreamExt, stream};
use lambda_runtime::tracing;
use serde::{Serialize, de::DeserializeOwned};

use super::CallError;
use crate::error::Cause;

/// The key of an item.
const PARTITION_KEY: &str = "pk";

/// How many items one `BatchWriteItem` takes (Amazon DynamoDB API reference).
const BATCH: usize = 25;
/// How many batches are under way at once.
const BATCHES_AT_ONCE: usize = 8;

/// The items of an index that could be read, and the keys of those that could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queried<T> {
    /// What was read.
    pub items: Vec<T>,
    /// The keys of items that are not what they should be. One of them is no reason to lose sight of the others.
    pub unreadable: Vec<String>,
}

/// One write of a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Writes a whole item.
    Put {
        /// The item's key.
        pk: String,
        /// Its attributes, the key left out.
        item: HashMap<String, AttributeValue>,
        /// What must hold of the present item, and the values that the expression names.
        condition: Option<(String, HashMap<String, AttributeValue>)>,
    },
    /// Changes attributes of an item, which is made when it is missing.
    Update {
        /// The item's key.
        pk: String,
        /// The update expression.
        expression: String,
        /// What must hold of the present item.
        condition: Option<String>,
        /// The values that both expressions name.
        values: HashMap<String, AttributeValue>,
    },
}

/// Transactions are authorised as the writes they hold; a put is in every one of them.
const TRANSACT: &str = "dynamodb:PutItem";

/// What came of one try of a transaction.
enum Transacted {
    Yes,
    Refused(Refusal),
    /// It met another transaction on one of its items.
    Met,
}

/// Why a transaction was not carried out although nothing is broken: the position of the write whose condition did
/// not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The position in the list of writes.
    pub position: usize,
}

/// The door to the stack's table.
#[derive(Clone, Debug)]
pub struct DynamoDbGateway {
    client: Client,
    table: String,
}

impl DynamoDbGateway {
    /// A gateway to one table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self::new(Client::new(config), table)
    }

    /// Reads one item, consistently; None when there is none.
    pub async fn find<T: DeserializeOwned>(&self, pk: &str) -> Result<Option<T>, CallError> {
        const OPERATION: &str = "dynamodb:GetItem";
        let key = AttributeValue::S(pk.to_owned());
        let call = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, key).consistent_read(true);
        let answer = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
        answer.item.map(|item| parsed(OPERATION, item)).transpose()
    }

    /// Puts an item there, if none has its key; whether it did.
    pub async fn put_new<T: Serialize>(&self, pk: String, item: &T) -> Result<bool, CallError> {
        let condition = Some((format!("attribute_not_exists({PARTITION_KEY})"), HashMap::new()));
        Ok(self.write(vec![Write::Put { pk, item: attributes(item)?, condition }]).await?.is_ok())
    }

    /// Puts an item in the place of the one of this revision, or of none; whether that was there. Items of this kind have a
    /// number `revision`, which each write counts on.
    pub async fn put_over<T: Serialize>(&self, pk: String, item: &T, revision: Option<u64>) -> Result<bool, CallError> {
        let condition = match revision {
            None => (format!("attribute_not_exists({PARTITION_KEY})"), HashMap::new()),
            Some(revision) => {
                let expected = AttributeValue::N(revision.to_string());
                ("revision = :expected".to_owned(), HashMap::from([(":expected".to_owned(), expected)]))
            }
        };
        Ok(self.write(vec![Write::Put { pk, item: attributes(item)?, condition: Some(condition) }]).await?.is_ok())
    }

    /// Reads every item that a sparse index holds under one key. An item that cannot be read is left out and named.
    pub async fn query_index<T: DeserializeOwned>(
        &self,
        index: &str,
        attribute: &str,
        value: &str,
    ) -> Result<Queried<T>, CallError> {
        const OPERATION: &str = "dynamodb:Query";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", AttributeValue::S(value.to_owned()))
            .into_paginator()
            .send();
        let mut found = Queried { items: Vec::new(), unreadable: Vec::new() };
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for item in page.items.unwrap_or_default() {
                let key = item.get(PARTITION_KEY).and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
                match parsed(OPERATION, item) {
                    Ok(item) => found.items.push(item),
                    Err(error) => {
                        tracing::error!(pk = key, "{error}");
                        found.unreadable.push(key);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Writes whole items, by their keys, without conditions and in no order: 25 a call, some calls at once. What
    /// DynamoDB leaves undone is sent again, ever more slowly. An error may leave some written.
    pub(crate) async fn put_all(
        &self,
        items: BTreeMap<String, HashMap<String, AttributeValue>>,
    ) -> Result<(), CallError> {
        let puts = items.into_iter().map(|(pk, mut item)| {
            item.insert(PARTITION_KEY.to_owned(), AttributeValue::S(pk));
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(|error| malformed(&error))?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        let puts = puts.collect::<Result<Vec<_>, CallError>>()?;
        let batches = puts.chunks(BATCH).map(|batch| Ok(self.put_batch(batch.to_vec())));
        stream::iter(batches).try_buffer_unordered(BATCHES_AT_ONCE).try_for_each(async |()| Ok(())).await
    }

    async fn put_batch(&self, mut batch: Vec<WriteRequest>) -> Result<(), CallError> {
        const OPERATION: &str = "dynamodb:BatchWriteItem";
        const ATTEMPTS: u32 = 8;
        for attempt in 0..ATTEMPTS {
            let answer = self.client.batch_write_item().request_items(&self.table, batch).send().await;
            let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
            batch = answer.unprocessed_items.unwrap_or_default().remove(&self.table).unwrap_or_default();
            if batch.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        let detail = format!("{} items were left undone {ATTEMPTS} times", batch.len());
        Err(CallError::unusable(OPERATION, Cause::Throttled, detail))
    }

    /// Carries out all writes or none. A transaction that meets another one on the same item is tried again at once,
    /// a few times.
    pub async fn write(&self, writes: Vec<Write>) -> Result<Result<(), Refusal>, CallError> {
        const ATTEMPTS: u32 = 6;
        let items = writes.into_iter().map(|write| self.transact_item(write)).collect::<Result<Vec<_>, _>>()?;
        for attempt in 0..ATTEMPTS {
            match self.transact(items.clone()).await? {
                Transacted::Yes => return Ok(Ok(())),
                Transacted::Refused(refusal) => return Ok(Err(refusal)),
                Transacted::Met => tokio::time::sleep(Duration::from_millis(20 << attempt)).await,
            }
        }
        let detail = format!("{ATTEMPTS} transactions in a row met others on the same item");
        Err(CallError::unusable(TRANSACT, Cause::ConcurrentModification, detail))
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Transacted, CallError> {
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(items)).send().await else {
            return Ok(Transacted::Yes);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() {
            let reasons = canceled.cancellation_reasons();
            let at = |code| reasons.iter().position(|reason| reason.code() == Some(code));
            if let Some(position) = at("ConditionalCheckFailed") {
                return Ok(Transacted::Refused(Refusal { position }));
            }
            if at("TransactionConflict").is_some() {
                return Ok(Transacted::Met);
            }
        }
        Err(CallError::of(TRANSACT, error))
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, CallError> {
        let item = TransactWriteItem::builder();
        let item = match write {
            Write::Put { pk, item: mut attributes, condition } => {
                attributes.insert(PARTITION_KEY.to_owned(), AttributeValue::S(pk));
                let (condition, values) = condition.unzip();
                let put = Put::builder().table_name(&self.table).set_item(Some(attributes));
                item.put(
                    put.set_condition_expression(condition)
                        .set_expression_attribute_values(values.filter(|values| !values.is_empty()))
                        .build()
                        .map_err(|error| malformed(&error))?,
                )
            }
            Write::Update { pk, expression, condition, values } => {
                let update = Update::builder().table_name(&self.table).key(PARTITION_KEY, AttributeValue::S(pk));
                item.update(
                    update
                        .update_expression(expression)
                        .set_condition_expression(condition)
                        .set_expression_attribute_values(Some(values))
                        .build()
                        .map_err(|error| malformed(&error))?,
                )
            }
        };
        Ok(item.build())
    }
}

/// An item as the attributes that [`Write::Put`] takes.
pub(crate) fn attributes<T: Serialize>(item: &T) -> Result<HashMap<String, AttributeValue>, CallError> {
    serde_dynamo::to_item(item)
        .map_err(|error| CallError::unusable("dynamodb:PutItem", Cause::CallFailed, error.to_string()))
}

fn parsed<T: DeserializeOwned>(operation: &'static str, item: HashMap<String, AttributeValue>) -> Result<T, CallError> {
    serde_dynamo::from_item(item).map_err(|error| {
        CallError::unusable(operation, Cause::CallFailed, format!("an item that is not ours: {error}"))
    })
}

fn malformed(error: &aws_smithy_types::error::operation::BuildError) -> CallError {
    CallError::unusable("dynamodb:PutItem", Cause::CallFailed, error.to_string())
}

#[cfg(test)]
mod tests;
