//! Listing every account. AWS gives 20 accounts a page and eight pages a second, so that whatever else there is to do is done
//! while the next pages are on their way.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::future::{join, try_join};
use lambda_runtime::tracing;
use steward::{
    baseline::Document, clock, control::stack_instances::SetFacts, error::Failure, gateway::Account, ids::AccountId,
    organization::UnitNames, sweep::Listed, table::closures::Closure,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{AccountLister, batches::Batches, leaving};

/// How long requests leave the listing to a sweep: ten thousand accounts take a minute and a half.
const LISTED_WITHIN: Duration = Duration::from_mins(3);

/// The accounts of a page.
type Page = Vec<Account>;

/// Every account of the organization.
pub(crate) struct Accounts {
    /// As AWS has shown them.
    pub(crate) shown: Vec<Account>,
    /// As the sweep goes by them.
    pub(crate) listed: Vec<Listed>,
    /// What there is of the stack sets that the document names.
    pub(crate) stack_sets: Vec<SetFacts>,
}

impl AccountLister {
    /// Lists every account, and writes the batches as the pages come: what is found in accounts need not wait for the list.
    /// Where stack sets are deployed, the batches wait for all accounts: what is being deployed is said in them.
    pub(crate) async fn list(&self, document: &Document, batches: &mut Batches<'_>) -> Result<Accounts, Failure> {
        match self.index.spare_others(LISTED_WITHIN).await {
            Ok(true) => {}
            Ok(false) => tracing::info!("a request lists the accounts at the same time"),
            Err(error) => tracing::warn!("requests may list the accounts at the same time: {error}"),
        }
        let begun_at = clock::now();
        let (sender, pages) = unbounded_channel();
        let ((), (accounts, is_whole)) = try_join(self.read_pages(sender), self.take(pages, document, batches)).await?;
        // Requests look addresses up there. A sweep goes on without.
        if is_whole && let Err(error) = self.index.is_whole(begun_at).await {
            tracing::warn!("the index of accounts is not whole: {error}");
        }
        tracing::info!(accounts = accounts.listed.len(), batches = batches.count(), "every account is listed");
        Ok(accounts)
    }

    async fn read_pages(&self, pages: UnboundedSender<Page>) -> Result<(), Failure> {
        let mut next = None;
        loop {
            let page = self.organizations.accounts_page(next.as_deref()).await?;
            // Whoever takes them has failed, and says so.
            if pages.send(page.items).is_err() || page.next.is_none() {
                return Ok(());
            }
            next = page.next;
        }
    }

    /// What is done with the pages, and whether the index of accounts has all of them.
    async fn take(
        &self,
        mut pages: UnboundedReceiver<Page>,
        document: &Document,
        batches: &mut Batches<'_>,
    ) -> Result<(Accounts, bool), Failure> {
        let (stack_sets, leaving) = join(self.stack_sets.look(document), self.leaving()).await;
        let mut accounts = Accounts { shown: Vec::new(), listed: Vec::new(), stack_sets };
        let (mut names, mut seen, mut is_whole) = (UnitNames::default(), HashSet::new(), true);
        let holds = document.remediates("stack-instances");
        // What its groups reach depends on all accounts.
        let jump_account = document.access.as_ref().map(|access| &access.jump_account);
        let mut last = None;
        while let Some(mut page) = pages.recv().await {
            page.retain(|account| seen.insert(account.id.clone()));
            if is_whole && let Err(error) = self.index.record_all(&page).await {
                tracing::warn!("the index of accounts is not whole: {error}");
                is_whole = false;
            }
            names.learn(&self.organizations, &page).await;
            for account in &page {
                let mut one = Listed::of(account.clone(), names.path(account));
                let why = leaving::why(account, leaving.get(&account.id), self.suspended_unit.as_ref());
                one.not_checked = why.or(one.not_checked);
                if one.is_to_be_checked() && Some(&one.id) == jump_account {
                    last = Some(one.clone());
                } else if one.is_to_be_checked() {
                    batches.add(one.clone());
                }
                accounts.listed.push(one);
            }
            accounts.shown.append(&mut page);
            if !holds {
                batches.write_full(&accounts.stack_sets).await?;
            }
        }
        if let Some(account) = last {
            batches.add(account);
        }
        if !holds {
            batches.write_all(&accounts.stack_sets).await?;
        }
        Ok((accounts, is_whole))
    }

    /// The accounts that are being closed or were, as far as that is known. A sweep goes on without: an account in the unit
    /// for those that are to be closed is changed by nobody.
    async fn leaving(&self) -> BTreeMap<AccountId, Closure> {
        let mut found = BTreeMap::new();
        for queried in [self.closures.open().await, self.closures.closed().await] {
            match queried {
                Ok(queried) => {
                    found.extend(queried.items.into_iter().map(|closure| (closure.account_id.clone(), closure)));
                }
                Err(error) => tracing::warn!("which accounts are being closed is not known: {error}"),
            }
        }
        found
    }
}
