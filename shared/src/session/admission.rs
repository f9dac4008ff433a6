//! Who may be entered, and what for: whoever opens a session in an account, or changes one, has asked here.

use aws_config::SdkConfig;

use super::{Protected, Sessions};
use crate::{
    account_source::AccountSource,
    error::{Cause, Failure},
    gateway::{Account, AccountState, CallError, DynamoDbGateway, TaskPolicy},
    ids::{AccountId, OrganizationalUnitId},
    invocation::{self, Reach},
    runtime::settings::Settings,
    table::switch::Switch,
};

/// What keeps accounts from being changed, whoever asks and whatever a document says.
#[derive(Debug)]
pub struct Guards {
    /// The accounts that the stack keeps Steward out of.
    pub protected: Vec<AccountId>,
    /// The unit for accounts that are to be closed, if the stack has one.
    pub suspended_unit: Option<OrganizationalUnitId>,
    /// The switch that turns every apply into a plan.
    pub switch: Switch,
    /// Where the accounts come from: without an organization, no account is entered from a management account.
    pub account_source: AccountSource,
}

impl Guards {
    /// What keeps accounts of this stack from being changed, as its settings say.
    pub fn of(settings: &mut Settings, config: &SdkConfig) -> Self {
        let table = DynamoDbGateway::of(config, settings.table_name());
        let (protected, suspended_unit) = (settings.protected_accounts(), settings.suspended_unit());
        Self { protected, suspended_unit, switch: Switch::new(table), account_source: settings.account_source() }
    }
}

/// An account that may be looked at, as [`Sessions::admit`] found it. Nothing else makes one, so that no caller can forget
/// to ask.
#[derive(Clone, Debug)]
pub struct Admission {
    account_id: AccountId,
    name: String,
    email: String,
    is_own: bool,
    parent: Option<OrganizationalUnitId>,
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
    /// The switch that people have turned on: everything is looked at, and nothing changed.
    Switch,
    /// The invocation may only look, by the name that the function was called by.
    PlanOnly,
    /// The account sits in the unit for accounts that are to be closed, the stack's parameter `SuspendedUnitId`: it is looked
    /// at, and not changed, by anybody but who closes it or calls that off.
    Suspended,
}

impl Protection {
    /// Why nothing is changed, as a cause of the catalogue.
    pub fn cause(self) -> Cause {
        match self {
            Self::Stack | Self::Document => Cause::AccountProtected,
            Self::Switch => Cause::SwitchedOff,
            Self::PlanOnly => Cause::PlanOnly,
            Self::Suspended => Cause::AccountSuspended,
        }
    }

    /// Why nothing is changed, as a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Stack => "The stack's parameter ProtectedAccounts keeps Steward out of the account.",
            Self::Document => "The account is protected by the baseline document.",
            Self::Switch => "Steward's switch is on.",
            Self::PlanOnly => "The function was called by an alias or a version, which changes nothing.",
            Self::Suspended => "The account sits in the unit for accounts that are to be closed.",
        }
    }
}

impl Admission {
    /// The account.
    pub fn account_id(&self) -> &AccountId {
        &self.account_id
    }

    /// Its name, as AWS Organizations has shown it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its primary e-mail address, as AWS Organizations has shown it.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The unit, or root, in which AWS Organizations has shown it when it was asked what holds for it.
    pub(crate) fn parent(&self) -> Option<&OrganizationalUnitId> {
        self.parent.as_ref()
    }

    /// Whether it is the organization's management account, in which the functions run. Without an organization there is none:
    /// the account of the stack is entered by its access role, as any other.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// What keeps it from being changed; None when it may be.
    pub fn protection(&self) -> Option<Protection> {
        self.protection
    }

    /// Why no session of a root user may be opened in it for this task.
    pub(super) fn refuses_root(&self, task: TaskPolicy) -> Option<CallError> {
        let refused = |cause, why| Some(CallError::not_sent("sts:AssumeRoot", cause, why));
        match self.protection {
            _ if self.is_own => {
                refused(Cause::RootSessionDenied, "the root user of the management account cannot be assumed")
            }
            Some(Protection::Document | Protection::Switch | Protection::PlanOnly | Protection::Suspended)
                if task == TaskPolicy::AuditCredentials =>
            {
                None
            }
            Some(protection) => refused(protection.cause(), protection.why()),
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
    /// The account that the functions run in.
    pub(crate) fn of_own(account_id: AccountId) -> Self {
        Self { is_own: true, ..Self::of_member(account_id, None) }
    }

    /// A member account with this protection.
    pub(crate) fn of_member(account_id: AccountId, protection: Option<Protection>) -> Self {
        let (name, email) = ("A".to_owned(), "a@example.com".to_owned());
        Self { account_id, name, email, is_own: false, parent: None, protection }
    }
}

impl Sessions {
    /// A failure while the switch is on, and in an invocation that may only look: for what is changed in no account.
    pub async fn allow_changes(&self) -> Result<(), Failure> {
        invocation::allow_changes()?;
        if self.guards.switch.is_on().await? { Err(Failure::new(Cause::SwitchedOff)) } else { Ok(()) }
    }

    /// Whether there is an organization, whose accounts can be reached from its management account.
    pub fn have_organization(&self) -> bool {
        self.guards.account_source == AccountSource::Organization
    }

    /// Whether this is the management account of the organization, if there is one.
    pub async fn is_management_account(&self, id: &AccountId) -> Result<bool, CallError> {
        Ok(self.have_organization() && self.own_account().await? == id)
    }

    /// Admits an account, for a look or for a change as far as it is not protected.
    ///
    /// One that is not active gives [`Cause::AccountNotActive`].
    pub async fn admit(&self, account: &Account, protected: &Protected) -> Result<Admission, Failure> {
        if let Some(why) = ineligibility(account) {
            return Err(Failure::with_detail(Cause::AccountNotActive, format_args!("{why}.")));
        }
        let is_own = self.is_management_account(&account.id).await?;
        let protection = if self.guards.protected.contains(&account.id) {
            Some(Protection::Stack)
        } else if protected.accounts.contains(&account.id) {
            Some(Protection::Document)
        } else if self.guards.switch.is_on().await? {
            Some(Protection::Switch)
        } else {
            // The last one: whoever closes accounts goes by the others.
            let is_suspended = self.guards.suspended_unit.as_ref().is_some_and(|unit| account.units.contains(unit));
            let looks = (invocation::reach() == Reach::Looks).then_some(Protection::PlanOnly);
            looks.or(is_suspended.then_some(Protection::Suspended))
        };
        let (name, email, parent) = (account.name.clone(), account.email.clone(), account.parent.clone());
        Ok(Admission { account_id: account.id.clone(), name, email, is_own, parent, protection })
    }
}

/// Why an account cannot be looked at; None when it can.
pub fn ineligibility(account: &Account) -> Option<String> {
    match &account.state {
        AccountState::Active => None,
        AccountState::Other(state) => Some(format!("the account is {state}")),
    }
}
