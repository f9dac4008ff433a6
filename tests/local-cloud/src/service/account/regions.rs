//! Regions are enabled and disabled slowly.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::announce;
use super::error::{self, not_optional};
use super::fields::text;
use super::profile::{Profile, RegionStatus};
use super::target::Target;
use crate::core::Core;
use crate::events::{self, EventPlan};
use crate::front::answer::ApiError;

/// Regions of one account that may be on their way at once.
const CHANGES_PER_ACCOUNT: usize = 6;
/// Regions of all accounts of an organization that may be on their way at once.
const CHANGES_PER_ORGANIZATION: usize = 50;
/// Rows on a page at most, and unless asked otherwise.
const PAGE: usize = 50;

/// How regions of an organization's accounts change.
#[derive(Clone, Copy)]
pub(crate) struct RegionPlan {
    /// How long a region is on its way.
    pub(crate) time: Duration,
    /// What becomes of the events about it.
    pub(crate) events: EventPlan,
}

impl Default for RegionPlan {
    fn default() -> Self {
        // "A few minutes for most accounts."
        Self { time: Duration::from_mins(3), events: EventPlan::default() }
    }
}

pub(super) fn status(profile: &Profile, input: &Value) -> Result<Value, ApiError> {
    let region = text(input, "RegionName", 50)?;
    let status = profile.regions.get(region).ok_or_else(|| error::invalid("RegionName"))?;
    Ok(json!({ "RegionName": region, "RegionOptStatus": status.as_str() }))
}

pub(super) fn list(profile: &Profile, input: &Value) -> Result<Value, ApiError> {
    let wanted = wanted(input)?;
    let size = match &input["MaxResults"] {
        Value::Null => PAGE,
        number => number
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| (1..=PAGE).contains(number))
            .ok_or_else(|| error::invalid("MaxResults"))?,
    };
    // A token is the last region of the page before.
    let after = match &input["NextToken"] {
        Value::Null => "",
        token => token
            .as_str()
            .filter(|token| profile.regions.contains_key(*token))
            .ok_or_else(|| error::invalid("NextToken"))?,
    };
    let mut rows = profile
        .regions
        .iter()
        .filter(|(region, status)| region.as_str() > after && (wanted.is_empty() || wanted.contains(&status.as_str())));
    let page: Vec<_> = rows.by_ref().take(size).collect();
    let regions: Vec<Value> = page
        .iter()
        .map(|(region, status)| json!({ "RegionName": region, "RegionOptStatus": status.as_str() }))
        .collect();
    let mut body = json!({ "Regions": regions });
    if let (Some((last, _)), Some(_)) = (page.last(), rows.next()) {
        body["NextToken"] = last.as_str().into();
    }
    Ok(body)
}

/// The statuses asked for; empty for all.
fn wanted(input: &Value) -> Result<Vec<&str>, ApiError> {
    const NAME: &str = "RegionOptStatusContains";
    match &input[NAME] {
        Value::Null => Ok(Vec::new()),
        Value::Array(words) => words
            .iter()
            .map(|word| word.as_str().filter(|word| RegionStatus::WORDS.contains(word)))
            .collect::<Option<_>>()
            .ok_or_else(|| error::invalid(NAME)),
        _ => Err(error::invalid(NAME)),
    }
}

/// Starts to enable or disable a region. One that already is what it should be is left alone.
pub(super) fn switch(
    core: &Arc<Core>,
    profiles: &mut HashMap<String, Profile>,
    target: Target,
    input: &Value,
    enable: bool,
) -> Result<Value, ApiError> {
    let region = text(input, "RegionName", 50)?;
    let everywhere: usize =
        target.organization.iter().filter_map(|account| profiles.get(account)).map(Profile::changing).sum();
    let profile = profiles.entry(target.account.clone()).or_default();
    let in_account = profile.changing();
    let status = profile.regions.get_mut(region).ok_or_else(|| not_optional(region))?;
    let (way, aim) = if enable {
        (RegionStatus::Enabling, RegionStatus::Enabled)
    } else {
        (RegionStatus::Disabling, RegionStatus::Disabled)
    };
    match *status {
        RegionStatus::Default => return Err(not_optional(region)),
        changing if changing.is_changing() => return Err(error::conflict(region, changing.as_str())),
        there if there == aim => return Ok(json!({})),
        _ => {}
    }
    if in_account >= CHANGES_PER_ACCOUNT {
        return Err(error::too_many_at_once("Number of concurrent region-opt requests for an account"));
    }
    if everywhere >= CHANGES_PER_ORGANIZATION {
        return Err(error::too_many_at_once("Number of concurrent region-opt requests for an organization"));
    }
    let before = std::mem::replace(status, way);
    let aim = if profile.failing.contains(region) { before } else { aim };
    tokio::spawn(carry_out(core.clone(), target, region.to_owned(), way, aim));
    Ok(json!({}))
}

async fn carry_out(core: Arc<Core>, target: Target, region: String, way: RegionStatus, aim: RegionStatus) {
    let event = |status: RegionStatus| announce::region_changed(&core, &target, &region, status.as_str());
    let plan = target.plan;
    events::deliver_as_planned(&core, &target.caller, &event(way), plan.events);
    core.clock.sleep(plan.time).await;
    core.services.account.with(&target.account, |profile| profile.regions.insert(region.clone(), aim));
    events::deliver_as_planned(&core, &target.caller, &event(aim), plan.events);
}

/// Puts a region into a status at once, as a test wants it.
pub(super) fn set(profile: &mut Profile, region: &str, status: &str) -> bool {
    let statuses = [RegionStatus::Disabled, RegionStatus::Disabling, RegionStatus::Enabled, RegionStatus::Enabling];
    let status = statuses.into_iter().find(|known| known.as_str() == status);
    match (profile.regions.get_mut(region), status) {
        (Some(current), Some(status)) if *current != RegionStatus::Default => {
            *current = status;
            true
        }
        _ => false,
    }
}
