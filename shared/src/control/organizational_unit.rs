//! # organizational-unit
//!
//! **What it does.** Keeps the account in its organizational unit.
//!
//! **Why.** Service control policies, stack sets and this baseline's own overrides hold by unit. An account that sits in
//! the root has none of them: it counts as unplaced.
//!
//! **Desired state.** `organizational_unit`, by id (`ou-ab12-cdef3456`) or by path (`/Workloads/Production`).
//!
//! **Calls.** In a sweep, the list of accounts shows the place, and a compliant account costs nothing more; else it costs one
//! `DescribeAccount`. A unit named by its path is looked up once in five minutes,
//! for all accounts. An account that is found in another unit than the one by which the document was asked is left where it is:
//! what holds for it there, the next look knows.
//!
//! **Source.** `ListAccounts` and `DescribeAccount` show the place in `Paths`; a new account starts in the root, and `MoveAccount` names
//! both the unit it leaves and the one it enters (AWS Organizations API reference).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, ManagementScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    error::Cause,
    gateway::CallError,
    ids::OrganizationalUnitId,
    input::Problem,
    unit_reference::{OrganizationalUnitReference, UnitName},
};

/// How deep AWS nests units below the root.
const MAX_DEPTH: usize = 5;

/// The `organizational-unit` section of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationalUnit {
    /// The unit, by id or by path.
    pub organizational_unit: UnitName,
}

impl Validate for OrganizationalUnit {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        let OrganizationalUnitReference::Path(names) = self.organizational_unit.reference() else { return Vec::new() };
        if names.len() > MAX_DEPTH {
            let problem = format!("is {} units deep; AWS nests them at most {MAX_DEPTH} deep", names.len());
            findings.note("organizational_unit", problem);
        }
        for name in names {
            findings.expect(
                "organizational_unit",
                name.chars().count() <= 128,
                "has a name of more than 128 characters",
            );
            findings.expect("organizational_unit", !name.contains('*'), "must be one unit, not a pattern with *");
        }
        findings.into_problems()
    }
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    /// Where the account sits.
    parent: OrganizationalUnitId,
    /// The id of the unit that it should sit in.
    unit: OrganizationalUnitId,
}

/// The one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    from: OrganizationalUnitId,
    to: OrganizationalUnitId,
    /// As the baseline names the new unit.
    name: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, name, .. } = self;
        if from.is_root() {
            write!(f, "move the account to {name}: it sits unplaced in the root")
        } else {
            write!(f, "move the account from {from} to {name}")
        }
    }
}

/// The control `organizational-unit`.
#[derive(Clone, Copy, Debug)]
pub struct OrganizationalUnitControl;

impl Control for OrganizationalUnitControl {
    const ID: &'static str = "organizational-unit";
    const READS: &'static [&'static str] =
        &["organizations:DescribeAccount", "organizations:ListOrganizationalUnitsForParent", "organizations:ListRoots"];
    const WRITES: &'static [&'static str] = &["organizations:MoveAccount"];
    const NEEDS_ORGANIZATION: bool = true;
    type Scope = ManagementScope;
    type Desired = OrganizationalUnit;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&OrganizationalUnit> {
        baseline.organizational_unit.as_ref()
    }

    /// A path that leads nowhere gives [`Cause::OrganizationalUnitNotFound`]. An id is not looked up: an account that
    /// sits in the unit proves it, and `MoveAccount` refuses one that is not there.
    async fn inspect(&self, scope: &ManagementScope, desired: &OrganizationalUnit) -> Result<Actual, CallError> {
        let unit = match desired.organizational_unit.reference() {
            OrganizationalUnitReference::Id(id) => id.clone(),
            OrganizationalUnitReference::Path(names) => scope.units.find(&scope.organizations, names).await?,
        };
        if scope.known.parent.as_ref() == Some(&unit) {
            return Ok(Actual { parent: unit.clone(), unit });
        }
        let account = scope.organizations.describe_account(&scope.account_id).await?;
        let unusable = |cause, detail| CallError::unusable("organizations:DescribeAccount", cause, detail);
        let parent = account.parent.ok_or_else(|| unusable(Cause::CallFailed, "an account without Paths"))?;
        if parent != unit && scope.shown_in.as_ref().is_some_and(|shown_in| *shown_in != parent) {
            return Err(unusable(Cause::ConcurrentModification, "the account in another unit than a moment ago"));
        }
        Ok(Actual { parent, unit })
    }

    fn plan(&self, _scope: &ManagementScope, desired: &OrganizationalUnit, actual: &Actual) -> Vec<Change> {
        plan(desired, actual).into_iter().collect()
    }

    async fn apply(&self, scope: &ManagementScope, change: &Change) -> Result<(), CallError> {
        scope.organizations.move_account(&scope.account_id, &change.from, &change.to).await
    }
}

fn plan(desired: &OrganizationalUnit, Actual { parent, unit }: &Actual) -> Option<Change> {
    let name = desired.organizational_unit.to_string();
    (parent != unit).then(|| Change { from: parent.clone(), to: unit.clone(), name })
}

#[cfg(test)]
mod tests;
