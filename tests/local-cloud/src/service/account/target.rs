//! Which account a request is about: the caller's own, or one of its organization.

use std::time::Duration;

use super::error;
use super::{PRINCIPAL, RegionPlan};
use crate::core::Core;
use crate::front::answer::ApiError;
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::identity::is_account_id;
use crate::service::Context;
use crate::service::organizations::Membership;

/// The account a request is about.
pub(super) struct Target {
    pub(super) account: String,
    /// Whose default bus hears about it.
    pub(super) caller: String,
    /// Whether the caller is in a member account, where service control policies hold.
    pub(super) is_member: bool,
    /// The accounts that share a quota with it, where the operation has one.
    pub(super) organization: Vec<String>,
    pub(super) plan: RegionPlan,
    /// How long a new primary e-mail address takes to show.
    pub(super) email_change_time: Duration,
}

impl Target {
    /// Standalone without `AccountId`, else as the management account on one of the member accounts.
    pub(super) fn of(context: &Context<'_>) -> Result<Self, ApiError> {
        let caller = context.caller.account.clone();
        let organizations = &context.core.services.organizations;
        let membership = organizations.membership(&caller);
        let account = match named_account(context.request)? {
            None => caller.clone(),
            Some(account) => {
                let is_member = organizations.has(&caller, account);
                check(account, &caller, is_member, membership.as_ref()).map_err(|why| error::denied(context, why))?;
                account.to_owned()
            }
        };
        let changes_regions = matches!(context.request.operation.as_str(), "DisableRegion" | "EnableRegion");
        let management = membership.as_ref().filter(|_| changes_regions).map(|membership| &membership.management);
        let organization = management.map(|management| organizations.accounts(management)).unwrap_or_default();
        let is_member = membership.as_ref().is_some_and(|membership| membership.management != caller);
        let email_change_time = membership.as_ref().map(|membership| membership.email_change_time).unwrap_or_default();
        let plan = membership.map(|membership| membership.regions).unwrap_or_default();
        Ok(Self { account, caller, is_member, organization, plan, email_change_time })
    }
}

/// Whether the caller may manage another account, or why not.
fn check(account: &str, caller: &str, is_member: bool, membership: Option<&Membership>) -> Result<(), &'static str> {
    let Some(membership) = membership.filter(|membership| membership.management == caller) else {
        return Err("You must call this operation from the management account of an organization.");
    };
    if !membership.all_features {
        return Err("Your organization must have all features enabled.");
    }
    if !membership.trusts(PRINCIPAL) {
        return Err("Your organization must first enable trusted access with AWS Account Management.");
    }
    if account == caller {
        return Err("The management account can only be managed using the standalone context from the management \
                    account.");
    }
    if !is_member {
        return Err("The account is not a member of your organization.");
    }
    Ok(())
}

fn named_account(request: &Incoming) -> Result<Option<&str>, ApiError> {
    match request.input.get("AccountId") {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(id) => id.as_str().filter(|id| is_account_id(id)).map(Some).ok_or_else(|| error::invalid("AccountId")),
    }
}

/// What IAM must allow, on the account as it is called in the request's mode.
pub(super) fn needs(core: &Core, request: &Incoming) -> Vec<Need> {
    let caller = core.identities.known_account(&request.access_key).unwrap_or_default();
    let arn = match named_account(request).unwrap_or_default() {
        None => format!("arn:aws:account::{caller}:account"),
        Some(account) => {
            let membership = core.services.organizations.membership(&caller);
            let organization = membership.map_or_else(|| "o-none".to_owned(), |membership| membership.organization);
            format!("arn:aws:account::{caller}:account/{organization}/{account}")
        }
    };
    let need = Need::new(format!("account:{}", request.operation), arn);
    let keys = [("RegionName", "account:TargetRegion"), ("AlternateContactType", "account:AlternateContactTypes")];
    let given = keys.into_iter().filter_map(|(parameter, key)| Some((key, request.text(parameter)?)));
    let need = given.fold(need, |need, (key, value)| need.given(key, value));
    let path = named_account(request).unwrap_or_default().and_then(|account| {
        let organizations = &core.services.organizations;
        organizations.path_of(&caller, account)
    });
    let need = path.into_iter().fold(need, |need, path| need.given("account:AccountResourceOrgPaths", path));
    if request.operation == "PutAccountName" {
        // Of another service, without a resource, and without the keys of this one.
        return vec![need, Need::new("iam:UpdateAccountName", "*")];
    }
    let Some((_, domain)) = request.text("PrimaryEmail").and_then(|email| email.rsplit_once('@')) else {
        return vec![need];
    };
    // Of another service, without a resource, and without the keys of this one.
    vec![need.given("account:EmailTargetDomain", domain), Need::new("iam:UpdateAccountEmailAddress", "*")]
}
