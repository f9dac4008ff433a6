//! What has to be known of the organization before a request is admitted. Nothing here lists it for one request.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use steward::{
    account_creation::{Known, Request, State, Store},
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, OrganizationsGateway},
    ids::{AccountName, Email, OrganizationalUnitId},
    organization::UnitPaths,
    table::account_index::{AccountIndex, WholeSince},
    unit_reference::OrganizationalUnitReference,
};
use tokio::{sync::Mutex, time::Instant};

/// How long a unit that was found by its id is believed to exist. AWS allows two looks in a second for everybody.
const BELIEVED: Duration = Duration::from_mins(5);

/// The organization, as far as requests need to know it.
#[derive(Debug)]
pub(crate) struct Survey {
    organizations: OrganizationsGateway,
    index: AccountIndex,
    paths: UnitPaths,
    units: Mutex<HashMap<OrganizationalUnitId, Instant>>,
}

/// What is known, with what is no reason to refuse.
pub(crate) struct Surveyed {
    pub(crate) known: Known,
    pub(crate) notes: Vec<String>,
}

impl Survey {
    pub(crate) fn of(organizations: OrganizationsGateway, table: DynamoDbGateway) -> Self {
        Self { organizations, index: AccountIndex::new(table), paths: UnitPaths::default(), units: Mutex::default() }
    }

    /// A failure where there is no organization, in which alone an account can be made.
    pub(crate) fn expect_organization(&self) -> Result<(), Failure> {
        self.organizations.expect_organization()
    }

    /// The unit that a person has named: `Some(None)` when nobody named one, `None` when there is none of that name.
    /// What was found once serves all who ask within some minutes.
    pub(crate) async fn find_unit(
        &self,
        reference: Option<&OrganizationalUnitReference>,
    ) -> Result<Option<Option<OrganizationalUnitId>>, Failure> {
        let found = match reference {
            None => return Ok(Some(None)),
            Some(OrganizationalUnitReference::Id(id)) if id.is_root() => {
                let root = self.paths.find(&self.organizations, &[]).await?;
                (root == *id).then_some(root)
            }
            Some(OrganizationalUnitReference::Id(id)) => self.find_by_id(id).await?,
            Some(OrganizationalUnitReference::Path(names)) => match self.paths.find(&self.organizations, names).await {
                Err(error) if error.cause == Cause::OrganizationalUnitNotFound => None,
                walked => Some(walked?),
            },
        };
        Ok(found.map(Some))
    }

    async fn find_by_id(&self, id: &OrganizationalUnitId) -> Result<Option<OrganizationalUnitId>, Failure> {
        // The lock is held on the way, so that requests for one unit look at it once.
        let mut known = self.units.lock().await;
        if known.get(id).is_some_and(|found_at| found_at.elapsed() < BELIEVED) {
            return Ok(Some(id.clone()));
        }
        let found = self.organizations.find_organizational_unit(id).await?;
        if found.is_some() {
            known.insert(id.clone(), Instant::now());
        }
        Ok(found.map(|unit| unit.id))
    }

    /// The index of accounts, made whole until `until` if it is not. None when that takes longer: whoever comes next goes
    /// on with it.
    pub(crate) async fn index(&self, now: Timestamp, until: Instant) -> Result<Option<WholeSince>, Failure> {
        if let Some(since) = self.index.whole_since(now).await? {
            return Ok(Some(since));
        }
        let budget = until.saturating_duration_since(Instant::now());
        if budget.is_zero() { Ok(None) } else { Ok(self.index.refresh(&self.organizations, budget).await?) }
    }

    /// What is known about a spec. What the index says of its address is asked for at AWS before it counts: one call.
    pub(crate) async fn look(
        &self,
        store: &Store,
        (email, name): (&Email, &AccountName),
        earlier: Option<Request>,
        since: WholeSince,
        now: Timestamp,
    ) -> Result<Surveyed, Failure> {
        if earlier.as_ref().is_some_and(|request| !request.state.is_final()) {
            // A request that is under way is decided by its own record.
            return Ok(Surveyed { known: Known { earlier, ..Known::default() }, notes: Vec::new() });
        }
        let recorded = earlier.as_ref().and_then(|request| request.state.account_id());
        let earlier_account = match recorded {
            Some(id) => self.organizations.find_account(id).await?,
            None => None,
        };
        let is_ready = matches!(earlier.as_ref().map(|request| &request.state), Some(State::Ready { .. }));
        if is_ready && earlier_account.as_ref().is_some_and(|account| account.has_email(email)) {
            let known = Known { earlier, earlier_account, daily_cap: u32::MAX, ..Known::default() };
            return Ok(Surveyed { known, notes: Vec::new() });
        }
        let holder = match self.index.by_email(email, Some(since)).await? {
            Some(entry) => self.organizations.find_account(&entry.account_id).await?,
            None => None,
        };
        let namesake = self.index.by_name(name.as_str(), Some(since)).await?;
        let known = Known {
            holder: holder.filter(|account| account.has_email(email)),
            earlier_account,
            earlier,
            open_requests: store.open_requests().await?.items,
            admitted_today: store.admitted_on_day_of(now).await?,
            daily_cap: 0,
            lacks_unit: false,
        };
        let notes = namesake.into_iter().map(|entry| {
            let state = if entry.is_active() { String::new() } else { format!(", which is {}", entry.state) };
            format!("The account {}{state} has the same name.", entry.account_id)
        });
        Ok(Surveyed { known, notes: notes.collect() })
    }
}
