//! AWS Account Management: the regions of accounts, which are enabled and disabled in minutes, or hours.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Refusal, contacts::target, events, member::Member, settings};
use crate::{
    call::Call,
    cloud::{Effect, Principal, State},
    script::Control,
    template::{ACCOUNT, Bus},
    time,
};

/// Regions that every account has, for good.
const BY_DEFAULT: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Regions that an account has when it asks for them.
pub(crate) const OPT_IN: [&str; 8] =
    ["af-south-1", "ap-east-1", "ap-south-2", "ca-west-1", "eu-central-2", "eu-south-1", "il-central-1", "me-south-1"];
/// How many regions of an account, and of an organization, AWS works on at once (Account Management reference guide,
/// "Quotas").
const OF_AN_ACCOUNT: usize = 6;
const OF_AN_ORGANIZATION: usize = 50;
/// How many regions a page of a list has.
const PAGE: usize = 4;

/// The regions of an account that are not as they are in a new one.
pub(crate) type Regions = BTreeMap<&'static str, &'static str>;

/// Who asks for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody of the management account.
    Management(String),
    /// Somebody of the account itself.
    Member(String),
    /// A function.
    Function(String),
}

impl Asker {
    /// The ARN by which CloudTrail names it.
    pub(crate) fn arn(&self, account: &str) -> String {
        match self {
            Self::Management(name) => format!("arn:aws:sts::{ACCOUNT}:assumed-role/AdministratorAccess/{name}"),
            Self::Member(name) => format!("arn:aws:sts::{account}:assumed-role/Developer/{name}"),
            Self::Function(name) => format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}Role/{name}"),
        }
    }

    /// The function, if it is one.
    fn function(&self) -> Option<&str> {
        if let Self::Function(name) = self { Some(name) } else { None }
    }

    /// The bus that hears of what it has asked for.
    fn bus(&self) -> Bus {
        if matches!(self, Self::Member(_)) { Bus::Members } else { Bus::Default }
    }
}

/// A status that AWS has told of.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) status: &'static str,
}

/// A call that asked for a change, and was taken.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) enables: bool,
    pub(crate) by: Asker,
}

/// What has been asked and told of regions.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) told: Vec<Told>,
    pub(crate) asked: Vec<Asked>,
}

/// The status of a region in an account.
pub(crate) fn status(state: &State, account: &str, region: &str) -> &'static str {
    let own = state.members.get(account).and_then(|member| member.regions.get(region)).copied();
    own.unwrap_or(if BY_DEFAULT.contains(&region) { "ENABLED_BY_DEFAULT" } else { "DISABLED" })
}

/// The result of a call about regions; None for another call.
pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let enables = match call.operation.as_str() {
        "ListRegions" => None,
        "EnableRegion" => Some(true),
        "DisableRegion" => Some(false),
        _ => return None,
    };
    let body = target(state, who, call).and_then(|account| match enables {
        None => {
            settings::of(state, &account);
            Ok(list(state, &account, call))
        }
        Some(enables) => {
            let asker = Asker::Function(who.function.clone());
            change(state, &account, call.text("RegionName"), enables, &asker).map(|()| json!({}))
        }
    });
    Some(body.map(|body| Answer::json(&body)))
}

fn list(state: &State, account: &str, call: &Call) -> Value {
    let mut all: Vec<&str> = BY_DEFAULT.into_iter().chain(OPT_IN).collect();
    all.sort_unstable();
    let first = call.text("NextToken");
    let rest: Vec<&str> = all.into_iter().filter(|region| *region > first).collect();
    let row = |region: &&str| json!({"RegionName": region, "RegionOptStatus": status(state, account, region)});
    let mut page = json!({"Regions": rest.iter().take(PAGE).map(row).collect::<Vec<_>>()});
    if rest.len() > PAGE {
        page["NextToken"] = rest[PAGE - 1].into();
    }
    page
}

/// Begins a change, and tells of it.
pub(crate) fn change(
    state: &mut State,
    account: &str,
    region: &str,
    enables: bool,
    asker: &Asker,
) -> Result<(), Refusal> {
    // What it was set to before is known from here on.
    settings::of(state, account);
    let is_taken = begin(state, account, region, enables);
    record(state, account, region, enables, asker, is_taken.as_ref().err());
    if !is_taken? {
        return Ok(());
    }
    let call =
        Asked { at: time::now(), account: account.to_owned(), region: region.to_owned(), enables, by: asker.clone() };
    state.regions.asked.push(call);
    settings::changed(state, account, Control::Regions, asker.function());
    tell(state, account, region, if enables { "ENABLING" } else { "DISABLING" }, asker.bus());
    let takes = if state.draws.happens("region takes long", 10) {
        state.draws.millis("how long a region takes", 3_600_000, 3 * 3_600_000)
    } else {
        state.draws.millis("how soon a region is there", 40_000, 1_500_000)
    };
    settle_later(state, account, region, takes, asker.bus());
    Ok(())
}

/// Whether there is anything to do, and AWS is at it now.
fn begin(state: &mut State, account: &str, region: &str, enables: bool) -> Result<bool, Refusal> {
    let Some(region) = OPT_IN.into_iter().find(|known| *known == region) else {
        let why = format!("{region} is not a region that can be enabled or disabled.");
        return Err(Refusal::new(400, "ValidationException", why).with("reason", "invalidRegionOptTarget"));
    };
    let present = status(state, account, region);
    match present {
        "ENABLING" | "DISABLING" => {
            return Err(Refusal::new(409, "ConflictException", "The region is being enabled or disabled."));
        }
        "ENABLED" if enables => return Ok(false),
        "DISABLED" if !enables => return Ok(false),
        _ => {}
    }
    if state.members.get(account).map_or(0, changing) >= OF_AN_ACCOUNT {
        return Err(too_many("an account"));
    }
    if state.members.values().map(changing).sum::<usize>() >= OF_AN_ORGANIZATION {
        return Err(too_many("an organization"));
    }
    set(state, account, region, if enables { "ENABLING" } else { "DISABLING" });
    Ok(true)
}

/// How many regions of an account AWS works on.
fn changing(member: &Member) -> usize {
    member.regions.values().filter(|status| status.ends_with("ING")).count()
}

/// Gives a region a status.
pub(super) fn set(state: &mut State, account: &str, region: &'static str, status: &'static str) {
    state.members.entry(account.to_owned()).or_default().regions.insert(region, status);
}

fn too_many(of: &str) -> Refusal {
    let why = format!("This request has exceeded the quota for 'Number of concurrent region-opt requests for {of}'.");
    Refusal::new(429, "TooManyRequestsException", why)
}

fn settle_later(state: &State, account: &str, region: &str, takes: Duration, bus: Bus) {
    let (account, region) = (account.to_owned(), region.to_owned());
    state.later(takes, Effect::RegionSettles { account, region, bus });
}

/// AWS has done with a change, and tells.
pub(crate) fn settle(state: &mut State, account: &str, region: &str, bus: Bus) {
    let Some(region) = OPT_IN.into_iter().find(|known| *known == region) else { return };
    let settled = if status(state, account, region) == "ENABLING" { "ENABLED" } else { "DISABLED" };
    set(state, account, region, settled);
    settings::settled(state, account);
    tell(state, account, region, settled, bus);
}

/// Tells of a status.
pub(crate) fn tell(state: &mut State, account: &str, region: &str, status: &'static str, bus: Bus) {
    let (account, region) = (account.to_owned(), region.to_owned());
    let detail = json!({"accountId": account, "regionName": region, "status": status});
    state.note("account", format_args!("{region} of {account} is {status}"));
    state.regions.told.push(Told { at: time::now(), account, region, status });
    events::happened_on(state, bus, "aws.account", "Region Opt-In Status Change", &detail);
}

/// CloudTrail records a call in the account whose region it is.
fn record(state: &mut State, account: &str, region: &str, enables: bool, by: &Asker, refused: Option<&Refusal>) {
    let arn = by.arn(account);
    let caller = if matches!(by, Asker::Member(_)) { account } else { ACCOUNT };
    let role = arn.split('/').nth(1).unwrap_or_default().to_owned();
    let mut detail = json!({"eventName": if enables { "EnableRegion" } else { "DisableRegion" },
        "eventSource": "account.amazonaws.com", "awsRegion": "us-east-1", "recipientAccountId": account,
        "eventID": state.draws.id("record of a region", "0123456789abcdef", 32),
        "eventTime": time::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventType": "AwsApiCall", "managementEvent": true, "readOnly": false,
        "requestParameters": {"regionName": region, "accountId": account},
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": caller,
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role,
                "arn": format!("arn:aws:iam::{caller}:role/{role}")}}}});
    if let Some(refusal) = refused {
        detail["errorCode"] = refusal.code.as_str().into();
    }
    events::happened_on(state, by.bus(), "aws.account", "AWS API Call via CloudTrail", &detail);
}
