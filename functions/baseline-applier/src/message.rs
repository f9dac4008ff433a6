//! What the queue brings: a new account, or something that decides who reaches accounts.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    account_creation::BaselineMessage,
    audit::cloudtrail::{REARRANGING, rearranged},
    clock,
    error::Failure,
    organization::Rearranged,
    runtime::trigger::Trigger,
    table::looks::Look,
};

/// What the queue brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A new account that is to get its baseline.
    NewAccount(BaselineMessage),
    /// The groups of the jump account may have to change.
    Regroup(Regroup),
    /// It is about no account: a tag of a policy, a call that AWS has refused.
    OfNobody,
}

/// Something has happened that decides who reaches accounts, as an event tells of it or as the function reminds itself of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Regroup {
    /// What has happened.
    pub(crate) happened: Rearranged,
    /// When it was first heard of.
    pub(crate) since: Timestamp,
    /// Whether this is the last look: AWS shows by now what has happened, and nobody believes the old name of a unit any more.
    #[serde(default)]
    pub(crate) is_last: bool,
    /// Which look this is.
    #[serde(default)]
    pub(crate) look: Option<Look>,
}

impl Regroup {
    /// Which look this is.
    pub(crate) fn look(&self) -> Look {
        self.look.clone().unwrap_or_else(|| Look::first(format_args!("{:?}#{}", self.happened, self.since)))
    }

    /// The message of the next look.
    pub(crate) fn again(self) -> Self {
        Self { look: Some(self.look().next()), ..self }
    }
}

impl Message {
    /// Which look it is; None where nothing is looked at.
    pub(crate) fn look(&self) -> Option<Look> {
        match self {
            Self::NewAccount(account) => Some(account.look()),
            Self::Regroup(regroup) => Some(regroup.look()),
            Self::OfNobody => None,
        }
    }

    /// Reads a message of the queue: an event, or the function's own reminder.
    ///
    /// A reminder from the future is one from now, so that its patience ends.
    pub(crate) fn of_message(body: &str) -> Result<Self, Failure> {
        let parsed = serde_json::from_str(body).map(Trigger::of);
        match parsed {
            Ok(Trigger::Event(event)) => {
                Self::of_event(&event).map(|message| message.looked_at(Look::of_event(&event)))
            }
            Ok(Trigger::Manual(reminder)) if reminder.get("happened").is_some() => {
                let reminder: Regroup = serde_json::from_value(reminder)
                    .map_err(|error| Failure::not_understood(format_args!("{error}.")))?;
                // Which look it is does not depend on whose clock is late.
                let look = Some(reminder.look());
                Ok(Self::Regroup(Regroup { since: reminder.since.min(clock::now()), look, ..reminder }))
            }
            _ => BaselineMessage::of_message(body).map(Self::NewAccount),
        }
    }

    fn looked_at(self, look: Option<Look>) -> Self {
        match self {
            Self::NewAccount(account) => Self::NewAccount(BaselineMessage { look, ..account }),
            Self::Regroup(regroup) => Self::Regroup(Regroup { look, ..regroup }),
            Self::OfNobody => Self::OfNobody,
        }
    }

    /// Reads an event: a new account, or one of [`REARRANGING`].
    pub(crate) fn of_event(event: &EventBridgeEvent<Value>) -> Result<Self, Failure> {
        let is_rearranging = |name: &&str| event.detail["eventName"] == **name;
        if event.source == "aws.organizations" && REARRANGING.iter().any(is_rearranging) {
            let since = clock::now();
            let regroup = |happened| Self::Regroup(Regroup { happened, since, is_last: false, look: None });
            return Ok(rearranged(event).map_or(Self::OfNobody, regroup));
        }
        BaselineMessage::of_event(event).map(Self::NewAccount)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::error::Cause;

    use super::*;

    fn event(name: &str, parameters: &Value) -> String {
        json!({"source": "aws.organizations", "detail-type": "AWS API Call via CloudTrail", "account": "111111111111",
            "detail": {"eventName": name, "requestParameters": parameters}})
        .to_string()
    }

    #[test]
    fn a_reminder_is_read_back_as_it_was_sent_and_one_from_the_future_is_one_from_now() {
        for happened in [
            Rearranged::Moved("222222222222".parse().unwrap()),
            Rearranged::Tagged { account_id: "222222222222".parse().unwrap(), keys: vec!["team".to_owned()] },
            Rearranged::Gone("222222222222".parse().unwrap()),
            Rearranged::Renamed("ou-ab12-cdef3456".parse().unwrap()),
        ] {
            let since = Timestamp::from_second(1_790_000_000).unwrap();
            let sent = Regroup { happened, since, is_last: true, look: None }.again();
            let read = Message::of_message(&serde_json::to_string(&sent).unwrap()).unwrap();
            assert_eq!(read, Message::Regroup(sent));
        }
        let reminder = json!({"happened": {"moved": "222222222222"}, "since": "9000-01-01T00:00:00Z"});
        let Message::Regroup(read) = Message::of_message(&reminder.to_string()).unwrap() else { panic!() };
        assert!(read.since <= clock::now() && !read.is_last);
    }

    #[test]
    fn what_is_about_an_account_is_told_from_what_is_not_and_from_what_nobody_sends() {
        let moved = Message::of_message(&event("MoveAccount", &json!({"accountId": "222222222222"}))).unwrap();
        assert!(matches!(moved, Message::Regroup(Regroup { happened: Rearranged::Moved(_), .. })));
        let tagged = event("TagResource", &json!({"resourceId": "ou-ab12-cdef3456", "tags": []}));
        assert_eq!(Message::of_message(&tagged).unwrap(), Message::OfNobody);
        let joined = event("AccountJoinedOrganization", &json!({"accountId": "222222222222"}));
        assert!(matches!(Message::of_message(&joined).unwrap(), Message::NewAccount(_)));
        let other = event("AttachPolicy", &json!({}));
        for body in ["", "{}", "[]", "not json", r#"{"happened": 7}"#, &other] {
            assert_eq!(Message::of_message(body).unwrap_err().cause, Cause::MessageNotUnderstood, "{body}");
        }
    }
}
