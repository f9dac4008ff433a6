//! What is kept and published of every change of the organization.

use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    gateway::{Event, EventType},
    table::{
        journal::Journaled,
        keys::{self, Many},
    },
};

/// Somebody has let Steward change what the organization trusts, or who administers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationPrepared {
    /// The invocation; CloudTrail and the function's log have it as well.
    pub invocation: String,
    /// The organization.
    pub organization_id: String,
    /// The steps that were to be taken.
    pub planned: Vec<String>,
    /// Those that were.
    pub applied: Vec<String>,
    /// Those that failed.
    pub failed: Vec<String>,
}

impl Event for OrganizationPrepared {
    const TYPE: EventType = EventType::OrganizationPrepared;
}

impl Journaled for OrganizationPrepared {
    const KIND: Many = keys::ORGANIZATION;

    fn invocation(&self) -> &str {
        &self.invocation
    }

    fn subject(&self) -> &str {
        &self.organization_id
    }
}
