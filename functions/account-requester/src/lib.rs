//! Admits requests for new accounts: checks them whole, records them, and hands them to the create-account poller.
//!
//! Events come through a queue, two batches at a time, however many are sent at once. What AWS throttles, or what needs
//! a list of the organization that nobody has made yet, is checked later: that is never a refusal.

mod answer;
mod asking;
mod survey;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde_json::Value;
use steward::{
    account_creation::{AccountCreationFailed, AccountSpec, Admission, Known, Request, Started, Store, admit},
    clock,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, SqsGateway},
    ids::{Email, RequestId, RoleName},
    input::{Problem, in_words},
    invocation,
    runtime::{
        batch::process_batch,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    table::{account_index::WholeSince, looks::Looks},
    unit_reference::OrganizationalUnitReference,
};
use tokio::time::Instant;

pub use answer::Answer;
use asking::Asking;
use survey::{Survey, Surveyed};

/// How long a person waits for a list of the accounts; what takes longer is done for the queue.
const LIST_BY_HAND: Duration = Duration::from_secs(4);
/// How long a person waits for turns at the published rates, to find a unit some levels down.
const TURNS_BY_HAND: Duration = Duration::from_secs(8);
/// How long one batch of the queue goes on with a list. A third of the function's time.
const PATIENCE_OF_QUEUE: Duration = Duration::from_secs(20);
/// When something is tried again that AWS has throttled, or that waits for the list of accounts.
const LATER: Duration = Duration::from_secs(15);

/// The handler of `account-requester`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct AccountRequester {
    looks: Looks,
    survey: Survey,
    store: Store,
    queue: SqsGateway,
    poller_queue: SqsGateway,
    bus: EventBridgeGateway,
    daily_cap: u32,
    deadline: SignedDuration,
    access_role: RoleName,
}

/// What came of a request.
enum Checked {
    /// Its answer.
    Answered(Answer),
    /// It is to be checked later, and why.
    Later(&'static str),
}

impl AccountRequester {
    /// The function's name.
    pub const NAME: &'static str = "account-requester";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            looks: Looks::new(table.clone(), Self::NAME),
            survey: Survey::of(settings.management(config).organizations, table.clone()),
            store: Store::new(table),
            queue: SqsGateway::of(config, settings.account_request_queue_url()),
            poller_queue: SqsGateway::of(config, settings.account_creation_queue_url()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            daily_cap: settings.max_accounts_per_day(),
            deadline: settings.deadline(),
            access_role: settings.access_role_name(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation. A person reads the answer; whoever put an `AccountRequested` event on the bus does
    /// not, so there a refusal is published as an event.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                // One patience for all: ten messages that wait for the same list wait for it once.
                let until = Instant::now() + PATIENCE_OF_QUEUE;
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body, until).await).await))
            }
            Trigger::Event(event) => {
                let asking = Asking::by_event(*event);
                let answer = self.at_once(&asking).await?;
                self.publish_refusal(&asking, &answer).await?;
                Ok(answer)
            }
            Trigger::Manual(input) => self.at_once(&Asking::by_hand(input)).await,
        }
    }

    /// One message of the queue. What is to be checked later is sent again rather than failed: a message that fails comes
    /// back after minutes, and is given up after some times.
    async fn message(&self, body: &str, until: Instant) -> Result<(), Failure> {
        let asking = Asking::by_message(body)?;
        // Boxed for its size.
        let taken = Box::pin(self.look_at(&asking, until));
        self.looks.take(&asking.look, clock::now(), taken).await
    }

    async fn look_at(&self, asking: &Asking, until: Instant) -> Result<(), Failure> {
        match self.check(asking, until).await? {
            Checked::Answered(answer) => self.publish_refusal(asking, &answer).await,
            Checked::Later(why) if asking.has_waited_too_long(clock::now()) => {
                Err(Failure::with_detail(Cause::Throttled, format_args!("It has waited for hours: {why}.")))
            }
            Checked::Later(why) => {
                tracing::info!(why, "the request is checked later");
                Ok(self.queue.send(&asking.waiting(), LATER).await?)
            }
        }
    }

    /// The answer within seconds: what takes longer goes to the queue.
    async fn at_once(&self, asking: &Asking) -> Result<Answer, Failure> {
        let check = self.check(asking, Instant::now() + LIST_BY_HAND);
        let why = match invocation::waiting_at_most(TURNS_BY_HAND, check).await? {
            Checked::Answered(answer) => return Ok(answer),
            Checked::Later(why) => why,
        };
        let email: Option<Email> = asking.input["email"].as_str().and_then(|email| email.parse().ok());
        let email = email.ok_or_else(|| Failure::new(Cause::Throttled))?;
        tracing::info!(why, "the request is checked later");
        self.queue.send(&asking.waiting(), Duration::from_secs(1)).await?;
        Ok(Answer::waiting(RequestId::of(&email)))
    }

    /// Checks a request and records it. Throttling is no answer to it.
    async fn check(&self, asking: &Asking, until: Instant) -> Result<Checked, Failure> {
        if let Err(failure) = self.survey.expect_organization() {
            return Ok(Checked::Answered(Answer::refused(failure, Vec::new())));
        }
        let spec = match AccountSpec::read(asking.input.clone(), &self.access_role) {
            Ok(spec) => spec,
            Err(problems) => {
                return Ok(Checked::Answered(Answer::refused(Failure::new(Cause::InvalidRequest), problems)));
            }
        };
        let checked = match self.survey.index(clock::now(), until).await {
            Ok(Some(since)) => self.request(spec, asking, since).await.map(Checked::Answered),
            Ok(None) => Ok(Checked::Later("the accounts of the organization are being listed")),
            Err(failure) => Err(failure),
        };
        match checked {
            Err(failure) if matches!(failure.cause, Cause::Throttled | Cause::NoTimeLeft) => {
                Ok(Checked::Later("the look-up would come faster than AWS allows"))
            }
            checked => checked,
        }
    }

    async fn request(
        &self,
        spec: AccountSpec<OrganizationalUnitReference>,
        asking: &Asking,
        since: WholeSince,
    ) -> Result<Answer, Failure> {
        let id = RequestId::of(&spec.email);
        let now = clock::now();
        let deadline = now.checked_add(self.deadline).unwrap_or(Timestamp::MAX);
        let unit = self.survey.find_unit(spec.organizational_unit.as_ref()).await?;
        let earlier = self.store.find(&id).await?;
        let about = (&spec.email, &spec.account_name);
        let Surveyed { known, notes } = self.survey.look(&self.store, about, earlier, since, now).await?;
        let known = Known { daily_cap: self.daily_cap, lacks_unit: unit.is_none(), ..known };
        match admit(spec.in_unit(unit.flatten()), &asking.asked, &known, now, deadline) {
            Admission::Refuse(failure, problems) => Ok(Answer::refused(failure, problems)),
            Admission::Known(request) => {
                self.wake(&request).await?;
                Ok(Answer::of(&request, notes))
            }
            Admission::Start(request) => match self.store.start(&request, self.daily_cap, now).await? {
                Started::Yes => {
                    tracing::info!(request_id = %request.request_id, attempt = request.attempt, "request recorded");
                    self.wake(&request).await?;
                    Ok(Answer::of(&request, notes))
                }
                Started::DailyCapReached => Ok(Answer::refused(Failure::new(Cause::DailyCapReached), Vec::new())),
                // The same request, sent twice at once: what the other one recorded holds for both.
                Started::Raced => {
                    let recorded = self.store.find(&id).await?;
                    recorded
                        .map(|request| Answer::of(&request, notes))
                        .ok_or_else(|| Failure::new(Cause::ConcurrentModification))
                }
            },
        }
    }

    /// Makes the poller look at the request, unless it is about to.
    async fn wake(&self, request: &Request) -> Result<(), Failure> {
        if request.is_open() && request.next_look_at <= clock::now() {
            self.poller_queue.send(&request.reminder(), Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Tells whoever listens that a request was refused, and which one.
    async fn publish_refusal(&self, asking: &Asking, answer: &Answer) -> Result<(), Failure> {
        let Answer::Refused { failure, problems, .. } = answer else { return Ok(()) };
        let event = refusal(asking, failure, problems);
        tracing::warn!(
            cause = %failure.cause,
            problems = in_words(problems),
            request_id = event.request_id.as_ref().map(RequestId::as_str),
            "request refused"
        );
        Ok(self.bus.put(&event).await?)
    }
}

/// What is published of a refused request. Of the input only what is valid: anybody may have written it.
fn refusal(asking: &Asking, failure: &Failure, problems: &[Problem]) -> AccountCreationFailed {
    let text = |field: &str| asking.input[field].as_str();
    let email: Option<Email> = text("email").and_then(|email| email.parse().ok());
    AccountCreationFailed {
        request_id: email.as_ref().map(RequestId::of),
        account_name: text("account_name").and_then(|name| name.parse().ok()),
        email,
        event_id: asking.asked.event_id.clone(),
        account_id: None,
        failure: failure.clone(),
        problems: problems.to_vec(),
    }
}

#[cfg(test)]
mod tests;
