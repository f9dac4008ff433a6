//! The ways in which a control reaches an account, and what it can touch by each of them.
//!
//! A control names its way as a type, so that one that works from the management account cannot even name the
//! gateways of a session, and its actions never get into a session's policy.

use std::{fmt, sync::Arc};

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use crate::{
    gateway::{
        Account, AccountGateway, AccountTarget, CallError, CloudWatchGateway, EventRulesGateway, IamGateway,
        OrganizationsGateway, S3ControlGateway, SnsGateway, TaskPolicy,
    },
    ids::{AccountId, Region, RoleName},
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
    /// The way in.
    const ACCESS_PATH: AccessPath;

    /// Goes in, the first time; later controls of the same account find the way open.
    fn enter<'a>(access: &'a AccountAccess<'_>) -> impl Future<Output = Result<&'a Self, AccessError<'a>>> + Send;
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
}

impl<'a> Visit<'a> {
    /// A visit to an account through its access role. `invocation` is what the session is tied to in CloudTrail;
    /// `is_settling` says whether the account is so young that what it was granted may not hold everywhere yet.
    pub fn to(admission: &'a Admission, role: &'a RoleName, invocation: &'a str, is_settling: bool) -> Self {
        Self { admission, role, invocation, is_settling }
    }
}

/// Whether an account is so young that what it was granted may not hold everywhere yet.
pub fn is_settling(account: &Account, settling: SignedDuration, now: Timestamp) -> bool {
    account.joined_at.is_some_and(|joined| now.duration_since(joined) < settling)
}

/// Why no session is opened in an account that the stack protects.
const SEALED: &str = "the stack's parameter ProtectedAccounts keeps Steward out of the account";

/// The ways into one account during one visit. Each is opened once, when the first control needs it.
#[derive(Debug)]
pub struct AccountAccess<'a> {
    visit: Visit<'a>,
    sessions: &'a Sessions,
    actions: Vec<&'static str>,
    member_bus: Option<&'a str>,
    member: OnceCell<Result<MemberScope, CallError>>,
    management: ManagementScope,
    root: RootScope,
}

impl<'a> AccountAccess<'a> {
    /// The ways into an account; its access role, once assumed, is allowed `actions`.
    pub(super) fn new(
        visit: Visit<'a>,
        sessions: &'a Sessions,
        management: ManagementScope,
        actions: Vec<&'static str>,
        member_bus: Option<&'a str>,
    ) -> Self {
        let root = RootScope::new(visit.admission.clone(), sessions.clone(), Box::new(IamGateway::of));
        Self { visit, sessions, actions, member_bus, member: OnceCell::new(), management, root }
    }

    /// Whether a session may be opened here at all; `own` says why not in the management account.
    fn lead_in(&self, own: &'static str) -> Result<(), AccessError<'static>> {
        let admission = self.visit.admission;
        if admission.is_own() {
            return Err(AccessError::NotThere(own));
        }
        if admission.protection() == Some(Protection::Stack) {
            return Err(AccessError::NotThere(SEALED));
        }
        Ok(())
    }
}

/// The rules of an account, region by region: other events tell in other regions.
#[derive(Clone)]
pub struct Rules(Arc<dyn Fn(&Region) -> EventRulesGateway + Send + Sync>);

impl Rules {
    /// Rules that are reached through what this makes for a region.
    pub(super) fn through(gateway: impl Fn(&Region) -> EventRulesGateway + Send + Sync + 'static) -> Self {
        Self(Arc::new(gateway))
    }

    /// The rules of one region.
    pub(super) fn of(&self, region: &Region) -> EventRulesGateway {
        (self.0)(region)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rules")
    }
}

/// One account, entered through a session of its access role. Everything but its rules is in us-east-1.
#[derive(Clone, Debug)]
pub struct MemberScope {
    /// The account.
    pub account_id: AccountId,
    /// The role that the session is of.
    pub access_role: RoleName,
    /// The account that the session comes from.
    pub management_account: AccountId,
    /// The ARN of the bus in it that members forward their events to; None where the function does not know.
    pub member_bus: Option<String>,
    /// Its alarms.
    pub cloudwatch: CloudWatchGateway,
    /// Its settings and roles.
    pub iam: IamGateway,
    /// Its rules.
    pub rules: Rules,
    /// What holds for all its buckets.
    pub s3control: S3ControlGateway,
    /// Its topics.
    pub sns: SnsGateway,
}

impl MemberScope {
    /// The scope of an account, with the configuration of a session of its access role.
    pub fn new(
        account_id: AccountId,
        access_role: RoleName,
        management_account: AccountId,
        member_bus: Option<String>,
        session: &SdkConfig,
    ) -> Self {
        let of_session = session.clone();
        let rules = move |region: &Region| EventRulesGateway::of(&Sessions::in_region(&of_session, region));
        Self {
            account_id,
            access_role,
            management_account,
            member_bus,
            cloudwatch: CloudWatchGateway::of(session),
            iam: IamGateway::of(session),
            rules: Rules::through(rules),
            s3control: S3ControlGateway::of(session),
            sns: SnsGateway::of(session),
        }
    }
}

impl Scope for MemberScope {
    const ACCESS_PATH: AccessPath = AccessPath::AssumedRole;

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        access.lead_in("the management account has no access role to work through")?;
        let open = async || {
            let Visit { admission, role, invocation, .. } = access.visit;
            let session = access.sessions.enter(admission, role, &access.actions, invocation).await?;
            let own = access.sessions.own_account().await?;
            let account_id = admission.account_id().clone();
            Ok(Self::new(account_id, role.clone(), own.clone(), access.member_bus.map(ToOwned::to_owned), &session))
        };
        access.member.get_or_init(open).await.as_ref().map_err(AccessError::Failed)
    }
}

/// One account, seen from the management account with the function's own role.
#[derive(Clone, Debug)]
pub struct ManagementScope {
    /// The account.
    pub account_id: AccountId,
    /// The account as Account Management is asked about it.
    pub target: AccountTarget,
    /// Its contacts and regions.
    pub account: AccountGateway,
    /// Its place and tags in the organization.
    pub organizations: OrganizationsGateway,
    /// The units of the organization by path.
    pub(super) units: Arc<UnitPaths>,
}

impl Scope for ManagementScope {
    const ACCESS_PATH: AccessPath = AccessPath::Management;

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        Ok(&access.management)
    }
}

/// Makes the gateway that exists only once a session is open.
pub(super) type IamOfSession = Box<dyn Fn(&SdkConfig) -> IamGateway + Send + Sync>;

/// One account, entered as its root user. Each task is a session of its own.
pub struct RootScope {
    admission: Admission,
    sessions: Sessions,
    gateway: IamOfSession,
    deleting: OnceCell<IamGateway>,
}

impl RootScope {
    /// The scope of an account; `gateway` makes the gateway of each session.
    pub(super) fn new(admission: Admission, sessions: Sessions, gateway: IamOfSession) -> Self {
        Self { admission, sessions, gateway, deleting: OnceCell::new() }
    }

    /// IAM of the account in a fresh session that may look at the root user's credentials.
    pub(super) async fn audit(&self) -> Result<IamGateway, CallError> {
        self.open(TaskPolicy::AuditCredentials).await
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
    const ACCESS_PATH: AccessPath = AccessPath::AssumeRoot;

    async fn enter<'a>(access: &'a AccountAccess<'_>) -> Result<&'a Self, AccessError<'a>> {
        access.lead_in("the root user of the management account cannot be assumed")?;
        Ok(&access.root)
    }
}
