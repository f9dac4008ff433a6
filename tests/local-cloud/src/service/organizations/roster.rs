//! The accounts of an organization, found by their ids without a search: there may be ten thousand.

use std::collections::HashMap;
use std::ops::Deref;

use super::state::Account;

/// Accounts in the order in which they came. None ever leaves: a closed one is still listed.
#[derive(Default)]
pub(super) struct Roster {
    accounts: Vec<Account>,
    places: HashMap<String, usize>,
}

impl Roster {
    pub(super) fn push(&mut self, account: Account) {
        self.places.insert(account.id.clone(), self.accounts.len());
        self.accounts.push(account);
    }

    pub(super) fn find(&self, id: &str) -> Option<&Account> {
        self.accounts.get(*self.places.get(id)?)
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.get_mut(*self.places.get(id)?)
    }
}

impl Deref for Roster {
    type Target = [Account];

    fn deref(&self) -> &[Account] {
        &self.accounts
    }
}
