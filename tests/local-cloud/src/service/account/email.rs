//! The primary e-mail address of a member account, which changes once its new owner has given the code from a mail.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::error;
use super::fields::{is_email, text};
use super::profile::Profile;
use super::target::Target;
use crate::core::Core;
use crate::front::answer::ApiError;

/// Changes of one account that may be started within [`WINDOW`].
const STARTS: usize = 3;
const WINDOW: Duration = Duration::from_secs(30);
/// How long a code is good for.
const CODE_LASTS: Duration = Duration::from_hours(24);

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Accepted,
    Completed,
    Failed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// The most recent change of an account's address.
#[derive(Clone)]
pub(super) struct EmailChange {
    pub(super) email: String,
    /// What the mail to the new address says.
    pub(super) code: String,
    pub(super) status: Status,
    updated: Timestamp,
    /// By the simulated clock.
    started: Duration,
}

/// What is known of addresses outside of the account's profile.
pub(super) struct Addresses {
    /// The address of the account that the request is about.
    pub(super) present: Option<String>,
    /// Whether some account has the address that the request names.
    pub(super) is_taken: bool,
}

impl Addresses {
    pub(super) fn of(core: &Core, target: &Target, input: &Value) -> Self {
        let organizations = &core.services.organizations;
        let is_taken = |email| organizations.is_email_taken(&target.caller, email);
        Self {
            present: organizations.email_of(&target.caller, &target.account),
            is_taken: input["PrimaryEmail"].as_str().is_some_and(is_taken),
        }
    }
}

/// These operations are about a member account, which must be named.
pub(super) fn member_named(input: &Value) -> Result<(), ApiError> {
    if input["AccountId"].is_string() { Ok(()) } else { Err(error::invalid("AccountId")) }
}

pub(super) fn get(addresses: &Addresses) -> Result<Value, ApiError> {
    let email = addresses.present.as_ref().ok_or_else(|| error::not_found("primary email"))?;
    Ok(json!({ "PrimaryEmail": email }))
}

pub(super) fn status(profile: &Profile) -> Result<Value, ApiError> {
    let change = profile.email_change.as_ref().ok_or_else(none_requested)?;
    Ok(json!({ "Status": change.status.as_str(), "UpdatedAt": change.updated.as_second() }))
}

/// Begins a change. Another one that waits for its code is replaced: its code is good for nothing then.
pub(super) fn start(
    core: &Core,
    profile: &mut Profile,
    input: &Value,
    addresses: &Addresses,
) -> Result<Value, ApiError> {
    let email = address(input)?;
    let now = core.clock.elapsed();
    profile.email_starts.retain(|started| now.saturating_sub(*started) < WINDOW);
    if profile.email_starts.len() >= STARTS {
        return Err(ApiError::new(429, "TooManyRequestsException", "Too many updates of this account were started."));
    }
    if profile.email_change.as_ref().is_some_and(|change| change.status == Status::Accepted) {
        return Err(conflict("Another update of the primary email is in progress."));
    }
    if addresses.is_taken {
        return Err(conflict("The email address is already in use."));
    }
    profile.email_starts.push(now);
    let otp = core.ids.lower("", 6);
    profile.email_change = Some(EmailChange {
        email: email.to_owned(),
        code: otp,
        status: Status::Pending,
        updated: Timestamp::now(),
        started: now,
    });
    Ok(json!({ "Status": Status::Pending.as_str() }))
}

/// Takes the code. The new address shows some time later.
pub(super) fn accept(
    core: &Arc<Core>,
    profiles: &mut HashMap<String, Profile>,
    target: Target,
    input: &Value,
) -> Result<Value, ApiError> {
    let (email, otp) = (address(input)?, text(input, "Otp", 6)?);
    if otp.len() != 6 || !otp.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(error::invalid("Otp"));
    }
    let profile = profiles.entry(target.account.clone()).or_default();
    let change = profile.email_change.as_mut().ok_or_else(none_requested)?;
    if change.status != Status::Pending {
        return Err(conflict("The update of the primary email does not wait for a code."));
    }
    if !change.email.eq_ignore_ascii_case(email) {
        return Err(error::invalid("PrimaryEmail"));
    }
    let is_late = core.clock.elapsed().saturating_sub(change.started) >= CODE_LASTS;
    if is_late || change.code != otp {
        return Err(error::invalid("Otp"));
    }
    (change.status, change.updated) = (Status::Accepted, Timestamp::now());
    tokio::spawn(carry_out(core.clone(), target, change.email.clone()));
    Ok(json!({ "Status": Status::Accepted.as_str() }))
}

/// Gives the account its address, unless another account has got it meanwhile.
async fn carry_out(core: Arc<Core>, target: Target, email: String) {
    core.clock.sleep(target.email_change_time).await;
    let is_done = core.services.organizations.readdress(&target.caller, &target.account, &email);
    core.services.account.with(&target.account, |profile| {
        if let Some(change) = &mut profile.email_change {
            change.status = if is_done { Status::Completed } else { Status::Failed };
            change.updated = Timestamp::now();
        }
    });
}

fn address(input: &Value) -> Result<&str, ApiError> {
    let email = text(input, "PrimaryEmail", 64)?;
    if email.len() >= 5 && email.trim() == email && is_email(email) {
        Ok(email)
    } else {
        Err(error::invalid("PrimaryEmail"))
    }
}

fn none_requested() -> ApiError {
    error::not_found("primary email update request")
}

fn conflict(why: &str) -> ApiError {
    ApiError::new(409, "ConflictException", why)
}
