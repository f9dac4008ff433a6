//! Which accounts may be worked on.

use steward::{
    control::Mode,
    error::{Cause, Failure},
    gateway::{Account, AccountTarget, OrganizationsGateway},
    organization::Target,
    session::{Protected, Protection, Sessions},
};

use crate::event::Finding;

/// Looks before anything is done.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) organizations: OrganizationsGateway,
    pub(crate) sessions: Sessions,
}

/// An account that may be worked on.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) account: Account,
    /// The account as AWS Account Management is told of it.
    pub(crate) target: AccountTarget,
    /// Whether it is the account that the functions run in.
    pub(crate) is_own: bool,
}

impl Guard {
    /// The account, if it may be looked at, or changed where that is wanted; otherwise why not.
    pub(crate) async fn look(&self, target: Target, mode: Mode, protected: &Protected) -> Result<Admitted, Finding> {
        let id = target.id().clone();
        let account = match target.describe(&self.organizations).await {
            Ok(account) => account,
            Err(error) if error.cause == Cause::NotFound => {
                return Err(Finding::refused(format!("Account {id} is not in this organization.")));
            }
            Err(error) => return Err(Finding::failed(error)),
        };
        let admission = match self.sessions.admit(&account, protected).await {
            Ok(admission) => admission,
            Err(failure) if failure.cause == Cause::AccountNotActive => return Err(Finding::refused(failure.message)),
            Err(failure) => return Err(Finding::failed(failure)),
        };
        if let Some(protection) = admission.protection()
            && (mode == Mode::Apply || protection == Protection::Stack)
        {
            return Err(Finding::refused(protection.why()));
        }
        let own = self.sessions.own_account().await.map_err(Finding::failed)?;
        let target = AccountTarget::of(&account.id, own);
        Ok(Admitted { is_own: admission.is_own(), account, target })
    }

    /// The same of an account that is to be changed, which the management account is not.
    pub(crate) async fn look_at_member(
        &self,
        target: Target,
        mode: Mode,
        protected: &Protected,
    ) -> Result<Admitted, Finding> {
        let admitted = self.look(target, mode, protected).await?;
        if admitted.is_own {
            let why = "It is the management account: whoever signs in to it changes that on its Account page.";
            return Err(Finding::refused(why));
        }
        Ok(admitted)
    }

    /// A failure while Steward's switch is on, and in an invocation that may only look.
    pub(crate) async fn allow_changes(&self) -> Result<(), Failure> {
        self.sessions.allow_changes().await
    }
}
