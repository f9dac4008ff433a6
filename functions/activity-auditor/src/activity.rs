//! What somebody did to accounts or to the organization, read from CloudTrail's records and judged. Pure.

mod severity;

use std::collections::BTreeMap;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    audit::{
        cloudtrail::{Actor, ActorKind, Record, close_account_result},
        own_roles::OwnRole,
    },
    gateway::{Event, EventType},
    ids::AccountId,
    severity::Severity,
    shown,
    table::root_sessions::OpenedSession,
};

pub(crate) use severity::Guarded;

use severity::judge;

/// The parameters that say what a call is about. No others get out: what a call carries may be secret.
const DESCRIBED: [(&str, &str); 14] = [
    ("region", "/requestParameters/regionName"),
    ("alternate_contact", "/requestParameters/alternateContactType"),
    ("from", "/requestParameters/sourceParentId"),
    ("to", "/requestParameters/destinationParentId"),
    ("account", "/requestParameters/accountId"),
    ("principal", "/requestParameters/targetPrincipal"),
    ("task_policy", "/requestParameters/taskPolicyArn/arn"),
    ("service", "/requestParameters/servicePrincipal"),
    ("policy", "/requestParameters/policyId"),
    ("bucket", "/requestParameters/bucketName"),
    ("queue", "/requestParameters/queueUrl"),
    ("user", "/requestParameters/userName"),
    ("joined", "/serviceEventDetails/joinedMethod"),
    ("departed", "/serviceEventDetails/departureMethod"),
];

/// What Steward has recorded itself of what an event is about, before it did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnRecord {
    /// A root session that was opened.
    Session(OpenedSession),
    /// That an account is closed.
    Closure,
}

impl OwnRecord {
    fn session(&self) -> Option<&OpenedSession> {
        match self {
            Self::Session(opened) => Some(opened),
            Self::Closure => None,
        }
    }
}

/// Somebody did something, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityAudited {
    /// The id that CloudTrail gave to what happened: the same in each copy.
    pub event_id: String,
    /// When, as AWS wrote it.
    pub at: String,
    /// How much it matters.
    pub severity: Severity,
    /// Why it matters as much, in words.
    pub why: String,
    /// Who did it.
    pub actor: Actor,
    /// The account in which it was recorded: where whoever did it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_in: Option<AccountId>,
    /// The account that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// That account's name, which the record masks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The service: `organizations.amazonaws.com`.
    pub service: String,
    /// The call, or what happened: `MoveAccount`, `ConsoleLogin`.
    pub action: String,
    /// What exactly the call is about: a region, a unit, a contact.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target: BTreeMap<String, String>,
    /// Where it came from: an IP address, or the name of an AWS service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// Why AWS refused it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

impl Event for ActivityAudited {
    const TYPE: EventType = EventType::ActivityAudited;
}

impl ActivityAudited {
    /// Reads an event that CloudTrail has brought; None for one that names no call, or that is not of a service of AWS.
    /// `own` is what Steward has recorded of what the event is about, by [`root_session_key`], [`temporary_root_key`] or
    /// [`closed_account`].
    ///
    /// Whatever is taken over is of the form that such a value has: a record holds what somebody has chosen to send.
    pub fn of(
        event: &EventBridgeEvent<Value>,
        own_roles: &[OwnRole],
        guarded: &Guarded,
        own: Option<&OwnRecord>,
    ) -> Option<Self> {
        let record = Record::of(&event.detail).filter(|_| shown::is_service_of_aws(&event.source))?;
        let mut actor = Actor::of(record, own_roles);
        let (severity, why) = judge(record, &actor, guarded, own);
        if let Some(opened) =
            own.and_then(OwnRecord::session).filter(|_| matches!(actor.kind, ActorKind::Root | ActorKind::RootSession))
        {
            (actor.kind, actor.is_steward) = (ActorKind::RootSession, true);
            actor.function = Some(opened.function.clone());
        }
        actor.name = shown::actor(&actor.name);
        actor.arn = actor.arn.as_deref().map(shown::arn);
        let target = DESCRIBED
            .iter()
            .filter_map(|(name, pointer)| Some(((*name).to_owned(), shown::target(name, record.text(pointer)?))));
        let event_id = record.text("/eventID").or(event.id.as_deref()).unwrap_or_default();
        let at = record.text("/eventTime").map(shown::time).or_else(|| steward::clock::of_event(event));
        Some(Self {
            event_id: shown::id(event_id),
            at: at.unwrap_or_default(),
            severity,
            why: shown::sentence(&why),
            recorded_in: event.account.as_deref().and_then(|account| account.parse().ok()),
            account_id: principal(record).or_else(|| record.account()),
            account_name: None,
            service: shown::service(record.service()),
            action: shown::call(record.name()),
            target: target.collect(),
            source_address: record.text("/sourceIPAddress").map(shown::address),
            error_code: failure(record).map(shown::code),
            actor,
        })
    }
}

/// The account whose root user `AssumeRoot` names, by its id or its ARN.
fn principal(record: Record<'_>) -> Option<AccountId> {
    let named = record.text("/requestParameters/targetPrincipal")?;
    named.split(':').find_map(|part| part.parse().ok())
}

/// Why it did not work. A sign-in that fails has no error code.
fn failure(record: Record<'_>) -> Option<&str> {
    let sign_in = record.text("/responseElements/ConsoleLogin").filter(|said| *said != "Success");
    record.error_code().or(sign_in)
}

/// The temporary key of the root session that a record of `AssumeRoot` tells of.
pub(crate) fn root_session_key(event: &EventBridgeEvent<Value>) -> Option<&str> {
    let record = Record::of(&event.detail).filter(|record| record.name() == "AssumeRoot")?;
    record.text("/responseElements/credentials/accessKeyId")
}

/// The account that a record of `CloseAccount` is about, or an event that tells how that ended.
pub(crate) fn closed_account(event: &EventBridgeEvent<Value>) -> Option<AccountId> {
    let record = Record::of(&event.detail)?;
    let is_call = record.action() == "organizations:CloseAccount";
    if is_call { record.parsed("/requestParameters/accountId") } else { close_account_result(event) }
}

/// Whether a role of this stack has done it.
pub(crate) fn is_by_own_role(event: &EventBridgeEvent<Value>, own_roles: &[OwnRole]) -> bool {
    Record::of(&event.detail).is_some_and(|record| Actor::of(record, own_roles).is_steward)
}

/// The key that a record of a root user's work was signed with, if it was a temporary one.
pub(crate) fn temporary_root_key(event: &EventBridgeEvent<Value>) -> Option<&str> {
    let record = Record::of(&event.detail)?;
    let is_root = record.text("/userIdentity/type") == Some("Root");
    record.text("/userIdentity/accessKeyId").filter(|key| is_root && key.starts_with("ASIA"))
}

#[cfg(test)]
mod tests;
