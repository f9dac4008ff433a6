//! # regions
//!
//! **What it does.** Keeps the opt-in regions of the account enabled or disabled.
//!
//! **Why.** A region nobody uses is a place nobody watches, and a region somebody needs takes hours to come.
//!
//! **Desired state.** `enabled` and `disabled`, two lists of regions, and `others`: `leave` (the default) or `disable`
//! for the opt-in regions that neither list names. Regions that AWS enables by default cannot be changed and are left
//! alone; one in `disabled` is drift until somebody takes it out of the list. A region that is being enabled or disabled is not drift: the account is not ready until AWS is done with
//! the regions that the section asks for, and a note for the others.
//!
//! **Calls.** A compliant account costs one `ListRegions` per page of 50 regions, in a session of its access role; where
//! that is refused, from the management account, and the row says so. Regions are always changed from there.
//!
//! **Source.** Both changes take minutes and at times hours, and cannot be cancelled; AWS works on 6 regions of an
//! account and 50 of an organization at once (AWS Account Management reference guide, "Enable or disable AWS Regions"
//! and "Quotas"). A disabled region keeps its resources, and their costs, out of sight.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountScope, AccountView, Control};
use crate::{
    baseline::{Baseline, Findings, Validate},
    error::{Cause, Failure},
    gateway::{CallError, RegionStatus},
    ids::Region,
    input::Problem,
};

/// How many regions of one account AWS works on at once.
const AT_ONCE: usize = 6;

/// The `regions` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// Regions that must be enabled.
    #[serde(default)]
    pub enabled: Vec<Region>,
    /// Regions that must not be.
    #[serde(default)]
    pub disabled: Vec<Region>,
    /// What holds for the regions that neither list names.
    #[serde(default)]
    pub others: Others,
}

impl Validate for Regions {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.distinct("enabled", &self.enabled);
        findings.distinct("disabled", &self.disabled);
        for (position, region) in self.disabled.iter().enumerate() {
            if self.enabled.contains(region) {
                findings.note(&format!("disabled[{position}]"), format!("{region} is in enabled as well; keep one"));
            }
        }
        findings.into_problems()
    }
}

/// What holds for the opt-in regions that are not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// They stay as they are.
    #[default]
    Leave,
    /// They must be disabled.
    Disable,
}

/// Every region that AWS knows, with its status in the account.
pub type Actual = BTreeMap<Region, RegionStatus>;

impl Regions {
    /// Whether a region must be enabled or disabled; None when the section says nothing about it.
    pub fn wants_enabled(&self, region: &Region) -> Option<bool> {
        if self.enabled.contains(region) {
            Some(true)
        } else {
            (self.disabled.contains(region) || self.others == Others::Disable).then_some(false)
        }
    }

    /// The change that leads there.
    fn wants(&self, region: &Region) -> Option<Change> {
        let change = if self.wants_enabled(region)? { Change::Enable } else { Change::Disable };
        Some(change(region.clone()))
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Enable a region.
    Enable(Region),
    /// Disable a region.
    Disable(Region),
}

impl Change {
    /// Whether AWS has made the change or is at it.
    fn is_under_way(&self, actual: &Actual) -> bool {
        match self {
            Self::Enable(region) => {
                matches!(actual.get(region), Some(RegionStatus::Enabling | RegionStatus::Enabled))
            }
            Self::Disable(region) => {
                matches!(actual.get(region), Some(RegionStatus::Disabling | RegionStatus::Disabled))
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable(region) => write!(f, "enable the region {region}"),
            Self::Disable(region) => write!(f, "disable the region {region}"),
        }
    }
}

/// The control `regions`.
#[derive(Clone, Copy, Debug)]
pub struct RegionsControl;

impl Control for RegionsControl {
    const ID: &'static str = "regions";
    const READS: &'static [&'static str] = &["account:ListRegions"];
    const WRITES: &'static [&'static str] = &["account:DisableRegion", "account:EnableRegion"];
    type Scope = AccountScope;
    type Desired = Regions;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&Regions> {
        baseline.regions.as_ref()
    }

    /// A region that AWS does not know gives [`Cause::UnknownRegion`]: a list with a typing error is not half right.
    async fn inspect(&self, scope: &AccountScope, desired: &Regions) -> Result<Actual, CallError> {
        let AccountView { gateway, target } = &scope.reads;
        let actual = gateway.list_regions(target).await?;
        let named: BTreeSet<_> = desired.enabled.iter().chain(&desired.disabled).collect();
        let unknown: Vec<_> = named.into_iter().filter(|region| !actual.contains_key(region)).collect();
        if unknown.is_empty() {
            return Ok(actual);
        }
        let detail = format!("a list without {}", in_words(&unknown));
        Err(CallError::unusable("account:ListRegions", Cause::UnknownRegion, detail))
    }

    fn plan(&self, _scope: &AccountScope, desired: &Regions, actual: &Actual) -> Vec<Change> {
        plan(desired, actual)
    }

    async fn apply(&self, scope: &AccountScope, change: &Change) -> Result<(), CallError> {
        let AccountView { gateway, target } = &scope.writes;
        let answer = match change {
            Change::Enable(region) => gateway.enable_region(target, region).await,
            Change::Disable(region) => gateway.disable_region(target, region).await,
        };
        match answer {
            // The region is on its way already, and only a look says which way.
            Err(error) if error.cause == Cause::RegionInTransition => {
                let regions = scope.reads.gateway.list_regions(&scope.reads.target).await;
                if regions.is_ok_and(|regions| change.is_under_way(&regions)) { Ok(()) } else { Err(error) }
            }
            answer => answer,
        }
    }

    fn by_hand(&self, desired: &Regions, actual: &Actual) -> Vec<String> {
        let is_by_default = |region: &&Region| actual.get(*region) == Some(&RegionStatus::EnabledByDefault);
        let fixed = desired.disabled.iter().filter(is_by_default);
        let words = |region| format!("take {region} out of disabled: it is enabled by default, for good");
        fixed.map(words).collect()
    }

    fn notes(&self, _desired: &Regions, actual: &Actual) -> Vec<String> {
        in_transition(actual).map(|moving| format!("{} in this account", in_motion(moving))).collect()
    }

    fn capacity(&self, actual: &Actual) -> usize {
        AT_ONCE.saturating_sub(in_transition(actual).count())
    }

    fn pending(&self, desired: &Regions, actual: &Actual) -> Option<Failure> {
        pending(desired, actual)
    }
}

fn in_transition(actual: &Actual) -> impl Iterator<Item = (&Region, RegionStatus)> {
    let is_moving = |status| matches!(status, RegionStatus::Enabling | RegionStatus::Disabling);
    actual.iter().map(|(region, status)| (region, *status)).filter(move |(_, status)| is_moving(*status))
}

fn plan(desired: &Regions, actual: &Actual) -> Vec<Change> {
    let wanted = actual.iter().filter_map(|(region, status)| Some((desired.wants(region)?, *status)));
    let drifted = wanted.filter(|(change, status)| match change {
        Change::Enable(_) => *status == RegionStatus::Disabled,
        Change::Disable(_) => *status == RegionStatus::Enabled,
    });
    let (enable, disable): (Vec<_>, Vec<_>) =
        drifted.map(|(change, _)| change).partition(|change| matches!(change, Change::Enable(_)));
    [enable, disable].concat()
}

fn pending(desired: &Regions, actual: &Actual) -> Option<Failure> {
    let awaited: Vec<_> = in_transition(actual).filter(|(region, _)| desired.wants(region).is_some()).collect();
    let waiting = plan(desired, actual);
    let waiting_in_words = || match waiting.as_slice() {
        [] => String::new(),
        changes => format!(" Still to do: {}.", in_words(changes)),
    };
    if !awaited.is_empty() {
        let moving: Vec<_> = awaited.into_iter().map(in_motion).collect();
        let detail = format!("{}.{}", moving.join(", "), waiting_in_words());
        return Some(Failure::with_detail(Cause::RegionInTransition, detail));
    }
    let is_full = in_transition(actual).count() >= AT_ONCE;
    (is_full && !waiting.is_empty())
        .then(|| Failure::with_detail(Cause::RegionOptQuota, waiting_in_words().trim_start()))
}

fn in_motion((region, status): (&Region, RegionStatus)) -> String {
    format!("{region} is being {}", if status == RegionStatus::Enabling { "enabled" } else { "disabled" })
}

fn in_words<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
