//! The names of the units that hold the accounts of a long list, read once for the whole list.
//!
//! The time it takes is linear in the units, whatever their tree looks like, at the rates that AWS publishes:
//! `ListOrganizationalUnitsForParent` 5/s names up to 20 units at a time, `DescribeOrganizationalUnit` 2/s names one
//! (AWS Organizations user guide, "Quotas and service limits"). What was read is kept as long as the value lives.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use futures_util::future::{join, join_all};
use tokio::sync::Mutex;

use crate::{
    error::{Cause, Failure},
    gateway::{Account, OrganizationsGateway},
    ids::OrganizationalUnitId,
    unit_path,
};

/// How many units are listed at once, so that the pace and not the way to AWS is what is waited for.
const AT_ONCE: usize = 4;

/// The names of units.
#[derive(Debug, Default)]
pub struct UnitNames(HashMap<OrganizationalUnitId, Result<String, Failure>>);

/// A unit or root, and what is to be named directly below it.
type Parent = (OrganizationalUnitId, BTreeSet<OrganizationalUnitId>);

impl UnitNames {
    /// The names of all units that hold these accounts. What could not be read is the failure of the accounts below it
    /// alone.
    pub async fn of<'a>(organizations: &OrganizationsGateway, accounts: impl IntoIterator<Item = &'a Account>) -> Self {
        let left = Mutex::new(parents(accounts));
        let listed = join_all((0..AT_ONCE).map(|_| list(organizations, &left)));
        // The one that takes what costs one call either way chooses first, where there is little to share out.
        let (described, listed) = join(describe(organizations, &left), listed).await;
        Self(listed.into_iter().flatten().chain(described).collect())
    }

    /// Reads the names of the units that hold these accounts as well, as far as they are not known. For lists that come page
    /// by page: units are named together with all others below the same parent, so that the calls are as many as the parents.
    pub async fn learn<'a>(
        &mut self,
        organizations: &OrganizationsGateway,
        accounts: impl IntoIterator<Item = &'a Account>,
    ) {
        let mut new = parents(accounts);
        for (_, wanted) in &mut new {
            wanted.retain(|unit| !self.0.contains_key(unit));
        }
        new.retain(|(_, wanted)| !wanted.is_empty());
        let wanted: Vec<OrganizationalUnitId> = new.iter().flat_map(|(_, units)| units).cloned().collect();
        let left = Mutex::new(new);
        let listed = join_all((0..AT_ONCE).map(|_| list(organizations, &left))).await;
        self.0.extend(listed.into_iter().flatten());
        for unit in wanted {
            self.0.entry(unit).or_insert_with_key(|unit| Err(gone(unit)));
        }
    }

    /// The names that could be read.
    pub(crate) fn read(self) -> impl Iterator<Item = (OrganizationalUnitId, String)> {
        self.0.into_iter().filter_map(|(unit, name)| Some((unit, name.ok()?)))
    }

    /// The path of the unit that holds an account.
    ///
    /// # Errors
    ///
    /// AWS does not show where the account sits, or a unit on the way has no name that is known.
    pub fn path(&self, account: &Account) -> Result<String, Failure> {
        if account.units.is_empty() {
            let detail = format!("AWS Organizations does not show where {} sits.", account.id);
            return Err(Failure::with_detail(Cause::CallFailed, detail));
        }
        let name = |unit| self.0.get(unit).cloned().unwrap_or_else(|| Err(gone(unit)));
        let names: Vec<String> =
            account.units.iter().filter(|unit| !unit.is_root()).map(name).collect::<Result<_, _>>()?;
        Ok(unit_path::of(&names))
    }
}

type Named = Vec<(OrganizationalUnitId, Result<String, Failure>)>;

/// The parents of all units that hold the accounts. Those with one unit that is wanted come first: such a unit costs one
/// call either way.
fn parents<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> VecDeque<Parent> {
    let mut below: BTreeMap<&OrganizationalUnitId, BTreeSet<OrganizationalUnitId>> = BTreeMap::new();
    for pair in accounts.into_iter().flat_map(|account| account.units.windows(2)) {
        if let [parent, unit] = pair {
            below.entry(parent).or_default().insert(unit.clone());
        }
    }
    let mut parents: Vec<Parent> = below.into_iter().map(|(parent, units)| (parent.clone(), units)).collect();
    parents.sort_by_key(|(_, units)| units.len());
    parents.into()
}

/// Lists what is below one parent after the other, from the end on.
async fn list(organizations: &OrganizationsGateway, left: &Mutex<VecDeque<Parent>>) -> Named {
    let mut named = Vec::new();
    loop {
        let Some((parent, wanted)) = left.lock().await.pop_back() else { return named };
        match organizations.list_organizational_units(&parent).await {
            Ok(units) => named.extend(units.into_iter().map(|unit| (unit.id, Ok(unit.name)))),
            Err(error) => {
                let failure = Failure::from(error);
                named.extend(wanted.into_iter().map(|unit| (unit, Err(failure.clone()))));
            }
        }
    }
}

/// Describes single units at the same time, from the beginning on: that operation has a rate of its own.
async fn describe(organizations: &OrganizationsGateway, left: &Mutex<VecDeque<Parent>>) -> Named {
    let mut named = Vec::new();
    loop {
        let next = left.lock().await.pop_front_if(|(_, units)| units.len() == 1);
        let Some((_, units)) = next else { return named };
        for unit in units {
            let name = match organizations.find_organizational_unit(&unit).await {
                Ok(found) => found.map(|found| found.name).ok_or_else(|| gone(&unit)),
                Err(error) => Err(error.into()),
            };
            named.push((unit, name));
        }
    }
}

fn gone(unit: &OrganizationalUnitId) -> Failure {
    Failure::with_detail(Cause::OrganizationalUnitNotFound, format!("{unit}, in which the account sat, is gone."))
}

#[cfg(test)]
mod tests;
