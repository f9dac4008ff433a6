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
/// How long it is remembered that a path is looked for. Whoever looks comes back every few seconds.
const WANTED: Duration = Duration::from_hours(1);

/// Units that were found by their path, for a while: also those that a walk has seen beside its way, so that the calls
/// are as many as the parents, however many units are asked for.
#[derive(Debug, Default)]
pub struct UnitPaths(Mutex<Known>);

type Path = Vec<String>;

#[derive(Debug, Default)]
struct Known {
    units: HashMap<Path, (Instant, OrganizationalUnitId)>,
    /// Lists of what is below a unit that were not read to their end: the invocation had no time left, or no need of more.
    /// A unit may have more below it than AWS lists in the time that an invocation has.
    lists: HashMap<OrganizationalUnitId, List>,
    /// Since when paths are looked for that were not found yet.
    wanted: HashMap<Path, Instant>,
}

/// A list that goes on.
#[derive(Clone, Debug)]
struct List {
    begun_at: Instant,
    read_at: Instant,
    next: String,
}

impl UnitPaths {
    /// The unit of this path. A path that leads nowhere gives [`Cause::OrganizationalUnitNotFound`].
    pub async fn find(
        &self,
        organizations: &OrganizationsGateway,
        names: &[String],
    ) -> Result<OrganizationalUnitId, CallError> {
        // The lock is held on the way, so that controls of many accounts make it once.
        let mut known = self.0.lock().await;
        known.forget();
        let begun = (0..=names.len()).rev().find_map(|depth| {
            let (found_at, unit) = known.units.get(names.get(..depth)?)?;
            Some((depth, *found_at, unit.clone()))
        });
        let (depth, mut found_at, mut unit) = if let Some(begun) = begun {
            begun
        } else {
            let (now, root) = (Instant::now(), organizations.find_root().await?);
            known.units.insert(Vec::new(), (now, root.clone()));
            (0, now, root)
        };
        for depth in depth..names.len() {
            let path = names.get(..=depth).unwrap_or_default();
            (found_at, unit) = known.look(organizations, (found_at, unit), path).await?;
        }
        Ok(unit)
    }
}

impl Known {
    fn forget(&mut self) {
        self.units.retain(|_, (found_at, _)| found_at.elapsed() < BELIEVED);
        self.lists.retain(|_, list| list.read_at.elapsed() < BELIEVED);
        self.wanted.retain(|_, since| since.elapsed() < WANTED);
    }

    /// Finds the last unit of a path below its parent, page by page. That it is not there is said by a list that was begun
    /// after it was first asked for.
    async fn look(
        &mut self,
        organizations: &OrganizationsGateway,
        (found_at, parent): (Instant, OrganizationalUnitId),
        path: &[String],
    ) -> Result<(Instant, OrganizationalUnitId), CallError> {
        let Some((name, way)) = path.split_last() else { return Ok((found_at, parent)) };
        let wanted_since = *self.wanted.entry(path.to_vec()).or_insert_with(Instant::now);
        loop {
            let list = self.lists.remove(&parent);
            let begun_at = list.as_ref().map_or_else(Instant::now, |list| list.begun_at);
            let next = list.as_ref().map(|list| list.next.as_str());
            let page = match organizations.organizational_units_page(&parent, next).await {
                Ok(page) => page,
                Err(error) => {
                    // What is not refused for its token goes on there.
                    let keeps = matches!(error.cause, Cause::NoTimeLeft | Cause::Throttled) || !error.refused;
                    self.lists.extend(list.filter(|_| keeps).map(|list| (parent, list)));
                    return Err(error);
                }
            };
            for below in page.items {
                // What was found by way of another unit is believed no longer than that one.
                self.units.insert([way, &[below.name]].concat(), (found_at, below.id));
            }
            let is_last = page.next.is_none();
            let going_on = page.next.map(|next| List { begun_at, read_at: Instant::now(), next });
            self.lists.extend(going_on.map(|list| (parent.clone(), list)));
            if let Some(found) = self.units.get(path) {
                self.wanted.remove(path);
                return Ok(found.clone());
            }
            if is_last && begun_at >= wanted_since {
                self.wanted.remove(path);
                let detail = format!("no unit named {name} in {}", unit_path::of(way));
                let operation = "organizations:ListOrganizationalUnitsForParent";
                return Err(CallError::unusable(operation, Cause::OrganizationalUnitNotFound, detail));
            }
        }
    }
}

#[cfg(test)]
mod tests;
