//! The events about baselines and regions.

use crate::{
    audit::cloudtrail::Actor,
    baseline::Refusal,
    control::Row,
    error::Failure,
    gateway::{Event, EventType},
    ids::{AccountId, RequestId},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account has its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BaselineApplied {
    /// The account.
    pub account_id: AccountId,
    /// The request it was made for, if it was made by Steward.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub request_id: Option<RequestId>,
    /// What came of each control.
    pub controls: Vec<Row>,
    /// That a newer document was refused, so that an older one was gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_refused: Option<Refusal>,
}

impl Event for BaselineApplied {
    const TYPE: EventType = EventType::BaselineApplied;
}

/// An account lacks a part of its baseline, and Steward has stopped trying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BaselineIncomplete {
    /// The account.
    pub account_id: AccountId,
    /// The request it was made for, if it was made by Steward.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
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
    const TYPE: EventType = EventType::BaselineIncomplete;
}

/// Groups of the jump account reach other accounts than before, because of something that has happened to accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JumpGroupsChanged {
    /// The jump account.
    pub account_id: AccountId,
    /// What has happened, in words: which account was moved, tagged or closed, which unit was renamed.
    pub why: String,
    /// What was changed, in words.
    pub applied: Vec<String>,
}

impl Event for JumpGroupsChanged {
    const TYPE: EventType = EventType::JumpGroupsChanged;
}

/// A region of an account was enabled or disabled, as the document has it or does not mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    const TYPE: EventType = EventType::RegionOptAudited;
}

/// A region of an account was enabled or disabled against the document, or in a way that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    const TYPE: EventType = EventType::RegionPolicyViolated;
}

/// What has happened to a region of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use crate::{
        account_creation::AccountSpec,
        audit::cloudtrail::{account_joined, create_account_result},
        ids::RoleName,
        runtime::trigger::Trigger,
    };

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
            let role = RoleName::organization_account_access();
            prop_assert!(AccountSpec::read(payload.clone(), &role).is_err());
            if let Trigger::Event(event) = Trigger::of(payload) {
                let _ = (create_account_result(&event), account_joined(&event));
            }
        }
    }
}
