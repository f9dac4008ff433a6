//! AWS Organizations: any number of organizations side by side, one per management account.

mod accounts;
mod announce;
mod builder;
mod closing;
mod creation;
mod delegates;
mod error;
mod handle;
mod input;
mod membership;
mod operations;
mod paging;
mod policies;
mod reason;
mod role;
mod roster;
mod shapes;
mod state;
mod tags;
mod trust;
mod units;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::core::Core;
use crate::front::answer::{ApiError, json_ok};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::quota::Rate;
use crate::service::{Answered, Context, Service};
pub use builder::OrganizationBuilder;
pub use handle::{Organization, Request};
use input::Input;
pub(crate) use membership::Membership;
pub use reason::FailureReason;
pub(crate) use role::DEFAULT_ROLE;
use state::Org;

/// Every organization, by its management account.
#[derive(Default)]
pub(crate) struct Organizations {
    orgs: Mutex<HashMap<String, Org>>,
}

impl Service for Organizations {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "organizations"
    }

    fn needs(&self, core: &Core, request: &Incoming) -> Vec<Need> {
        let orgs = self.lock();
        let account = core.identities.known_account(&request.access_key);
        let org = account.and_then(|account| org_of(&orgs, &account));
        operations::needs(request, org)
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        operations::rate(operation)
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context).map(|body| json_ok(context.request.protocol, &body))
    }
}

impl Organizations {
    fn perform(&self, context: &Context<'_>) -> Result<Value, ApiError> {
        let (account, request) = (&context.caller.account, context.request);
        let input = Input(&request.input);
        let mut orgs = self.lock();
        if request.operation == "CreateOrganization" {
            if org_of(&orgs, account).is_some() {
                let message = "This account is already a member of an organization.";
                return Err(error::error("AlreadyInOrganizationException", message));
            }
            let all_features =
                input.word("FeatureSet", &["ALL", "CONSOLIDATED_BILLING"])? != Some("CONSOLIDATED_BILLING");
            let org = Org::new(&context.core.ids, account, all_features);
            let body = serde_json::json!({ "Organization": shapes::organization(&org) });
            orgs.insert(account.clone(), org);
            return Ok(body);
        }
        if request.operation == "DescribeOrganization" {
            let org = org_of(&orgs, account).ok_or_else(error::not_in_use)?;
            return Ok(serde_json::json!({ "Organization": shapes::organization(org) }));
        }
        if request.operation == "DescribeEffectivePolicy" {
            // Any account may ask what holds for itself.
            let org = org_of(&orgs, account).ok_or_else(error::not_in_use)?;
            return policies::effective(org, account, input);
        }
        if !orgs.contains_key(account) {
            let is_member = org_of(&orgs, account).is_some();
            return Err(if is_member { error::not_for_members() } else { error::not_in_use() });
        }
        let org = orgs.get_mut(account).ok_or_else(error::not_in_use)?;
        operations::perform(&context.core, org, &request.operation, input)
    }

    /// Adds an organization, unless one of its accounts is in another.
    fn add(&self, org: Org) -> bool {
        let mut orgs = self.lock();
        let is_free = org.accounts.iter().all(|account| org_of(&orgs, &account.id).is_none());
        if is_free {
            orgs.insert(org.management.clone(), org);
        }
        is_free
    }

    /// Looks at, or changes, the organization of a management account.
    fn with<T>(&self, management: &str, change: impl FnOnce(&mut Org) -> T) -> Option<T> {
        self.lock().get_mut(management).map(change)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Org>> {
        self.orgs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The organization that an account belongs to.
fn org_of<'a>(orgs: &'a HashMap<String, Org>, account: &str) -> Option<&'a Org> {
    orgs.get(account).or_else(|| orgs.values().find(|org| org.account(account).is_some()))
}
