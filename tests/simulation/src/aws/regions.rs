//! AWS Account Management: the regions of accounts, which are enabled and disabled in minutes, or hours.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Refusal, events};
use crate::{
    call::Call,
    cloud::{Effect, State},
    template::{ACCOUNT, Bus},
    time,
};

/// Regions that every account has, for good.
const BY_DEFAULT: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Regions that an account has when it asks for them.
pub(crate) const OPT_IN: [&str; 8] =
    ["af-south-1", "ap-east-1", "ap-south-2", "ca-west-1", "eu-central-2", "eu-south-1", "il-central-1", "me-south-1"];
/// How many regions of one account AWS works on at once (Account Management reference guide, "Quotas").
const AT_ONCE: usize = 6;
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
pub(super) fn serve(state: &mut State, account: &str, function: &str, call: &Call) -> Option<Result<Answer, Refusal>> {
    let asker = Asker::Function(function.to_owned());
    let region = call.text("RegionName");
    let body = match call.operation.as_str() {
        "ListRegions" => Ok(list(state, account, call)),
        "EnableRegion" => change(state, account, region, true, &asker).map(|()| json!({})),
        "DisableRegion" => change(state, account, region, false, &asker).map(|()| json!({})),
        _ => return None,
    };
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
    let is_taken = begin(state, account, region, enables);
    record(state, account, region, enables, asker, is_taken.as_ref().err());
    if !is_taken? {
        return Ok(());
    }
    let call =
        Asked { at: time::now(), account: account.to_owned(), region: region.to_owned(), enables, by: asker.clone() };
    state.regions.asked.push(call);
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
        return Err(Refusal::new(400, "ValidationException", "The region cannot be enabled or disabled."));
    };
    let present = status(state, account, region);
    let regions = &mut state.members.entry(account.to_owned()).or_default().regions;
    match present {
        "ENABLING" | "DISABLING" => {
            return Err(Refusal::new(409, "ConflictException", "The region is being enabled or disabled."));
        }
        "ENABLED" if enables => return Ok(false),
        "DISABLED" if !enables => return Ok(false),
        _ => {}
    }
    if regions.values().filter(|status| status.ends_with("ING")).count() >= AT_ONCE {
        let message =
            "This request has exceeded the quota for 'Number of concurrent region-opt requests for an account'.";
        return Err(Refusal::new(429, "TooManyRequestsException", message));
    }
    regions.insert(region, if enables { "ENABLING" } else { "DISABLING" });
    Ok(true)
}

fn settle_later(state: &State, account: &str, region: &str, takes: Duration, bus: Bus) {
    let (account, region) = (account.to_owned(), region.to_owned());
    state.later(takes, Effect::RegionSettles { account, region, bus });
}

/// AWS has done with a change, and tells.
pub(crate) fn settle(state: &mut State, account: &str, region: &str, bus: Bus) {
    let Some(region) = OPT_IN.into_iter().find(|known| *known == region) else { return };
    let settled = if status(state, account, region) == "ENABLING" { "ENABLED" } else { "DISABLED" };
    state.members.entry(account.to_owned()).or_default().regions.insert(region, settled);
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
