//! What a person, or the schedule, asks for.

use std::{collections::BTreeMap, str::FromStr};

use serde_json::Value;
use steward::{
    baseline::Validate,
    closed_set::{ClosedSet, not_one_of},
    control::{Mode, alternate_contacts::Contact},
    error::Failure,
    gateway::{ContactKind, EmailCode},
    ids::{AccountId, AccountName, Email, EmailDomain, NotValid},
    input::{Fields, Line, refused},
    organization::Selection,
};
use strum::{EnumDiscriminants, EnumString, IntoStaticStr, VariantArray};

use crate::addresses::Pattern;

/// The most accounts that are named one by one.
const MOST: usize = 500;

/// What is asked for. It is shown by nothing: a task may hold a code.
pub(crate) struct Input {
    /// Whether anything is changed.
    pub(crate) mode: Mode,
    /// What is to be done, with its values.
    pub(crate) task: Task,
    /// Who asks, and why.
    pub(crate) asked: Asked,
    /// Whether the rows are kept as CSV in the stack's bucket of reports as well.
    pub(crate) csv: bool,
}

/// Who asks for something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Why, in the words of whoever asks.
    pub(crate) reason: String,
    /// Who, as they say; CloudTrail knows who invoked the function.
    pub(crate) requested_by: Option<String>,
}

/// What is to be done. A task goes by its name in the input, in events and in the journal.
#[derive(EnumDiscriminants)]
#[strum_discriminants(
    name(TaskName),
    derive(EnumString, IntoStaticStr, VariantArray),
    strum(serialize_all = "kebab-case", parse_err_ty = NotValid, parse_err_fn = not_one_of::<TaskName>),
    vis(pub(crate)),
    doc = "The name of a task."
)]
pub(crate) enum Task {
    /// AWS is asked to mail a code to a new address.
    StartEmailChange(AccountId, Email),
    /// Every change that is under way is shown.
    EmailChanges,
    /// AWS is given the code.
    AcceptEmailChange(AccountId, EmailCode),
    /// AWS is asked to mail another code to the same address.
    ResendEmailChange(AccountId),
    /// The record of a change is closed.
    ForgetEmailChange(AccountId),
    /// Changes are brought up to what AWS says of them; those that nobody ends are told.
    FollowEmailChanges,
    /// The addresses of many accounts are changed to another domain.
    ChangeEmailDomain(Selection, DomainChange),
    /// Accounts get other names.
    Rename(BTreeMap<AccountId, AccountName>),
    /// Contacts are shown.
    Contacts(Selection),
    /// One contact of these accounts is written.
    SetContact(Vec<AccountId>, ContactKind, Contact),
    /// One contact of these accounts is removed.
    DeleteContact(Vec<AccountId>, ContactKind),
    /// Regions are shown.
    Regions(Selection),
}

/// From which domain to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainChange {
    pub(crate) from: EmailDomain,
    pub(crate) to: EmailDomain,
    /// What the new addresses look like; None where what stands before the `@` stays.
    pub(crate) pattern: Option<Pattern>,
}

impl TaskName {
    /// Whether it changes anything, beside the table.
    fn changes(self) -> bool {
        match self {
            Self::Contacts | Self::EmailChanges | Self::Regions => false,
            Self::AcceptEmailChange
            | Self::ChangeEmailDomain
            | Self::DeleteContact
            | Self::FollowEmailChanges
            | Self::ForgetEmailChange
            | Self::Rename
            | Self::ResendEmailChange
            | Self::SetContact
            | Self::StartEmailChange => true,
        }
    }

    /// Whether its rows can be had as CSV.
    fn has_sheet(self) -> bool {
        matches!(self, Self::ChangeEmailDomain | Self::Contacts | Self::EmailChanges | Self::Regions)
    }
}

impl Task {
    /// What it is called in the input, in events and in the journal.
    pub(crate) fn name(&self) -> &'static str {
        TaskName::from(self).name()
    }

    /// Whether it only looks, whatever the mode.
    fn only_looks(&self) -> bool {
        !TaskName::from(self).changes()
    }
}

/// The kind of a contact, as somebody writes it: in small letters or, as AWS does, in capitals.
struct Kind(ContactKind);

impl FromStr for Kind {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let kind = ContactKind::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(text));
        kind.copied().map(Self).ok_or(NotValid::expected("billing, operations or security"))
    }
}

impl Input {
    /// Reads the input; an error names every problem at once. `domains` are those that addresses may be changed to. Nothing
    /// is changed unless that is said.
    pub(crate) fn read(input: Value, domains: &[EmailDomain]) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let task: Option<TaskName> = fields.required("task");
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        // Which other fields there may be depends on the task.
        let Some(name) = task else { return Err(refused(&fields.finish_known())) };
        let says_why = name.changes();
        let reason: Option<Line> = match name {
            _ if !says_why => None,
            // The schedule asks for the first, and the record knows why the second was begun.
            TaskName::FollowEmailChanges | TaskName::AcceptEmailChange => fields.optional("reason"),
            _ => fields.required("reason"),
        };
        let requested_by: Option<Line> = if says_why { fields.optional("requested_by") } else { None };
        let csv = if name.has_sheet() { fields.optional_bool("csv") == Some(true) } else { false };
        let task = read_task(name, domains, &mut fields);
        let problems = fields.finish();
        match task {
            Some(task) if problems.is_empty() => {
                let reason = reason.map(|words| words.0).unwrap_or_default();
                Ok(Self { mode, task, asked: Asked { reason, requested_by: requested_by.map(|words| words.0) }, csv })
            }
            _ => Err(refused(&problems)),
        }
    }

    /// Whether nothing is changed by it.
    pub(crate) fn only_looks(&self) -> bool {
        self.mode == Mode::Plan || self.task.only_looks()
    }
}

fn read_task(name: TaskName, domains: &[EmailDomain], fields: &mut Fields) -> Option<Task> {
    match name {
        TaskName::StartEmailChange => {
            let (account, email): (Option<AccountId>, Option<Email>) =
                (fields.required("account_id"), fields.required("new_email"));
            if let Some(email) = &email
                && !domains.iter().any(|domain| email.is_of(domain))
            {
                fields.note("new_email", format!("must be of a domain of the stack: {}", named(domains)));
            }
            Some(Task::StartEmailChange(account?, email?))
        }
        TaskName::AcceptEmailChange => {
            let (account, code) = (fields.required("account_id"), fields.required("otp"));
            Some(Task::AcceptEmailChange(account?, code?))
        }
        TaskName::ResendEmailChange => fields.required("account_id").map(Task::ResendEmailChange),
        TaskName::ForgetEmailChange => fields.required("account_id").map(Task::ForgetEmailChange),
        TaskName::EmailChanges => Some(Task::EmailChanges),
        TaskName::FollowEmailChanges => Some(Task::FollowEmailChanges),
        TaskName::ChangeEmailDomain => {
            let (change, selection) = (domain_change(domains, fields), Selection::read(fields));
            Some(Task::ChangeEmailDomain(selection?, change?))
        }
        TaskName::Rename => Some(rename(fields)),
        TaskName::Contacts => Selection::read(fields).map(Task::Contacts),
        TaskName::Regions => Selection::read(fields).map(Task::Regions),
        TaskName::SetContact => {
            let (accounts, kind): (_, Option<Kind>) = (accounts(fields), fields.required("contact_type"));
            let contact: Option<Contact> = fields.optional_object("contact");
            match &contact {
                Some(contact) => {
                    contact
                        .problems("contact")
                        .into_iter()
                        .for_each(|problem| fields.note(&problem.path, problem.problem));
                }
                None if !fields.has_problem("contact") => fields.note("contact", "is missing"),
                None => {}
            }
            Some(Task::SetContact(accounts?, kind?.0, contact?))
        }
        TaskName::DeleteContact => {
            let (accounts, kind): (_, Option<Kind>) = (accounts(fields), fields.required("contact_type"));
            Some(Task::DeleteContact(accounts?, kind?.0))
        }
    }
}

fn domain_change(domains: &[EmailDomain], fields: &mut Fields) -> Option<DomainChange> {
    let (from, to): (Option<EmailDomain>, Option<EmailDomain>) = (fields.required("from"), fields.required("to"));
    let pattern: Option<Pattern> = fields.optional("pattern");
    if let Some(to) = &to {
        if !domains.contains(to) {
            fields.note("to", format!("must be a domain of the stack: {}", named(domains)));
        }
        if from.as_ref() == Some(to) && pattern.is_none() {
            fields.note("to", "must be another domain than from, unless there is a pattern");
        }
        if pattern.as_ref().is_some_and(|pattern| !pattern.is_of(to)) {
            fields.note("pattern", format!("must end in @{to}"));
        }
    }
    Some(DomainChange { from: from?, to: to?, pattern })
}

fn rename(fields: &mut Fields) -> Task {
    let (one, many) = (fields.is_given("account_id") || fields.is_given("new_name"), fields.is_given("names"));
    if one == many {
        fields.note("$", "must have either account_id with new_name, or names");
    }
    let mut names: BTreeMap<AccountId, AccountName> = fields.optional_map("names").unwrap_or_default();
    if many && names.is_empty() {
        fields.note("names", "must name an account and its new name at least");
    }
    if one || !many {
        let (account, name) = (fields.optional("account_id"), fields.optional("new_name"));
        match (account, name) {
            (Some(account), Some(name)) => drop(names.insert(account, name)),
            (account, name) => {
                for (is_there, field) in [(account.is_some(), "account_id"), (name.is_some(), "new_name")] {
                    if one && !is_there && !fields.has_problem(field) {
                        fields.note(field, "is missing");
                    }
                }
            }
        }
    }
    if names.len() > MOST {
        fields.note("names", format!("has {}; at most {MOST} are taken at once", names.len()));
    }
    let mut seen: BTreeMap<&str, &AccountId> = BTreeMap::new();
    let mut notes = Vec::new();
    for (account, name) in &names {
        // CreateAccount takes these two, PutAccountName does not (Account Management API reference).
        if name.as_str().contains(['<', '>']) {
            notes.push((account, "must not have < or >: AWS takes neither in a new name".to_owned()));
        }
        if let Some(first) = seen.insert(name.as_str(), account) {
            notes.push((account, format!("must be another name than that of {first}")));
        }
    }
    for (account, note) in notes {
        fields.note(&if many { format!("names.{account}") } else { "new_name".to_owned() }, note);
    }
    Task::Rename(names)
}

fn accounts(fields: &mut Fields) -> Option<Vec<AccountId>> {
    let accounts: Option<Vec<AccountId>> = fields.optional_list("account_ids");
    match &accounts {
        None if !fields.has_problem("account_ids") => fields.note("account_ids", "is missing"),
        Some(accounts) if accounts.is_empty() => fields.note("account_ids", "must have an account id at least"),
        Some(accounts) if accounts.len() > MOST => {
            fields.note("account_ids", format!("has {}; at most {MOST} are taken at once", accounts.len()));
        }
        _ => {}
    }
    for (position, account) in accounts.iter().flatten().enumerate() {
        if accounts.iter().flatten().take(position).any(|other| other == account) {
            fields.note(&format!("account_ids[{position}]"), "is in the list twice");
        }
    }
    accounts
}

fn named(domains: &[EmailDomain]) -> String {
    if domains.is_empty() {
        return "its parameter EmailDomains names none".to_owned();
    }
    domains.iter().map(EmailDomain::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
