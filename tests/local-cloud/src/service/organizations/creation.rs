//! Creating accounts: accepted at once, done later.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::FailureReason;
use super::announce;
use super::error;
use super::input::{Input, is_account_name, is_email, is_request_id, is_role_name};
use super::paging::page;
use super::role::{DEFAULT_ROLE, make_role};
use super::shapes;
use super::state::{Account, AccountState, CreateRequest, Fate, Org, Settings};
use crate::core::Core;
use crate::front::answer::ApiError;

/// Creations that may be in progress at once.
const CREATIONS_AT_ONCE: usize = 5;

pub(super) fn create(core: &Arc<Core>, org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let mut request = parse(core, input)?;
    if !org.all_features && !request.tags.is_empty() {
        return Err(error::constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
    }
    if org.in_progress() >= CREATIONS_AT_ONCE {
        return Err(error::constraint("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"));
    }
    if let Some(reason) = doom(org, &request.email) {
        request.fate = Fate::Fails(reason);
    }
    let body = json!({ "CreateAccountStatus": shapes::create_account_status(&request) });
    tokio::spawn(carry_out(core.clone(), org.management.clone(), request.id.clone()));
    org.requests.push(request);
    org.peak_in_progress = org.peak_in_progress.max(org.in_progress());
    Ok(body)
}

pub(super) fn describe(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.id("CreateAccountRequestId", is_request_id)?;
    let request = org.request(id).ok_or_else(|| error::not_found("CreateAccountStatusNotFoundException", id))?;
    Ok(json!({ "CreateAccountStatus": shapes::create_account_status(request) }))
}

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let states = input.words("States", &["IN_PROGRESS", "SUCCEEDED", "FAILED"])?;
    let wanted = org.requests.iter().filter(|request| states.is_empty() || states.contains(&request.state()));
    let rows = wanted.map(shapes::create_account_status).collect();
    page(input, "ListCreateAccountStatus", "CreateAccountStatuses", rows, org.settings.empty_first_pages)
}

fn parse(core: &Core, input: Input<'_>) -> Result<CreateRequest, ApiError> {
    let email = input.text("Email", 6, 64)?;
    if !is_email(email) {
        return Err(error::invalid("INVALID_PATTERN", "Email"));
    }
    let name = input.text("AccountName", 1, 50)?;
    if !is_account_name(name) {
        return Err(error::invalid("INVALID_PATTERN", "AccountName"));
    }
    let role = input.optional("RoleName")?.unwrap_or(DEFAULT_ROLE);
    if !is_role_name(role) {
        return Err(error::invalid("INVALID_PATTERN", "RoleName"));
    }
    if role.starts_with("AWSServiceRoleFor") {
        return Err(error::invalid("INVALID_ROLE_NAME", "RoleName"));
    }
    input.word("IamUserAccessToBilling", &["ALLOW", "DENY"])?;
    Ok(CreateRequest {
        id: core.ids.hex("car-"),
        name: name.to_owned(),
        email: email.to_owned(),
        role: role.to_owned(),
        tags: input.tags()?,
        requested: Timestamp::now(),
        fate: Fate::Succeeds(core.ids.account()),
        ended: None,
    })
}

/// Why a creation with this e-mail address will fail, if it will.
fn doom(org: &Org, email: &str) -> Option<FailureReason> {
    let same = |other: &str| other.eq_ignore_ascii_case(email);
    if let Some(reason) = org.settings.failures.get(&email.to_ascii_lowercase()) {
        return Some(*reason);
    }
    if org.requests.iter().any(|request| request.ended.is_none() && same(&request.email)) {
        return Some(FailureReason::ConcurrentAccountModification);
    }
    if org.is_email_taken(email) {
        return Some(FailureReason::EmailAlreadyExists);
    }
    let coming =
        org.requests.iter().filter(|request| request.ended.is_none() && matches!(request.fate, Fate::Succeeds(_)));
    (org.accounts.len() + coming.count() >= org.settings.account_limit).then_some(FailureReason::AccountLimitExceeded)
}

/// Ends a creation when its time has come, tells about it, and later makes the account's role.
async fn carry_out(core: Arc<Core>, management: String, id: String) {
    let organizations = &core.services.organizations;
    pass(&core, &management, |settings| settings.creation_time).await;
    // Under one lock, so that whoever sees the account also knows that its events are settled.
    let settle = |org: &mut Org| {
        let ended = end(org, &id, core.clock.elapsed())?;
        if let Fate::Succeeds(account) = &ended.fate {
            core.services.account.open(account, &org.management);
            core.services.root_access.open(account, &org.management);
        }
        Some((ended, org.settings.events))
    };
    let Some(Some((ended, plan))) = organizations.with(&management, settle) else { return };
    announce::creation_ended(&core, &management, &ended, plan);
    if let Fate::Succeeds(account) = &ended.fate {
        pass(&core, &management, |settings| settings.role_delay).await;
        make_role(&core, &management, account, &ended.role).await;
    }
}

/// Lets as much simulated time pass as is set. Looked up again and again, so that a test can hold something back for as long
/// as it needs, and then let it come.
async fn pass(core: &Core, management: &str, time: impl Fn(&Settings) -> Duration) {
    let since = core.clock.elapsed();
    let is_due = |org: &mut Org| core.clock.elapsed() >= since + time(&org.settings);
    while core.services.organizations.with(management, is_due) == Some(false) {
        core.clock.sleep(Duration::from_millis(200)).await;
    }
}

/// Marks a request as ended and, when it succeeded, adds the account to the root; `elapsed` is the simulated time.
fn end(org: &mut Org, id: &str, elapsed: Duration) -> Option<CreateRequest> {
    let now = Timestamp::now();
    let request = org.requests.iter_mut().find(|request| request.id == id)?;
    request.ended = Some(now);
    let request = request.clone();
    if let Fate::Succeeds(account) = &request.fate {
        org.tags.insert(account.clone(), request.tags.clone());
        org.accounts.push(Account {
            id: account.clone(),
            email: request.email.clone(),
            name: request.name.clone(),
            state: AccountState::Active,
            created: true,
            joined: now,
            ready: elapsed + org.settings.opt_in_delay,
            parent: org.root.clone(),
        });
    }
    Some(request)
}
