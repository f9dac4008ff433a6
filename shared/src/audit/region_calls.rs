//! Who has asked for a change of a region, by the record of the call. It comes by another way than the news of the
//! change itself, before it or after it, and may be lost.
//!
//! What is known of a region is kept as marks in the order of their own times: calls, and statuses that were announced.
//! A person is named only where the marks leave no other: better nobody than somebody else.

use std::{collections::HashMap, fmt, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::EnumString;

use crate::{
    audit::cloudtrail::Actor,
    error::Cause,
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    ids::AccountId,
    table::keys,
};

/// How long a call can be behind the end of a change: AWS takes hours at most (AWS Account Management user guide, "Enable
/// or disable AWS Regions in your account").
const BEHIND: SignedDuration = SignedDuration::from_hours(24);
/// How long it can be behind the beginning of one, which is announced at once.
const BEGUN: SignedDuration = SignedDuration::from_mins(15);
/// The most marks of one region that are kept: a member can make as many as it likes.
const MOST_MARKS: usize = 40;

/// Where a region stands between disabled and enabled, as its event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Status {
    /// Somebody has asked for it.
    Enabling,
    /// It can be used.
    Enabled,
    /// Somebody has asked for its end.
    Disabling,
    /// It cannot be used.
    Disabled,
}

impl Status {
    /// Whether it is the end of a change.
    fn is_end(self) -> bool {
        match self {
            Self::Enabled | Self::Disabled => true,
            Self::Enabling | Self::Disabling => false,
        }
    }

    /// Whether it ends in an enabled region.
    pub fn leads_to_enabled(self) -> bool {
        match self {
            Self::Enabling | Self::Enabled => true,
            Self::Disabling | Self::Disabled => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabling => "ENABLING",
            Self::Enabled => "ENABLED",
            Self::Disabling => "DISABLING",
            Self::Disabled => "DISABLED",
        })
    }
}

/// A call of `EnableRegion` or `DisableRegion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionCall {
    /// The account whose region it is.
    pub account_id: AccountId,
    /// The region.
    pub region: String,
    /// Whether it asks for the region's end.
    pub disables: bool,
    /// Who has called.
    pub actor: Actor,
    /// When, by the record itself.
    pub at: Timestamp,
}

/// Something that is known of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    at: Timestamp,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// Somebody has called.
    Call { disables: bool, actor: Actor },
    /// A status was announced.
    Status(Status),
}

/// The marks, in the stack's table.
#[derive(Clone, Debug)]
pub struct Callers(DynamoDbGateway);

#[derive(Default, Serialize, Deserialize)]
struct Item {
    marks: Vec<Mark>,
    revision: u64,
    expires_at: i64,
}

impl Callers {
    /// The marks in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Records a call.
    pub async fn record(&self, call: &RegionCall, now: Timestamp) -> Result<(), CallError> {
        let what = What::Call { disables: call.disables, actor: call.actor.clone() };
        let pk = key(&call.account_id, &call.region);
        self.add(&pk, &Mark { at: call.at, what }, now).await.map(drop)
    }

    /// Who has asked for the change that was announced as this status at `at`; None when no record of the call was heard,
    /// or when it may have been somebody else.
    pub async fn behind(
        &self,
        account_id: &AccountId,
        region: &str,
        status: Status,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Actor>, CallError> {
        let pk = key(account_id, region);
        // Without a call there is nobody to name, and nothing that this status could end.
        let known: Option<Item> = self.0.find(&pk).await?;
        if known.is_none() {
            return Ok(None);
        }
        let marks = self.add(&pk, &Mark { at, what: What::Status(status) }, now).await?;
        Ok(caller(&marks, status, at).cloned())
    }

    /// Adds a mark unless it is there, and gives all of them.
    async fn add(&self, pk: &str, mark: &Mark, now: Timestamp) -> Result<Vec<Mark>, CallError> {
        const ATTEMPTS: u32 = 8;
        for attempt in 0..ATTEMPTS {
            let found: Option<Item> = self.0.find(pk).await?;
            let is_new = found.is_none();
            let Item { mut marks, revision, .. } = found.unwrap_or_default();
            if marks.contains(mark) {
                return Ok(marks);
            }
            marks.push(mark.clone());
            marks.sort_by_key(|mark| mark.at);
            let surplus = marks.len().saturating_sub(MOST_MARKS);
            marks.drain(..surplus);
            // DynamoDB removes what has expired within days.
            let item = Item { marks, revision: revision + 1, expires_at: (now + BEHIND * 2).as_second() };
            let condition = if is_new {
                ("attribute_not_exists(pk)".to_owned(), HashMap::new())
            } else {
                let read = HashMap::from([(":read".to_owned(), AttributeValue::N(revision.to_string()))]);
                ("revision = :read".to_owned(), read)
            };
            let put = Write::Put { pk: pk.to_owned(), item: attributes(&item)?, condition: Some(condition) };
            if self.0.write(vec![put]).await?.is_ok() {
                return Ok(item.marks);
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        let detail = format!("{ATTEMPTS} writes in a row met others on the same region");
        Err(CallError::unusable("dynamodb:PutItem", Cause::ConcurrentModification, detail))
    }
}

/// Who is behind a status that was announced at `at`: whoever made the latest call before it, if that call asks for this
/// status and nothing else that is known has used it up. Pure.
fn caller(marks: &[Mark], status: Status, at: Timestamp) -> Option<&Actor> {
    let calls = marks.iter().filter_map(|mark| match &mark.what {
        What::Call { disables, actor } if mark.at <= at => Some((mark.at, *disables, actor)),
        What::Call { .. } | What::Status(_) => None,
    });
    let (called, disables, actor) = calls.max_by_key(|(called, ..)| *called)?;
    let patience = if status.is_end() { BEHIND } else { BEGUN };
    let fits = disables != status.leads_to_enabled() && at.duration_since(called) <= patience;
    // A call makes each of its statuses once. One that came between belongs to it, and this one to another call, of which
    // nothing was heard; so does one of the other direction.
    let is_used_up = marks.iter().any(|mark| match mark.what {
        What::Status(between) => {
            let is_between = mark.at > called && mark.at < at;
            let ends = between == status || between.is_end() || between.leads_to_enabled() != status.leads_to_enabled();
            is_between && ends
        }
        What::Call { .. } => false,
    });
    (fits && !is_used_up).then_some(actor)
}

fn key(account_id: &AccountId, region: &str) -> String {
    keys::REGION_MARKS.key(format_args!("{account_id}#{region}"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client, operation::get_item::GetItemOutput, operation::transact_write_items::TransactWriteItemsOutput,
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;
    use crate::audit::cloudtrail::{Actor, Record};

    const START: i64 = 1_790_000_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(START + minutes * 60).unwrap()
    }

    fn actor(name: &str) -> Actor {
        let detail = json!({"eventName": "x", "userIdentity": {"type": "IAMUser", "userName": name}});
        Actor::of(Record::of(&detail).unwrap(), &[])
    }

    fn call(minutes: i64, disables: bool, name: &str) -> Mark {
        Mark { at: at(minutes), what: What::Call { disables, actor: actor(name) } }
    }

    fn announced(minutes: i64, status: Status) -> Mark {
        Mark { at: at(minutes), what: What::Status(status) }
    }

    /// Who is named for a status that is announced after so many minutes.
    fn named(marks: &[Mark], status: Status, minutes: i64) -> Option<String> {
        caller(marks, status, at(minutes)).map(|actor| actor.name.clone())
    }

    #[test]
    fn whoever_made_the_latest_call_before_the_change_is_behind_it_from_its_beginning_to_its_end() {
        let marks = [call(0, false, "alice"), announced(0, Status::Enabling)];
        assert_eq!(named(&marks, Status::Enabling, 0).as_deref(), Some("alice"));
        assert_eq!(named(&marks, Status::Enabled, 30).as_deref(), Some("alice"));
        let later = [call(0, false, "alice"), call(50, true, "bob"), call(100, false, "carol")];
        assert_eq!(named(&later, Status::Enabled, 40).as_deref(), Some("alice"));
        assert_eq!(named(&later, Status::Disabled, 60).as_deref(), Some("bob"));
        assert_eq!(named(&later, Status::Enabled, 110).as_deref(), Some("carol"));
    }

    #[test]
    fn a_call_of_the_other_direction_in_between_leaves_nobody_to_name() {
        let marks = [call(0, false, "alice"), call(50, true, "bob")];
        assert_eq!(named(&marks, Status::Enabling, 60), None);
        assert_eq!(named(&marks, Status::Enabled, 60), None);
    }

    #[test]
    fn a_call_that_comes_after_the_change_is_not_behind_it() {
        assert_eq!(named(&[call(10, false, "alice")], Status::Enabling, 9), None);
    }

    #[test]
    fn whoever_made_the_change_before_is_not_named_for_a_change_whose_record_was_lost() {
        let before = [call(0, false, "alice"), announced(0, Status::Enabling), announced(30, Status::Enabled)];
        // Somebody has disabled the region and enabled it again: no record of it came.
        assert_eq!(named(&before, Status::Enabling, 120), None);
        assert_eq!(named(&before, Status::Enabled, 150), None);
        // Nor where nothing was heard but the new change itself.
        assert_eq!(named(&[call(0, false, "alice")], Status::Enabling, 120), None);
        let disabled = [call(0, false, "alice"), announced(60, Status::Disabling)];
        assert_eq!(named(&disabled, Status::Enabled, 90), None);
    }

    #[test]
    fn a_change_that_is_announced_twice_has_the_same_caller_both_times() {
        let marks = [call(0, false, "alice"), announced(0, Status::Enabling), announced(30, Status::Enabled)];
        assert_eq!(named(&marks, Status::Enabled, 30).as_deref(), Some("alice"));
    }

    #[test]
    fn a_call_is_not_behind_changes_for_ever() {
        assert_eq!(named(&[call(0, false, "alice")], Status::Enabled, 24 * 60).as_deref(), Some("alice"));
        assert_eq!(named(&[call(0, false, "alice")], Status::Enabled, 24 * 60 + 1), None);
    }

    fn callers(known: Option<Item>) -> (Callers, aws_smithy_mocks::Rule) {
        let item = known.map(|item| attributes(&item).unwrap());
        let get = mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(item.clone()).build());
        let put = mock!(Client::transact_write_items)
            .match_requests(|input| {
                let put = input.transact_items()[0].put().unwrap();
                put.condition_expression() == Some("revision = :read")
                    && put.item()["pk"].as_s().unwrap() == "region-marks#123456789012#eu-south-1"
            })
            .then_output(|| TransactWriteItemsOutput::builder().build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&get, &put]);
        (Callers::new(DynamoDbGateway::new(client, "table")), put)
    }

    #[tokio::test]
    async fn a_status_is_remembered_where_a_call_is_known_and_costs_nothing_where_none_is() {
        let account = "123456789012".parse().unwrap();
        let known = Item { marks: vec![call(0, false, "alice")], revision: 3, expires_at: 0 };
        let (one_caller, put) = callers(Some(known));
        let behind = one_caller.behind(&account, "eu-south-1", Status::Enabled, at(30), at(31)).await.unwrap();
        assert_eq!((behind, put.num_calls()), (Some(actor("alice")), 1));
        let (no_callers, put) = callers(None);
        let behind = no_callers.behind(&account, "eu-south-1", Status::Enabled, at(30), at(31)).await.unwrap();
        assert_eq!((behind, put.num_calls()), (None, 0));
    }

    #[test]
    fn a_status_that_aws_has_added_since_is_not_taken_for_another() {
        assert_eq!(
            ("ENABLED".parse().ok(), "ENABLED_BY_DEFAULT".parse::<Status>().ok()),
            (Some(Status::Enabled), None)
        );
    }
}
