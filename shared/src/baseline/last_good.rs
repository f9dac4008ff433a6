//! Which version of the document was the last good one, kept for functions that start when a newer one is refused.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    table::keys,
};

/// The last good version of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastGood {
    /// Its key in the bucket.
    pub(super) key: String,
    /// Its id among the versions of the object; None in a bucket that keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Its `ETag`.
    pub(super) etag: String,
    /// One more with every write: who writes must have read the latest.
    pub(super) revision: u64,
}

/// The record of it in the stack's table.
#[derive(Clone, Debug)]
pub(super) struct LastGoodRecord(DynamoDbGateway);

impl LastGoodRecord {
    pub(super) fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// The last good version of this document; None when there was none yet. What is recorded of a document that the
    /// stack had before is not looked at, except that its revision counts on.
    pub(super) async fn find(&self) -> Result<Option<LastGood>, CallError> {
        self.0.find(keys::BASELINE_DOCUMENT.key()).await
    }

    /// Puts a version in the place of the one that was `read`; false when somebody else has done that since.
    pub(super) async fn replace(&self, read: Option<&LastGood>, good: LastGood) -> Result<bool, CallError> {
        let condition = match read {
            None => ("attribute_not_exists(pk)".to_owned(), HashMap::new()),
            Some(read) => {
                let revision = AttributeValue::N(read.revision.to_string());
                ("revision = :read".to_owned(), HashMap::from([(":read".to_owned(), revision)]))
            }
        };
        let good = LastGood { revision: read.map_or(1, |read| read.revision + 1), ..good };
        let put = Write::Put {
            pk: keys::BASELINE_DOCUMENT.key().to_owned(),
            item: attributes(&good)?,
            condition: Some(condition),
        };
        Ok(self.0.write(vec![put]).await?.is_ok())
    }
}
