//! AWS Account Management: regions of accounts, which AWS enables and disables in minutes or hours (Account Management reference
//! guide, "Enable or disable AWS Regions" and "Quotas").

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Refusal, account::target, events, settings};
use crate::{
    call::Call,
    cloud::{Effect, Principal, State},
    script::Control,
    template::ACCOUNT,
};

/// How many regions of an account, and of an organization, AWS works on at once.
const OF_AN_ACCOUNT: usize = 6;
const OF_AN_ORGANIZATION: usize = 50;

/// The answer; None for what is not about regions.
pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let answer = match call.operation.as_str() {
        "ListRegions" => list(state, who, call),
        "EnableRegion" => ask(state, who, call, true),
        "DisableRegion" => ask(state, who, call, false),
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

fn list(state: &mut State, who: &Principal, call: &Call) -> Result<Value, Refusal> {
    let account = target(state, who, call)?;
    let regions = &settings::of(state, &account).regions;
    let rows = regions.iter().map(|(name, status)| json!({"RegionName": name, "RegionOptStatus": status}));
    Ok(json!({"Regions": rows.collect::<Vec<_>>()}))
}

fn ask(state: &mut State, who: &Principal, call: &Call, enables: bool) -> Result<Value, Refusal> {
    let account = target(state, who, call)?;
    let everywhere: usize = state.settings.values().map(settings::Settings::is_changing).sum();
    let settings = settings::of(state, &account);
    let in_account = settings.is_changing();
    let found = settings.regions.iter().find(|(name, _)| **name == call.text("RegionName"));
    let Some((region, status)) = found.map(|(name, status)| (*name, *status)) else {
        return Err(not_optional(call.text("RegionName")));
    };
    match status {
        "ENABLED_BY_DEFAULT" => return Err(not_optional(region)),
        "ENABLING" | "DISABLING" => {
            let why = format!("Region {region} is {status} at the moment.");
            return Err(Refusal::new(409, "ConflictException", why));
        }
        "ENABLED" if enables => return Ok(json!({})),
        "DISABLED" if !enables => return Ok(json!({})),
        _ => {}
    }
    if in_account >= OF_AN_ACCOUNT {
        return Err(too_many("an account"));
    }
    if everywhere >= OF_AN_ORGANIZATION {
        return Err(too_many("an organization"));
    }
    change(state, &account, region, enables, Some(&who.function));
    Ok(json!({}))
}

/// AWS begins to enable or disable a region, for a function or for whoever administers the account.
pub(crate) fn change(state: &mut State, account: &str, region: &'static str, enables: bool, by: Option<&str>) {
    let status = if enables { "ENABLING" } else { "DISABLING" };
    settings::of(state, account).regions.insert(region, status);
    settings::changed(state, account, Control::Regions, by);
    let wait = if state.draws.happens("a region changes soon", 75) {
        state.draws.millis("a region changes after", 60_000, 900_000)
    } else {
        Duration::from_secs(state.draws.between("a region changes late", 900, 5 * 3_600))
    };
    tell(state, account, region, status, by.is_none());
    let (account, by_member) = (account.to_owned(), by.is_none());
    state.later(wait, Effect::RegionChanges { account, region, enables, by_member });
}

/// AWS has done with a region.
pub(crate) fn changes(state: &mut State, account: &str, region: &'static str, enables: bool, by_member: bool) {
    let status = if enables { "ENABLED" } else { "DISABLED" };
    settings::of(state, account).regions.insert(region, status);
    settings::settled(state, account);
    state.note("account", format_args!("{region} of {account} is {status}"));
    tell(state, account, region, status, by_member);
}

/// Tells whoever has asked; a member forwards what it hears to the bus of the stack.
fn tell(state: &mut State, account: &str, region: &str, status: &str, by_member: bool) {
    let caller = if by_member { account } else { ACCOUNT };
    let detail = json!({"accountId": account, "regionName": region, "status": status});
    events::told(state, by_member, "aws.account", caller, "Region Opt-In Status Change", &detail);
}

fn not_optional(region: &str) -> Refusal {
    let why = format!("{region} is not a region that can be enabled or disabled.");
    Refusal::new(400, "ValidationException", why).with("reason", "invalidRegionOptTarget")
}

fn too_many(of: &str) -> Refusal {
    let why = format!(
        "This request has exceeded the quota for 'Number of concurrent region-opt requests for {of}'. Consider retrying \
         the operation later once some requests have been completed."
    );
    Refusal::new(429, "TooManyRequestsException", why)
}
