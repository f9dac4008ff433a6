//! Closes accounts: checked, suspended, cooled off, then closed within AWS's quotas; called off until it is too late.
//!
//! Nothing waits inside the function: a schedule moves everything on that is being closed. What is written before a call tells
//! the next invocation that the call may have been made.

mod charges;
mod closing;
mod decision;
mod event;
mod input;
mod keeping;
mod look;
mod report;
mod result;
mod stacks;
mod work;

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt;
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, tracing};
use serde_json::Value;
use steward::{
    account_creation::Store,
    baseline::{DocumentCache, DocumentInForce},
    clock,
    control::Mode,
    error::{Cause, Failure},
    gateway::{CostExplorerGateway, DynamoDbGateway, EventBridgeGateway, Management, OrganizationsGateway, Queried},
    ids::{AccountId, OrganizationalUnitId},
    invocation::time_left,
    runtime::{
        budget::Budget,
        concurrency::{as_they_come, in_order},
        settings::{NotConfigured, Settings},
        start::SdkConfig,
        trigger::Trigger,
    },
    session::{Guards, Protected, Sessions},
    table::{
        closures::{Closure, Closures},
        idempotency::Idempotency,
        journal::Journal,
        turn::Turns,
    },
};

pub use event::{AccountClosureAdvanced, AccountClosuresAnnounced};
use input::{Input, Work};
use look::{Bounds, Looker};
pub use report::Report;
use report::{Accounts, List, Quota, Row, Status};
use stacks::Stacks;
use work::{Moved, Room, Run, Worker};

/// The time that is kept for the closure that is being worked on when no more are begun: the call that closes an account may
/// wait twenty seconds for its turn.
const MARGIN: Duration = Duration::from_secs(75);

/// How many accounts are looked at at once.
const AT_ONCE: usize = 8;

/// The handler of `account-closer`, with what it keeps between the invocations of one process.
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

impl AccountCloser {
    /// The function's name.
    pub const NAME: &'static str = "account-closer";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let access_role = settings.access_role_name();
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let Management { organizations, stack_sets, .. } = settings.management(config);
        let stacks = Stacks::new(stack_sets, settings.stack_sets_to_leave());
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
                table: table.clone(),
                tagging: settings.tagging(config),
                stacks: stacks.clone(),
                cost_explorer: settings.may_ask_cost_explorer().then(|| CostExplorerGateway::of(config)),
            },
            worker: Worker {
                organizations: organizations.clone(),
                sessions: sessions.clone(),
                closures: closures.clone(),
                journal: journal.clone(),
                idempotency: Idempotency::new(table.clone()),
                bus: bus.clone(),
                quota_retry: settings.closure_quota_retry(),
                stacks,
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
        // What the schedule asks for has nothing to do where nothing could be begun.
        if matches!(input.work, Work::Close(..) | Work::Keep(..)) {
            self.organizations.expect_organization()?;
        }
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
            let wanted: BTreeSet<_> = closures.iter().map(|closure| closure.account_id.clone()).collect();
            let others = self.closures.open().await?.items;
            let others = others.into_iter().filter(|closure| !wanted.contains(&closure.account_id));
            let open = self.as_they_are(closures.into_iter().chain(others)).await?;
            let room = Room::of(&open, clock::now());
            let closures = open.into_iter().filter(|closure| wanted.contains(&closure.account_id)).collect();
            let budget = Budget::keeping(MARGIN);
            let mut run = Run::new(invocation, unit, protected, &bounds.delegated, budget, room);
            self.worker.advance(closures, &mut run).await
        };
        let moved = moved.await;
        if let Err(error) = self.turns.end(own, invocation, clock::now()).await {
            tracing::warn!("the turn could not be given back: {error}");
        }
        moved
    }

    /// Closures as they are once it is this invocation's turn. They were read before, while another invocation may have been at
    /// work on them, or from an index, which shows what was written some seconds late: what was done is not to be done again.
    async fn as_they_are(&self, read: impl Iterator<Item = Closure>) -> Result<Vec<Closure>, Failure> {
        let finds = read.map(|closure| async move { self.closures.find(&closure.account_id).await });
        let found = in_order(as_they_come(finds, AT_ONCE).collect().await);
        let found: Result<Vec<_>, _> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
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
}

/// The rows of what has moved, each in the place at which it was asked for.
fn placed(begun: &[(usize, Closure)], moved: &[Moved]) -> Vec<(usize, Row)> {
    let place = |id: &AccountId| begun.iter().find(|(_, closure)| closure.account_id == *id).map(|(place, _)| *place);
    let rows = moved.iter().filter_map(|(closure, obstacle)| {
        place(&closure.account_id).map(|place| (place, Row::of(closure, obstacle.clone())))
    });
    rows.collect()
}
