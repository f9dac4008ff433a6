//! Other names for accounts.

use std::collections::BTreeMap;

use steward::{
    control::Mode,
    error::Failure,
    gateway::Account,
    ids::{AccountId, AccountName},
    organization::Target,
};

use crate::{
    event::{AccountUpdated, Finding},
    guard::Admitted,
    report::{Report, Row, Rows},
    updates::{Run, Updates},
    visits::visit,
};

/// How many accounts are worked on at once.
const AT_ONCE: usize = 4;

impl Updates {
    /// Gives accounts other names, as far as no account of the organization has them.
    pub(crate) async fn rename(
        &self,
        names: &BTreeMap<AccountId, AccountName>,
        run: &Run<'_>,
    ) -> Result<Report, Failure> {
        let names = names.iter().map(|(id, name)| (id.clone(), (id, name)));
        let (rows, left) = visit(names, AT_ONCE, async |(id, name)| self.rename_one(id, name, run).await).await?;
        let done = rows.len();
        Ok(Report::new(run.task, run.mode, Rows::Found(rows)).leaving(done, left))
    }

    /// One account. A failure to keep the record ends the run: nothing is done that is not kept.
    async fn rename_one(&self, id: &AccountId, name: &AccountName, run: &Run<'_>) -> Result<Row, Failure> {
        let admitted = self.guard.look_at_member(Target::Id(id.clone()), run.mode, run.protected).await;
        let (event, finding) = match admitted {
            Ok(admitted) => {
                let event = AccountUpdated::begun(run.invocation, run.task, run.asked);
                let event = event.about(id, &admitted.account.name);
                let event = AccountUpdated { new_name: Some(name.clone()), ..event };
                let finding = self.give_name(admitted, name, run, &event).await?;
                (event, finding)
            }
            Err(finding) => {
                let event = AccountUpdated::begun(run.invocation, run.task, run.asked);
                (AccountUpdated { account_id: Some(id.clone()), new_name: Some(name.clone()), ..event }, finding)
            }
        };
        if run.mode == Mode::Apply {
            self.journal.end(&event.ending(finding.clone())).await?;
        }
        Ok(Row { account_id: id.clone(), account_name: event.account_name, finding })
    }

    async fn give_name(
        &self,
        admitted: Admitted,
        name: &AccountName,
        run: &Run<'_>,
        event: &AccountUpdated,
    ) -> Result<Finding, Failure> {
        let Admitted { account, target, .. } = admitted;
        // Organizations shows for a while what it was called before: that it has the name is asked where names are kept.
        let has_name = account.name == name.as_str()
            && match self.accounts.account_name(&target).await {
                Ok(present) => present == name.as_str(),
                Err(error) => return Ok(Finding::failed(error)),
            };
        if has_name {
            return Ok(Finding::NothingToDo { why: format!("{name} is the name of the account.") });
        }
        match self.namesake(name, &account).await {
            Ok(None) => {}
            Ok(Some(other)) => return Ok(Finding::refused(format!("{name} is the name of {other}."))),
            Err(failure) => return Ok(Finding::failed(failure)),
        }
        if run.mode == Mode::Plan {
            return Ok(Finding::Planned { steps: vec![format!("rename {} to {name}", account.name)] });
        }
        self.journal.begin(event).await?;
        match self.accounts.put_account_name(&target, name).await {
            Ok(()) => {
                let steps = vec![format!("renamed {} to {name}", account.name)];
                self.index.record(&Account { name: name.to_string(), ..account }).await;
                Ok(Finding::Done { steps })
            }
            Err(error) => Ok(Finding::failed(error)),
        }
    }

    /// Which other account of the organization has this name: the index is a hint, AWS is asked.
    async fn namesake(&self, name: &AccountName, account: &Account) -> Result<Option<AccountId>, Failure> {
        let Some(entry) = self.index.by_name(name.as_str(), None).await? else { return Ok(None) };
        if entry.account_id == account.id {
            return Ok(None);
        }
        let found = self.guard.organizations.find_account(&entry.account_id).await?;
        Ok(found.filter(|other| other.name == name.as_str()).map(|other| other.id))
    }
}
