//! The addresses of many accounts, changed to another domain: planned and checked all at once, asked for one by one by a
//! queue.

use std::{collections::BTreeSet, time::Duration};

use steward::{
    clock,
    control::Mode,
    error::Failure,
    gateway::{Account, Queried},
    ids::{AccountId, OrganizationalUnitId},
    organization::{Selection, UnitPaths},
    unit_reference::OrganizationalUnitReference,
};

use crate::{
    addresses::{Known, Plan, PlanRow, plan},
    email_change::EmailChange,
    event::{AccountUpdated, Finding},
    input::DomainChange,
    report::{Report, Row, Rows},
    updates::{Message, Run, Updates},
    visits::visit,
};

/// How many changes are written down at once.
const AT_ONCE: usize = 8;

/// The accounts that are meant.
enum Meant {
    These(BTreeSet<AccountId>),
    Within(OrganizationalUnitId),
    All,
}

impl Meant {
    fn has(&self, account: &Account) -> bool {
        match self {
            Self::These(ids) => ids.contains(&account.id),
            Self::Within(unit) => account.units.contains(unit),
            Self::All => true,
        }
    }
}

impl PlanRow {
    /// The columns of a sheet.
    pub(crate) const HEAD: [&str; 6] = ["account_id", "account_name", "old_email", "new_email", "outcome", "why"];

    /// Its row of a sheet.
    pub(crate) fn sheet(&self) -> Vec<String> {
        let (email, outcome, why) = match &self.plan {
            Plan::Planned { new_email } => (new_email.to_string(), "planned", String::new()),
            Plan::UnderWay { new_email } => (new_email.to_string(), "under_way", String::new()),
            Plan::Skipped { why } => (String::new(), "skipped", why.clone()),
            Plan::Refused { why } => (String::new(), "refused", why.clone()),
        };
        let id = self.account_id.to_string();
        vec![id, self.account_name.clone(), self.old_email.clone(), email, outcome.to_owned(), why]
    }
}

impl Updates {
    /// Plans every new address, and puts the changes into the queue where that is wanted and nothing speaks against any.
    pub(crate) async fn change_domain(
        &self,
        selection: &Selection,
        change: &DomainChange,
        units: &UnitPaths,
        run: &Run<'_>,
    ) -> Result<Report, Failure> {
        let organizations = &self.guard.organizations;
        let meant = match selection {
            Selection::Accounts(ids) => Meant::These(ids.iter().cloned().collect()),
            Selection::All => Meant::All,
            Selection::Unit(OrganizationalUnitReference::Id(id)) => Meant::Within(id.clone()),
            Selection::Unit(OrganizationalUnitReference::Path(names)) => {
                Meant::Within(units.find(organizations, names).await?)
            }
        };
        let accounts = organizations.list_accounts().await?;
        let Queried { items: under_way, unreadable } = self.changes.open().await?;
        let own = self.guard.sessions.own_account().await?;
        let known = Known { accounts: &accounts, own, under_way: &under_way };
        let mut rows = plan(change, |account| meant.has(account), &known);
        if let Meant::These(ids) = &meant {
            rows.extend(strangers(ids, &accounts));
        }
        for row in &mut rows {
            if matches!(row.plan, Plan::Planned { .. }) && run.protected.accounts.contains(&row.account_id) {
                row.plan = Plan::Refused { why: "The account is protected by the baseline document.".to_owned() };
            }
        }
        let refused = rows.iter().filter(|row| matches!(row.plan, Plan::Refused { .. })).count();
        if run.mode == Mode::Plan || refused > 0 {
            let finding = (run.mode == Mode::Apply).then(|| {
                let why = format!(
                    "{refused} addresses are refused: nothing was begun. Correct them, or leave the accounts out."
                );
                Finding::Refused { why }
            });
            if let Some(finding) = &finding {
                self.journal.end(&begun(change, run).ending(finding.clone())).await?;
            }
            return Ok(Report { finding, unreadable, ..Report::new(run.task, run.mode, Rows::Plans(rows)) });
        }
        self.guard.allow_changes().await?;
        let event = begun(change, run);
        self.journal.begin(&event).await?;
        let rows = rows.iter().map(|row| (row.account_id.clone(), row));
        let enqueue = async |row: &PlanRow| {
            let finding = self.enqueue(row, run).await.unwrap_or_else(Finding::failed);
            Ok(Row { account_id: row.account_id.clone(), account_name: Some(row.account_name.clone()), finding })
        };
        let (found, left) = visit(rows, AT_ONCE, enqueue).await?;
        let waiting = found.iter().filter(|row| matches!(row.finding, Finding::Waits { .. })).count();
        let steps = vec![format!("put {waiting} changes from {} to {} into the queue", change.from, change.to)];
        let finding = Finding::Done { steps };
        self.journal.end(&event.ending(finding.clone())).await?;
        let report = Report::new(run.task, run.mode, Rows::Found(found));
        Ok(Report { finding: Some(finding), left, unreadable, ..report })
    }

    /// Writes a planned change down and sends its message. One that waits already gets another message: the first may not
    /// have been sent.
    async fn enqueue(&self, row: &PlanRow, run: &Run<'_>) -> Result<Finding, Failure> {
        let new_email = match &row.plan {
            Plan::Planned { new_email } | Plan::UnderWay { new_email } => new_email,
            Plan::Skipped { why } | Plan::Refused { why } => return Ok(Finding::NothingToDo { why: why.clone() }),
        };
        let found = self.changes.find(&row.account_id).await?;
        let change = match found {
            Some(found) if found.is_open() => found,
            found => {
                let about = (row.account_id.clone(), row.account_name.clone(), row.old_email.clone());
                let id = Some(run.invocation.to_owned());
                let revision = found.map(|found| found.revision);
                let change = EmailChange::new(about, new_email.clone(), run.asked, id, revision, clock::now());
                self.changes.put(&change, clock::now()).await?;
                change
            }
        };
        match &change.run {
            Some(run) if change.is_waiting() => {
                let message = Message { account_id: change.account_id.clone(), run: run.clone() };
                self.queue.send(&message, Duration::ZERO).await?;
                Ok(Finding::Waits { why: change.words() })
            }
            _ => Ok(Finding::NothingToDo { why: change.words() }),
        }
    }
}

/// The accounts that somebody names and that are not there.
fn strangers(ids: &BTreeSet<AccountId>, accounts: &[Account]) -> Vec<PlanRow> {
    let known: BTreeSet<_> = accounts.iter().map(|account| &account.id).collect();
    let row = |id: &AccountId| PlanRow {
        account_id: id.clone(),
        account_name: String::new(),
        old_email: String::new(),
        plan: Plan::Refused { why: format!("Account {id} is not in this organization.") },
    };
    ids.iter().filter(|id| !known.contains(id)).map(row).collect()
}

fn begun(change: &DomainChange, run: &Run<'_>) -> AccountUpdated {
    let event = AccountUpdated::begun(run.invocation, run.task, run.asked);
    AccountUpdated {
        run: Some(run.invocation.to_owned()),
        from: Some(change.from.clone()),
        to: Some(change.to.clone()),
        ..event
    }
}
