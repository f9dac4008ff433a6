//! The events about requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::Failure,
    gateway::{Event, EventType},
    ids::{AccountId, AccountName, Email, EventId, OrganizationalUnitId, RequestId, RoleName},
    input::Problem,
};

/// An account that was asked for exists, sits in its unit and waits for its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCreated {
    /// The request it was made for.
    #[schemars(with = "String")]
    pub request_id: RequestId,
    /// Its id.
    pub account_id: AccountId,
    /// Its name.
    #[schemars(with = "String")]
    pub account_name: AccountName,
    /// Its primary e-mail address.
    #[schemars(with = "String")]
    pub email: Email,
    /// The unit (or root) that holds it; left out when nobody asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<OrganizationalUnitId>,
    /// The role through which the management account enters it.
    pub role_name: RoleName,
}

impl Event for AccountCreated {
    const TYPE: EventType = EventType::AccountCreated;
}

/// An account that was asked for was not created, or not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCreationFailed {
    /// The request; left out when the input has no valid e-mail address, from which it is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub request_id: Option<RequestId>,
    /// The name that the account was to have, if a valid one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub account_name: Option<AccountName>,
    /// The e-mail address that it was to have, if a valid one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub email: Option<Email>,
    /// The event that asked for it, if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub event_id: Option<EventId>,
    /// The account, when it exists all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// What is wrong with the input, if that is the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Event for AccountCreationFailed {
    const TYPE: EventType = EventType::AccountCreationFailed;
}

/// Items of Steward's table are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordsUnreadable {
    /// Their keys.
    pub keys: Vec<String>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Event for RecordsUnreadable {
    const TYPE: EventType = EventType::RecordsUnreadable;
}
