//! What the function receives: a change, the call behind one, or its own reminder.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    audit::{
        cloudtrail::{Actor, Record},
        own_roles::OwnRole,
        region_calls::RegionCall,
    },
    error::Failure,
    events::RegionChange,
    ids::AccountId,
    runtime::trigger::Trigger,
    table::looks::Look,
};

/// The `detail-type` under which Account Management tells of regions.
const STATUS_CHANGE: &str = "Region Opt-In Status Change";

/// One thing that the function receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A region has another status.
    Changed(News),
    /// Somebody has asked for a change.
    Called(RegionCall),
    /// Somebody has asked for a change, and AWS has refused it.
    Refused,
    /// An account is to be brought back to what the document says.
    Remediate(Reminder),
}

/// What the function sends to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ToItself {
    /// A change that is judged later.
    Changed(News),
    /// An account that is looked at later.
    Remediate(Reminder),
}

impl From<ToItself> for Message {
    fn from(message: ToItself) -> Self {
        match message {
            ToItself::Changed(news) => Self::Changed(news),
            ToItself::Remediate(reminder) => Self::Remediate(reminder),
        }
    }
}

/// That a region has another status, for the first time or put off because its judgement had no turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct News {
    /// What has changed.
    #[serde(rename = "changed")]
    pub(crate) change: RegionChange,
    /// Since when it waits; None before it does.
    #[serde(default)]
    since: Option<Timestamp>,
    /// Which try this is; None where the event has no id.
    look: Option<Look>,
}

impl News {
    /// The same, to be judged later; None once it has waited for so long.
    fn put_off(self, now: Timestamp, patience: SignedDuration) -> Option<Self> {
        let since = self.since.map_or(now, |since| since.min(now));
        let look = self.look.map(|look| look.next()).filter(|look| look.number() < MOST_LOOKS)?;
        (now.duration_since(since) < patience).then_some(Self { since: Some(since), look: Some(look), ..self })
    }
}

/// The function's reminder to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reminder {
    /// The account.
    #[serde(rename = "remediate")]
    pub(crate) account: AccountId,
    /// Since when its regions are not as they should be.
    pub(crate) since: Timestamp,
    /// Which look this is. The first reminder does not say it.
    #[serde(default)]
    look: Option<Look>,
}

/// The most looks of one chain: at the usual intervals some sixty take two hours, the slowest stack takes a day. Whatever
/// the times in a message say, it ends.
const MOST_LOOKS: u32 = 500;

impl Reminder {
    /// The first reminder.
    pub(crate) fn new(account: AccountId, since: Timestamp) -> Self {
        Self { account, since, look: None }
    }

    /// The same, not begun later than now: patience is counted from there, and would never end.
    pub(crate) fn clamped(self, now: Timestamp) -> Self {
        // Which look it is does not depend on whose clock is late.
        Self { since: self.since.min(now), look: Some(self.look()), ..self }
    }

    /// Which look at the account this is.
    pub(crate) fn look(&self) -> Look {
        self.look.clone().unwrap_or_else(|| Look::first(format_args!("{}#{}", self.account, self.since)))
    }

    /// The next one; None after too many.
    pub(crate) fn again(&self) -> Option<Self> {
        let look = self.look().next();
        (look.number() < MOST_LOOKS).then(|| Self { look: Some(look), ..self.clone() })
    }
}

impl Message {
    /// Which look the message stands for, if it is one that is taken once. What AWS tells is published once, however often it
    /// is heard of.
    pub(crate) fn look(&self) -> Option<Look> {
        match self {
            Self::Changed(news) => news.since.and(news.look.clone()),
            Self::Called(_) | Self::Refused => None,
            Self::Remediate(reminder) => Some(reminder.look()),
        }
    }

    /// What is sent in the place of a message that had no turn; None once it has waited for so long.
    pub(crate) fn put_off(self, now: Timestamp, patience: SignedDuration) -> Option<ToItself> {
        match self {
            Self::Changed(news) => news.put_off(now, patience).map(ToItself::Changed),
            Self::Called(_) | Self::Refused => None,
            Self::Remediate(reminder) => {
                let reminder = reminder.clamped(now);
                let is_patient = now.duration_since(reminder.since) < patience;
                reminder.again().filter(|_| is_patient).map(ToItself::Remediate)
            }
        }
    }

    /// Reads a message of the queue.
    pub(crate) fn of_body(body: &str, own_roles: &[OwnRole]) -> Result<Self, Failure> {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| Failure::not_understood(format_args!("It is not JSON: {error}.")))?;
        match Trigger::of(body) {
            Trigger::Event(event) => Self::of_event(&event, own_roles),
            Trigger::Manual(own) => serde_json::from_value(own)
                .map(ToItself::into)
                .map_err(|_| Failure::not_understood("It is neither an event nor what this function sends to itself.")),
            Trigger::Queue(_) => Err(Failure::not_understood("It is a batch in a message.")),
        }
    }

    /// Reads an event about a region: of Account Management itself, or CloudTrail's record of a call.
    pub(crate) fn of_event(event: &EventBridgeEvent<Value>, own_roles: &[OwnRole]) -> Result<Self, Failure> {
        let detail = &event.detail;
        let text = |field: &str| detail[field].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        if event.detail_type == STATUS_CHANGE {
            // Never the event's own account: that is whoever has asked.
            let account_id = text("accountId").and_then(|id| id.parse().ok());
            let (Some(account_id), Some(region), Some(status)) = (account_id, text("regionName"), text("status"))
            else {
                return Err(Failure::not_understood("It lacks accountId, regionName or status."));
            };
            let at = steward::clock::of_event(event);
            let change = RegionChange { account_id, region, status, at, requested_by: None };
            return Ok(Self::Changed(News { change, since: None, look: Look::of_event(event) }));
        }
        let record = Record::of(detail).ok_or_else(|| Failure::not_understood("It tells of no region."))?;
        let disables = match record.name() {
            "EnableRegion" => false,
            "DisableRegion" => true,
            other => return Err(Failure::not_understood(format_args!("{other} is no call about a region."))),
        };
        if record.error_code().is_some() {
            return Ok(Self::Refused);
        }
        let region =
            record.text("/requestParameters/regionName").or_else(|| record.text("/requestParameters/RegionName"));
        let (Some(account_id), Some(region)) = (record.account(), region) else {
            return Err(Failure::not_understood("The record of the call names no account or no region."));
        };
        // When it was called, and not when it was heard of: that decides which change it is behind.
        let at = record.at("/eventTime").as_str().and_then(|at| at.parse().ok());
        let at = at.or_else(|| event.time.and_then(|time| Timestamp::from_second(time.timestamp()).ok()));
        let Some(at) = at else { return Err(Failure::not_understood("The record of the call says no time.")) };
        let actor = Actor::of(record, own_roles);
        Ok(Self::Called(RegionCall { account_id, region: region.to_owned(), disables, actor, at }))
    }
}

#[cfg(test)]
mod tests;
