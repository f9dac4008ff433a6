//! The batches of a sweep. Each is written once, while the accounts are still being listed: somebody may be at work on it.

use std::collections::{BTreeSet, HashMap};

use serde::{Serialize, de::DeserializeOwned};
use steward::{
    control::stack_instances::SetFacts,
    error::{Cause, Failure},
    gateway::{Found, S3Gateway},
    ids::AccountId,
    sweep::{BATCH, Batch, Listed, SweepId},
};

/// The largest object that is read: the list of fifty thousand accounts.
const MAX_OBJECT: usize = 64 * 1024 * 1024;

/// The batches of one sweep. An invocation that takes the place of one that was killed, or works beside one, goes on where
/// that is: an account is in one batch, whoever has put it there.
#[derive(Debug)]
pub(crate) struct Batches<'a> {
    sweeps: &'a S3Gateway,
    sweep_id: &'a SweepId,
    account_arns: String,
    /// Accounts that are in no batch yet.
    waiting: Vec<Listed>,
    /// In which batch an account is.
    placed: HashMap<AccountId, usize>,
    count: usize,
}

impl<'a> Batches<'a> {
    pub(crate) fn new(sweeps: &'a S3Gateway, sweep_id: &'a SweepId, account_arns: String) -> Self {
        Self { sweeps, sweep_id, account_arns, waiting: Vec::new(), placed: HashMap::new(), count: 0 }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The batch in which an account is.
    pub(crate) fn of(&self, account: &AccountId) -> Option<usize> {
        self.placed.get(account).copied()
    }

    /// Takes in an account, which is in a batch once one is written.
    pub(crate) fn add(&mut self, account: Listed) {
        if !self.placed.contains_key(&account.id) {
            self.waiting.push(account);
        }
    }

    /// Writes the batches that are full.
    pub(crate) async fn write_full(&mut self, stack_sets: &[SetFacts]) -> Result<(), Failure> {
        while self.waiting.len() >= BATCH {
            self.write(stack_sets).await?;
        }
        Ok(())
    }

    /// Writes all accounts.
    pub(crate) async fn write_all(&mut self, stack_sets: &[SetFacts]) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            self.write(stack_sets).await?;
        }
        Ok(())
    }

    async fn write(&mut self, stack_sets: &[SetFacts]) -> Result<(), Failure> {
        let accounts: Vec<Listed> = self.waiting.iter().take(BATCH).cloned().collect();
        let ids: BTreeSet<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
        let own = Batch {
            account_arns: self.account_arns.clone(),
            stack_sets: stack_sets.iter().map(|facts| facts.of_accounts(&ids)).collect(),
            accounts,
        };
        let number = self.count + 1;
        let key = self.sweep_id.batch_key(number);
        let written = if self.sweeps.create_object(&key, json(&own)?).await? {
            own
        } else {
            let missing = || Failure::with_detail(Cause::NotFound, format_args!("{key} was there, and is gone."));
            read(self.sweeps, &key).await?.ok_or_else(missing)?
        };
        self.count = number;
        self.placed.extend(written.accounts.into_iter().map(|account| (account.id, number)));
        let Self { waiting, placed, .. } = self;
        waiting.retain(|account| !placed.contains_key(&account.id));
        Ok(())
    }
}

/// An object of a sweep; None where there is none.
pub(crate) async fn read<T: DeserializeOwned>(sweeps: &S3Gateway, key: &str) -> Result<Option<T>, Failure> {
    match sweeps.find_object(key, None, MAX_OBJECT).await? {
        Found::Object { content, .. } => serde_json::from_slice(&content)
            .map(Some)
            .map_err(|error| Failure::with_detail(Cause::InputRefused, format_args!("{key}: {error}."))),
        Found::Missing | Found::Unchanged => Ok(None),
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::with_detail(Cause::CallFailed, error))
}
