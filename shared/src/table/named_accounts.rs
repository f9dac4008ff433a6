//! Which accounts the document has named before, in a stack without an organization: what it names beside those is new.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    ids::AccountId,
    table::keys::NAMED_ACCOUNTS,
};

/// The accounts that were named, in the stack's table.
#[derive(Clone, Debug)]
pub struct NamedBefore(DynamoDbGateway);

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The accounts.
    pub accounts: BTreeSet<AccountId>,
    /// One more with every write: who writes must have read the latest.
    revision: u64,
}

impl NamedBefore {
    /// The record in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// What was recorded last; None when nobody has looked yet.
    pub async fn find(&self) -> Result<Option<Recorded>, CallError> {
        self.0.find(NAMED_ACCOUNTS.key()).await
    }

    /// Records these accounts in the place of what was `read`. Where somebody else has recorded since, that stays: what it
    /// lacks is new again to the next who looks.
    pub async fn replace(&self, read: Option<&Recorded>, accounts: BTreeSet<AccountId>) -> Result<(), CallError> {
        let condition = match read {
            None => ("attribute_not_exists(pk)".to_owned(), HashMap::new()),
            Some(read) => {
                let revision = AttributeValue::N(read.revision.to_string());
                ("revision = :read".to_owned(), HashMap::from([(":read".to_owned(), revision)]))
            }
        };
        let item = Recorded { accounts, revision: read.map_or(1, |read| read.revision + 1) };
        let pk = NAMED_ACCOUNTS.key().to_owned();
        let put = Write::Put { pk, item: attributes(&item)?, condition: Some(condition) };
        self.0.write(vec![put]).await.map(drop)
    }
}
