//! Accounts that a document names and has not named before: they are to get their baseline, as those that join an
//! organization do.

use std::collections::BTreeSet;

use lambda_runtime::tracing;

use super::BaselineMessage;
use crate::{
    baseline::Document,
    clock,
    error::Failure,
    gateway::{DynamoDbGateway, SqsGateway},
    ids::AccountId,
    poll_backoff::PollBackoff,
    table::named_accounts::NamedBefore,
};

/// Finds such accounts, and sends them to where they get their baseline.
#[derive(Debug)]
pub struct NewlyNamed {
    before: NamedBefore,
    baseline: SqsGateway,
    backoff: PollBackoff,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// The accounts that get their baseline.
    pub new: Vec<AccountId>,
    /// Those that were named when the stack looked for the first time: they are left as they are.
    pub before: Vec<AccountId>,
}

impl NewlyNamed {
    /// `baseline` is the queue of the baseline applier.
    pub fn new(table: DynamoDbGateway, baseline: SqsGateway, backoff: PollBackoff) -> Self {
        Self { before: NamedBefore::new(table), baseline, backoff }
    }

    /// Sends the accounts that this document names beside those that are known to get their baseline, and records what it
    /// names. The first time it sends none: installing Steward changes no account. A message is sent before the record, so that
    /// one who is killed between the two sends it twice rather than never.
    pub async fn announce(&self, document: &Document) -> Result<Announced, Failure> {
        let named: BTreeSet<AccountId> = document.accounts.iter().map(|entry| entry.id.clone()).collect();
        let recorded = self.before.find().await?;
        let mut announced = Announced::default();
        match &recorded {
            None => announced.before.extend(named.iter().cloned()),
            Some(recorded) if recorded.accounts == named => return Ok(announced),
            Some(recorded) => announced.new.extend(named.difference(&recorded.accounts).cloned()),
        }
        for account_id in &announced.new {
            tracing::info!(%account_id, "the document names this account for the first time; it gets its baseline now");
            let message = BaselineMessage::new(account_id.clone(), clock::now());
            self.baseline.send(&message, self.backoff.poll).await?;
        }
        self.before.replace(recorded.as_ref(), named).await?;
        Ok(announced)
    }
}
