//! The document in force, the facts by which it selects accounts, and the engine, put together once for every function that
//! looks at accounts or changes them.

use aws_config::SdkConfig;
use jiff::SignedDuration;

use crate::{
    baseline::{Document, DocumentCache, DocumentInForce, Effective, FactsReader},
    clock,
    control::{
        AnyControl, Control, Engine, Mode, Row, Visit, find, is_settling,
        jump_groups::{JumpGroups, JumpGroupsControl},
    },
    error::Failure,
    gateway::{Account, CallError, DynamoDbGateway, EventBridgeGateway, Management},
    ids::{AccountId, RoleName},
    organization::Rearranged,
    runtime::settings::Settings,
    session::{Admission, Sessions},
};

/// How many accounts are looked up one by one before groups are changed for their sake: some four minutes at a sweep's share of
/// `DescribeAccount`.
const MOST_CONFIRMED: usize = 100;

/// Runs controls in accounts, by what the document says of each.
#[derive(Debug)]
pub struct BaselineRunner {
    document: DocumentCache,
    facts: FactsReader,
    engine: Engine,
    bus: EventBridgeGateway,
    access_role: RoleName,
    settling: SignedDuration,
}

impl BaselineRunner {
    /// A runner that enters accounts by `sessions`, and looks at them from outside by `management`. `table` is the stack's
    /// table of its state; what is wrong with the document is put on `bus`.
    pub fn new(
        config: &SdkConfig,
        settings: &mut Settings,
        management: Management,
        sessions: Sessions,
        table: &DynamoDbGateway,
        bus: &EventBridgeGateway,
    ) -> Self {
        let access_role = settings.access_role_name();
        Self {
            document: DocumentCache::of(config, settings, table, &access_role),
            facts: FactsReader::new(management.organizations.clone()),
            engine: Engine::new(sessions, management),
            bus: bus.clone(),
            settling: settings.settling(),
            access_role,
        }
    }

    /// The same, with the ARN of the bus that members forward their events to, for the control that checks whether they do.
    #[must_use]
    pub fn with_member_bus(self, member_bus: String) -> Self {
        Self { engine: self.engine.with_member_bus(member_bus), ..self }
    }

    /// The same, with the role of the stack for the account that it is in.
    #[must_use]
    pub fn with_own_role(self, own_role: RoleName) -> Self {
        Self { engine: self.engine.with_own_role(own_role), ..self }
    }

    /// The same for a function that runs after one that has recorded the document that it has read.
    #[must_use]
    pub fn recorded_by_others(self) -> Self {
        Self { document: self.document.recorded_by_others(), ..self }
    }

    /// The document in force, as [`DocumentCache::read`] gives it.
    pub async fn document(&self) -> Result<DocumentInForce, Failure> {
        self.document.read(&self.bus).await
    }

    /// What is known of accounts.
    pub fn facts(&self) -> &FactsReader {
        &self.facts
    }

    /// Whether this is the management account, which nothing is done to because an event names it.
    pub async fn is_management_account(&self, id: &AccountId) -> Result<bool, CallError> {
        self.engine.is_management_account(id).await
    }

    /// Admits an account, with what the document protects, as [`Sessions::admit`] does.
    pub async fn admit(&self, account: &Account, document: &Document) -> Result<Admission, Failure> {
        self.engine.admit(account, &document.protected).await
    }

    /// A visit to an account that was admitted, in the name of an invocation.
    pub fn visit<'a>(&'a self, admission: &'a Admission, account: &Account, invocation: &'a str) -> Visit<'a> {
        let is_settling = is_settling(account, self.settling, clock::now());
        Visit::to(admission, &self.access_role, invocation, is_settling)
    }

    /// Runs these controls during a visit, by what holds for the account, as [`Engine::run`] does.
    pub async fn run(
        &self,
        controls: &[&'static dyn AnyControl],
        visit: Visit<'_>,
        effective: &Effective,
        mode: Mode,
    ) -> Vec<Row> {
        self.engine.run(controls, visit, effective, mode).await
    }

    /// Runs these controls in an account of which nothing was said before: finds out what holds for it, admits it, visits it.
    pub async fn run_in(
        &self,
        account: &Account,
        document: &Document,
        controls: &[&'static dyn AnyControl],
        mode: Mode,
        invocation: &str,
    ) -> Result<Vec<Row>, Failure> {
        let mut effective = self.facts.effective(account, document).await?;
        if controls.iter().any(|control| control.id() == JumpGroupsControl::ID) {
            effective.baseline.jump_groups = self.facts.jump_groups(&account.id, document).await;
        }
        self.run_by(account, &effective, document, controls, mode, invocation).await
    }

    /// Makes the groups of the jump account right after something has happened to accounts, and looks at no others.
    pub async fn regroup(
        &self,
        jump_account: &Account,
        document: &Document,
        happened: &Rearranged,
        invocation: &str,
    ) -> Result<Option<Row>, Failure> {
        let mut effective = self.facts.effective(jump_account, document).await?;
        effective.baseline.jump_groups = self.facts.jump_groups_after(happened, document).await;
        let controls: Vec<_> = find(JumpGroupsControl::ID).into_iter().collect();
        let rows = self.run_by(jump_account, &effective, document, &controls, Mode::Apply, invocation).await?;
        Ok(rows.into_iter().next())
    }

    /// The same groups, made of accounts and tags that were listed some time ago, by what AWS Organizations says now of the
    /// accounts in which the groups that are there reach something else. Where these are many, most of them do, and the list is
    /// taken as it is.
    pub async fn confirmed_groups(
        &self,
        jump_account: &Account,
        listed: JumpGroups,
        document: &Document,
        invocation: &str,
    ) -> JumpGroups {
        let look = async || {
            let admission = self.admit(jump_account, document).await?;
            let visit = self.visit(&admission, jump_account, invocation);
            self.engine.inspect(&JumpGroupsControl, visit, &listed).await
        };
        // Where they cannot be seen, the control will say so.
        let differing = look().await.map(|present| listed.accounts_that_differ(&present)).unwrap_or_default();
        if differing.is_empty() || differing.len() > MOST_CONFIRMED {
            return listed;
        }
        self.facts.jump_groups_of(differing, document).await.unwrap_or(listed)
    }

    async fn run_by(
        &self,
        account: &Account,
        effective: &Effective,
        document: &Document,
        controls: &[&'static dyn AnyControl],
        mode: Mode,
        invocation: &str,
    ) -> Result<Vec<Row>, Failure> {
        let admission = self.admit(account, document).await?;
        Ok(self.run(controls, self.visit(&admission, account, invocation), effective, mode).await)
    }
}
