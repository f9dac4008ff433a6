//! AWS Account Management: contacts, regions and primary e-mail addresses of accounts, in and outside organizations.

mod announce;
mod contacts;
mod email;
mod error;
mod fields;
mod handle;
mod name;
mod profile;
mod regions;
mod target;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::core::Core;
use crate::front::answer::{ApiError, json_ok};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::quota::Rate;
use crate::service::{Answered, Context, Service};
pub use handle::{Contacts, EmailChanges, Regions};
pub(crate) use handle::{deny, deny_in_member};
use profile::{Profile, RegionStatus};
pub(crate) use regions::RegionPlan;
use target::Target;

/// The principal that an organization trusts so that accounts can be managed from the management account.
pub(crate) const PRINCIPAL: &str = "account.amazonaws.com";

/// What is known about each account. One that nobody looked at yet is as it was opened.
#[derive(Default)]
pub(crate) struct AccountManagement {
    profiles: Mutex<HashMap<String, Profile>>,
}

impl Service for AccountManagement {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "account"
    }

    fn needs(&self, core: &Core, request: &Incoming) -> Vec<Need> {
        target::needs(core, request)
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        // AWS publishes these per account, and counts the calls of the account whose credentials make them: in standalone
        // context each account has its own.
        let (per_second, burst) = match operation {
            "GetAccountInformation" | "GetPrimaryEmail" => (3.0, 3.0),
            "DeleteAlternateContact" => (1.0, 6.0),
            "AcceptPrimaryEmailUpdate"
            | "PutAccountName"
            | "StartPrimaryEmailUpdate"
            | "DisableRegion"
            | "EnableRegion" => (1.0, 1.0),
            "GetAlternateContact" | "GetContactInformation" => (10.0, 15.0),
            "GetRegionOptStatus" | "ListRegions" => (5.0, 5.0),
            "PutAlternateContact" | "PutContactInformation" => (5.0, 8.0),
            _ => return None,
        };
        Some(Rate::new(per_second, burst))
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context).map(|body| json_ok(context.request.protocol, &body))
    }
}

impl AccountManagement {
    /// An account of an organization has the contact information of the management account from the start.
    pub(crate) fn open(&self, account: &str, management: &str) {
        let mut profiles = self.lock();
        let profile = profiles.entry(management.to_owned()).or_default().opened();
        profiles.insert(account.to_owned(), profile);
    }

    /// Whether an account can use a region.
    pub(crate) fn has_region(&self, account: &str, region: &str) -> bool {
        self.with(account, |profile| {
            let status = profile.regions.get(region);
            status.is_some_and(|status| matches!(status, RegionStatus::Default | RegionStatus::Enabled))
        })
    }

    fn perform(&self, context: &Context<'_>) -> Result<Value, ApiError> {
        let (operation, input) = (context.request.operation.as_str(), &context.request.input);
        let target = Target::of(context)?;
        if operation.contains("PrimaryEmail") {
            email::member_named(input)?;
        }
        // Before the profiles are locked: an organization that opens an account locks itself first.
        let addresses = email::Addresses::of(&context.core, &target, input);
        let mut profiles = self.lock();
        let profile = profiles.entry(target.account.clone()).or_default();
        if profile.denied || (target.is_member && profile.forbidden.contains(operation)) {
            return Err(error::denied(context, "with an explicit deny in a service control policy"));
        }
        match operation {
            "AcceptPrimaryEmailUpdate" => email::accept(&context.core, &mut profiles, target, input),
            "DeleteAlternateContact" => contacts::delete_alternate(profile, input),
            "DisableRegion" => regions::switch(&context.core, &mut profiles, target, input, false),
            "EnableRegion" => regions::switch(&context.core, &mut profiles, target, input, true),
            "GetAccountInformation" => name::get(&context.core, &target),
            "GetAlternateContact" => contacts::get_alternate(profile, input),
            "GetContactInformation" => contacts::get(profile),
            "GetPrimaryEmail" => email::get(&addresses),
            "GetPrimaryEmailUpdateStatus" => email::status(profile),
            "GetRegionOptStatus" => regions::status(profile, input),
            "ListRegions" => regions::list(profile, input),
            "PutAccountName" => name::put(&context.core, &target, input),
            "PutAlternateContact" => contacts::put_alternate(profile, input),
            "PutContactInformation" => contacts::put(profile, input),
            "StartPrimaryEmailUpdate" => email::start(&context.core, profile, input, &addresses),
            _ => Err(error::unknown(operation)),
        }
    }

    /// Looks at, or changes, what is known about an account.
    fn with<T>(&self, account: &str, change: impl FnOnce(&mut Profile) -> T) -> T {
        change(self.lock().entry(account.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Profile>> {
        self.profiles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
