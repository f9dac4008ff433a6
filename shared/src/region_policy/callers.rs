//! Who has asked for a change of a region, by the record of the call. It comes by another way than the news of the
//! change itself, before it or after it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Status;
use crate::{
    cloudtrail::Actor,
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    ids::AccountId,
};

/// How long a call can be behind a change: AWS takes hours at most.
const BEHIND: SignedDuration = SignedDuration::from_hours(24);

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
}

/// The last calls, in the stack's table.
#[derive(Clone, Debug)]
pub struct Callers(DynamoDbGateway);

#[derive(Serialize, Deserialize)]
struct Item {
    actor: Actor,
    called_at: i64,
    expires_at: i64,
}

impl Callers {
    /// The calls in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Records a call.
    pub async fn record(&self, call: &RegionCall, now: Timestamp) -> Result<(), CallError> {
        let expires_at = (now + BEHIND).as_second();
        let item = attributes(&Item { actor: call.actor.clone(), called_at: now.as_second(), expires_at })?;
        let pk = key(&call.account_id, &call.region, call.disables);
        self.0.write(vec![Write::Put { pk, item, condition: None }]).await.map(drop)
    }

    /// Who has asked for this change; None when no record of the call was heard.
    pub async fn behind(
        &self,
        account_id: &AccountId,
        region: &str,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Actor>, CallError> {
        let found: Option<Item> = self.0.find(&key(account_id, region, !status.leads_to_enabled())).await?;
        // DynamoDB removes what has expired within days.
        Ok(found.filter(|item| item.expires_at > now.as_second()).map(|item| item.actor))
    }
}

fn key(account_id: &AccountId, region: &str, disables: bool) -> String {
    let call = if disables { "DisableRegion" } else { "EnableRegion" };
    format!("region-call#{account_id}#{region}#{call}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::{Client, operation::get_item::GetItemOutput, types::AttributeValue};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;
    use crate::cloudtrail::Record;

    #[tokio::test]
    async fn a_call_is_behind_changes_of_its_own_direction_and_not_for_ever() {
        let detail = json!({"eventName": "EnableRegion", "userIdentity": {"type": "IAMUser", "userName": "alice"}});
        let actor = Actor::of(Record::of(&detail).unwrap(), &[]);
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let item = Item { actor: actor.clone(), called_at: 1_790_000_000, expires_at: (now + BEHIND).as_second() };
        let item: HashMap<String, AttributeValue> = attributes(&item).unwrap();
        let enabled = mock!(Client::get_item)
            .match_requests(|input| {
                let key = input.key().and_then(|key| key.get("pk")).and_then(|key| key.as_s().ok());
                key.is_some_and(|key| key == "region-call#123456789012#eu-south-1#EnableRegion")
            })
            .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
        let none = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&enabled, &none]);
        let callers = Callers::new(DynamoDbGateway::new(client, "table"));
        let account = "123456789012".parse().unwrap();
        let behind = async |status, now| callers.behind(&account, "eu-south-1", status, now).await.unwrap();
        assert_eq!(behind(Status::Enabled, now).await, Some(actor));
        assert_eq!(behind(Status::Disabled, now).await, None);
        assert_eq!(behind(Status::Enabled, now + BEHIND + SignedDuration::from_secs(1)).await, None);
    }
}
