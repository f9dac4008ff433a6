//! One request, moved on as far as it goes without waiting.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::tracing;
use steward::{
    account_creation::{
        Advanced, Announcement, Placement, Progress, Request, Seen, State, Step, Verdict, after_create,
        after_duplicate, after_failed_read, after_looking, after_move, after_status, delay, next_step, not_recognised,
        placement,
    },
    clock,
    error::{Cause, Failure},
    gateway::AccountToCreate,
    ids::{AccountId, CreateAccountRequestId},
    runtime::metrics::{self, Metric, Metrics},
};

use crate::{CreateAccountPoller, lookup, message::Message};

/// What becomes of a request after one step.
enum Next {
    /// It was written by this invocation, which goes on.
    Continue(Request),
    /// It is left alone until a message or an event brings it back.
    Rest(Request),
}

/// What came of a write.
enum Written {
    /// It is in the record.
    Yes(Request),
    /// Another invocation has moved the request, and this is where it is now.
    Overtaken(Request),
}

/// How often one write is tried while others put the request off.
const WRITES: usize = 5;

impl CreateAccountPoller {
    /// Moves a request on. Answers with the request as it was left.
    pub(crate) async fn work(&self, message: &Message) -> Result<Request, Failure> {
        let id = &message.request_id;
        let missing = || Failure::with_detail(Cause::NotFound, format_args!("There is no request {id}."));
        let mut request = self.store.find(id).await?.ok_or_else(missing)?;
        if message.looks.is_some_and(|looks| looks < request.looks) {
            return Ok(request);
        }
        let mut seen = Seen::Found;
        loop {
            match self.step(request, seen).await? {
                Next::Continue(next) => (request, seen) = (next, Seen::Entered),
                Next::Rest(last) => return Ok(last),
            }
        }
    }

    async fn step(&self, request: Request, seen: Seen) -> Result<Next, Failure> {
        let now = clock::now();
        match next_step(&request, seen, self.backoff, now) {
            Step::Done => Ok(Next::Rest(request)),
            Step::Wait(until) => {
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                self.put_off(request, None, wait).await
            }
            Step::Claim => self.claim(request).await,
            Step::Create => self.create(request).await,
            Step::LookForLostAnswer => {
                let progress = match lookup::look(&self.organizations, &self.index, &request).await {
                    Ok(evidence) => after_looking(&request, &evidence, self.backoff, now),
                    Err(error) => after_failed_read(&request, error, self.backoff, now),
                };
                self.follow(request, progress).await
            }
            Step::CheckStatus(call) => {
                let progress = self.check_status(&request, &call, now).await;
                self.follow(request, progress).await
            }
            Step::Place(account) => {
                let progress = self.place(&request, &account, now).await;
                self.follow(request, progress).await
            }
            Step::Announce => self.announce(request).await,
            Step::TimeOut => {
                let state = request.timed_out();
                self.enter(request, state).await
            }
        }
    }

    /// Takes a place among the accounts in flight and writes that AWS is about to be asked.
    async fn claim(&self, request: Request) -> Result<Next, Failure> {
        let now = clock::now();
        let deadline = now.checked_add(self.deadline).unwrap_or(Timestamp::MAX);
        let creating = request.claimed(now, deadline);
        match self.store.advance(&request, &creating, now).await? {
            Advanced::Yes => Ok(Next::Continue(creating)),
            Advanced::Raced => self.reread(request).await,
            Advanced::NoPlace => {
                let wait = delay(&request, self.backoff, now);
                self.put_off(request, None, wait).await
            }
        }
    }

    async fn create(&self, request: Request) -> Result<Next, Failure> {
        let account = AccountToCreate {
            email: &request.spec.email,
            name: &request.spec.account_name,
            role_name: &request.spec.role_name,
            iam_user_access_to_billing: request.spec.iam_user_access_to_billing,
            tags: &request.spec.tags,
        };
        let answer = self.organizations.create_account(&account).await;
        if let Err(error) = &answer {
            tracing::warn!(request_id = %request.request_id, cause = %error.cause, "{error}");
        }
        let progress = after_create(&request, &answer, self.backoff, clock::now());
        self.follow(request, progress).await
    }

    async fn check_status(&self, request: &Request, call: &CreateAccountRequestId, now: Timestamp) -> Progress {
        let verdict = match self.organizations.describe_create_account_status(call).await {
            Ok(status) => after_status(request, &status, self.backoff, now),
            Err(error) => return after_failed_read(request, error, self.backoff, now),
        };
        match verdict {
            Verdict::Progress(progress) => progress,
            Verdict::MayBeOurs(cause) => match lookup::look(&self.organizations, &self.index, request).await {
                Ok(evidence) => after_duplicate(request, cause, &evidence, self.backoff, now),
                Err(error) => after_failed_read(request, error, self.backoff, now),
            },
        }
    }

    async fn place(&self, request: &Request, account_id: &AccountId, now: Timestamp) -> Progress {
        let account = match self.organizations.describe_account(account_id).await {
            Ok(account) => account,
            Err(error) => return after_failed_read(request, error, self.backoff, now),
        };
        match placement(request, &account) {
            Placement::InPlace => {
                self.index.record(&account).await;
                Progress::Enter(State::Ready { account_id: account_id.clone() })
            }
            Placement::NotOurs => Progress::Enter(not_recognised(account_id)),
            Placement::NotShown => Progress::Stay(delay(request, self.backoff, now)),
            Placement::Move { from, to } => {
                self.index.record(&account).await;
                let answer = self.organizations.move_account(account_id, &from, &to).await;
                after_move(request, answer, self.backoff, now)
            }
        }
    }

    /// Announces the end. The record comes second: an end that is announced twice does less harm than one that never is.
    async fn announce(&self, request: Request) -> Result<Next, Failure> {
        match request.announcement() {
            Some(Announcement::Created(event)) => self.bus.put(&event).await?,
            Some(Announcement::Failed(event)) => self.bus.put(&event).await?,
            None => {}
        }
        let (Written::Yes(last) | Written::Overtaken(last)) = self.write(request, Request::announced).await?;
        Ok(Next::Rest(last))
    }

    async fn follow(&self, request: Request, progress: Progress) -> Result<Next, Failure> {
        match progress {
            Progress::Enter(state) => self.enter(request, state).await,
            // A search that has come to an end begins anew.
            Progress::Stay(wait) => self.put_off(request, None, wait).await,
            Progress::SearchOn(next, wait) => self.put_off(request, Some(next), wait).await,
            Progress::BackInLine(wait) => {
                let now = clock::now();
                match self.write(request, |request| request.back_in_line(now)).await? {
                    Written::Yes(waiting) => self.put_off(waiting, None, wait).await,
                    Written::Overtaken(found) => Ok(Next::Rest(found)),
                }
            }
            // Two writes: what is known must not be lost because a message could not be sent.
            Progress::EnterAndWait(state, wait) => match self.enter(request, state).await? {
                Next::Continue(entered) => self.put_off(entered, None, wait).await,
                rest @ Next::Rest(_) => Ok(rest),
            },
        }
    }

    async fn enter(&self, request: Request, state: State) -> Result<Next, Failure> {
        let now = clock::now();
        match self.write(request, |request| request.entered(state.clone(), now)).await? {
            Written::Yes(entered) => {
                tracing::info!(request_id = %entered.request_id, state = entered.state.name(), "entered");
                metrics::emit(time_to_ready(&entered).as_slice());
                Ok(Next::Continue(entered))
            }
            Written::Overtaken(found) => Ok(Next::Rest(found)),
        }
    }

    /// Writes what this invocation has learnt or done. Another one that has come meanwhile and found nothing new has put the
    /// request off: that write must not cost what this one knows, such as the id of a call that no one else has.
    async fn write(&self, mut request: Request, next: impl Fn(&Request) -> Request) -> Result<Written, Failure> {
        for _ in 0..WRITES {
            let written = next(&request);
            if self.store.advance(&request, &written, clock::now()).await? == Advanced::Yes {
                return Ok(Written::Yes(written));
            }
            let Some(found) = self.store.find(&request.request_id).await? else { break };
            let is_where_it_was = found.is_where(&request);
            request = found;
            if !is_where_it_was {
                break;
            }
        }
        Ok(Written::Overtaken(request))
    }

    /// Comes back later. The message is sent before the record says so: a record that names a later look has its
    /// message, and a message without its record is out of date or does no harm.
    async fn put_off(&self, request: Request, search_from: Option<String>, wait: Duration) -> Result<Next, Failure> {
        let now = clock::now();
        let wait = wait.max(Duration::from_secs(1));
        let until = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
        let later = request.searched(search_from).put_off(until.unwrap_or(Timestamp::MAX));
        self.queue.send(&later.reminder(), wait).await?;
        match self.store.advance(&request, &later, now).await? {
            Advanced::Yes => Ok(Next::Rest(later)),
            Advanced::Raced | Advanced::NoPlace => self.reread(request).await,
        }
    }

    /// Another invocation has moved the request: it goes on there.
    async fn reread(&self, request: Request) -> Result<Next, Failure> {
        Ok(Next::Rest(self.store.find(&request.request_id).await?.unwrap_or(request)))
    }
}

/// How long the account took, once it is ready.
fn time_to_ready(request: &Request) -> Option<Metrics> {
    let took = request.since().duration_since(request.first_requested_at);
    matches!(request.state, State::Ready { .. }).then(|| Metrics {
        dimensions: Vec::new(),
        values: vec![(Metric::TimeToReady, took.as_secs_f64())],
        properties: vec![("RequestId", request.request_id.to_string())],
    })
}
