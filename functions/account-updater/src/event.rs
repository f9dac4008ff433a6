//! What is published, and kept in the journal, of accounts that were updated.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    control::Mode,
    error::Failure,
    gateway::{Event, EventType},
    ids::{AccountId, AccountName, Email, EmailDomain},
    table::{
        journal::Journaled,
        keys::{self, Many},
    },
};

use crate::{email_change::EmailChange, input::Asked};

/// What came of a task, in one account or as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Finding {
    /// It has begun; whoever finds this and nothing else knows that it was killed.
    Begun,
    /// There is nothing to do.
    NothingToDo {
        /// What makes it unnecessary, as a sentence.
        why: String,
    },
    /// What would be done.
    Planned {
        /// The steps.
        steps: Vec<String>,
    },
    /// It waits for its turn, and goes on by itself.
    Waits {
        /// What for.
        why: String,
    },
    /// What was done.
    Done {
        /// The steps.
        steps: Vec<String>,
    },
    /// It was not even tried.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
    /// It could not be done, or nobody knows whether it was.
    Failed {
        /// What happened and what to do.
        #[serde(flatten)]
        failure: Failure,
    },
}

impl Finding {
    /// A failure.
    pub(crate) fn failed(failure: impl Into<Failure>) -> Self {
        Self::Failed { failure: failure.into() }
    }

    /// A step that would be taken, or was.
    pub(crate) fn step(mode: Mode, would: String, was: String) -> Self {
        match mode {
            Mode::Plan => Self::Planned { steps: vec![would] },
            Mode::Apply => Self::Done { steps: vec![was] },
        }
    }

    /// It was not even tried, for this reason.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }
}

/// Somebody has let Steward change the address, the name or a contact of an account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountUpdated {
    /// The invocation; CloudTrail and the function's log have it as well.
    pub invocation: String,
    /// What was asked for.
    pub task: &'static str,
    /// Why, in the words of whoever asked.
    pub reason: String,
    /// Who asked, as they say; CloudTrail knows who invoked the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The account; left out where it is about many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The change of domain that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The address before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_email: Option<String>,
    /// The address that it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub new_email: Option<Email>,
    /// The domain that addresses are changed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<EmailDomain>,
    /// The domain that they are changed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<EmailDomain>,
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub new_name: Option<AccountName>,
    /// Which contact; what it says is in no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_type: Option<&'static str>,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
}

impl AccountUpdated {
    /// A task that has begun.
    pub(crate) fn begun(invocation: &str, task: &'static str, asked: &Asked) -> Self {
        Self {
            invocation: invocation.to_owned(),
            task,
            reason: asked.reason.clone(),
            requested_by: asked.requested_by.clone(),
            account_id: None,
            account_name: None,
            run: None,
            old_email: None,
            new_email: None,
            from: None,
            to: None,
            new_name: None,
            contact_type: None,
            finding: Finding::Begun,
        }
    }

    /// The same about one account.
    pub(crate) fn about(self, account_id: &AccountId, account_name: &str) -> Self {
        Self { account_id: Some(account_id.clone()), account_name: Some(account_name.to_owned()), ..self }
    }

    /// A task about a change of an address; who does not say why has the reason of the change.
    pub(crate) fn of_change(invocation: &str, task: &'static str, asked: &Asked, change: &EmailChange) -> Self {
        let reason = if asked.reason.is_empty() { &change.reason } else { &asked.reason };
        let requested_by = asked.requested_by.as_ref().or(change.requested_by.as_ref());
        Self {
            reason: reason.clone(),
            requested_by: requested_by.cloned(),
            run: change.run.clone(),
            old_email: Some(change.old_email.clone()),
            new_email: Some(change.new_email.clone()),
            ..Self::begun(invocation, task, asked).about(&change.account_id, &change.account_name)
        }
    }

    /// The same with what came of it.
    pub(crate) fn ending(&self, finding: Finding) -> Self {
        Self { finding, ..self.clone() }
    }
}

impl Event for AccountUpdated {
    const TYPE: EventType = EventType::AccountUpdated;
}

impl Journaled for AccountUpdated {
    const KIND: Many = keys::ACCOUNT_UPDATE;

    fn invocation(&self) -> &str {
        &self.invocation
    }

    fn subject(&self) -> &str {
        self.account_id.as_ref().map_or("organization", |id| id.as_str())
    }
}

/// Changes of addresses wait for their codes, which end soon.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EmailChangesAbandoned {
    /// When they were looked at.
    pub at: Timestamp,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub changes: Vec<Abandoned>,
}

/// A change that waits for its code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Abandoned {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// The address that the change leads to.
    #[schemars(with = "String")]
    pub new_email: Email,
    /// When AWS takes the code no more.
    pub code_ends_at: Option<Timestamp>,
}

impl EmailChangesAbandoned {
    /// The most changes that one event names: it is not to grow with the organization.
    const NAMED: usize = 100;

    /// What is told of these.
    pub(crate) fn of(changes: &[EmailChange], at: Timestamp) -> Self {
        let named = changes.iter().take(Self::NAMED).map(|change| Abandoned {
            account_id: change.account_id.clone(),
            account_name: change.account_name.clone(),
            new_email: change.new_email.clone(),
            code_ends_at: change.code_ends_at(),
        });
        Self { at, count: changes.len(), changes: named.collect() }
    }
}

impl Event for EmailChangesAbandoned {
    const TYPE: EventType = EventType::EmailChangesAbandoned;
}
