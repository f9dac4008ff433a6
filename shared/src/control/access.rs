//! The ways in which a control reaches an account, and what it can touch by each of them.
//!
//! A control names its way as a type, so that one that works from the management account cannot even name the
//! gateways of a session, and its actions never get into a session's policy.

use std::{collections::BTreeMap, fmt, sync::Arc};

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::stack_instances::SetFacts;
use crate::{
    error::Cause,
    gateway::{
        Account, AccountGateway, AccountTarget, BudgetsGateway, CallError, CloudWatchGateway, ConfigRecorderGateway,
        EffectivePolicyGateway, EventRulesGateway, IamGateway, OrganizationsGateway, S3ControlGateway, SnsGateway,
        StackSetsGateway, TaskPolicy, UxcGateway,
    },
    ids::{AccountId, OrganizationalUnitId, Region, RoleName},
    organization::UnitPaths,
    session::{Admission, Protection, Sessions},
};

/// By what right a control acts in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessPath {
    /// A session of the account's access role, bounded by the actions of the controls that run.
    AssumedRole,
    /// The function's own role, by APIs that take the account's id.
    Management,
    /// A session of the account's root user, bounded by the policy of one task.
    AssumeRoot,
}

impl AccessPath {
    /// The IAM action that the function's own role needs to open the way; None where it acts itself, and needs the
    /// control's actions.
    pub fn opened_with(self) -> Option<&'static str> {
        match self {
            Self::AssumedRole => Some("sts:AssumeRole"),
            Self::Management => None,
            Self::AssumeRoot => Some("sts:AssumeRoot"),
        }
    }
}

/// What a control can touch in one account.
pub trait Scope: Sized + Send + Sync + 'static {
    /// The way in, to look.
    const LOOKS: AccessPath;
    /// The way in, to change something.
    const CHANGES: AccessPath;
    /// The way in, to look where the first is refused, and after what was changed by it.
    const LOOKS_ELSE: Option<AccessPath> = None;

    /// Goes in, the first time; later controls of the same account find the way open.
    fn enter<'a>(access: &'a AccountAccess<'_>) -> impl Future<Output = Result<&'a Self, AccessError<'a>>> + Send;

    /// Another way to look at the same account, where this one was refused.
    fn instead(&self, _refused: &CallError) -> Option<Self> {
        None
    }

    /// Why the account is looked at in another way than others are.
    fn detour(&self) -> Option<&str> {
        None
    }
}

/// Whether a refusal is one of this way in alone: of a role that is not there, of a policy that people have set, of an
/// account that is so young that its services refuse it.
fn is_of_the_way(error: &CallError) -> bool {
    error.refused && matches!(error.cause, Cause::AccessDenied | Cause::OptInRequired | Cause::RoleNotAssumable)
}

/// Why another way was taken, in words: the refusal itself may say more than fits in a row.
fn refusal(error: &CallError) -> String {
    format!("{} was refused ({})", error.operation, error.cause)
}

/// Why a control cannot get in.
#[derive(Clone, Copy, Debug)]
pub enum AccessError<'a> {
    /// The way could not be opened.
    Failed(&'a CallError),
    /// The account has no such way in, for the reason given.
    NotThere(&'static str),
}

/// One account that is to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub(super) admission: &'a Admission,
    role: &'a RoleName,
    invocation: &'a str,
    pub(super) is_settling: bool,
    known: Option<&'a Known>,
    is_outside: bool,
}

/// What a list has said of an account before it is looked at. It may be minutes old: what looks right is taken for right,
/// and what does not is asked for again.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The unit that holds it, as `ListAccounts` shows it in `Paths`.
    pub parent: Option<OrganizationalUnitId>,
    /// Its tags, as the index of the Resource Groups Tagging API has them.
    pub tags: Option<BTreeMap<String, String>>,
    /// The root and the units that hold it, from the root down; empty where the list does not show them.
    pub units: Vec<OrganizationalUnitId>,
    /// The stack sets that the document names, as a sweep has found them; None outside of sweeps, where they are asked for.
    pub stack_sets: Option<Arc<Vec<SetFacts>>>,
}

impl<'a> Visit<'a> {
    /// A visit to an account through its access role. `invocation` is what the session is tied to in CloudTrail;
    /// `is_settling` says whether the account is so young that what it was granted may not hold everywhere yet.
    pub fn to(admission: &'a Admission, role: &'a RoleName, invocation: &'a str, is_settling: bool) -> Self {
        Self { admission, role, invocation, is_settling, known: None, is_outside: false }
    }

    /// The same, with what a list has said of the account.
    #[must_use]
    pub fn knowing(self, known: &'a Known) -> Self {
        Self { known: Some(known), ..self }
    }

    /// The same, for a function that may enter no account: contacts and regions are read from the management account, at
    /// its rates.
    #[must_use]
    pub fn from_outside(self) -> Self {
        Self { is_outside: true, ..self }
    }
}

/// Whether an account is so young that what it was granted may not hold everywhere yet.
pub fn is_settling(account: &Account, settling: SignedDuration, now: Timestamp) -> bool {
    account.joined_at.is_some_and(|joined| now.duration_since(joined) < settling)
}

/// Why a function without a role of its own for it does not enter the account that it runs in.
const NO_WAY_INTO_OWN: &str = "this function has no way into the management account";
/// Why no session is opened in an account that the stack protects.
const SEALED: &str = "the stack's parameter ProtectedAccounts keeps Steward out of the account";

/// The ways into one account during one visit. Each is opened once, when the first control needs it.
#[derive(Debug)]
pub struct AccountAccess<'a> {
    visit: Visit<'a>,
    sessions: &'a Sessions,
    actions: Vec<&'static str>,
    member_bus: Option<&'a str>,
    own_role: Option<&'a RoleName>,
    member: OnceCell<Result<MemberScope, CallError>>,
    account: OnceCell<AccountScope>,
    root: OnceCell<RootScope>,
    management: ManagementScope,
    outside: AccountView,
}

impl<'a> AccountAccess<'a> {
    /// The ways into an account; its access role, once assumed, is allowed `actions`. `own_role` is the role of the stack for
    /// the account that the function runs in, where that has no access role.
    pub(super) fn new(
        visit: Visit<'a>,
        sessions: &'a Sessions,
        (organizations, stack_sets, units): (OrganizationsGateway, StackSetsGateway, Arc<UnitPaths>),
        outside: AccountView,
        actions: Vec<&'static str>,
        member_bus: Option<&'a str>,
        own_role: Option<&'a RoleName>,
    ) -> Self {
        let account_id = visit.admission.account_id().clone();
        let management = ManagementScope {
            account_id,
            name: visit.admission.name().to_owned(),
            email: visit.admission.email().to_owned(),
            is_own: visit.admission.is_own(),
            shown_in: visit.admission.parent().cloned(),
            organizations,
            known: visit.known.cloned().unwrap_or_default(),
            stack_sets,
            units,
        };
        Self {
            visit,
            sessions,
            actions,
            member_bus,
            own_role,
            member: OnceCell::new(),
            account: OnceCell::new(),
            root: OnceCell::new(),
            management,
            outside,
        }
    }

    /// Whether a session may be opened here at all.
    fn lead_in(&self) -> Result<(), AccessError<'static>> {
        let admission = self.visit.admission;
        if admission.is_own() && self.own_role.is_none() {
            return Err(AccessError::NotThere(NO_WAY_INTO_OWN));
        }
        if admission.protection() == Some(Protection::Stack) {
            return Err(AccessError::NotThere(SEALED));
        }
        Ok(())
    }

    /// A session in the account. The one that the function runs in is entered by its access role where people have made one
    /// there, and else by the role of the stack.
    async fn session(&self) -> Result<(SdkConfig, EnteredBy), CallError> {
        let Visit { admission, role, invocation, .. } = self.visit;
        let entered = self.sessions.enter(admission, role, &self.actions, invocation).await;
        match (entered, self.own_role) {
            (Err(error), Some(own_role)) if admission.is_own() && is_of_the_way(&error) => {
                let session = self.sessions.enter_own(admission, own_role, &self.actions, invocation).await?;
                Ok((session, EnteredBy::RoleOfTheStack))
            }
            (entered, _) => Ok((entered?, EnteredBy::AccessRole)),
        }
    }
}

/// By which role an account was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnteredBy {
    /// The account's access role.
    AccessRole,
    /// The stack's own role for the account that it is in, which may make no roles.
    RoleOfTheStack,
}

/// A service in each region of an account: what it answers there holds there alone.
#[derive(Clone)]
pub struct Regional<G>(Arc<dyn Fn(&Region) -> G + Send + Sync>);

impl<G> Regional<G> {
    /// A service that is reached through what this makes for a region.
    pub(super) fn through(gateway: impl Fn(&Region) -> G + Send + Sync + 'static) -> Self {
        Self(Arc::new(gateway))
    }

    /// The service in one region.
    pub(super) fn of(&self, region: &Region) -> G {
        (self.0)(region)
    }
}

impl<G> fmt::Debug for Regional<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regional")
    }
}

/// One account, entered through a session of its access role. What is not regional is in us-east-1.
#[derive(Clone, Debug)]
pub struct MemberScope {
    /// The account.
    pub account_id: AccountId,
    /// The account's access role.
    pub access_role: RoleName,
    /// The role that the session is of.
    pub entered_by: EnteredBy,
    /// The account that the session comes from.
    pub management_account: AccountId,
    /// The ARN of the bus in it that members forward their events to; None where the function does not know.
    pub member_bus: Option<String>,
    /// Its contacts and regions.
    pub account: AccountGateway,
    /// Its budgets.
    pub budgets: BudgetsGateway,
    /// Its alarms.
    pub cloudwatch: CloudWatchGateway,
    /// Its recorders of AWS Config.
    pub config_recorders: Regional<ConfigRecorderGateway>,
    /// What policies of the organization come to for it.
    pub effective_policies: EffectivePolicyGateway,
    /// Its settings and roles.
    pub iam: IamGateway,
    /// Its rules.
    pub rules: Regional<EventRulesGateway>,
    /// What holds for all its buckets.
    pub s3control: S3ControlGateway,
    /// Its topics.
    pub sns: SnsGateway,
    /// How its console looks.
    pub uxc: UxcGateway,
}

impl MemberScope {
    /// The scope of an account, with the configuration of a session of this role.
    pub fn new(
        account_id: AccountId,
        access_role: RoleName,
        management_account: AccountId,
        member_bus: Option<String>,
        (session, entered_by): (&SdkConfig, EnteredBy),
    ) -> Self {
        let (for_rules, for_recorders) = (session.clone(), session.clone());
        let rules = move |region: &Region| EventRulesGateway::of(&Sessions::in_region(&for_rules, region));
        let recorders = move |region: &Region| ConfigRecorderGateway::of(&Sessions::in_region(&for_recorders, region));
        Self {
            account_id,
            access_role,
            entered_by,
            management_account,
            member_bus,
            account: AccountGateway::of_session(session),
            budgets: BudgetsGateway::of(session),
            cloudwatch: CloudWatchGateway::of(session),
            config_recorders: Regional::through(recorders),
            effective_policies: EffectivePolicyGateway::of(session),
            iam: IamGateway::of(session),
            rules: Regional::through(rules),
            s3control: S3ControlGateway::of(session),
            sns: SnsGateway::of(session),
            uxc: UxcGateway::of(session),
        }
    }

    /// Whether it is the account that the functions run in.
    pub fn is_own(&self) -> bool {
        self.account_id == self.management_account
    }

    /// Why roles are left alone where the session is not of an account's access role: who makes a role for itself may do
    /// anything.
    pub(super) fn leaves_roles_alone(&self) -> Option<&'static str> {
        let why = "the management account has no access role of its own, and the stack's role for it makes no roles";
        (self.entered_by == EnteredBy::RoleOfTheStack).then_some(why)
    }
}

impl Scope for MemberScope {
    const LOOKS: AccessPath = AccessPath::AssumedRole;
    const CHANGES: AccessPath = AccessPath::AssumedRole;

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        access.lead_in()?;
        let open = async || {
            let Visit { admission, role, .. } = access.visit;
            let (session, entered_by) = access.session().await?;
            let own = access.sessions.own_account().await?.clone();
            let (account_id, member_bus) = (admission.account_id().clone(), access.member_bus.map(ToOwned::to_owned));
            Ok(Self::new(account_id, role.clone(), own, member_bus, (&session, entered_by)))
        };
        access.member.get_or_init(open).await.as_ref().map_err(AccessError::Failed)
    }
}

/// Contacts and regions of one account, as one caller reaches them.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The caller's way to AWS Account Management.
    pub gateway: AccountGateway,
    /// The account, as this caller names it.
    pub target: AccountTarget,
}

/// One account whose contacts and regions are read from inside, and written from the management account.
///
/// AWS counts the calls for the account that makes them, so that reading costs no other account anything. Service control
/// policies do not bind the management account, so that writing works whatever they forbid in the member: AWS's own sample
/// of them denies a member to change its alternate contacts. Without an organization, both are done inside.
#[derive(Clone, Debug)]
pub struct AccountScope {
    /// By what it is read.
    pub reads: AccountView,
    /// By what it is written.
    pub writes: AccountView,
    detour: Option<String>,
}

impl AccountScope {
    /// An account that is read from inside by `reads`.
    pub(super) fn inside(reads: AccountGateway, writes: AccountView) -> Self {
        Self { reads: AccountView { gateway: reads, target: AccountTarget::own() }, writes, detour: None }
    }

    /// An account that is read from the management account, for this reason.
    fn outside(writes: AccountView, why: Option<String>) -> Self {
        let detour = why.map(|why| format!("It was read from the management account, at its rates: {why}"));
        Self { reads: writes.clone(), writes, detour }
    }
}

impl Scope for AccountScope {
    const LOOKS: AccessPath = AccessPath::AssumedRole;
    const CHANGES: AccessPath = AccessPath::Management;
    const LOOKS_ELSE: Option<AccessPath> = Some(AccessPath::Management);

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        let open = async || {
            // Nobody reaches it from outside then.
            if !access.sessions.have_organization() {
                let member = MemberScope::enter(access).await?;
                let own = AccountView { gateway: member.account.clone(), target: AccountTarget::own() };
                return Ok(Self::inside(member.account.clone(), own));
            }
            let writes = access.outside.clone();
            // What is the management account's own is read and written with the function's role, which may.
            if access.visit.is_outside || access.visit.admission.is_own() {
                return Ok(Self::outside(writes, None));
            }
            match MemberScope::enter(access).await {
                Ok(member) => Ok(Self::inside(member.account.clone(), writes)),
                Err(AccessError::NotThere(why)) => Ok(Self::outside(writes, Some(why.to_owned()))),
                Err(AccessError::Failed(error)) if is_of_the_way(error) => {
                    Ok(Self::outside(writes, Some(refusal(error))))
                }
                Err(no_entry) => Err(no_entry),
            }
        };
        access.account.get_or_try_init(open).await
    }

    fn instead(&self, refused: &CallError) -> Option<Self> {
        let is_inside = self.reads.target != self.writes.target;
        (is_inside && is_of_the_way(refused)).then(|| Self::outside(self.writes.clone(), Some(refusal(refused))))
    }

    fn detour(&self) -> Option<&str> {
        self.detour.as_deref()
    }
}

/// One account, seen from the management account with the function's own role.
#[derive(Clone, Debug)]
pub struct ManagementScope {
    /// The account.
    pub account_id: AccountId,
    /// Its name, as AWS Organizations shows it.
    pub(super) name: String,
    /// Its primary e-mail address, as AWS Organizations shows it.
    pub(super) email: String,
    /// Whether it is the account that the functions run in.
    pub(super) is_own: bool,
    /// The unit, or root, in which it was shown when the document was asked what holds for it.
    pub(super) shown_in: Option<OrganizationalUnitId>,
    /// Its place and tags in the organization.
    pub organizations: OrganizationsGateway,
    /// The stack sets of the management account.
    pub stack_sets: StackSetsGateway,
    /// What a list has said of it.
    pub known: Known,
    /// The units of the organization by path.
    pub(super) units: Arc<UnitPaths>,
}

impl ManagementScope {
    /// What AWS Organizations shows of the account. Every account has it: without it, the answer was not whole.
    pub(super) fn shown<'a>(&self, member: &str, text: &'a str) -> Result<&'a str, CallError> {
        if text.is_empty() {
            let detail = format!("the account {} without {member}", self.account_id);
            return Err(CallError::unusable("organizations:DescribeAccount", Cause::CallFailed, detail));
        }
        Ok(text)
    }
}

impl Scope for ManagementScope {
    const LOOKS: AccessPath = AccessPath::Management;
    const CHANGES: AccessPath = AccessPath::Management;

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        Ok(&access.management)
    }
}

/// Makes the gateway that exists only once a session is open.
pub(super) type IamOfSession = Arc<dyn Fn(&SdkConfig) -> IamGateway + Send + Sync>;

/// The credentials of one account's root user: looked at in a session of its access role, which CloudTrail and whoever
/// watches root users see nothing of, and deleted as the root user itself, in a session of its own for each task.
#[derive(Clone)]
pub struct RootScope {
    admission: Admission,
    sessions: Sessions,
    gateway: IamOfSession,
    member: Option<IamGateway>,
    detour: Option<String>,
    deleting: OnceCell<IamGateway>,
}

impl RootScope {
    /// The scope of an account, which is looked at by `member`; `gateway` makes the gateway of each session as root.
    pub(super) fn new(
        admission: Admission,
        sessions: Sessions,
        gateway: IamOfSession,
        member: Result<IamGateway, String>,
    ) -> Self {
        let why = |why: &String| format!("It was looked at in a session of the root user: {why}");
        let detour = member.as_ref().err().map(why);
        Self { admission, sessions, gateway, member: member.ok(), detour, deleting: OnceCell::new() }
    }

    /// Whether it is the account that the functions run in, whose root user nobody can assume.
    pub(super) fn is_own(&self) -> bool {
        self.admission.is_own()
    }

    /// IAM of the account, in a session that may look at the root user's credentials. What has been deleted is looked for as
    /// the root user: nobody else sees it at once.
    pub(super) async fn audit(&self) -> Result<IamGateway, CallError> {
        match &self.member {
            Some(member) if !self.deleting.initialized() => Ok(member.clone()),
            _ => self.open(TaskPolicy::AuditCredentials).await,
        }
    }

    /// IAM of the account in a session that may delete the root user's credentials; one serves all of them.
    pub(super) async fn delete(&self) -> Result<&IamGateway, CallError> {
        self.deleting.get_or_try_init(|| self.open(TaskPolicy::DeleteCredentials)).await
    }

    async fn open(&self, task: TaskPolicy) -> Result<IamGateway, CallError> {
        self.sessions.assume_root(&self.admission, task).await.map(|session| (self.gateway)(&session))
    }
}

impl fmt::Debug for RootScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootScope").field("account_id", self.admission.account_id()).finish_non_exhaustive()
    }
}

impl Scope for RootScope {
    const LOOKS: AccessPath = AccessPath::AssumedRole;
    const CHANGES: AccessPath = AccessPath::AssumeRoot;
    const LOOKS_ELSE: Option<AccessPath> = Some(AccessPath::AssumeRoot);

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        access.lead_in()?;
        let is_own = access.visit.admission.is_own();
        let open = async || {
            let member = match MemberScope::enter(access).await {
                Ok(member) => Ok(member.iam.clone()),
                // Without an organization there is no other way, and none into the management account.
                Err(AccessError::Failed(error))
                    if is_of_the_way(error) && !is_own && access.sessions.have_organization() =>
                {
                    Err(refusal(error))
                }
                Err(no_entry) => return Err(no_entry),
            };
            let (admission, sessions) = (access.visit.admission.clone(), access.sessions.clone());
            Ok(Self::new(admission, sessions, Arc::new(IamGateway::of), member))
        };
        access.root.get_or_try_init(open).await
    }

    fn instead(&self, refused: &CallError) -> Option<Self> {
        // The root user of the management account cannot be assumed, and without an organization nobody's.
        let is_inside = self.member.is_some()
            && !self.deleting.initialized()
            && !self.is_own()
            && self.sessions.have_organization();
        (is_inside && is_of_the_way(refused)).then(|| {
            let Self { admission, sessions, gateway, .. } = self.clone();
            Self::new(admission, sessions, gateway, Err(refusal(refused)))
        })
    }

    fn detour(&self) -> Option<&str> {
        self.detour.as_deref()
    }
}
