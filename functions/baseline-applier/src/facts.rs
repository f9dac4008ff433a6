//! What must be known of an account to tell what holds for it.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use steward::{
    baseline::{AccountFacts, Document},
    error::{Cause, Failure},
    gateway::{Account, OrganizationsGateway},
    ids::OrganizationalUnitId,
};
use tokio::sync::Mutex;

/// How long a unit is believed to have the same name.
const BELIEVED: Duration = Duration::from_mins(5);

/// Finds out what the document selects accounts by, and nothing else.
#[derive(Debug)]
pub(crate) struct Facts {
    organizations: OrganizationsGateway,
    names: Mutex<HashMap<OrganizationalUnitId, (Instant, String)>>,
}

impl Facts {
    /// Facts from this organization.
    pub(crate) fn new(organizations: OrganizationsGateway) -> Self {
        Self { organizations, names: Mutex::default() }
    }

    /// The facts of an account. What cannot be found out is an error: an override that is missed is a wrong baseline.
    pub(crate) async fn of(&self, account: &Account, document: &Document) -> Result<AccountFacts, Failure> {
        let organizational_unit_path =
            if document.selects_on_units() { self.path(account).await? } else { "/".to_owned() };
        let tags =
            if document.selects_on_tags() { self.organizations.list_tags(&account.id).await? } else { BTreeMap::new() };
        Ok(AccountFacts { id: account.id.clone(), organizational_unit_path, tags })
    }

    async fn path(&self, account: &Account) -> Result<String, Failure> {
        if account.units.is_empty() {
            let detail = format!("AWS Organizations does not show where {} sits.", account.id);
            return Err(Failure::with_detail(Cause::CallFailed, detail));
        }
        let mut names = Vec::new();
        for unit in account.units.iter().filter(|unit| !unit.is_root()) {
            names.push(self.name(unit).await?);
        }
        Ok(path_of(&names))
    }

    async fn name(&self, unit: &OrganizationalUnitId) -> Result<String, Failure> {
        // The lock is held on the way, so that many accounts of one unit ask once.
        let mut known = self.names.lock().await;
        if let Some((found_at, name)) = known.get(unit)
            && found_at.elapsed() < BELIEVED
        {
            return Ok(name.clone());
        }
        let found = self.organizations.find_organizational_unit(unit).await?;
        let found = found.ok_or_else(|| {
            Failure::with_detail(
                Cause::OrganizationalUnitNotFound,
                format!("{unit}, in which the account sat, is gone."),
            )
        })?;
        known.insert(unit.clone(), (Instant::now(), found.name.clone()));
        Ok(found.name)
    }
}

/// The path of the unit that these names lead to from the root.
fn path_of(names: &[String]) -> String {
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_the_root_to_the_unit() {
        assert_eq!(path_of(&[]), "/");
        assert_eq!(path_of(&["Workloads".to_owned(), "Test".to_owned()]), "/Workloads/Test");
    }
}
