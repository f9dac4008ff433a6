//! Closes accounts: checked, suspended, cooled off, then closed within AWS's quotas; called off until it is too late.
//!
//! Nothing waits inside the function: a schedule moves everything on that is being closed. What is written before a call tells
//! the next invocation that the call may have been made.

mod decision;
mod event;
mod input;
mod look;
mod report;
mod work;

use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use futures_util::StreamExt;
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, tracing};
use serde_json::Value;
use steward::{
    account_creation::Store,
    audit::cloudtrail::close_account_result,
    baseline::{DocumentCache, DocumentInForce},
    clock,
    control::Mode,
    error::{Cause, Failure},
    gateway::{Account, AccountState, DynamoDbGateway, EventBridgeGateway, OrganizationsGateway, Queried},
    ids::{AccountId, OrganizationalUnitId},
    invocation::{self, time_left},
    runtime::{
        budget::Budget,
        concurrency::{as_they_come, in_order},
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    session::{Guards, Protected, Sessions},
    table::{
        closures::{Closure, ClosureState, Closures, PAST_STEWARD, Told},
        idempotency::Idempotency,
        journal::Journal,
        turn::Turns,
    },
};

use event::AccountClosureAdvanced;
use input::{Asked, Input, Wanted, Work};
use look::{Bounds, Looked, Looker};
pub use report::Report;
use report::{Accounts, List, Outcome, Plan, Quota, Row, Status};
use work::{Moved, Room, Run, Worker};

/// How many accounts are looked at at once.
const AT_ONCE: usize = 8;
/// The time that is kept for the closure that is being worked on when no more are begun: the call that closes an account may
/// wait twenty seconds for its turn.
const MARGIN: Duration = Duration::from_secs(75);

/// The function.
#[derive(Debug)]
pub struct AccountCloser {
    document: DocumentCache,
    bus: EventBridgeGateway,
    organizations: OrganizationsGateway,
    sessions: Sessions,
    closures: Closures,
    looker: Looker,
    worker: Worker,
    journal: Journal,
    turns: Turns,
    jump_account: Option<AccountId>,
    unit: Option<OrganizationalUnitId>,
    cooling_off: SignedDuration,
}

/// What was found of each account that was asked for.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<(usize, Row)>,
    free: Vec<(usize, Account, Option<Box<Closure>>)>,
    under_way: Vec<(usize, Closure)>,
}

impl AccountCloser {
    /// The function's name.
    pub const NAME: &'static str = "account-closer";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let organizations = settings.management(config).organizations;
        let table = DynamoDbGateway::of(config, settings.table_name());
        let journal = Journal::new(DynamoDbGateway::of(config, settings.journal_table_name()), bus.clone());
        let sessions = Sessions::new(config, Self::NAME, Guards::of(&mut settings, config));
        let closures = Closures::new(table.clone());
        let function = Self {
            document: DocumentCache::of(config, &mut settings, &table, &access_role).recorded_by_others(),
            looker: Looker {
                organizations: organizations.clone(),
                sessions: sessions.clone(),
                closures: closures.clone(),
                requests: Store::new(table.clone()),
                tagging: settings.tagging(config),
            },
            worker: Worker {
                organizations: organizations.clone(),
                sessions: sessions.clone(),
                closures: closures.clone(),
                journal: journal.clone(),
                idempotency: Idempotency::new(table.clone()),
                bus: bus.clone(),
                quota_retry: settings.closure_quota_retry(),
            },
            turns: Turns::new(table, Self::NAME),
            jump_account: settings.jump_account(),
            unit: settings.suspended_unit(),
            cooling_off: settings.cooling_off(),
            bus,
            organizations,
            sessions,
            closures,
            journal,
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person, a schedule, or an event of AWS.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Report, Failure> {
        let invocation = event.context.request_id.as_str();
        let input = match Trigger::of(event.payload) {
            Trigger::Event(event) => return self.closed(&event, invocation).await,
            Trigger::Queue(_) => return Err(Failure::not_understood("It is a batch of messages.")),
            Trigger::Manual(input) => Input::read(input)?,
        };
        if input.mode == Mode::Apply {
            self.sessions.allow_changes().await?;
        }
        match &input.work {
            Work::Close(wanted, by) => self.close(wanted, by.as_deref(), input.mode, invocation).await,
            Work::Keep(ids, asked) => self.keep(ids, asked, input.mode, invocation).await,
            Work::Advance if input.mode == Mode::Apply => self.go_on(invocation).await,
            Work::List | Work::Advance => self.list().await,
        }
    }

    fn unit(&self) -> Result<&OrganizationalUnitId, Failure> {
        self.unit.as_ref().ok_or_else(|| Failure::new(Cause::NoSuspendedUnit))
    }

    async fn list(&self) -> Result<Report, Failure> {
        let Queried { items: open, mut unreadable } = self.closures.open().await?;
        let closed = self.closures.closed().await?;
        unreadable.extend(closed.unreadable);
        let quota = Quota::of(&open, &closed.items, clock::now());
        let closures = open.iter().chain(&closed.items).map(Status::from).collect();
        Ok(Report::List(Box::new(List { quota, closures, unreadable })))
    }

    /// Plans to close accounts, or begins.
    async fn close(
        &self,
        wanted: &[Wanted],
        by: Option<&str>,
        mode: Mode,
        invocation: &str,
    ) -> Result<Report, Failure> {
        let unit = self.unit()?;
        let document = self.document.read(&self.bus).await?;
        let delegated = self.organizations.list_all_delegated_administrators().await?;
        let bounds = self.bounds(&document, delegated);
        let now = clock::now();
        let open = self.closures.open().await?.items;
        let quota = Quota::of(&open, &self.closures.closed().await?.items, now);
        let mut found = self.find(wanted, &bounds).await;
        let closes_at = now + self.cooling_off;
        if mode == Mode::Plan {
            let accounts: Vec<_> = found.free.iter().map(|(_, account, _)| account.clone()).collect();
            let plans = self.looker.plans(&accounts, unit, closes_at, now).await;
            let places = found.free.iter().map(|(place, ..)| *place);
            found.rows.extend(places.zip(plans));
            found.rows.extend(found.under_way.drain(..).map(|(place, closure)| (place, Row::of(&closure, None))));
        } else {
            for (place, row) in &found.rows {
                if let (Outcome::Refused { why }, Some(one)) = (&row.outcome, wanted.get(*place)) {
                    let of = (&one.account_id, one.account_name.as_str());
                    let refused = AccountClosureAdvanced::refused(of, (&one.reason, by), why, invocation);
                    self.journal.end(&refused).await?;
                }
            }
            let mut begun = std::mem::take(&mut found.under_way);
            for (place, account, before) in std::mem::take(&mut found.free) {
                let Some((one, from_unit)) = wanted.get(place).zip(account.parent.clone()) else { continue };
                let closure = Closure {
                    account_id: account.id,
                    account_name: account.name,
                    reason: one.reason.clone(),
                    requested_by: by.map(ToOwned::to_owned),
                    requested_in: invocation.to_owned(),
                    requested_at: now,
                    place: u32::try_from(place).unwrap_or(u32::MAX),
                    from_unit,
                    closes_at,
                    state: ClosureState::Suspending,
                    since: now,
                    told: Told::Nothing,
                    retry_at: None,
                    revision: before.map_or(1, |before| before.revision + 1),
                };
                if self.closures.write(&closure).await? {
                    begun.push((place, closure));
                } else {
                    let failure =
                        Failure::with_detail(Cause::ConcurrentModification, "Somebody else has asked for it.");
                    let outcome = Outcome::Failed(Box::new(failure));
                    found.rows.push((place, Row::with(&closure.account_id, Some(&closure.account_name), outcome)));
                }
            }
            let moved = self.work_on(
                begun.iter().map(|(_, closure)| closure.clone()).collect(),
                &document,
                &bounds,
                invocation,
            );
            found.rows.extend(placed(&begun, &moved.await?));
        }
        found.rows.sort_by_key(|(place, _)| *place);
        let rows = found.rows.into_iter().map(|(_, row)| row).collect();
        let (baseline_refused, quota) = (document.refused.clone(), Some(quota));
        Ok(Report::Accounts(Box::new(Accounts { mode, baseline_refused, quota, rows })))
    }

    /// Looks at every account that was asked for. What cannot be found out of one is its row.
    async fn find(&self, wanted: &[Wanted], bounds: &Bounds<'_>) -> Found {
        let looks = wanted.iter().map(|one| self.looker.look(one, bounds));
        let came = as_they_come(looks, AT_ONCE).collect().await;
        let mut found = Found::default();
        for ((place, one), looked) in wanted.iter().enumerate().zip(in_order(came)) {
            let row = |outcome| Row::with(&one.account_id, Some(&one.account_name), outcome);
            match looked {
                Ok(Looked::Free(account, before)) => found.free.push((place, *account, before)),
                Ok(Looked::UnderWay(closure)) => found.under_way.push((place, *closure)),
                Ok(Looked::Closed(closure)) => found.rows.push((place, Row::of(&closure, None))),
                Ok(Looked::Refused(why)) => found.rows.push((place, row(Outcome::Refused { why }))),
                Err(failure) => found.rows.push((place, row(Outcome::Failed(Box::new(failure))))),
            }
        }
        found
    }

    fn bounds<'a>(&'a self, document: &'a DocumentInForce, delegated: Vec<AccountId>) -> Bounds<'a> {
        let of_document = document.access.as_ref().map(|access| &access.jump_account);
        let jump_accounts = self.jump_account.iter().chain(of_document).collect();
        Bounds { protected: &document.protected, jump_accounts, delegated }
    }

    /// Moves these closures on, unless another invocation is at it: then that one, or the schedule, does.
    async fn work_on(
        &self,
        closures: Vec<Closure>,
        document: &DocumentInForce,
        bounds: &Bounds<'_>,
        invocation: &str,
    ) -> Result<Vec<Moved>, Failure> {
        let unit = self.unit()?;
        let own = self.sessions.own_account().await?;
        if closures.is_empty() || !self.turns.begin(own, invocation, time_left(), clock::now()).await? {
            return Ok(closures.into_iter().map(|closure| (closure, None)).collect());
        }
        let protected: &Protected = &document.protected;
        let moved = async {
            // Once it is its turn: what another invocation has done is not to be done again.
            let open = self.closures.open().await?.items;
            let room = Room::of(&open, clock::now());
            let budget = Budget::keeping(MARGIN);
            let mut run = Run { invocation, unit, protected, delegated: &bounds.delegated, budget, room };
            self.worker.advance(closures, &mut run).await
        };
        let moved = moved.await;
        if let Err(error) = self.turns.end(own, invocation, clock::now()).await {
            tracing::warn!("the turn could not be given back: {error}");
        }
        moved
    }

    /// Moves on everything that is being closed.
    async fn go_on(&self, invocation: &str) -> Result<Report, Failure> {
        let Queried { items: open, unreadable } = self.closures.open().await?;
        for key in unreadable {
            tracing::error!(key, "an item cannot be read, and its account is not closed");
        }
        let mut rows = Vec::new();
        let mut baseline_refused = None;
        if !open.is_empty() {
            let document = self.document.read(&self.bus).await?;
            let delegated = self.organizations.list_all_delegated_administrators().await?;
            let bounds = self.bounds(&document, delegated);
            let moved = self.work_on(open, &document, &bounds, invocation).await?;
            rows.extend(moved.into_iter().map(|(closure, obstacle)| Row::of(&closure, obstacle)));
            baseline_refused = document.refused.clone();
        }
        Ok(Report::Accounts(Box::new(Accounts { mode: Mode::Apply, baseline_refused, quota: None, rows })))
    }

    /// Plans to call closings off, or does.
    async fn keep(&self, ids: &[AccountId], asked: &Asked, mode: Mode, invocation: &str) -> Result<Report, Failure> {
        let now = clock::now();
        let (mut rows, mut begun) = (Vec::new(), Vec::new());
        for (place, id) in ids.iter().enumerate() {
            let closure = self.closures.find(id).await?;
            match closure.ok_or_else(|| "It is not being closed.".to_owned()).and_then(called_off) {
                Err(why) => rows.push((place, Row::with(id, None, Outcome::Refused { why }))),
                Ok(closure) if matches!(closure.state, ClosureState::Kept(_)) => {
                    rows.push((place, Row::of(&closure, None)));
                }
                Ok(closure) if mode == Mode::Plan => {
                    let steps = vec![
                        format!("move it back to {}", closure.from_unit),
                        format!("take the tag {} away", look::TAG),
                    ];
                    let plan = Plan {
                        organizational_unit: None,
                        joined_at: None,
                        age_days: None,
                        tags: None,
                        closes_at: None,
                        steps,
                    };
                    let outcome = Outcome::Planned(Box::new(plan));
                    rows.push((place, Row::with(id, Some(&closure.account_name), outcome)));
                }
                Ok(closure) if matches!(closure.state, ClosureState::Keeping(_)) => begun.push((place, closure)),
                Ok(closure) => {
                    let mut kept = closure.entered(ClosureState::Keeping(asked.clone().into()), now);
                    // Of one that has stopped, people were told the end.
                    kept.told = kept.told.min(Told::Due);
                    if self.closures.write(&kept).await? {
                        begun.push((place, kept));
                    } else {
                        let failure =
                            Failure::with_detail(Cause::ConcurrentModification, "It has just gone on; ask again.");
                        rows.push((place, Row::with(id, None, Outcome::Failed(Box::new(failure)))));
                    }
                }
            }
        }
        if !begun.is_empty() {
            let document = self.document.read(&self.bus).await?;
            let bounds = self.bounds(&document, Vec::new());
            let closures = begun.iter().map(|(_, closure)| closure.clone()).collect();
            let moved = self.work_on(closures, &document, &bounds, invocation).await?;
            rows.extend(placed(&begun, &moved));
        }
        rows.sort_by_key(|(place, _)| *place);
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Report::Accounts(Box::new(Accounts { mode, baseline_refused: None, quota: None, rows })))
    }

    /// AWS tells that an account is closed. What the event says is asked for again; it may be late, doubled, or about an account
    /// that somebody else has closed.
    async fn closed(&self, event: &EventBridgeEvent<Value>, invocation: &str) -> Result<Report, Failure> {
        let id = close_account_result(event).ok_or_else(|| Failure::not_understood("It is no CloseAccountResult."))?;
        invocation::allow_changes()?;
        let found = self.closures.find(&id).await?;
        let answer = |state| Ok(Report::Event { account_id: id.clone(), state });
        if let (Some(closure), Some(unit)) = (found.clone().filter(Closure::is_open), &self.unit) {
            let protected = Protected::default();
            let (delegated, budget, room) = (&[][..], Budget::keeping(Duration::ZERO), Room::CLOSED);
            let mut run = Run { invocation, unit, protected: &protected, delegated, budget, room };
            // It does nothing but look and tell: an account that is active is left to the next run.
            let (closure, _) = if closure.state.is_with_aws() || closure.state.is_final() {
                Box::pin(self.worker.one(closure, &mut run)).await?
            } else {
                (closure, None)
            };
            return answer(closure.state.name());
        }
        if let Some(closure) = found.as_ref().filter(|closure| matches!(closure.state, ClosureState::Closed { .. })) {
            return answer(closure.state.name());
        }
        let account = self.organizations.find_account(&id).await?;
        let is_closed = |account: &Account| matches!(&account.state, AccountState::Other(state) if state == "CLOSED");
        let Some((account, from_unit)) =
            account.filter(is_closed).and_then(|account| account.parent.clone().map(|parent| (account, parent)))
        else {
            return answer("NOT_CLOSED");
        };
        let now = clock::now();
        let closure = Closure {
            account_id: account.id,
            account_name: account.name,
            reason: PAST_STEWARD.to_owned(),
            requested_by: None,
            requested_in: invocation.to_owned(),
            requested_at: now,
            place: 0,
            from_unit,
            closes_at: now,
            state: ClosureState::Closed { closed_at: now },
            since: now,
            // By the auditor of activities.
            told: Told::End,
            retry_at: None,
            revision: found.map_or(1, |found| found.revision + 1),
        };
        self.closures.write(&closure).await?;
        answer(closure.state.name())
    }
}

/// The closure, if it can still be called off; otherwise why not.
fn called_off(closure: Closure) -> Result<Closure, String> {
    match closure.state {
        ClosureState::Closing | ClosureState::Pending => {
            Err("AWS has been asked to close it. Within 90 days, AWS Support can open it again.".to_owned())
        }
        ClosureState::Closed { .. } => {
            Err("It is closed. Within 90 days of that, AWS Support can open it again.".to_owned())
        }
        _ => Ok(closure),
    }
}

/// The rows of what has moved, each in the place at which it was asked for.
fn placed(begun: &[(usize, Closure)], moved: &[Moved]) -> Vec<(usize, Row)> {
    let place = |id: &AccountId| begun.iter().find(|(_, closure)| closure.account_id == *id).map(|(place, _)| *place);
    let rows = moved.iter().filter_map(|(closure, obstacle)| {
        place(&closure.account_id).map(|place| (place, Row::of(closure, obstacle.clone())))
    });
    rows.collect()
}
