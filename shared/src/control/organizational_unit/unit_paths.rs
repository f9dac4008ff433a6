//! The units of the organization by path.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    error::Cause,
    gateway::{CallError, OrganizationsGateway},
    ids::OrganizationalUnitId,
    unit_path,
};

/// How long a path is believed to lead to the same unit. AWS allows one `ListRoots` per second for everybody, which
/// a walk per account would use up.
const BELIEVED: Duration = Duration::from_mins(5);

/// Units that were found by their path, for a while.
#[derive(Debug, Default)]
pub struct UnitPaths(Mutex<HashMap<Vec<String>, (Instant, OrganizationalUnitId)>>);

impl UnitPaths {
    /// The unit of this path. A path that leads nowhere gives [`Cause::OrganizationalUnitNotFound`].
    pub async fn find(
        &self,
        organizations: &OrganizationsGateway,
        names: &[String],
    ) -> Result<OrganizationalUnitId, CallError> {
        // The lock is held on the way, so that controls of many accounts make it once.
        let mut known = self.0.lock().await;
        if let Some((found_at, unit)) = known.get(names)
            && found_at.elapsed() < BELIEVED
        {
            return Ok(unit.clone());
        }
        let unit = walk(organizations, names).await?;
        known.insert(names.to_vec(), (Instant::now(), unit.clone()));
        Ok(unit)
    }
}

/// The unit of this path, as AWS shows it now. A path that leads nowhere gives
/// [`Cause::OrganizationalUnitNotFound`].
pub async fn walk(organizations: &OrganizationsGateway, names: &[String]) -> Result<OrganizationalUnitId, CallError> {
    let mut parent = organizations.find_root().await?;
    for (depth, name) in names.iter().enumerate() {
        let units = organizations.list_organizational_units(&parent).await?;
        let unit = units.into_iter().find(|unit| unit.name == *name).ok_or_else(|| {
            let detail = format!("no unit named {name} in {}", unit_path::of(names.get(..depth).unwrap_or_default()));
            let operation = "organizations:ListOrganizationalUnitsForParent";
            CallError::unusable(operation, Cause::OrganizationalUnitNotFound, detail)
        })?;
        parent = unit.id;
    }
    Ok(parent)
}
