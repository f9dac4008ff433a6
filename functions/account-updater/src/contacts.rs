//! Contacts of accounts as they are, and one contact written or removed. What they say is in answers and sheets, and in no
//! log, event or table.

use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::{Map, Value, json};
use steward::{
    control::{Mode, alternate_contacts::Contact},
    error::Failure,
    gateway::{AccountTarget, AlternateContact, CallError, ContactInformation, ContactKind},
    ids::AccountId,
    organization::{Selection, Target, UnitPaths},
};

use crate::{
    event::{AccountUpdated, Finding},
    guard::Admitted,
    report::{Report, Row, Rows},
    updates::{Run, Updates},
    visits::visit,
};

/// How many accounts are worked on at once: each call waits for its turn.
const AT_ONCE: usize = 4;
/// The alternate contacts, in the order of a sheet.
const KINDS: [(ContactKind, &str); 3] =
    [(ContactKind::Billing, "billing"), (ContactKind::Operations, "operations"), (ContactKind::Security, "security")];

/// The contacts of one account.
#[derive(Debug, Serialize)]
pub(crate) struct ContactsRow {
    pub(crate) account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_name: Option<String>,
    /// Its contacts, or why they are not seen.
    #[serde(flatten)]
    pub(crate) seen: Seen<Contacts>,
}

/// Something of an account, or why it is not seen.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Seen<T> {
    /// As it is.
    Yes(T),
    /// Why not.
    No(Finding),
}

/// The contacts of an account; null where there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Contacts {
    primary: Value,
    billing: Value,
    operations: Value,
    security: Value,
}

impl ContactsRow {
    /// The columns of a sheet.
    pub(crate) fn head() -> Vec<String> {
        let primary = PRIMARY.iter().map(|field| format!("primary_{field}"));
        let alternate = KINDS.iter().flat_map(|(_, kind)| ALTERNATE.iter().map(move |field| format!("{kind}_{field}")));
        let first = ["account_id", "account_name", "outcome"].map(ToOwned::to_owned);
        first.into_iter().chain(primary).chain(alternate).collect()
    }

    /// Its row of a sheet.
    pub(crate) fn sheet(&self) -> Vec<String> {
        let name = self.account_name.clone().unwrap_or_default();
        let (outcome, contacts) = match &self.seen {
            Seen::Yes(contacts) => ("seen".to_owned(), Some(contacts)),
            Seen::No(Finding::Refused { why }) => (format!("refused: {why}"), None),
            Seen::No(Finding::Failed { failure }) => (format!("failed: {}", failure.message), None),
            Seen::No(_) => ("not seen".to_owned(), None),
        };
        let texts = |contact: Option<&Value>, fields: &[&str]| -> Vec<String> {
            let text =
                |field: &&str| contact.and_then(|contact| contact[*field].as_str()).unwrap_or_default().to_owned();
            fields.iter().map(text).collect()
        };
        let mut row = vec![self.account_id.to_string(), name, outcome];
        row.extend(texts(contacts.map(|contacts| &contacts.primary), &PRIMARY));
        for alternate in [
            contacts.map(|contacts| &contacts.billing),
            contacts.map(|contacts| &contacts.operations),
            contacts.map(|contacts| &contacts.security),
        ] {
            row.extend(texts(alternate, &ALTERNATE));
        }
        row
    }
}

/// The fields of a primary contact.
const PRIMARY: [&str; 12] = [
    "full_name",
    "company_name",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "city",
    "district_or_county",
    "state_or_region",
    "postal_code",
    "country_code",
    "phone_number",
    "website_url",
];
/// The fields of an alternate contact, as the baseline document has them.
const ALTERNATE: [&str; 4] = ["name", "title", "email", "phone"];

fn primary(contact: ContactInformation) -> Value {
    let texts = [
        Some(contact.full_name),
        contact.company_name,
        Some(contact.address_line_1),
        contact.address_line_2,
        contact.address_line_3,
        Some(contact.city),
        contact.district_or_county,
        contact.state_or_region,
        Some(contact.postal_code),
        Some(contact.country_code),
        Some(contact.phone_number),
        contact.website_url,
    ];
    let given = PRIMARY.into_iter().zip(texts).filter_map(|(field, text)| Some((field.to_owned(), text?.into())));
    Value::Object(given.collect::<Map<_, _>>())
}

fn alternate(contact: &AlternateContact) -> Value {
    json!({"name": contact.name, "title": contact.title, "email": contact.email, "phone": contact.phone})
}

impl Updates {
    /// Shows the contacts of the accounts that are meant.
    pub(crate) async fn contacts(
        &self,
        meant: &Selection,
        units: &UnitPaths,
        run: &Run<'_>,
    ) -> Result<Report, Failure> {
        let see = async |target: AccountTarget| {
            let kinds = KINDS.map(|(kind, _)| self.accounts.find_alternate_contact(&target, kind));
            let alternates = try_join_all(kinds).await?;
            let mut alternates = alternates.iter().map(|contact| contact.as_ref().map_or(Value::Null, alternate));
            let mut next = || alternates.next().unwrap_or_default();
            Ok::<_, CallError>(Contacts {
                billing: next(),
                operations: next(),
                security: next(),
                primary: self.accounts.find_contact_information(&target).await?.map_or(Value::Null, primary),
            })
        };
        let (rows, left) = self.see(meant, units, run, see).await?;
        let done = rows.len();
        let row = |(account_id, account_name, seen)| ContactsRow { account_id, account_name, seen };
        let rows = Rows::Contacts(rows.into_iter().map(row).collect());
        Ok(Report::new(run.task, run.mode, rows).leaving(done, left))
    }

    /// Looks at something of each account that is meant: account by account, with its name, and those that there was no time
    /// for.
    pub(crate) async fn see<T>(
        &self,
        meant: &Selection,
        units: &UnitPaths,
        run: &Run<'_>,
        see: impl AsyncFn(AccountTarget) -> Result<T, CallError>,
    ) -> Result<(Vec<(AccountId, Option<String>, Seen<T>)>, Vec<AccountId>), Failure> {
        let targets = meant.targets(&self.guard.organizations, units).await?;
        let targets = targets.into_iter().map(|target| (target.id().clone(), target));
        visit(targets, AT_ONCE, async |target: Target| {
            let id = target.id().clone();
            let (name, seen) = match self.guard.look(target, Mode::Plan, run.protected).await {
                Ok(Admitted { account, target, .. }) => {
                    let seen = see(target).await.map_or_else(|error| Seen::No(Finding::failed(error)), Seen::Yes);
                    (Some(account.name), seen)
                }
                Err(finding) => (None, Seen::No(finding)),
            };
            Ok((id, name, seen))
        })
        .await
    }

    /// Writes one contact of each of these accounts, or removes it.
    pub(crate) async fn keep_contact(
        &self,
        accounts: &[AccountId],
        kind: ContactKind,
        wanted: Option<&Contact>,
        run: &Run<'_>,
    ) -> Result<Report, Failure> {
        let wanted = wanted.map(|contact| AlternateContact {
            name: contact.name.clone(),
            title: contact.title.clone(),
            email: contact.email.clone(),
            phone: contact.phone.clone(),
        });
        let accounts = accounts.iter().map(|id| (id.clone(), id));
        let keep = async |id| self.keep_one(id, kind, wanted.as_ref(), run).await;
        let (rows, left) = visit(accounts, AT_ONCE, keep).await?;
        let done = rows.len();
        Ok(Report::new(run.task, run.mode, Rows::Found(rows)).leaving(done, left))
    }

    async fn keep_one(
        &self,
        id: &AccountId,
        kind: ContactKind,
        wanted: Option<&AlternateContact>,
        run: &Run<'_>,
    ) -> Result<Row, Failure> {
        let word = KINDS.iter().find(|(known, _)| *known == kind).map(|(_, word)| *word);
        let event = AccountUpdated::begun(run.invocation, run.task, run.asked);
        let event = AccountUpdated { account_id: Some(id.clone()), contact_type: word, ..event };
        let (name, finding) = match self.guard.look_at_member(Target::Id(id.clone()), run.mode, run.protected).await {
            Ok(Admitted { account, target, .. }) => {
                let event = AccountUpdated { account_name: Some(account.name.clone()), ..event.clone() };
                (Some(account.name), self.put_contact(&target, kind, wanted, run, &event).await?)
            }
            Err(finding) => (None, finding),
        };
        if run.mode == Mode::Apply {
            let event = AccountUpdated { account_name: name.clone(), ..event };
            self.journal.end(&event.ending(finding.clone())).await?;
        }
        Ok(Row { account_id: id.clone(), account_name: name, finding })
    }

    async fn put_contact(
        &self,
        target: &AccountTarget,
        kind: ContactKind,
        wanted: Option<&AlternateContact>,
        run: &Run<'_>,
        event: &AccountUpdated,
    ) -> Result<Finding, Failure> {
        let present = match self.accounts.find_alternate_contact(target, kind).await {
            Ok(present) => present,
            Err(error) => return Ok(Finding::failed(error)),
        };
        let word = event.contact_type.unwrap_or_default();
        if present.as_ref() == wanted {
            return Ok(Finding::NothingToDo { why: format!("The {word} contact is so already.") });
        }
        let (would, was) = match (wanted, present) {
            (None, _) => ("remove", "removed"),
            (Some(_), None) => ("set", "set"),
            (Some(_), Some(_)) => ("replace", "replaced"),
        };
        let finding =
            Finding::step(run.mode, format!("{would} the {word} contact"), format!("{was} the {word} contact"));
        if run.mode == Mode::Plan {
            return Ok(finding);
        }
        self.journal.begin(event).await?;
        let answer = match wanted {
            Some(contact) => self.accounts.put_alternate_contact(target, kind, contact).await,
            None => self.accounts.delete_alternate_contact(target, kind).await,
        };
        Ok(answer.map_or_else(Finding::failed, |()| finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_of_contacts_has_as_many_cells_as_columns_whatever_is_seen() {
        let contact = AlternateContact {
            name: "N".to_owned(),
            title: "T".to_owned(),
            email: "n@example.com".to_owned(),
            phone: "1".to_owned(),
        };
        let full_name = ContactInformation { full_name: "Jane Roe".to_owned(), ..ContactInformation::default() };
        let seen = Contacts {
            primary: primary(full_name),
            billing: Value::Null,
            operations: Value::Null,
            security: alternate(&contact),
        };
        let row = |seen| ContactsRow { account_id: "222222222222".parse().unwrap(), account_name: None, seen };
        let cells = row(Seen::Yes(seen)).sheet();
        assert_eq!(
            (cells.len(), &cells[3], &cells[23..]),
            (27, &"Jane Roe".to_owned(), &["N", "T", "n@example.com", "1"].map(ToOwned::to_owned)[..])
        );
        let unseen = row(Seen::No(Finding::refused("closed"))).sheet();
        assert_eq!((unseen.len(), unseen[2].as_str(), ContactsRow::head().len()), (27, "refused: closed", 27));
    }
}
