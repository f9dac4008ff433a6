//! Tells who did what to accounts and to the organization, and how much it matters.

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsBatchResponse};
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    activity::{ActivityAudited, Severity, root_session_key, temporary_root_key},
    batch::work_off,
    clock,
    error::Failure,
    events::Trigger,
    gateway::{DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Rates},
    once::Once,
    root_session_log::RootSessionLog,
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

/// How long a record of a root session's work can be behind the record of its opening.
const SESSIONS_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The function.
#[derive(Debug)]
pub struct ActivityAuditor {
    bus: EventBridgeGateway,
    once: Once,
    root_sessions: RootSessionLog,
    organizations: OrganizationsGateway,
    own_roles: Vec<String>,
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
    /// It was told.
    Told(Box<ActivityAudited>),
    /// It was told before.
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
            once: Once::new(table.clone()),
            root_sessions: RootSessionLog::new(table, SESSIONS_REMEMBERED),
            organizations: OrganizationsGateway::of(config, Rates::default()),
            own_roles: settings.own_role_arns(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, or one event by hand.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => Ok(Answer::Batch(work_off(batch, async |body| self.message(body).await).await)),
            Trigger::Event(event) => self.audit(&event).await.map(Answer::Event),
            Trigger::ByHand(_) => {
                Err(Failure::not_understood("An event of CloudTrail is expected, as in events/activity-auditor."))
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
        let mut audited =
            ActivityAudited::of(event, &self.own_roles).ok_or_else(|| Failure::not_understood("It names no call."))?;
        if let Some(key) = root_session_key(event).filter(|_| audited.actor.is_steward) {
            self.root_sessions.record(key, now).await?;
        }
        if let Some(key) = temporary_root_key(event)
            && self.root_sessions.holds(key, now).await?
        {
            audited = audited.by_own_root_session();
        }
        let key = format!("activity#{}", audited.event_id);
        let publish = async {
            audited.account_name = self.account_name(&audited).await;
            if audited.severity >= Severity::Warning {
                tracing::warn!(action = audited.action, actor = audited.actor.name, severity = ?audited.severity, "{}", audited.why);
            }
            self.bus.put(&audited).await?;
            Ok(audited)
        };
        // Boxed for its size.
        let published = self.once.publish(&key, now, Box::pin(publish)).await?;
        Ok(published.map_or(Audited::Again, |audited| Audited::Told(Box::new(audited))))
    }

    /// The name of the account, which records mask. What happened is told with or without it.
    async fn account_name(&self, audited: &ActivityAudited) -> Option<String> {
        let described = self.organizations.describe_account(audited.account_id.as_ref()?).await;
        described
            .inspect_err(|error| tracing::info!("the account's name stays unknown: {error}"))
            .ok()
            .map(|account| account.name)
    }
}
