//! Closures, moved on as far as they go without waiting for long.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use lambda_runtime::tracing;
use steward::{
    clock,
    error::{Cause, Failure},
    gateway::{AccountState, ListedStackSet, OrganizationsGateway},
    ids::{AccountId, OrganizationalUnitId},
    invocation,
    runtime::budget::Budget,
    session::{Protected, Sessions},
    table::{
        closures::{Closure, ClosureState, Closures, Told, day},
        idempotency::Idempotency,
        journal::Journal,
        keys,
    },
};

use crate::{
    decision::{AT_ONCE, After, Seen, Step, WayBack, after_asking, next, rank},
    event::{ANNOUNCED_AT_ONCE, AccountClosureAdvanced, AccountClosuresAnnounced, Act, Finding},
    look::TAG,
    stacks::{Held, Releases, Stacks, obstacle},
};

/// How long a run waits for its turns to list the unit: 20 accounts a call, and five calls in a second.
const FOR_THE_UNIT: Duration = Duration::from_mins(1);
/// The most steps of one closure in one run: it has fewer states.
const MOST_STEPS: usize = 12;

/// Moves closures on.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) organizations: OrganizationsGateway,
    pub(crate) sessions: Sessions,
    pub(crate) closures: Closures,
    pub(crate) journal: Journal,
    pub(crate) idempotency: Idempotency,
    pub(crate) bus: steward::gateway::EventBridgeGateway,
    pub(crate) quota_retry: jiff::SignedDuration,
    pub(crate) stacks: Stacks,
}

/// One run over some closures.
pub(crate) struct Run<'a> {
    pub(crate) invocation: &'a str,
    pub(crate) unit: &'a OrganizationalUnitId,
    pub(crate) protected: &'a Protected,
    pub(crate) delegated: &'a [AccountId],
    budget: Budget,
    room: Room,
    /// The stack sets that accounts have to be out of, once they were looked at.
    stack_sets: Option<Vec<ListedStackSet>>,
    releases: Releases,
}

impl<'a> Run<'a> {
    /// A run of this invocation.
    pub(crate) fn new(
        invocation: &'a str,
        unit: &'a OrganizationalUnitId,
        protected: &'a Protected,
        delegated: &'a [AccountId],
        budget: Budget,
        room: Room,
    ) -> Self {
        let (stack_sets, releases) = (None, Releases::default());
        Self { invocation, unit, protected, delegated, budget, room, stack_sets, releases }
    }
}

/// How much room there is for calls that close accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many more AWS closes at the same time.
    places: usize,
    /// Whether AWS is asked at all: not after it has said that it takes no more.
    is_open: bool,
}

impl Room {
    /// What these closures, all that have not ended, leave.
    pub(crate) fn of(open: &[Closure], now: Timestamp) -> Self {
        let taken = open.iter().filter(|closure| closure.state.is_with_aws()).count();
        let waits = open.iter().any(|closure| closure.retry_at.is_some_and(|retry| retry > now));
        Self { places: AT_ONCE.saturating_sub(taken), is_open: !waits }
    }

    /// None at all.
    pub(crate) const CLOSED: Self = Self { places: 0, is_open: false };

    /// Whether AWS may be asked to close an account in this state. One that is with AWS has its place.
    fn admits(self, state: &ClosureState) -> bool {
        self.is_open && (self.places > 0 || state.is_with_aws())
    }

    fn take(&mut self) {
        self.places = self.places.saturating_sub(1);
    }

    /// AWS takes no more for now.
    fn shut(&mut self) {
        self.is_open = false;
    }
}

/// How far a closure has come, and why no further, where something is in the way.
pub(crate) type Moved = (Closure, Option<Failure>);

impl Worker {
    /// Moves closures on, in their order, as long as there is time. A failure to keep the record ends the run: nothing is done
    /// that is not kept.
    pub(crate) async fn advance(&self, mut closures: Vec<Closure>, run: &mut Run<'_>) -> Result<Vec<Moved>, Failure> {
        closures.sort_by(|one, other| (rank(&one.state), one.order()).cmp(&(rank(&other.state), other.order())));
        let inactive = self.inactive(&closures, run).await;
        let mut moved = Vec::with_capacity(closures.len());
        for closure in closures {
            let is_noticed = closure.state == ClosureState::Cooling && inactive.contains(&closure.account_id);
            moved.push(match run.budget.has_room() {
                false => (closure, None),
                // Boxed for its size.
                true if is_noticed => Box::pin(self.notice(closure, run)).await?,
                true => Box::pin(self.one(closure, run)).await?,
            });
        }
        self.release(&mut moved, run).await?;
        for notice in [Told::Begun, Told::Due, Told::Held] {
            self.announce(notice, &mut moved, run).await?;
        }
        Ok(moved)
    }

    /// The accounts that are not active any more, of those that wait in the unit: somebody closes them past Steward. Where they
    /// cannot be listed, that is noticed when their time has come.
    async fn inactive(&self, closures: &[Closure], run: &Run<'_>) -> BTreeSet<AccountId> {
        if !closures.iter().any(|closure| closure.state == ClosureState::Cooling) {
            return BTreeSet::new();
        }
        let listed = invocation::waiting_at_most(FOR_THE_UNIT, self.organizations.list_accounts_in(run.unit)).await;
        let accounts = listed.inspect_err(|error| tracing::warn!("the unit cannot be looked at: {error}"));
        let accounts = accounts.unwrap_or_default().into_iter();
        accounts.filter(|account| account.state != AccountState::Active).map(|account| account.id).collect()
    }

    /// Moves a closure on if AWS shows that the account is not active any more, whoever has asked for that.
    pub(crate) async fn notice(&self, closure: Closure, run: &mut Run<'_>) -> Result<Moved, Failure> {
        match self.look(&closure, run).await {
            Ok(seen) if seen.is_active() => Ok((closure, None)),
            Ok(seen) => self.go(closure, Some(seen), run).await,
            Err(failure) => Ok((closure, Some(failure))),
        }
    }

    /// Moves one closure on.
    pub(crate) async fn one(&self, closure: Closure, run: &mut Run<'_>) -> Result<Moved, Failure> {
        self.go(closure, None, run).await
    }

    async fn go(&self, mut closure: Closure, mut seen: Option<Seen>, run: &mut Run<'_>) -> Result<Moved, Failure> {
        let may_have_asked = closure.state == ClosureState::Closing;
        for _ in 0..MOST_STEPS {
            let now = clock::now();
            let step = next(&closure, seen.as_ref(), run.room.admits(&closure.state), run.unit, now);
            let (came, obstacle) = match step {
                // Those that are to be told are told together.
                Step::Rest | Step::Announce(_) => return Ok((closure, None)),
                Step::Look => match self.look(&closure, run).await {
                    Ok(look) => {
                        seen = Some(look);
                        continue;
                    }
                    Err(failure) => return Ok((closure, Some(failure))),
                },
                Step::Enter(state) => (self.enter(&closure, state.clone(), now).await?, None),
                Step::Suspend { from } => self.suspend(&closure, from, run).await?,
                // Many are taken out of a stack set at once.
                Step::Release(held) => {
                    let obstacle = obstacle(&held);
                    if obstacle.as_ref().is_some_and(|failure| failure.cause == Cause::StackSetBusy) {
                        run.releases.add(&closure.account_id, &held);
                    }
                    return Ok((closure, obstacle));
                }
                Step::Ask => self.ask(&closure, may_have_asked, run).await?,
                Step::Restore(way_back) => self.restore(&closure, way_back, run).await?,
                Step::TellEnd => match self.tell_end(&closure, run).await {
                    Ok(told) => (told, None),
                    // By another invocation, or by one that was killed: then the next run tells it.
                    Err(failure) if failure.cause == Cause::ConcurrentModification => {
                        return Ok((closure, Some(failure)));
                    }
                    Err(failure) => return Err(failure),
                },
            };
            // What was seen is over once AWS was asked for something; a state that was only written down goes by it.
            if !matches!(came.as_ref().map(|came| &came.state), Some(ClosureState::Closing)) {
                seen = None;
            }
            let Some(came) = came else {
                // Somebody else has written it meanwhile: it goes on there.
                return Ok((self.closures.find(&closure.account_id).await?.unwrap_or(closure), obstacle));
            };
            if came.state == ClosureState::Closing && closure.state != ClosureState::Closing {
                run.room.take();
            }
            closure = came;
            if obstacle.is_some() {
                return Ok((closure, obstacle));
            }
        }
        Ok((closure, None))
    }

    async fn look(&self, closure: &Closure, run: &mut Run<'_>) -> Result<Seen, Failure> {
        let account = self.organizations.find_account(&closure.account_id).await?;
        let active = account.as_ref().filter(|account| account.state == AccountState::Active);
        let protection = match active {
            Some(account) => self.sessions.admit(account, run.protected).await?.protection(),
            None => None,
        };
        let is_due = closure.state == ClosureState::Cooling && closure.closes_at <= clock::now();
        let held = if is_due && active.is_some() { self.held(&closure.account_id, run).await? } else { Vec::new() };
        Ok(Seen { account, protection, is_delegated: run.delegated.contains(&closure.account_id), held })
    }

    /// What an account has of stack sets with permissions of their own.
    async fn held(&self, id: &AccountId, run: &mut Run<'_>) -> Result<Vec<Held>, Failure> {
        let sets = match run.stack_sets.take() {
            Some(sets) => sets,
            None => self.stacks.all().await?.into_iter().filter(|set| !set.is_service_managed).collect(),
        };
        let held = self.stacks.held(&sets, std::slice::from_ref(id)).await;
        run.stack_sets = Some(sets);
        Ok(held?.remove(id).unwrap_or_default())
    }

    /// Takes the accounts whose time has come out of stack sets, many at once. What AWS does not take is asked for in the next
    /// run.
    async fn release(&self, moved: &mut [Moved], run: &Run<'_>) -> Result<(), Failure> {
        for release in run.releases.operations() {
            let said = |closure: &Closure, finding| {
                AccountClosureAdvanced::of_stack_set(closure, &release.stack_set, finding, run.invocation)
            };
            let is_of = |closure: &Closure| release.accounts.contains(&closure.account_id);
            for (closure, _) in moved.iter().filter(|(closure, _)| is_of(closure)) {
                self.journal.begin(&said(closure, Finding::Begun)).await?;
            }
            let failure = self.stacks.release(&release).await.err().map(Failure::from);
            for (closure, obstacle) in moved.iter_mut().filter(|(closure, _)| is_of(closure)) {
                let finding = match &failure {
                    None => {
                        let (stack_set, operation) = (release.stack_set.clone(), release.operation.clone());
                        Finding::Released { stack_set, operation }
                    }
                    Some(failure) => Finding::PutOff { failure: failure.clone() },
                };
                self.journal.end(&said(closure, finding)).await?;
                if failure.is_some() {
                    obstacle.clone_from(&failure);
                }
            }
        }
        Ok(())
    }

    /// Writes another state; None when somebody else has written one meanwhile.
    async fn enter(&self, closure: &Closure, state: ClosureState, now: Timestamp) -> Result<Option<Closure>, Failure> {
        let entered = closure.entered(state, now);
        let is_written = self.closures.write(&entered).await?;
        if is_written {
            tracing::info!(account_id = %entered.account_id, state = entered.state.name(), "entered");
        }
        Ok(is_written.then_some(entered))
    }

    /// Tags an account, and moves it to the unit for accounts that are to be closed.
    async fn suspend(
        &self,
        closure: &Closure,
        from: Option<OrganizationalUnitId>,
        run: &Run<'_>,
    ) -> Result<(Option<Closure>, Option<Failure>), Failure> {
        let id = &closure.account_id;
        self.journal.begin(&said(closure, Act::Suspend, Finding::Begun, run)).await?;
        let suspended = async {
            let tags = BTreeMap::from([(TAG.to_owned(), day(closure.closes_at).to_string())]);
            self.organizations.put_tags(id, &tags).await?;
            if let Some(from) = from {
                self.organizations.move_account(id, &from, run.unit).await?;
            }
            Ok(())
        };
        match suspended.await.map_err(|error: steward::gateway::CallError| (error.refused, Failure::from(error))) {
            Ok(()) => {
                let (from_unit, closes_at) = (closure.from_unit.clone(), closure.closes_at);
                let finding = Finding::Suspended { from_unit, closes_at };
                self.journal.end(&said(closure, Act::Suspend, finding, run)).await?;
                Ok((self.enter(closure, ClosureState::Cooling, clock::now()).await?, None))
            }
            Err((was_refused, failure)) => self.stop(closure, Act::Suspend, (was_refused, failure), run).await,
        }
    }

    /// Asks AWS to close an account. That it is about to is written.
    async fn ask(
        &self,
        closure: &Closure,
        may_have_asked: bool,
        run: &mut Run<'_>,
    ) -> Result<(Option<Closure>, Option<Failure>), Failure> {
        self.journal.begin(&said(closure, Act::Close, Finding::Begun, run)).await?;
        let answer = self.organizations.close_account(&closure.account_id).await;
        let after = after_asking(answer.as_ref().err().map(|error| (error.cause, error.refused)), may_have_asked);
        let failure = answer.err().map(Failure::from);
        let now = clock::now();
        let (finding, state) = match (after, failure.clone()) {
            (After::Taken, _) | (_, None) => (Finding::Asked, ClosureState::Pending),
            (After::Refused, Some(failure)) => {
                (Finding::Failed { failure: failure.clone() }, ClosureState::Failed { failure })
            }
            (After::TakenPastSteward, Some(failure)) => (Finding::PutOff { failure }, ClosureState::Pending),
            (After::Unknown, Some(failure)) => (Finding::PutOff { failure }, ClosureState::Closing),
            (After::BackInLine | After::QuotaUsedUp, Some(failure)) => {
                run.room.shut();
                (Finding::PutOff { failure }, ClosureState::Cooling)
            }
        };
        self.journal.end(&said(closure, Act::Close, finding, run)).await?;
        let obstacle = failure.filter(|_| !state.is_final() && state != ClosureState::Pending);
        if state == ClosureState::Closing {
            // As it is written already.
            return Ok((Some(closure.clone()), obstacle));
        }
        let mut entered = closure.entered(state, now);
        entered.past_steward |= after == After::TakenPastSteward;
        if obstacle.as_ref().is_some_and(|failure| failure.cause == Cause::ClosureQuotaExceeded) {
            entered.retry_at = Some(now + self.quota_retry);
        }
        Ok((self.closures.write(&entered).await?.then_some(entered), obstacle))
    }

    /// Takes the tag of an account away, and moves it back to where it was unless somebody has moved it elsewhere.
    async fn restore(
        &self,
        closure: &Closure,
        way_back: WayBack,
        run: &Run<'_>,
    ) -> Result<(Option<Closure>, Option<Failure>), Failure> {
        let ClosureState::Keeping(called_off) = closure.state.clone() else { return Ok((None, None)) };
        let id = &closure.account_id;
        self.journal.begin(&said(closure, Act::Keep, Finding::Begun, run)).await?;
        let restored = async {
            let back = async |from| self.organizations.move_account(id, from, &closure.from_unit).await;
            match &way_back {
                WayBack::From(unit) => back(unit).await?,
                WayBack::ShownBack(unit) => match back(unit).await {
                    // It is where AWS shows it.
                    Err(error) if matches!(error.cause, Cause::Conflict | Cause::NotFound) => {}
                    moved => moved?,
                },
                WayBack::HasNotLeft | WayBack::Elsewhere(_) => {}
            }
            self.organizations.remove_tag(id, TAG).await
        };
        match restored.await.map_err(|error| (error.refused, Failure::from(error))) {
            Ok(()) => {
                let mut closure = closure.clone();
                if let WayBack::Elsewhere(unit) = way_back {
                    closure.from_unit = unit;
                }
                Ok((self.enter(&closure, ClosureState::Kept(called_off), clock::now()).await?, None))
            }
            Err(failed) => self.stop(closure, Act::Keep, failed, run).await,
        }
    }

    /// After a failure: leaves a closure as it is where waiting can help, and stops it where it cannot.
    async fn stop(
        &self,
        closure: &Closure,
        act: Act,
        (was_refused, failure): (bool, Failure),
        run: &Run<'_>,
    ) -> Result<(Option<Closure>, Option<Failure>), Failure> {
        // A move whose answer was lost is refused the second time: the account is not where it was. The next look shows that.
        if failure.retryable || !was_refused || failure.cause == Cause::NotFound {
            let finding = Finding::PutOff { failure: failure.clone() };
            self.journal.end(&said(closure, act, finding, run)).await?;
            return Ok((Some(closure.clone()), Some(failure)));
        }
        Ok((self.enter(closure, ClosureState::Failed { failure }, clock::now()).await?, None))
    }

    /// Tells how a closure has ended, once.
    async fn tell_end(&self, closure: &Closure, run: &Run<'_>) -> Result<Option<Closure>, Failure> {
        if let Some(end) = AccountClosureAdvanced::end(closure, run.invocation) {
            let key = keys::CLOSURE_END.key(format_args!("{}#{}", closure.account_id, closure.since));
            let publish = async { self.journal.end(&end).await };
            self.idempotency.publish(&key, clock::now(), Box::pin(publish)).await?;
        }
        let told = closure.told(Told::End);
        Ok(self.closures.write(&told).await?.then_some(told))
    }

    /// Tells people together of all closures of which they are to know this.
    async fn announce(&self, notice: Told, moved: &mut [Moved], run: &Run<'_>) -> Result<(), Failure> {
        let now = clock::now();
        let is_next = |(closure, obstacle): &&Moved| match notice {
            Told::Held => closure.told < Told::Held && obstacle.as_ref().is_some_and(|why| is_held(closure, why, now)),
            notice => next(closure, None, false, run.unit, now) == Step::Announce(notice),
        };
        let why = |obstacle: &Option<Failure>| {
            obstacle.as_ref().filter(|_| notice == Told::Held).map(|failure| failure.message.clone())
        };
        let to_tell = moved.iter().filter(is_next);
        let to_tell: Vec<_> = to_tell.map(|(closure, obstacle)| (closure.clone(), why(obstacle))).collect();
        let mut told = BTreeSet::new();
        for some in to_tell.chunks(ANNOUNCED_AT_ONCE) {
            let Some(event) = AccountClosuresAnnounced::of(notice, some) else { continue };
            self.bus.put(&event).await?;
            told.extend(some.iter().map(|(closure, _)| closure.account_id.clone()));
        }
        for (closure, _) in moved.iter_mut().filter(|(closure, _)| told.contains(&closure.account_id)) {
            let after = closure.told(notice);
            if self.closures.write(&after).await? {
                *closure = after;
            }
        }
        Ok(())
    }
}

/// Whether an account whose time has come waits for people, and not for AWS.
fn is_held(closure: &Closure, obstacle: &Failure, now: Timestamp) -> bool {
    let waits_for_people = obstacle.cause == Cause::StackInstancesLeft || !obstacle.retryable;
    closure.state == ClosureState::Cooling && closure.closes_at <= now && waits_for_people
}

fn said(closure: &Closure, act: Act, finding: Finding, run: &Run<'_>) -> AccountClosureAdvanced {
    AccountClosureAdvanced::of(closure, act, finding, run.invocation)
}
