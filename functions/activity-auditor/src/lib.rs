//! Tells who did what to accounts and to the organization, and how much it matters.

mod activity;

use std::time::Duration;

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsBatchResponse};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    audit::own_roles::OwnRole,
    clock,
    error::Failure,
    gateway::{DynamoDbGateway, EventBridgeGateway, OrganizationsGateway},
    invocation,
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    severity::Severity,
    table::{
        closures::Closures,
        idempotency::Idempotency,
        keys,
        root_sessions::{OpenedSession, RootSessionLog},
    },
};

pub use activity::ActivityAudited;

use activity::{Guarded, OwnRecord, closed_account, is_by_own_role, root_session_key, temporary_root_key};

/// How long the record of a root session may be behind its opening.
const A_MOMENT: Duration = Duration::from_secs(2);

/// How long a name is waited for.
const FOR_A_NAME: Duration = Duration::from_secs(3);

/// The handler of `activity-auditor`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct ActivityAuditor {
    bus: EventBridgeGateway,
    idempotency: Idempotency,
    root_sessions: RootSessionLog,
    closures: Closures,
    organizations: OrganizationsGateway,
    own_roles: Vec<OwnRole>,
    guarded: Guarded,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To whoever has sent an event by hand.
    Event(Audited),
}

/// What came of one event.
#[derive(Debug, Serialize)]
#[serde(tag = "audited", rename_all = "snake_case")]
pub enum Audited {
    /// It was published.
    Published(Box<ActivityAudited>),
    /// It was published before.
    Again,
}

impl ActivityAuditor {
    /// The function's name.
    pub const NAME: &'static str = "activity-auditor";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            idempotency: Idempotency::new(table.clone()),
            closures: Closures::new(table),
            root_sessions: RootSessionLog::new(DynamoDbGateway::of(config, settings.journal_table_name())),
            organizations: settings.management(config).organizations,
            own_roles: settings.own_roles().into_iter().map(OwnRole::from).collect(),
            guarded: Guarded {
                own_names: settings.own_names(),
                access_role: settings.access_role_name().as_str().to_owned(),
            },
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, or one event by hand.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body).await).await))
            }
            Trigger::Event(event) => self.audit(&event).await.map(Answer::Event),
            Trigger::Manual(_) => {
                Err(Failure::not_understood("The input must be an event of CloudTrail, as in events/activity-auditor."))
            }
        }
    }

    async fn message(&self, body: &str) -> Result<(), Failure> {
        match serde_json::from_str(body).ok().map(Trigger::of) {
            Some(Trigger::Event(event)) => self.audit(&event).await.map(drop),
            _ => Err(Failure::not_understood("It is no event.")),
        }
    }

    /// Reads, judges and tells one event, once.
    async fn audit(&self, event: &EventBridgeEvent<Value>) -> Result<Audited, Failure> {
        let now = clock::now();
        let record = match self.own_session(event, now).await? {
            Some(opened) => Some(OwnRecord::Session(opened)),
            None => self.is_own_closure(event).await?.then_some(OwnRecord::Closure),
        };
        let audited = ActivityAudited::of(event, &self.own_roles, &self.guarded, record.as_ref());
        let mut audited = audited.ok_or_else(|| Failure::not_understood("It names no call of a service of AWS."))?;
        let key = keys::ACTIVITY.key(&audited.event_id);
        let publish = async {
            audited.account_name = self.account_name(&audited).await;
            if audited.severity >= Severity::Warning {
                tracing::warn!(action = audited.action, actor = audited.actor.name, severity = ?audited.severity, "{}", audited.why);
            }
            self.bus.put(&audited).await?;
            Ok(audited)
        };
        // Boxed for its size.
        let published = self.idempotency.publish(&key, now, Box::pin(publish)).await?;
        Ok(published.map_or(Audited::Again, |audited| Audited::Published(Box::new(audited))))
    }

    /// The root session of ours that the event is about, if it is about one. Whoever opens a session records it at once; a
    /// record of CloudTrail that is quicker waits for that a moment.
    async fn own_session(
        &self,
        event: &EventBridgeEvent<Value>,
        now: Timestamp,
    ) -> Result<Option<OpenedSession>, Failure> {
        let Some(key) = root_session_key(event).or_else(|| temporary_root_key(event)) else { return Ok(None) };
        let found = self.root_sessions.find(key, now).await?;
        if found.is_some() || !is_by_own_role(event, &self.own_roles) {
            return Ok(found);
        }
        tokio::time::sleep(A_MOMENT).await;
        Ok(self.root_sessions.find(key, now).await?)
    }

    /// Whether the event is about the closing of an account that Steward is closing, or has closed: that is recorded before AWS
    /// is asked.
    async fn is_own_closure(&self, event: &EventBridgeEvent<Value>) -> Result<bool, Failure> {
        let Some(account) = closed_account(event) else { return Ok(false) };
        Ok(self.closures.find(&account).await?.is_some_and(|closure| closure.is_closed_here()))
    }

    /// The name of the account, which records mask. What happened is published with or without it.
    async fn account_name(&self, audited: &ActivityAudited) -> Option<String> {
        let describe = self.organizations.describe_account(audited.account_id.as_ref()?);
        let described = invocation::waiting_at_most(FOR_A_NAME, describe).await;
        described
            .inspect_err(|error| tracing::info!("the account's name stays unknown: {error}"))
            .ok()
            .map(|account| account.name)
    }
}

#[cfg(test)]
mod tests {
    use steward::closed_set::ClosedSet;

    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let guarded =
            Guarded { own_names: vec!["steward".to_owned()], access_role: "OrganizationAccountAccessRole".to_owned() };
        payloads::check(ActivityAuditor::NAME, Severity::ALL.iter().copied(), |sample| {
            let Trigger::Event(event) = Trigger::of(sample.payload) else { return Err("no event") };
            let audited = ActivityAudited::of(&event, &[], &guarded, None);
            audited.map(|audited| [audited.severity]).ok_or("no call")
        });
    }
}
