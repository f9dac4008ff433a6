//! Events in and out: lenient in, strict out.

use aws_lambda_events::{eventbridge::EventBridgeEvent, sqs::SqsEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    baseline::Refusal,
    cloudtrail::{Actor, account_id_in},
    control::Row,
    error::Failure,
    ids::{AccountId, AccountName, CreateAccountRequestId, Email, EventId, OrganizationalUnitId, RequestId, RoleName},
    input::Problem,
};

/// The `source` of every event that Steward puts on its bus.
pub const SOURCE: &str = "steward";

/// An event that Steward puts on its bus.
pub trait Event: Serialize {
    /// The `detail-type` that rules select on.
    const DETAIL_TYPE: &'static str;
}

/// An account that was asked for exists, sits in its unit and waits for its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCreated {
    /// The request it was made for.
    pub request_id: RequestId,
    /// Its id.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: AccountName,
    /// Its primary e-mail address.
    pub email: Email,
    /// The unit (or root) that holds it; left out when nobody asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<OrganizationalUnitId>,
    /// The role through which the management account enters it.
    pub role_name: RoleName,
}

impl Event for AccountCreated {
    const DETAIL_TYPE: &'static str = "AccountCreated";
}

/// An account that was asked for was not created, or not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCreationFailed {
    /// The request; left out when the input has no valid e-mail address, from which it is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The name that the account was to have, if a valid one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<AccountName>,
    /// The e-mail address that it was to have, if a valid one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The event that asked for it, if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The account, when it exists all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// What is wrong with the input, if that is the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Event for AccountCreationFailed {
    const DETAIL_TYPE: &'static str = "AccountCreationFailed";
}

/// Items of Steward's table are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordsUnreadable {
    /// Their keys.
    pub keys: Vec<String>,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Event for RecordsUnreadable {
    const DETAIL_TYPE: &'static str = "RecordsUnreadable";
}

/// An account has its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaselineApplied {
    /// The account.
    pub account_id: AccountId,
    /// The request it was made for, if it was made by Steward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// What came of each control.
    pub controls: Vec<Row>,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl Event for BaselineApplied {
    const DETAIL_TYPE: &'static str = "BaselineApplied";
}

/// An account lacks a part of its baseline, and Steward has stopped trying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaselineIncomplete {
    /// The account.
    pub account_id: AccountId,
    /// The request it was made for, if it was made by Steward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// What stands in the way of the first control that is not done, and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// What came of each control.
    pub controls: Vec<Row>,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl Event for BaselineIncomplete {
    const DETAIL_TYPE: &'static str = "BaselineIncomplete";
}

/// A region of an account was enabled or disabled, as the document has it or does not mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionOptAudited {
    /// What has happened.
    #[serde(flatten)]
    pub change: RegionChange,
    /// What the document says about it.
    pub document_says: String,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl Event for RegionOptAudited {
    const DETAIL_TYPE: &'static str = "RegionOptAudited";
}

/// A region of an account was enabled or disabled against the document, or in a way that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionPolicyViolated {
    /// What has happened.
    #[serde(flatten)]
    pub change: RegionChange,
    /// What is wrong with it and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// Whether Steward undoes it by itself.
    pub remediated: bool,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl Event for RegionPolicyViolated {
    const DETAIL_TYPE: &'static str = "RegionPolicyViolated";
}

/// What has happened to a region of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionChange {
    /// The account whose region it is, which need not be the one that the event came from.
    pub account_id: AccountId,
    /// The region, as AWS named it.
    pub region: String,
    /// Its status, as AWS named it.
    pub status: String,
    /// When, as AWS wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who has asked for it, where the record of the call was heard before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<Actor>,
}

impl RegionChange {
    /// When it was; None where AWS did not say.
    pub fn time(&self) -> Option<Timestamp> {
        self.at.as_deref()?.parse().ok()
    }
}

/// What a function was invoked with.
#[derive(Debug)]
pub enum Trigger {
    /// Messages of a queue.
    Queue(SqsEvent),
    /// An event of a bus.
    Event(EventBridgeEvent<Value>),
    /// A person's input, or a schedule's.
    ByHand(Value),
}

impl Trigger {
    /// Tells the three apart by their shape. What looks like an event or a batch and is none is a person's input,
    /// whose reader will say what is wrong with it.
    pub fn of(payload: Value) -> Self {
        if let (Some(_), Ok(batch)) = (payload.get("Records"), SqsEvent::deserialize(&payload)) {
            return Self::Queue(batch);
        }
        match as_event(&payload) {
            Some(event) => Self::Event(event),
            None => Self::ByHand(payload),
        }
    }
}

/// The payload as an event of EventBridge; None when it is something else.
pub fn as_event(payload: &Value) -> Option<EventBridgeEvent<Value>> {
    payload.get("detail-type")?;
    EventBridgeEvent::deserialize(payload).ok()
}

/// The id that AWS gave to the call of `CreateAccount` whose end a `CreateAccountResult` event tells. Everything
/// else in that event is masked, or can be asked for. None for any other event.
pub fn create_account_result(event: &EventBridgeEvent<Value>) -> Option<CreateAccountRequestId> {
    if event.detail["eventName"] != "CreateAccountResult" {
        return None;
    }
    event.detail["serviceEventDetails"]["createAccountStatus"]["id"].as_str()?.parse().ok()
}

/// The account that an `AccountJoinedOrganization` event is about. AWS has published no sample of it, so the id is
/// looked for in every place that comparable events use. None for any other event.
pub fn account_joined(event: &EventBridgeEvent<Value>) -> Option<AccountId> {
    if event.detail["eventName"] != "AccountJoinedOrganization" {
        return None;
    }
    // Not the whole detail: `userIdentity` and `recipientAccountId` name the management account.
    ["serviceEventDetails", "responseElements", "requestParameters"]
        .into_iter()
        .find_map(|part| account_id_in(&event.detail[part]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(detail: &Value) -> EventBridgeEvent<Value> {
        as_event(&json!({"detail-type": "AWS Service Event via CloudTrail", "source": "aws.organizations", "detail": detail}))
            .expect("an event")
    }

    #[test]
    fn a_create_account_result_gives_the_id_of_its_request() {
        let detail = json!({"eventName": "CreateAccountResult", "serviceEventDetails": {"createAccountStatus":
            {"id": "car-3fbd74c0f2fa11ed8b6e0a41b5dcf48f", "state": "FAILED", "accountName": "****"}}});
        assert_eq!(create_account_result(&event(&detail)).unwrap().as_str(), "car-3fbd74c0f2fa11ed8b6e0a41b5dcf48f");
        assert_eq!(create_account_result(&event(&json!({"eventName": "CloseAccountResult"}))), None);
    }

    #[test]
    fn a_joined_account_is_found_wherever_the_event_carries_it_but_never_in_the_callers_identity() {
        let nested = json!({"eventName": "AccountJoinedOrganization", "userIdentity": {"accountId": "111111111111"},
            "serviceEventDetails": {"accountJoined": {"AccountId": "222222222222"}}});
        assert_eq!(account_joined(&event(&nested)).unwrap().as_str(), "222222222222");
        let without = json!({"eventName": "AccountJoinedOrganization", "userIdentity": {"accountId": "111111111111"},
            "recipientAccountId": "111111111111"});
        assert_eq!(account_joined(&event(&without)), None);
    }

    #[test]
    fn triggers_are_told_apart_by_their_shape() {
        assert!(matches!(Trigger::of(json!({"Records": []})), Trigger::Queue(_)));
        assert!(matches!(Trigger::of(json!({"detail-type": "x", "source": "y", "detail": {}})), Trigger::Event(_)));
        for input in [json!({}), json!(null), json!("text"), json!({"detail-type": 7}), json!({"Records": 7})] {
            assert!(matches!(Trigger::of(input.clone()), Trigger::ByHand(_)), "{input}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("Records"),
            Just("body"),
            Just("detail-type"),
            Just("source"),
            Just("detail"),
            Just("eventName"),
            Just("serviceEventDetails"),
            Just("createAccountStatus"),
            Just("id"),
            Just("email"),
            Just("tags"),
        ];
        leaf.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_makes_a_reader_panic(payload in any_json()) {
            let role = crate::ids::RoleName::organization_account_access();
            prop_assert!(crate::account_creation::Wish::read(payload.clone(), &role).is_err());
            if let Trigger::Event(event) = Trigger::of(payload) {
                let _ = (create_account_result(&event), account_joined(&event));
            }
        }
    }
}
