//! Moves account requests on, one step at a time, until each one is ready or has failed.
//!
//! Nothing waits inside the function: a request that is put off comes back as a delayed message. What is written
//! before a call tells the next invocation that the call may have been made.

mod lookup;
mod message;
mod work;

use aws_lambda_events::sqs::SqsBatchResponse;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, tracing};
use serde::Serialize;
use serde_json::Value;
use steward::{
    account_creation::{RecordsUnreadable, Request, Store},
    audit::cloudtrail::create_account_result,
    clock,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Queried, SqsGateway},
    ids::{AccountId, CreateAccountRequestId, RequestId},
    poll_backoff::PollBackoff,
    runtime::{
        batch::process_batch,
        metrics::{self, Metric, Metrics},
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    table::{account_index::AccountIndex, idempotency::Idempotency, keys},
};

use message::Message;

/// The handler of `create-account-poller`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct CreateAccountPoller {
    organizations: OrganizationsGateway,
    store: Store,
    index: AccountIndex,
    idempotency: Idempotency,
    queue: SqsGateway,
    bus: EventBridgeGateway,
    backoff: PollBackoff,
    deadline: SignedDuration,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
    /// To a person who named a request: how far it has come.
    Request {
        /// The request.
        request_id: RequestId,
        /// How far it has come.
        state: &'static str,
        /// The account, as soon as it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        account_id: Option<AccountId>,
        /// Why it failed, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// To a sweep: how many requests there are with something left to do, and how many of them had been forgotten.
    Sweep {
        /// Requests with something left to do.
        open: usize,
        /// Those of them that were put back into the queue.
        resumed: usize,
        /// Items that cannot be read as requests.
        unreadable: usize,
    },
    /// To an event about a call of `CreateAccount` that is not ours.
    NotOurs {
        /// The call.
        create_account_request_id: CreateAccountRequestId,
    },
}

impl CreateAccountPoller {
    /// The function's name.
    pub const NAME: &'static str = "create-account-poller";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            organizations: settings.management(config).organizations,
            index: AccountIndex::new(table.clone()),
            idempotency: Idempotency::new(table.clone()),
            store: Store::new(table),
            queue: SqsGateway::of(config, settings.account_creation_queue_url()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            backoff: settings.poll_backoff(),
            deadline: settings.deadline(),
        };
        settings.finish().map(|()| function)
    }

    /// Answers one invocation: messages of the queue, an event, a request that a person names, or a sweep.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        match Trigger::of(event.payload) {
            Trigger::Queue(batch) => {
                Ok(Answer::Batch(process_batch(batch, async |body| self.message(body).await).await))
            }
            Trigger::Event(event) => match create_account_result(&event) {
                Some(call) => self.call_ended(call).await,
                None => Err(Failure::not_understood("It is no CreateAccountResult event.")),
            },
            Trigger::Manual(input) => match Message::read(input)? {
                Some(message) => {
                    self.organizations.expect_organization()?;
                    Ok(answer(&self.work(&message).await?))
                }
                None => self.sweep().await,
            },
        }
    }

    /// One message of the queue: AWS's verdict, or the function's own reminder.
    async fn message(&self, body: &str) -> Result<(), Failure> {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| Failure::not_understood(format_args!("It is not JSON: {error}.")))?;
        match Trigger::of(body) {
            Trigger::Event(event) => match create_account_result(&event) {
                Some(call) => self.call_ended(call).await.map(drop),
                None => Err(Failure::not_understood("It is no CreateAccountResult event.")),
            },
            Trigger::Manual(input) => match Message::read(input)? {
                Some(message) => self.work(&message).await.map(drop),
                None => Err(Failure::not_understood("It names no request.")),
            },
            Trigger::Queue(_) => Err(Failure::not_understood("It is a batch in a message.")),
        }
    }

    /// AWS tells that a call has ended, which saves the wait until the next look. What the event says is asked for
    /// again: it is masked, and may be late or doubled.
    async fn call_ended(&self, call: CreateAccountRequestId) -> Result<Answer, Failure> {
        let Some(request_id) = self.store.find_by_call(&call).await? else {
            tracing::info!(create_account_request_id = %call, "an account that was not requested here");
            return Ok(Answer::NotOurs { create_account_request_id: call });
        };
        Ok(answer(&self.work(&Message { request_id, looks: None }).await?))
    }

    /// Puts requests back into the queue whose message was lost.
    async fn sweep(&self) -> Result<Answer, Failure> {
        let Queried { items: open, unreadable } = self.store.open_requests().await?;
        let overdue = SignedDuration::try_from(self.backoff.announce_patience()).unwrap_or(SignedDuration::ZERO);
        let forgotten_before = clock::now().checked_sub(overdue).unwrap_or(Timestamp::MIN);
        let mut resumed = 0;
        for request in open.iter().filter(|request| request.next_look_at < forgotten_before) {
            tracing::warn!(request_id = %request.request_id, state = request.state.name(), "resuming a forgotten request");
            self.queue.send(&request.reminder(), std::time::Duration::ZERO).await?;
            resumed += 1;
        }
        metrics::emit(&[Metrics {
            dimensions: Vec::new(),
            values: vec![(Metric::UnreadableRequests, f64::from(u32::try_from(unreadable.len()).unwrap_or(u32::MAX)))],
            properties: Vec::new(),
        }]);
        self.publish_unreadable(&unreadable).await?;
        Ok(Answer::Sweep { open: open.len(), resumed, unreadable: unreadable.len() })
    }

    /// Tells of items that cannot be read, of each once.
    async fn publish_unreadable(&self, keys: &[String]) -> Result<(), Failure> {
        for key in keys {
            let publish = async {
                let failure = Failure::with_detail(Cause::RecordUnreadable, format_args!("{key}."));
                self.bus.put(&RecordsUnreadable { keys: vec![key.clone()], failure }).await?;
                Ok(key)
            };
            self.idempotency.publish(&keys::UNREADABLE.key(key), clock::now(), Box::pin(publish)).await?;
        }
        Ok(())
    }
}

fn answer(request: &Request) -> Answer {
    Answer::Request {
        request_id: request.request_id.clone(),
        state: request.state.name(),
        account_id: request.state.account_id().cloned(),
        failure: request.state.failure().cloned(),
    }
}
