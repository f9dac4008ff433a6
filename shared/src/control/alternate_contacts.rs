//! # alternate-contacts
//!
//! **What it does.** Keeps the alternate contacts of the account for billing, operations and security.
//!
//! **Why.** AWS writes to the primary e-mail address and to these. A security finding that reaches a mailbox nobody
//! reads is a finding nobody has.
//!
//! **Desired state.** `billing`, `operations` and `security`, each with `name`, `title`, `email` and `phone`, and each
//! optional. A contact that is left out is left alone; with `prune: true` it must not exist.
//!
//! **Calls.** A compliant account costs one `GetAlternateContact` per contact that the section says something about, in a
//! session of its access role: AWS counts the call for the account that makes it. Where there is no such session, or a
//! service control policy denies the read, it is made from the management account, and the row says so. Contacts are
//! always written from there, which no service control policy binds.
//!
//! **Source.** `GetAlternateContact` answers `ResourceNotFoundException` for a contact that is not set; both changes
//! are idempotent (AWS Account Management API reference). A call without an account id is about the caller's own account
//! and needs nothing else (AWS Account Management reference guide, "Understanding API modes of operation"); members are
//! reached from the management account once trusted access for `account.amazonaws.com` is on.

use std::fmt;

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountScope, AccountView, Control};
use crate::{
    baseline::{Baseline, Findings, Validate},
    closed_set::ClosedSet,
    gateway::{AlternateContact, CallError, ContactKind},
    input::{Problem, inner},
};

/// The `alternate-contacts` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlternateContacts {
    /// Who is asked about invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Contact>,
    /// Who is asked about the running of services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Contact>,
    /// Who is asked about security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Contact>,
    /// Whether a contact that is left out must not exist.
    #[serde(default)]
    pub prune: bool,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Who it is: 1 to 64 characters.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What they are: 1 to 50 characters.
    #[schemars(length(min = 1, max = 50))]
    pub title: String,
    /// Their e-mail address.
    pub email: String,
    /// Their phone number: 1 to 25 digits, spaces or any of `+ - ( )`.
    #[schemars(length(min = 1, max = 25))]
    pub phone: String,
}

impl Validate for AlternateContacts {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        let contacts = [("billing", &self.billing), ("operations", &self.operations), ("security", &self.security)];
        for (kind, contact) in contacts {
            if let Some(contact) = contact {
                findings.extend(contact.problems(&inner(path, kind)));
            }
        }
        findings.into_problems()
    }
}

impl Validate for Contact {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.length("name", &self.name, 1..=64);
        findings.length("title", &self.title, 1..=50);
        findings.expect("email", is_email(&self.email), "must be an address that AWS takes, such as name@example.com");
        findings.expect(
            "phone",
            (1..=25).contains(&self.phone.len())
                && self.phone.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_whitespace() || b"()+-".contains(&b)),
            "must be 1 to 25 digits, spaces or any of + - ( )",
        );
        findings.into_problems()
    }
}

/// The grammar of `PutAlternateContact`, which takes other addresses than `CreateAccount`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_local = |b: u8| is_word(b) || b"+=.#|!&-".contains(&b);
    let is_domain = |b: u8| is_word(b) || b == b'.' || b == b'-';
    let is_top = |top: &str| !top.is_empty() && top.bytes().all(is_word);
    text.len() <= 254
        && !local.is_empty()
        && local.bytes().all(is_local)
        && domain.bytes().all(is_domain)
        && domain.rsplit_once('.').is_some_and(|(rest, top)| !rest.is_empty() && is_top(top))
}

impl From<&Contact> for AlternateContact {
    fn from(Contact { name, title, email, phone }: &Contact) -> Self {
        Self { name: name.clone(), title: title.clone(), email: email.clone(), phone: phone.clone() }
    }
}

impl AlternateContacts {
    /// The contacts that the section says something about, in a fixed order; None for one that must not exist.
    fn rules(&self) -> impl Iterator<Item = (ContactKind, Option<&Contact>)> {
        let contacts = [
            (ContactKind::Billing, self.billing.as_ref()),
            (ContactKind::Operations, self.operations.as_ref()),
            (ContactKind::Security, self.security.as_ref()),
        ];
        contacts.into_iter().filter(|(_, contact)| self.prune || contact.is_some())
    }
}

/// What is there, of each contact that the section says something about.
pub type Actual = Vec<(ContactKind, Option<AlternateContact>)>;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write a contact.
    Put {
        /// Which.
        kind: ContactKind,
        /// The contact as it will be.
        contact: AlternateContact,
        /// The fields in which it differs now; None when there is none.
        differs: Option<Vec<&'static str>>,
    },
    /// Remove a contact.
    Delete {
        /// Which.
        kind: ContactKind,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { kind, differs: None, .. } => write!(f, "set the {} contact", kind.name()),
            Self::Put { kind, differs: Some(fields), .. } => {
                write!(f, "correct the {} contact: {}", kind.name(), fields.join(", "))
            }
            Self::Delete { kind } => write!(f, "remove the {} contact", kind.name()),
        }
    }
}

/// The control `alternate-contacts`.
#[derive(Clone, Copy, Debug)]
pub struct AlternateContactsControl;

impl Control for AlternateContactsControl {
    const ID: &'static str = "alternate-contacts";
    const READS: &'static [&'static str] = &["account:GetAlternateContact"];
    const WRITES: &'static [&'static str] = &["account:DeleteAlternateContact", "account:PutAlternateContact"];
    type Scope = AccountScope;
    type Desired = AlternateContacts;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&AlternateContacts> {
        baseline.alternate_contacts.as_ref()
    }

    async fn inspect(&self, scope: &AccountScope, desired: &AlternateContacts) -> Result<Actual, CallError> {
        let AccountView { gateway, target } = &scope.reads;
        let find = async |kind| Ok((kind, gateway.find_alternate_contact(target, kind).await?));
        try_join_all(desired.rules().map(|(kind, _)| find(kind))).await
    }

    fn plan(&self, _scope: &AccountScope, desired: &AlternateContacts, actual: &Actual) -> Vec<Change> {
        plan(desired, actual)
    }

    async fn apply(&self, scope: &AccountScope, change: &Change) -> Result<(), CallError> {
        let AccountView { gateway, target } = &scope.writes;
        match change {
            Change::Put { kind, contact, .. } => gateway.put_alternate_contact(target, *kind, contact).await,
            Change::Delete { kind } => gateway.delete_alternate_contact(target, *kind).await,
        }
    }

    fn are_concurrent(&self, _one: &Change, _next: &Change) -> bool {
        true
    }
}

fn plan(desired: &AlternateContacts, actual: &Actual) -> Vec<Change> {
    let change = |(kind, wanted): (ContactKind, Option<&Contact>)| {
        let present = actual.iter().find(|(of, _)| *of == kind).and_then(|(_, contact)| contact.as_ref());
        let Some(contact) = wanted.map(AlternateContact::from) else {
            return present.map(|_| Change::Delete { kind });
        };
        let differs = present.map(|present| differences(present, &contact));
        match differs {
            Some(fields) if fields.is_empty() => None,
            differs => Some(Change::Put { kind, contact, differs }),
        }
    };
    desired.rules().filter_map(change).collect()
}

/// The names of the fields that differ. Their values are about persons and stay out of answers and logs.
fn differences(present: &AlternateContact, wanted: &AlternateContact) -> Vec<&'static str> {
    [
        ("name", present.name == wanted.name),
        ("title", present.title == wanted.title),
        ("email", present.email == wanted.email),
        ("phone", present.phone == wanted.phone),
    ]
    .into_iter()
    .filter_map(|(field, same)| (!same).then_some(field))
    .collect()
}

#[cfg(test)]
mod tests;
