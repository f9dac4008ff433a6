//! What tests see and turn in an organization from outside the API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::FailureReason;
use super::state::{Fate, Org};
use crate::client::AwsClient;
use crate::core::Core;
use crate::events::EventPlan;
use crate::fault::{Fault, FaultGuard};
use crate::service::account::{Contacts, EmailChanges, Regions, deny, deny_in_member};
use crate::service::root_access::{self, RootCredentials};

/// An organization in the local cloud.
#[derive(Clone)]
pub struct Organization {
    core: Arc<Core>,
    management: String,
}

/// A creation request as the organization sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `car-...`
    pub id: String,
    /// The e-mail address asked for.
    pub email: String,
    /// `IN_PROGRESS`, `SUCCEEDED` or `FAILED`.
    pub state: &'static str,
    /// The account, once it exists.
    pub account_id: Option<String>,
    /// Why it failed.
    pub failure: Option<FailureReason>,
}

impl Organization {
    pub(super) fn new(core: Arc<Core>, management: String) -> Self {
        Self { core, management }
    }

    /// The organization's id, `o-...`.
    pub fn id(&self) -> String {
        self.with(|org| org.id.clone())
    }

    /// The account id of the management account.
    pub fn management_account(&self) -> &str {
        &self.management
    }

    /// The id of the root, `r-...`.
    pub fn root_id(&self) -> String {
        self.with(|org| org.root.clone())
    }

    /// The id of the unit at a path such as `/Workloads/Prod`.
    pub fn unit_id(&self, path: &str) -> Option<String> {
        self.with(|org| org.find_path(path).map(str::to_owned))
    }

    /// The ids of all accounts, the management account first.
    pub fn account_ids(&self) -> Vec<String> {
        self.with(|org| org.accounts.iter().map(|account| account.id.clone()).collect())
    }

    /// The id of the account with an e-mail address.
    pub fn account_with_email(&self, email: &str) -> Option<String> {
        self.with(|org| org.accounts.iter().find(|account| account.email == email).map(|account| account.id.clone()))
    }

    /// The id of the root or unit an account is in.
    pub fn parent_of(&self, account: &str) -> Option<String> {
        self.with(|org| org.account(account).map(|account| account.parent.clone()))
    }

    /// The tags of a root, unit or account.
    pub fn tags_of(&self, id: &str) -> BTreeMap<String, String> {
        self.with(|org| org.tags.get(id).cloned().unwrap_or_default())
    }

    /// Gives a root, unit or account these tags, as if it had had them for long: the index of tags knows them.
    pub fn set_tags(&self, id: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.with(|org| org.tags.insert(id.to_owned(), tags));
    }

    /// Every creation request there was, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.with(|org| {
            let requests = org.requests.iter().map(|request| {
                let ended = request.ended.map(|_| &request.fate);
                Request {
                    id: request.id.clone(),
                    email: request.email.clone(),
                    state: request.state(),
                    account_id: ended.and_then(|fate| match fate {
                        Fate::Succeeds(account) => Some(account.clone()),
                        Fate::Fails(_) => None,
                    }),
                    failure: ended.and_then(|fate| match fate {
                        Fate::Succeeds(_) => None,
                        Fate::Fails(reason) => Some(*reason),
                    }),
                }
            });
            requests.collect()
        })
    }

    /// How many accounts were made by request.
    pub fn accounts_created(&self) -> usize {
        self.requests().iter().filter(|request| request.account_id.is_some()).count()
    }

    /// The most creations that were in progress at once.
    pub fn peak_creations_in_progress(&self) -> usize {
        self.with(|org| org.peak_in_progress)
    }

    /// Creations with this e-mail address fail for this reason from now on; `None` lets them succeed again.
    pub fn fail_creation(&self, email: &str, reason: impl Into<Option<FailureReason>>) {
        let email = email.to_ascii_lowercase();
        self.with(|org| match reason.into() {
            Some(reason) => org.settings.failures.insert(email, reason),
            None => org.settings.failures.remove(&email),
        });
    }

    /// An account outside the organization has this e-mail address.
    pub fn email_used_elsewhere(&self, email: &str) {
        self.with(|org| org.settings.emails_elsewhere.insert(email.to_ascii_lowercase()));
    }

    /// How many accounts the organization may have, the management account included.
    pub fn set_account_limit(&self, limit: usize) {
        self.with(|org| org.settings.account_limit = limit);
    }

    /// An account has joined so long ago.
    pub fn set_joined(&self, account: &str, ago: Duration) {
        self.with(|org| {
            if let Some(account) = org.account_mut(account) {
                account.joined = Timestamp::now() - ago;
            }
        });
    }

    /// How long creations are in progress.
    pub fn set_creation_time(&self, time: Duration) {
        self.with(|org| org.settings.creation_time = time);
    }

    /// How long after its creation an account lacks its role.
    pub fn set_role_delay(&self, delay: Duration) {
        self.with(|org| org.settings.role_delay = delay);
    }

    /// How long after its creation services other than STS refuse a new account with `OptInRequired`: not at all
    /// unless set.
    pub fn set_opt_in_delay(&self, delay: Duration) {
        self.with(|org| org.settings.opt_in_delay = delay);
    }

    /// How long closures are in progress.
    pub fn set_closing_time(&self, time: Duration) {
        self.with(|org| org.settings.closing_time = time);
    }

    /// How many closures are taken in so long a time: unless set, as many as AWS takes in 30 days.
    pub fn set_closure_quota(&self, quota: usize, window: Duration) {
        self.with(|org| (org.closures.quota, org.closures.window) = (Some(quota), window));
    }

    /// Whether a service control policy denies everything to the accounts in the unit at a path, and in those below it.
    pub fn deny_everything_in(&self, path: &str, denied: bool) {
        self.with(|org| {
            let unit = org.find_path(path).unwrap_or_else(|| panic!("there is no unit {path}")).to_owned();
            if denied { org.denied_units.insert(unit) } else { org.denied_units.remove(&unit) }
        });
    }

    /// How often each event about a creation or a closure is delivered (0 = lost, 2 = doubled), and how late.
    pub fn set_events(&self, copies: usize, delay: Duration) {
        self.with(|org| org.settings.events = EventPlan { copies, delay, ..org.settings.events });
    }

    /// How often CloudTrail's record of each call is delivered (0 = lost, 2 = doubled), and how late.
    pub fn set_records(&self, copies: usize, delay: Duration) {
        self.with(|org| org.settings.records = EventPlan { copies, delay, ..org.settings.records });
    }

    /// Lets every event come up to so much later, at random, so that events overtake each other.
    pub fn set_event_spread(&self, spread: Duration) {
        self.with(|org| {
            org.settings.events.spread = spread;
            org.settings.records.spread = spread;
            org.settings.regions.events.spread = spread;
        });
    }

    /// Whether the first page of every list is empty and only leads on.
    pub fn set_empty_first_pages(&self, empty: bool) {
        self.with(|org| org.settings.empty_first_pages = empty);
    }

    /// Whether a service may act in the organization, by its principal such as `account.amazonaws.com`.
    pub fn set_trusted_access(&self, principal: &str, trusted: bool) {
        self.with(|org| {
            if trusted {
                org.trusted.entry(principal.to_owned()).or_insert_with(Timestamp::now);
            } else {
                org.trusted.remove(principal);
            }
        });
    }

    /// How long regions are on their way when they are enabled or disabled: 3 minutes unless set.
    pub fn set_region_time(&self, time: Duration) {
        self.with(|org| org.settings.regions.time = time);
    }

    /// How long a new primary e-mail address takes to show once its code was taken: 4 hours unless set.
    pub fn set_email_change_time(&self, time: Duration) {
        self.with(|org| org.settings.email_change_time = time);
    }

    /// How often each event about a region is delivered (0 = lost, 2 = doubled), and how late.
    pub fn set_region_events(&self, copies: usize, delay: Duration) {
        self.with(|org| org.settings.regions.events = EventPlan { copies, delay, ..org.settings.regions.events });
    }

    /// Whether Account Management denies every call about an account, as a service control policy would have it.
    pub fn deny_account_management(&self, account: &str, denied: bool) {
        deny(&self.core, account, denied);
    }

    /// Denies these operations of Account Management, such as `GetAlternateContact`, to callers in a member account, as a
    /// service control policy does; the management account is not bound by one. Denies nothing when there are none.
    pub fn deny_in_member(&self, account: &str, operations: &[&str]) {
        deny_in_member(&self.core, account, operations);
    }

    /// How long the index of tags shows what was before a change: 30 s unless set.
    pub fn set_tag_index_lag(&self, lag: Duration) {
        self.with(|org| org.settings.index_lag = lag);
    }

    /// Gives the organization trusted access for IAM and both root features, or takes them away.
    pub fn set_root_access(&self, enabled: bool) {
        self.set_trusted_access(root_access::PRINCIPAL, enabled);
        self.core.services.root_access.set_features(&self.management, enabled);
    }

    /// Turns CloudWatch billing alerts of the management account on, or off, which no API does.
    pub fn set_billing_alerts(&self, on: bool) {
        self.core.services.billing.set_alerts(&self.management, on);
    }

    /// Whether CloudWatch billing alerts of the management account are on.
    pub fn has_billing_alerts(&self) -> bool {
        self.core.services.billing.has_alerts(&self.management)
    }

    /// What the root user of an account can sign in or sign with.
    pub fn root_credentials_of(&self, account: &str) -> RootCredentials {
        self.core.services.root_access.credentials(account)
    }

    /// Gives the root user of an account these credentials and no others.
    pub fn set_root_credentials(&self, account: &str, credentials: RootCredentials) {
        self.core.services.root_access.set_credentials(account, credentials);
    }

    /// Makes a stack set in the management account: with permissions of its own or, with units, one that is deployed to them.
    pub fn make_stack_set(&self, name: &str, units: Option<&[&str]>) {
        let units = units.map(|units| units.iter().map(|unit| (*unit).to_owned()).collect());
        self.core.services.stack_sets.make(&self.management, name, units);
    }

    /// Gives an account an instance of a stack set in a region, with this status, detailed status and reason; with an empty
    /// status, none.
    pub fn set_stack_instance(&self, name: &str, (account, region): (&str, &str), is: (&'static str, &str, &str)) {
        self.core.services.stack_sets.set_instance(&self.management, name, (account, region), is);
    }

    /// Says what an account costs a month, in US dollars.
    pub fn set_cost(&self, account: &str, amount: &str) {
        self.core.services.cost_explorer.set_cost(&self.management, account, amount);
    }

    /// The operations on a stack set so far: the id of each, and the accounts that it was asked for.
    pub fn stack_set_operations(&self, name: &str) -> Vec<(String, Vec<String>)> {
        self.core.services.stack_sets.operations(&self.management, name)
    }

    /// The contacts of an account.
    pub fn contacts_of(&self, account: &str) -> Contacts {
        Contacts::new(self.core.clone(), account)
    }

    /// The changes of an account's primary e-mail address.
    pub fn email_changes_of(&self, account: &str) -> EmailChanges {
        EmailChanges::new(self.core.clone(), account)
    }

    /// The regions of an account.
    pub fn regions_of(&self, account: &str) -> Regions {
        Regions::new(self.core.clone(), account)
    }

    /// Puts a fault in force for the callers of this organization alone, until the guard is dropped.
    #[must_use = "the fault ends with the guard"]
    pub fn fault(&self, fault: Fault) -> FaultGuard {
        self.core.faults.add(fault.organization(&self.management))
    }

    /// A client past the front, whose calls are neither recorded nor struck by faults, as an account's root user.
    pub fn backdoor(&self, account: &str) -> AwsClient {
        self.core.root_of(account)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Org) -> T) -> T {
        let seen = self.core.services.organizations.with(&self.management, look);
        seen.expect("an organization that a handle exists for is never removed")
    }
}
