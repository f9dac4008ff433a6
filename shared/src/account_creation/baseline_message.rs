//! A new account that is to get its baseline: as an event tells of it, or as a message of the queue reminds of it.

use crate::{
    account_creation::AccountCreated,
    audit::cloudtrail::account_joined,
    error::Failure,
    ids::{AccountId, RequestId},
    runtime::trigger::Trigger,
    table::looks::Look,
};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A new account, as an event tells of it or as the function reminds itself of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineMessage {
    /// The account.
    pub account_id: AccountId,
    /// The request it was made for, if it was made by Steward.
    pub request_id: Option<RequestId>,
    /// When it was first heard of.
    pub since: Timestamp,
    /// Whether AWS has told that it joined, and nobody has looked yet whether Steward made it. One that Steward made
    /// is announced again, once it is in its place.
    #[serde(default)]
    pub joined: bool,
    /// Whether Steward has had the time to know by now whether it made the account. At first hearing it may be its own
    /// without its knowing.
    #[serde(default)]
    pub waited: bool,
    /// Which look this is. The first message about an account does not say it.
    #[serde(default)]
    pub look: Option<Look>,
}

impl BaselineMessage {
    /// An account that is to get its baseline now, whoever has made it.
    pub fn new(account_id: AccountId, since: Timestamp) -> Self {
        Self { account_id, request_id: None, since, joined: false, waited: false, look: None }
    }

    /// Which look at the account this is.
    pub fn look(&self) -> Look {
        self.look.clone().unwrap_or_else(|| Look::first(format_args!("{}#{}", self.account_id, self.since)))
    }

    /// The message of the next look.
    #[must_use]
    pub fn again(self) -> Self {
        Self { look: Some(self.look().next()), ..self }
    }

    /// Reads a message of the queue: an event, or the function's own reminder.
    ///
    /// A reminder from the future is one from now: it is sent on with that, so that its patience ends.
    pub fn of_message(body: &str) -> Result<Self, Failure> {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| Failure::not_understood(format_args!("It is not JSON: {error}.")))?;
        match Trigger::of(body) {
            Trigger::Event(event) => Ok(Self { look: Look::of_event(&event), ..Self::of_event(&event)? }),
            Trigger::Manual(reminder) => {
                let reminder: Self = serde_json::from_value(reminder)
                    .map_err(|error| Failure::not_understood(format_args!("{error}.")))?;
                // Which look it is does not depend on whose clock is late.
                let look = Some(reminder.look());
                Ok(Self { since: reminder.since.min(crate::clock::now()), look, ..reminder })
            }
            Trigger::Queue(_) => Err(Failure::not_understood("It is a batch in a message.")),
        }
    }

    /// Reads an `AccountCreated` or `AccountJoinedOrganization` event. The role that the former names is not read: what
    /// an account is entered through is a setting.
    pub fn of_event(event: &EventBridgeEvent<Value>) -> Result<Self, Failure> {
        let since = crate::clock::now();
        if event.source == crate::gateway::SOURCE {
            let created = AccountCreated::deserialize(&event.detail)
                .map_err(|error| Failure::not_understood(format_args!("It is no AccountCreated event: {error}.")))?;
            let AccountCreated { account_id, request_id, .. } = created;
            return Ok(Self { request_id: Some(request_id), ..Self::new(account_id, since) });
        }
        let account_id = account_joined(event).ok_or_else(|| {
            Failure::not_understood(
                "It is neither an AccountCreated nor an AccountJoinedOrganization event with an account id.",
            )
        })?;
        Ok(Self { joined: true, ..Self::new(account_id, since) })
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Cause;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reminder_is_read_back_as_it_was_sent() {
        let since = Timestamp::from_second(1_790_000_000).unwrap();
        let account = BaselineMessage::new("123456789012".parse().unwrap(), since).again();
        let sent = serde_json::to_string(&account).unwrap();
        assert_eq!(BaselineMessage::of_message(&sent).unwrap(), account);
    }

    #[test]
    fn a_reminder_from_the_future_is_one_from_now() {
        let reminder = json!({"account_id": "123456789012", "request_id": null, "since": "9000-01-01T00:00:00Z"});
        let account = BaselineMessage::of_message(&reminder.to_string()).unwrap();
        assert!(account.since <= crate::clock::now());
    }

    #[test]
    fn copies_of_a_message_are_one_look_whichever_clock_reads_them() {
        let event = json!({"id": "0b1c2d3e-4f50", "detail-type": "x", "source": "aws.organizations",
            "detail": {"eventName": "AccountJoinedOrganization", "requestParameters": {"accountId": "123456789012"}}});
        let late = json!({"account_id": "123456789012", "request_id": null, "since": "9000-01-01T00:00:00Z"});
        for body in [event, late] {
            let read = || BaselineMessage::of_message(&body.to_string()).unwrap();
            assert_eq!(read().again().look(), read().again().look());
            assert_ne!(read().again().look(), read().look());
        }
    }

    #[test]
    fn what_is_no_new_account_is_not_understood() {
        let other = json!({"detail-type": "x", "source": "aws.organizations", "detail": {"eventName": "MoveAccount"}});
        for body in ["", "not json", "{}", "[]", &other.to_string()] {
            assert_eq!(BaselineMessage::of_message(body).unwrap_err().cause, Cause::MessageNotUnderstood, "{body}");
        }
    }
}
