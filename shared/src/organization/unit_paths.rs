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

/// Units that were found by their path, for a while: also those that a walk has seen beside its way, so that the calls
/// are as many as the parents, however many units are asked for.
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
        known.retain(|_, (found_at, _)| found_at.elapsed() < BELIEVED);
        let begun = (0..=names.len()).rev().find_map(|depth| {
            let (found_at, unit) = known.get(names.get(..depth)?)?;
            Some((depth, *found_at, unit.clone()))
        });
        let (depth, found_at, mut unit) = if let Some(begun) = begun {
            begun
        } else {
            let (now, root) = (Instant::now(), organizations.find_root().await?);
            known.insert(Vec::new(), (now, root.clone()));
            (0, now, root)
        };
        for (depth, name) in names.iter().enumerate().skip(depth) {
            let way = names.get(..depth).unwrap_or_default();
            for below in organizations.list_organizational_units(&unit).await? {
                // What was found by way of another unit is believed no longer than that one.
                known.insert([way, &[below.name]].concat(), (found_at, below.id));
            }
            let found = known.get(&[way, std::slice::from_ref(name)].concat());
            unit = found.map(|(_, unit)| unit.clone()).ok_or_else(|| {
                let detail = format!("no unit named {name} in {}", unit_path::of(way));
                let operation = "organizations:ListOrganizationalUnitsForParent";
                CallError::unusable(operation, Cause::OrganizationalUnitNotFound, detail)
            })?;
        }
        Ok(unit)
    }
}
