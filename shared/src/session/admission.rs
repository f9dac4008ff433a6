//! Who may be entered, and what for: whoever opens a session in an account, or changes one, has asked here.

use super::Sessions;
use crate::{
    error::{Cause, Failure},
    gateway::{Account, AccountState, CallError},
    ids::AccountId,
    root_task::Protected,
    session::RootTask,
};

/// An account that may be looked at, as [`Sessions::admit`] found it. Nothing else makes one, so that no caller can forget
/// to ask.
#[derive(Clone, Debug)]
pub struct Admission {
    account_id: AccountId,
    is_own: bool,
    protection: Option<Protection>,
}

/// What keeps an account from being changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The stack's parameter `ProtectedAccounts`: no session is opened in it. IAM denies it too, so that no document and no
    /// fault of this code lifts it.
    Stack,
    /// The baseline document's `protected`: it is looked at, and not changed.
    Document,
}

impl Protection {
    /// Why nothing is changed, as a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Stack => "The stack's parameter ProtectedAccounts keeps Steward out of the account.",
            Self::Document => "The account is protected by the baseline document.",
        }
    }
}

impl Admission {
    /// The account.
    pub fn account_id(&self) -> &AccountId {
        &self.account_id
    }

    /// Whether it is the account that the functions run in, the organization's management account.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// What keeps it from being changed; None when it may be.
    pub fn protection(&self) -> Option<Protection> {
        self.protection
    }

    /// Why no session of a root user may be opened in it for this task.
    pub(super) fn refuses_root(&self, task: RootTask) -> Option<CallError> {
        let refused = |cause, why| Some(CallError::not_sent("sts:AssumeRoot", cause, why));
        match self.protection {
            _ if self.is_own => {
                refused(Cause::RootSessionDenied, "the root user of the management account cannot be assumed")
            }
            Some(Protection::Document) if task == RootTask::AuditCredentials => None,
            Some(protection) => refused(Cause::AccountProtected, protection.why()),
            None => None,
        }
    }

    /// Why no session of its access role may be opened.
    pub(super) fn refuses_role(&self) -> Option<CallError> {
        let is_sealed = self.protection == Some(Protection::Stack);
        is_sealed.then(|| CallError::not_sent("sts:AssumeRole", Cause::AccountProtected, Protection::Stack.why()))
    }
}

#[cfg(test)]
impl Admission {
    /// A member account with this protection.
    pub(crate) fn of_member(account_id: AccountId, protection: Option<Protection>) -> Self {
        Self { account_id, is_own: false, protection }
    }
}

impl Sessions {
    /// Admits an account, for a look or for a change as far as it is not protected.
    ///
    /// One that is not active gives [`Cause::AccountNotActive`].
    pub async fn admit(&self, account: &Account, protected: &Protected) -> Result<Admission, Failure> {
        if let Some(why) = ineligibility(account) {
            return Err(Failure::with_detail(Cause::AccountNotActive, format_args!("{why}.")));
        }
        let is_own = *self.own_account().await? == account.id;
        let protection = if self.protected.contains(&account.id) {
            Some(Protection::Stack)
        } else {
            protected.accounts.contains(&account.id).then_some(Protection::Document)
        };
        Ok(Admission { account_id: account.id.clone(), is_own, protection })
    }
}

/// Why an account cannot be looked at; None when it can.
pub fn ineligibility(account: &Account) -> Option<String> {
    match &account.state {
        AccountState::Active => None,
        AccountState::Other(state) => Some(format!("the account is {state}")),
    }
}
