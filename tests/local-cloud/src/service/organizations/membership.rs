//! What other services may know about the organization of an account.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::state::Org;
use super::{Organizations, org_of, policies, shapes};
use crate::events::EventPlan;
use crate::service::account::RegionPlan;

/// An account's organization.
pub(crate) struct Membership {
    pub(crate) organization: String,
    pub(crate) management: String,
    pub(crate) all_features: bool,
    /// How regions of its accounts change.
    pub(crate) regions: RegionPlan,
    /// How long a new primary e-mail address of an account takes to show.
    pub(crate) email_change_time: Duration,
    trusted: BTreeSet<String>,
}

impl Membership {
    /// Whether the service with this principal may act in the organization.
    pub(crate) fn trusts(&self, principal: &str) -> bool {
        self.trusted.contains(principal)
    }
}

impl From<&Org> for Membership {
    fn from(org: &Org) -> Self {
        Self {
            organization: org.id.clone(),
            management: org.management.clone(),
            all_features: org.all_features,
            regions: org.settings.regions,
            email_change_time: org.settings.email_change_time,
            trusted: org.trusted.keys().cloned().collect(),
        }
    }
}

impl Organizations {
    /// What becomes of the records of calls about an account.
    pub(crate) fn record_plan(&self, account: &str) -> EventPlan {
        org_of(&self.lock(), account).map_or_else(EventPlan::default, |org| org.settings.records)
    }

    /// What the index of tags has of these accounts, for their management account: nothing of what it was never told.
    pub(crate) fn indexed_tags(&self, management: &str, arns: &[&str], now: Duration) -> Vec<Value> {
        let find = |org: &mut Org| {
            let of = |arn: &&&str| {
                let id = arn.rsplit('/').next().filter(|id| org.account_arn(id) == **arn)?;
                let tags = org.account(id).and(org.indexed_tags(id, now))?;
                Some(json!({ "ResourceARN": arn, "Tags": shapes::tags(tags) }))
            };
            arns.iter().filter_map(|arn| of(&arn)).collect()
        };
        self.with(management, find).unwrap_or_default()
    }

    /// The organization that an account belongs to.
    pub(crate) fn membership(&self, account: &str) -> Option<Membership> {
        org_of(&self.lock(), account).map(Membership::from)
    }

    /// Whether an account is in the organization of a management account.
    pub(crate) fn has(&self, management: &str, account: &str) -> bool {
        self.with(management, |org| org.account(account).is_some()).unwrap_or(false)
    }

    /// The accounts of the organization of a management account.
    pub(crate) fn accounts(&self, management: &str) -> Vec<String> {
        let ids = |org: &mut Org| org.accounts.iter().map(|account| account.id.clone()).collect();
        self.with(management, ids).unwrap_or_default()
    }

    /// The primary e-mail address of an account in the organization of a management account.
    pub(crate) fn email_of(&self, management: &str, account: &str) -> Option<String> {
        self.with(management, |org| org.account(account).map(|account| account.email.clone())).flatten()
    }

    /// The name of an account in the organization of a management account.
    pub(crate) fn name_of(&self, management: &str, account: &str) -> Option<String> {
        self.with(management, |org| org.account(account).map(|account| account.name.clone())).flatten()
    }

    /// Whether an account has this primary e-mail address, in the organization of a management account or elsewhere.
    pub(crate) fn is_email_taken(&self, management: &str, email: &str) -> bool {
        self.with(management, |org| org.is_email_taken(email)).unwrap_or(false)
    }

    /// Gives an account another primary e-mail address, unless that is taken.
    pub(crate) fn readdress(&self, management: &str, account: &str, email: &str) -> bool {
        let readdress = |org: &mut Org| {
            let is_free = !org.is_email_taken(email);
            let account = org.accounts.find_mut(account).filter(|_| is_free);
            account.map(|account| email.clone_into(&mut account.email)).is_some()
        };
        self.with(management, readdress).unwrap_or(false)
    }

    /// Gives an account another name.
    pub(crate) fn rename(&self, management: &str, account: &str, name: &str) {
        let rename = |org: &mut Org| {
            if let Some(account) = org.account_mut(account) {
                name.clone_into(&mut account.name);
            }
        };
        self.with(management, rename);
    }

    /// The path of an account in the organization of a management account, down to the unit that holds it, as IAM has it in
    /// `account:AccountResourceOrgPaths`.
    pub(crate) fn path_of(&self, management: &str, account: &str) -> Option<String> {
        self.with(management, |org| org.account(account).map(|account| org.path(&account.parent))).flatten()
    }

    /// What the policies of a type come to for an account, as the account would be told.
    pub(crate) fn effective_policy(&self, kind: &str, account: &str) -> Option<Value> {
        let orgs = self.lock();
        policies::effective_content(org_of(&orgs, account)?, kind, account)
    }

    /// Whether a service control policy of its organization denies everything to an account.
    pub(crate) fn denies(&self, account: &str) -> bool {
        org_of(&self.lock(), account).is_some_and(|org| org.denies(account))
    }

    /// Whether services are ready for an account: a new one may have to wait, by the simulated clock.
    pub(crate) fn is_ready(&self, account: &str, elapsed: Duration) -> bool {
        let orgs = self.lock();
        let account = org_of(&orgs, account).and_then(|org| org.account(account));
        account.is_none_or(|account| account.ready <= elapsed)
    }
}
