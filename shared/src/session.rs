//! Sessions in member accounts: short, and allowed no more than the work at hand needs.

mod admission;
mod protected;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_sts::config::{Credentials, IdentityCache, SharedCredentialsProvider};
use serde_json::json;
use tokio::sync::OnceCell;

pub use admission::{Admission, Guards, Protection, ineligibility};
pub use protected::Protected;

use crate::{
    account_source::AccountSource,
    error::Cause,
    gateway::{CallError, DynamoDbGateway, RootSessionRequest, SessionRequest, StsGateway, TaskPolicy},
    ids::{AccountId, Region, RoleName},
    invocation::{self, Reach},
    table::root_sessions::{OpenedSession, RootSessionLog},
};

/// The shortest session that AWS STS gives to a role.
const SESSION_SECONDS: i32 = 900;

/// Enters member accounts from the management account.
#[derive(Clone, Debug)]
pub struct Sessions {
    sts: StsGateway,
    config: SdkConfig,
    function: &'static str,
    log: Option<RootSessionLog>,
    guards: Arc<Guards>,
    own_account: Arc<OnceCell<AccountId>>,
}

impl Sessions {
    /// Sessions that are opened with the credentials of `config`, as far as these guards let them, and carry the name of
    /// `function`.
    pub fn new(config: &SdkConfig, function: &'static str, guards: Guards) -> Self {
        Self::through(StsGateway::of(config), config, function, guards)
    }

    /// Sessions that are opened through this gateway.
    pub(crate) fn through(sts: StsGateway, config: &SdkConfig, function: &'static str, guards: Guards) -> Self {
        let (guards, own_account) = (Arc::new(guards), Arc::default());
        Self { sts, config: config.clone(), function, log: None, guards, own_account }
    }

    /// The same, with root sessions recorded in this table. Without it, none is opened.
    #[must_use]
    pub fn recording_in(self, table: DynamoDbGateway) -> Self {
        Self { log: Some(RootSessionLog::new(table)), ..self }
    }

    /// Where the accounts come from.
    pub fn account_source(&self) -> AccountSource {
        self.guards.account_source
    }

    /// The account that sessions are opened from. It is asked for once.
    pub async fn own_account(&self) -> Result<&AccountId, CallError> {
        self.own_account.get_or_try_init(|| self.sts.find_own_account()).await
    }

    /// An AWS configuration with credentials of the role, in us-east-1, that allow `actions` and nothing else.
    /// `invocation` ties the session to one invocation in CloudTrail.
    ///
    /// A role that cannot be assumed gives [`Cause::RoleNotAssumable`]: in a new account it comes late. An account that
    /// the stack keeps Steward out of gives [`Cause::AccountProtected`].
    pub(crate) async fn enter(
        &self,
        admission: &Admission,
        role: &RoleName,
        actions: &[&'static str],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        if let Some(refused) = admission.refuses_role() {
            return Err(refused);
        }
        let session = self.assume(admission.account_id(), role, actions, invocation).await;
        session.map_err(denied_as(Cause::RoleNotAssumable))
    }

    /// The same in the account that sessions are opened from, by a role of the stack that is there for it. It is as old as the
    /// stack: a denial stays one.
    pub(crate) async fn enter_own(
        &self,
        admission: &Admission,
        role: &RoleName,
        actions: &[&'static str],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        if let Some(refused) = admission.refuses_role() {
            return Err(refused);
        }
        self.assume(admission.account_id(), role, actions, invocation).await
    }

    /// The same with a session that may do what these grants say: each its actions with its resources.
    pub async fn enter_within(
        &self,
        admission: &Admission,
        role: &RoleName,
        grants: &[Grant],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        if let Some(refused) = admission.refuses_role() {
            return Err(refused);
        }
        let policy = bounded_policy(grants);
        let session = self.assume_with(admission.account_id(), role, &policy, invocation).await;
        session.map_err(denied_as(Cause::RoleNotAssumable))
    }

    /// The same for a role of this stack in its own account, which is there to change something. It is as old as the
    /// stack: a denial will not go away by itself, and stays one.
    pub async fn assume_own(
        &self,
        role: &RoleName,
        actions: &[&'static str],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        if invocation::reach() == Reach::Looks {
            let why = Protection::PlanOnly;
            return Err(CallError::not_sent("sts:AssumeRole", why.cause(), why.why()));
        }
        self.assume(self.own_account().await?, role, actions, invocation).await
    }

    async fn assume(
        &self,
        account: &AccountId,
        role: &RoleName,
        actions: &[&'static str],
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        self.assume_with(account, role, &session_policy(actions), invocation).await
    }

    async fn assume_with(
        &self,
        account: &AccountId,
        role: &RoleName,
        policy: &str,
        invocation: &str,
    ) -> Result<SdkConfig, CallError> {
        let request = SessionRequest {
            account,
            role,
            session_name: &session_name(self.function, invocation),
            policy,
            seconds: SESSION_SECONDS,
        };
        self.sts.assume_role(&request).await.map(|credentials| self.config_with(credentials))
    }

    /// An AWS configuration with credentials of the root user of a member account, in us-east-1, that allow one task
    /// and nothing else. AWS STS takes no session name for it: CloudTrail shows the role that asked.
    ///
    /// The session is recorded before it is used: an auditor who finds no record of it takes it for a stranger's.
    ///
    /// A denial gives [`Cause::RootSessionDenied`], an account that is protected from the task
    /// [`Cause::AccountProtected`].
    pub async fn assume_root(&self, admission: &Admission, task: TaskPolicy) -> Result<SdkConfig, CallError> {
        if !self.have_organization() {
            let why = "nothing: it was not called, as AWS lets an organization alone manage root users";
            return Err(CallError::not_sent("sts:AssumeRoot", Cause::NeedsOrganization, why));
        }
        if let Some(refused) = admission.refuses_root(task) {
            return Err(refused);
        }
        let account = admission.account_id();
        let Some(log) = &self.log else {
            let detail = "this function keeps no record of root sessions";
            return Err(CallError::unusable("sts:AssumeRoot", Cause::RootSessionDenied, detail));
        };
        let request =
            RootSessionRequest { account, task_policy_arn: &task.policy_arn(), seconds: task.session_seconds() };
        let credentials = self.sts.assume_root(&request).await.map_err(denied_as(Cause::RootSessionDenied))?;
        let opened = OpenedSession {
            function: self.function.to_owned(),
            account_id: account.clone(),
            task_policy: task.policy_arn(),
        };
        log.record(credentials.access_key_id(), opened, crate::clock::now()).await?;
        Ok(self.config_with(credentials))
    }

    /// The same in another region, for what exists in one region alone.
    pub fn in_region(session: &SdkConfig, region: &Region) -> SdkConfig {
        session.to_builder().region(aws_config::Region::new(region.as_str().to_owned())).build()
    }

    fn config_with(&self, credentials: Credentials) -> SdkConfig {
        let region = aws_config::Region::new(Region::us_east_1().as_str().to_owned());
        let builder = self.config.to_builder().region(region);
        // Nothing is kept of the identities of accounts that come once: these credentials are there already.
        builder
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache())
            .build()
    }
}

/// Names a denial for what it means at this door.
fn denied_as(cause: Cause) -> impl Fn(CallError) -> CallError {
    move |mut error| {
        if error.cause == Cause::AccessDenied {
            error.cause = cause;
        }
        error
    }
}

/// An inline session policy: the session may do what both it and the role's own policies allow.
pub fn session_policy(actions: &[&'static str]) -> String {
    let mut actions = actions.to_vec();
    actions.sort_unstable();
    actions.dedup();
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
}

/// Actions that a session may do, and what with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// IAM actions.
    pub actions: Vec<&'static str>,
    /// ARNs, or `*`.
    pub resources: Vec<String>,
}

/// The same of grants. AWS STS takes 2,048 characters.
fn bounded_policy(grants: &[Grant]) -> String {
    let statement = |grant: &Grant| json!({"Effect": "Allow", "Action": grant.actions, "Resource": grant.resources});
    let statements: Vec<_> = grants.iter().filter(|grant| !grant.actions.is_empty()).map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// `function.invocation`, cut to the 64 characters that AWS STS allows.
fn session_name(function: &str, invocation: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "+=,.@-".contains(c) { c } else { '-' };
    format!("{function}.{invocation}").chars().map(allowed).take(64).collect()
}

#[cfg(test)]
mod tests;
