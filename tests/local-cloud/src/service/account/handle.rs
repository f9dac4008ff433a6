//! What tests see and turn of an account's contacts, regions and change of address from outside the API.

use std::sync::Arc;

use serde_json::Value;

use super::email::EmailChange;
use super::profile::Profile;
use super::regions;
use crate::core::Core;

/// The contacts of one account.
#[derive(Clone)]
pub struct Contacts {
    core: Arc<Core>,
    account: String,
}

impl Contacts {
    pub(crate) fn new(core: Arc<Core>, account: &str) -> Self {
        Self { core, account: account.to_owned() }
    }

    /// The primary contact, in the shape of the API.
    pub fn primary(&self) -> Option<Value> {
        self.with(|profile| profile.contact.clone().map(Value::Object))
    }

    /// Sets the primary contact, whether the API would take it or not; `None` removes it.
    pub fn set_primary(&self, contact: Option<Value>) {
        self.with(|profile| profile.contact = contact.and_then(|contact| contact.as_object().cloned()));
    }

    /// The alternate contact of a type such as `SECURITY`, in the shape of the API.
    pub fn alternate(&self, kind: &str) -> Option<Value> {
        self.with(|profile| profile.alternates.get(kind).cloned().map(Value::Object))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Profile) -> T) -> T {
        self.core.services.account.with(&self.account, look)
    }
}

/// The regions of one account.
#[derive(Clone)]
pub struct Regions {
    core: Arc<Core>,
    account: String,
}

impl Regions {
    pub(crate) fn new(core: Arc<Core>, account: &str) -> Self {
        Self { core, account: account.to_owned() }
    }

    /// The status of a region, such as `DISABLED`.
    pub fn status(&self, region: &str) -> Option<&'static str> {
        self.with(|profile| profile.regions.get(region).map(|status| status.as_str()))
    }

    /// The regions with a status.
    pub fn having(&self, status: &str) -> Vec<String> {
        self.with(|profile| {
            let having = profile.regions.iter().filter(|(_, actual)| actual.as_str() == status);
            having.map(|(region, _)| region.clone()).collect()
        })
    }

    /// Puts an optional region into a status at once. One put on its way stays there until it is set again.
    ///
    /// # Panics
    ///
    /// When the region is not optional, or the status unknown.
    pub fn set(&self, region: &str, status: &str) {
        let done = self.with(|profile| regions::set(profile, region, status));
        assert!(done, "{region} cannot be {status}");
    }

    /// Whether the region falls back to what it was when it is enabled or disabled from now on.
    pub fn fail(&self, region: &str, fails: bool) {
        self.with(
            |profile| if fails { profile.failing.insert(region.to_owned()) } else { profile.failing.remove(region) },
        );
    }

    fn with<T>(&self, look: impl FnOnce(&mut Profile) -> T) -> T {
        self.core.services.account.with(&self.account, look)
    }
}

/// What callers in an account are denied by a service control policy.
pub(crate) fn deny_in_member(core: &Core, account: &str, operations: &[&str]) {
    let forbidden = operations.iter().map(|operation| (*operation).to_owned()).collect();
    core.services.account.with(account, |profile| profile.forbidden = forbidden);
}

/// The changes of one account's primary e-mail address.
#[derive(Clone)]
pub struct EmailChanges {
    core: Arc<Core>,
    account: String,
}

impl EmailChanges {
    pub(crate) fn new(core: Arc<Core>, account: &str) -> Self {
        Self { core, account: account.to_owned() }
    }

    /// The code that AWS mails to the new address, of the most recent change. Nothing but a test may read it.
    pub fn code(&self) -> Option<String> {
        self.of_last(|change| change.code.clone())
    }

    /// The address that the most recent change leads to.
    pub fn email(&self) -> Option<String> {
        self.of_last(|change| change.email.clone())
    }

    /// The status of the most recent change, such as `PENDING`.
    pub fn status(&self) -> Option<&'static str> {
        self.of_last(|change| change.status.as_str())
    }

    fn of_last<T>(&self, look: impl FnOnce(&EmailChange) -> T) -> Option<T> {
        self.core.services.account.with(&self.account, |profile| profile.email_change.as_ref().map(look))
    }
}

/// Whether every call about an account is denied, as a service control policy would.
pub(crate) fn deny(core: &Core, account: &str, denied: bool) {
    core.services.account.with(account, |profile| profile.denied = denied);
}
