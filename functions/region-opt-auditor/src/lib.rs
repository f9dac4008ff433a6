//! Judges each region that is enabled or disabled by the baseline document, and undoes what the document does not want
//! if the document says so.

mod message;
mod region_policy;

use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    audit::{own_roles::OwnRole, region_calls::Callers},
    baseline::{Document, DocumentInForce, Refusal, Selectors},
    baseline_runner::BaselineRunner,
    clock,
    control::{AnyControl, Conclusion, Control, Mode, conclude, regions::RegionsControl},
    error::{Cause, Failure},
    events::{BaselineIncomplete, RegionChange, RegionOptAudited, RegionPolicyViolated},
    gateway::{Account, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, SqsGateway},
    ids::{AccountId, Region},
    poll_backoff::PollBackoff,
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    session::{Guards, Sessions},
    table::{idempotency::Idempotency, keys, looks::Looks},
};

use message::{Message, Reminder};
use region_policy::{Verdict, judge};

/// The control through which a region is remediated.
const REGIONS: &[&dyn AnyControl] = &[&RegionsControl];

/// The handler of `region-opt-auditor`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct RegionOptAuditor {
    queue: SqsGateway,
    bus: EventBridgeGateway,
    idempotency: Idempotency,
    looks: Looks,
    callers: Callers,
    runner: BaselineRunner,
    selectors: Selectors,
    organizations: OrganizationsGateway,
    own_roles: Vec<OwnRole>,
    backoff: PollBackoff,
    deadline: SignedDuration,
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

/// What came of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "audited", rename_all = "snake_case")]
pub enum Audited {
    /// The region is as the document has it, or the document does not mind.
    InOrder,
    /// It is not, or it cannot be judged; that was published.
    Violated {
        /// Whether Steward undoes it.
        remediated: bool,
    },
    /// It was published before.
    Again,
    /// Who has asked for a change was recorded.
    CallRecorded,
    /// AWS has refused the call, so that nothing has changed.
    CallRefused,
    /// The account's regions were looked at, to remediate them.
    Remediated,
}

/// What was published of a change.
#[derive(Serialize)]
#[serde(untagged)]
enum Published {
    InOrder(RegionOptAudited),
    Violated(RegionPolicyViolated),
}

impl Published {
    fn audited(&self) -> Audited {
        match self {
            Self::InOrder(_) => Audited::InOrder,
            Self::Violated(event) => Audited::Violated { remediated: event.remediated },
        }
    }
}

impl RegionOptAuditor {
    /// The function's name.
    pub const NAME: &'static str = "region-opt-auditor";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let management = settings.management(config);
        let organizations = management.organizations.clone();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let sessions = Sessions::new(config, Self::NAME, Guards::of(&mut settings, config));
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let function = Self {
            runner: BaselineRunner::new(config, &mut settings, management, sessions, &table, &bus),
            queue: SqsGateway::of(config, settings.region_audit_queue_url()),
            bus,
            selectors: Selectors::new(organizations.clone(), table.clone()),
            idempotency: Idempotency::new(table.clone()),
            looks: Looks::new(table.clone(), Self::NAME),
            callers: Callers::new(table),
            organizations,
            own_roles: settings.own_roles().into_iter().map(OwnRole::from).collect(),
            backoff: settings.poll_backoff(),
            deadline: settings.deadline(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, or one event by hand.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let invocation = event.context.request_id.as_str();
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body, invocation).await).await))
            }
            Trigger::Event(event) => {
                let message = Message::of_event(&event, &self.own_roles)?;
                self.receive(message, invocation).await.map(Answer::Event)
            }
            Trigger::Manual(_) => Err(Failure::not_understood(
                "The input must be an event about a region, as in events/region-opt-auditor.",
            )),
        }
    }

    async fn message(&self, body: &str, invocation: &str) -> Result<(), Failure> {
        let message = Message::of_body(body, &self.own_roles)?;
        let look = message.look();
        // Boxed for its size.
        let received = Box::pin(async {
            match self.receive(message.clone(), invocation).await {
                // What had no turn is no failure: a message that fails comes back many minutes later, and not for ever.
                Err(failure) if failure.cause == Cause::NoTimeLeft => self.put_off(message, failure).await,
                received => received.map(drop),
            }
        });
        match look {
            Some(look) => self.looks.take(&look, clock::now(), received).await,
            None => received.await,
        }
    }

    /// Sends a message that had no turn to itself again, until the deadline.
    async fn put_off(&self, message: Message, failure: Failure) -> Result<(), Failure> {
        let Some(later) = message.put_off(clock::now(), self.deadline) else { return Err(failure) };
        tracing::info!("not reached, looking again: {failure}");
        Ok(self.queue.send(&later, self.backoff.poll).await?)
    }

    async fn receive(&self, message: Message, invocation: &str) -> Result<Audited, Failure> {
        match message {
            // Boxed for its size.
            Message::Changed(news) => Box::pin(self.changed(news.change)).await,
            Message::Called(call) => {
                self.callers.record(&call, clock::now()).await?;
                Ok(Audited::CallRecorded)
            }
            Message::Refused => Ok(Audited::CallRefused),
            Message::Remediate(reminder) => {
                Box::pin(self.remediate(reminder.clamped(clock::now()), invocation)).await?;
                Ok(Audited::Remediated)
            }
        }
    }

    /// Judges a change and tells of it, once.
    async fn changed(&self, mut change: RegionChange) -> Result<Audited, Failure> {
        let now = clock::now();
        let document = self.runner.document().await?;
        let verdict = self.verdict(&change, &document).await?;
        // Whether it may be undone, found out before it is published.
        let may_undo = document.remediates(RegionsControl::ID) && self.may_change(&document).await?;
        let key = key(&change);
        if let (Some(status), Some(at)) = (change.status.parse().ok(), change.time()) {
            change.requested_by = self.callers.behind(&change.account_id, &change.region, status, at, now).await?;
        }
        let publish = self.publish(change, verdict, document.refused, may_undo, now);
        let published = self.idempotency.publish(&key, now, Box::pin(publish)).await?;
        Ok(published.map_or(Audited::Again, |published| published.audited()))
    }

    async fn publish(
        &self,
        change: RegionChange,
        verdict: Verdict,
        baseline_refused: Option<Refusal>,
        may_undo: bool,
        now: Timestamp,
    ) -> Result<Published, Failure> {
        match verdict {
            Verdict::InOrder(document_says) => {
                let event = RegionOptAudited { change, document_says, baseline_refused };
                self.bus.put(&event).await?;
                Ok(Published::InOrder(event))
            }
            Verdict::Violated(failure) => {
                let remediated = failure.cause == Cause::RegionPolicyViolated && may_undo;
                tracing::warn!(account_id = %change.account_id, region = change.region, remediated, "{failure}");
                let event = RegionPolicyViolated { change, failure, remediated, baseline_refused };
                self.bus.put(&event).await?;
                if remediated {
                    let reminder = Reminder::new(event.change.account_id.clone(), now);
                    self.queue.send(&reminder, Duration::ZERO).await?;
                }
                Ok(Published::Violated(event))
            }
        }
    }

    /// Whether anything may be changed by this document.
    async fn may_change(&self, document: &DocumentInForce) -> Result<bool, Failure> {
        match self.selectors.allow_remediation(document).await {
            Ok(()) => Ok(true),
            Err(failure) if matches!(failure.cause, Cause::BaselineSelectorUnmatched | Cause::BaselineTagsUnseen) => {
                tracing::warn!("{failure}");
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn verdict(&self, change: &RegionChange, document: &Document) -> Result<Verdict, Failure> {
        let Some(account) = self.find(&change.account_id).await? else {
            let detail = format!("It is {}.", change.account_id);
            return Ok(Verdict::Violated(Failure::with_detail(Cause::AccountNotInOrganization, detail)));
        };
        let (Ok(region), Some(status)) = (change.region.parse::<Region>(), change.status.parse().ok()) else {
            let detail = format!("The region is {:?}, its status {:?}.", change.region, change.status);
            return Ok(Verdict::Violated(Failure::with_detail(Cause::RegionChangeNotJudged, detail)));
        };
        Ok(judge(&self.runner.facts().effective(&account, document).await?, &region, status))
    }

    /// The account; None when it is not in the organization.
    async fn find(&self, id: &AccountId) -> Result<Option<Account>, Failure> {
        match self.organizations.describe_account(id).await {
            Ok(account) => Ok(Some(account)),
            Err(error) if error.cause == Cause::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the regions of an account back to what the document says now. A transition is waited out by another
    /// reminder.
    async fn remediate(&self, reminder: Reminder, invocation: &str) -> Result<(), Failure> {
        let now = clock::now();
        let document = self.runner.document().await?;
        let account = self.find(&reminder.account).await?.filter(|_| document.remediates(RegionsControl::ID));
        let Some(account) = account else {
            tracing::info!(account_id = %reminder.account, "no longer to be remediated");
            return Ok(());
        };
        // It is looked at and changed by hand alone, never because an event names it.
        if self.runner.is_management_account(&account.id).await? {
            tracing::warn!(account_id = %account.id, "the regions of the management account are left as they are");
            return Ok(());
        }
        if !self.may_change(&document).await? {
            return Ok(());
        }
        let effective = self.runner.facts().effective(&account, &document).await?;
        let admission = match self.runner.admit(&account, &document).await {
            Ok(admission) => admission,
            Err(failure) => {
                tracing::info!(account_id = %account.id, "not remediated: {failure}");
                return Ok(());
            }
        };
        let visit = self.runner.visit(&admission, &account, invocation).from_outside();
        let rows = self.runner.run(REGIONS, visit, &effective, Mode::Apply).await;
        match conclude(&rows, reminder.since, now, self.deadline, self.backoff) {
            Conclusion::Applied => Ok(()),
            Conclusion::LookAgain(wait) if let Some(next) = reminder.again() => {
                Ok(self.queue.send(&next, wait).await?)
            }
            Conclusion::LookAgain(_) => {
                let event = BaselineIncomplete {
                    account_id: account.id,
                    request_id: None,
                    failure: Failure::new(Cause::NotConverged),
                    controls: rows,
                    baseline_refused: document.refused,
                };
                Ok(self.bus.put(&event).await?)
            }
            Conclusion::Incomplete(failure) => {
                let event = BaselineIncomplete {
                    account_id: account.id,
                    request_id: None,
                    failure,
                    controls: rows,
                    baseline_refused: document.refused,
                };
                Ok(self.bus.put(&event).await?)
            }
        }
    }
}

/// What a change is published once by: the same change of the same second is the same, however often and from wherever it
/// is announced.
fn key(change: &RegionChange) -> String {
    let RegionChange { account_id, region, status, at, requested_by: _ } = change;
    keys::REGION.key(format_args!("{account_id}#{region}#{status}#{}", at.as_deref().unwrap_or_default()))
}
