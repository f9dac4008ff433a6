//! Admits requests for new accounts: checks them whole, records them, and hands them to the create-account poller.

mod answer;
mod survey;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde_json::Value;
use steward::{
    account_creation::{
        Admission, Organization, OrganizationalUnitReference, Request, Started, State, Store, Wish, admit,
    },
    clock,
    error::{Cause, Failure},
    events::{AccountCreationFailed, Trigger},
    gateway::{DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Rates, SqsGateway},
    ids::{RequestId, RoleName},
    input::{Problem, in_words},
    settings::{NotConfigured, Settings},
    start::SdkConfig,
};

pub use answer::Answer;

/// The function.
#[derive(Debug)]
pub struct AccountRequester {
    organizations: OrganizationsGateway,
    store: Store,
    poller_queue: SqsGateway,
    bus: EventBridgeGateway,
    daily_cap: u32,
    deadline: SignedDuration,
    access_role: RoleName,
}

impl AccountRequester {
    /// The function's name.
    pub const NAME: &'static str = "account-requester";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let function = Self {
            organizations: OrganizationsGateway::of(config, Rates::default()),
            store: Store::new(DynamoDbGateway::of(config, settings.table_name())),
            poller_queue: SqsGateway::of(config, settings.account_creation_queue_url()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            daily_cap: settings.max_accounts_per_day(),
            deadline: settings.deadline(),
            access_role: settings.access_role_name(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation. A person reads the answer; whoever put an `AccountRequested` event on the bus does
    /// not, so there a refusal is told by an event.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let (input, by_event) = match Trigger::of(event.payload) {
            Trigger::Event(event) => (event.detail, true),
            Trigger::ByHand(input) => (input, false),
            Trigger::Queue(_) => {
                return Err(Failure::not_understood("No queue is expected."));
            }
        };
        let answer = match Wish::read(input, &self.access_role) {
            Ok(wish) => self.request(wish).await?,
            Err(problems) => Answer::refused(Failure::new(Cause::InvalidRequest), problems),
        };
        if let (true, Answer::Refused { failure, problems, .. }) = (by_event, &answer) {
            self.tell_refusal(failure, problems).await?;
        }
        Ok(answer)
    }

    async fn request(&self, wish: Wish<OrganizationalUnitReference>) -> Result<Answer, Failure> {
        let id = RequestId::of(&wish.email);
        let now = clock::now();
        let deadline = now.checked_add(self.deadline).unwrap_or(Timestamp::MAX);
        let unit = survey::find_unit(&self.organizations, wish.organizational_unit.as_ref()).await?;
        let earlier = self.store.find(&id).await?;
        let is_settled = matches!(&earlier, Some(request) if !matches!(request.state, State::Failed { .. }));
        let organization = match unit {
            // A request that is under way or done is decided by its own record.
            Some(_) if is_settled => Organization::default(),
            Some(_) => survey::organization(&self.organizations, &self.store, self.daily_cap, now).await?,
            None => {
                let known = survey::organization(&self.organizations, &self.store, self.daily_cap, now).await?;
                Organization { lacks_unit: true, ..known }
            }
        };
        let wish = wish.in_unit(unit.flatten());
        match admit(wish, earlier, &organization, now, deadline) {
            Admission::Refuse(failure, problems) => Ok(Answer::refused(failure, problems)),
            Admission::Known(request) => {
                self.wake(&request).await?;
                Ok(Answer::of(&request))
            }
            Admission::Start(request) => match self.store.start(&request, self.daily_cap, now).await? {
                Started::Yes => {
                    tracing::info!(request_id = %request.request_id, attempt = request.attempt, "request recorded");
                    self.wake(&request).await?;
                    Ok(Answer::of(&request))
                }
                Started::DailyCapReached => Ok(Answer::refused(Failure::new(Cause::DailyCapReached), Vec::new())),
                // The same request, sent twice at once: what the other one recorded holds for both.
                Started::Raced => {
                    let recorded = self.store.find(&id).await?;
                    recorded
                        .map(|request| Answer::of(&request))
                        .ok_or_else(|| Failure::new(Cause::ConcurrentModification))
                }
            },
        }
    }

    /// Makes the poller look at the request, unless it is about to.
    async fn wake(&self, request: &Request) -> Result<(), Failure> {
        if request.is_open() && request.next_look_at <= clock::now() {
            self.poller_queue.send(&request.reminder(), std::time::Duration::ZERO).await?;
        }
        Ok(())
    }

    async fn tell_refusal(&self, failure: &Failure, problems: &[Problem]) -> Result<(), Failure> {
        tracing::warn!(cause = %failure.cause, problems = in_words(problems), "request refused");
        let event = AccountCreationFailed {
            request_id: None,
            account_id: None,
            failure: failure.clone(),
            problems: problems.to_vec(),
        };
        Ok(self.bus.put(&event).await?)
    }
}
