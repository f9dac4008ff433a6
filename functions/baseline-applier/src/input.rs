//! What tells the function which account is to get its baseline.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward::{
    control::{self, AnyControl, Mode},
    error::{Cause, Failure},
    events::{AccountCreated, Trigger, account_joined},
    ids::{AccountId, NotValid, RequestId, RoleName},
    input::{Fields, in_words},
};

use crate::not_understood;

/// A new account, as an event tells of it or as the function reminds itself of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewAccount {
    /// The account.
    pub(crate) account_id: AccountId,
    /// The role through which it is entered.
    pub(crate) role_name: RoleName,
    /// The request it was made for, if it was made by Steward.
    pub(crate) request_id: Option<RequestId>,
    /// When it was first heard of.
    pub(crate) since: Timestamp,
    /// Whether AWS has told that it joined, and nobody has looked yet whether Steward made it. One that Steward made
    /// is told again, once it is in its place.
    #[serde(default)]
    pub(crate) joined: bool,
}

impl NewAccount {
    /// Reads a message of the queue: an event, or the function's own reminder.
    pub(crate) fn of_message(body: &str, access_role: &RoleName) -> Result<Self, Failure> {
        let body: Value =
            serde_json::from_str(body).map_err(|error| not_understood(format_args!("It is no JSON: {error}.")))?;
        match Trigger::of(body) {
            Trigger::Event(event) => Self::of_event(&event, access_role),
            Trigger::ByHand(reminder) => {
                serde_json::from_value(reminder).map_err(|error| not_understood(format_args!("{error}.")))
            }
            Trigger::Queue(_) => Err(not_understood("It is a batch in a message.")),
        }
    }

    /// Reads an `AccountCreated` or `AccountJoinedOrganization` event. The latter does not name the role.
    pub(crate) fn of_event(event: &EventBridgeEvent<Value>, access_role: &RoleName) -> Result<Self, Failure> {
        let since = Timestamp::now();
        if event.source == steward::events::SOURCE {
            let created = AccountCreated::deserialize(&event.detail)
                .map_err(|error| not_understood(format_args!("It is no AccountCreated event: {error}.")))?;
            let AccountCreated { account_id, role_name, request_id, .. } = created;
            return Ok(Self { account_id, role_name, request_id: Some(request_id), since, joined: false });
        }
        let account_id = account_joined(event).ok_or_else(|| {
            not_understood("It is neither an AccountCreated nor an AccountJoinedOrganization event with an account id.")
        })?;
        Ok(Self { account_id, role_name: access_role.clone(), request_id: None, since, joined: true })
    }
}

/// What a person asks for.
pub(crate) struct ByHand {
    /// The accounts.
    pub(crate) account_ids: Vec<AccountId>,
    /// Whether changes are made.
    pub(crate) mode: Mode,
    /// The controls to run.
    pub(crate) controls: Vec<&'static dyn AnyControl>,
}

impl ByHand {
    /// Reads `{"account_ids":[..],"mode"?:"plan"|"apply","controls"?:[..]}`. Nothing is changed unless that is said.
    pub(crate) fn read(input: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let account_ids: Option<Vec<AccountId>> = fields.optional_list("account_ids");
        let mode: Option<ModeName> = fields.optional("mode");
        let controls: Option<Vec<ControlName>> = fields.optional_list("controls");
        if account_ids.as_ref().is_none_or(Vec::is_empty) {
            fields.note("account_ids", "is missing; a list of at least one account id is expected");
        }
        let problems = fields.finish();
        if !problems.is_empty() {
            return Err(Failure::with_detail(Cause::InvalidRequest, in_words(&problems)));
        }
        Ok(Self {
            account_ids: account_ids.unwrap_or_default(),
            mode: mode.map_or(Mode::Plan, |name| name.0),
            controls: controls.map_or_else(|| control::ALL.to_vec(), |names| names.into_iter().map(|n| n.0).collect()),
        })
    }
}

struct ModeName(Mode);

impl std::str::FromStr for ModeName {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        match text {
            "plan" => Ok(Self(Mode::Plan)),
            "apply" => Ok(Self(Mode::Apply)),
            _ => Err(NotValid("plan or apply")),
        }
    }
}

struct ControlName(&'static dyn AnyControl);

impl std::str::FromStr for ControlName {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        control::find(text).map(Self).ok_or(NotValid("the id of a control"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_who_does_not_say_apply_gets_a_plan_of_every_control() {
        let input = ByHand::read(json!({"account_ids": ["123456789012"]})).unwrap();
        assert_eq!(input.mode, Mode::Plan);
        assert_eq!(input.controls.len(), control::ALL.len());
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let input = json!({"account_ids": ["12"], "mode": "force", "controls": ["no-such"], "dry_run": true});
        let Err(failure) = ByHand::read(input) else { panic!("accepted") };
        for path in ["account_ids[0]", "mode", "controls[0]", "dry_run"] {
            assert!(failure.message.contains(path), "{path}: {}", failure.message);
        }
    }

    #[test]
    fn a_reminder_is_read_back_as_it_was_sent() {
        let account = NewAccount {
            account_id: "123456789012".parse().unwrap(),
            role_name: RoleName::organization_account_access(),
            request_id: None,
            since: Timestamp::from_second(1_790_000_000).unwrap(),
            joined: false,
        };
        let sent = serde_json::to_string(&account).unwrap();
        assert_eq!(NewAccount::of_message(&sent, &account.role_name).unwrap(), account);
    }

    #[test]
    fn what_is_no_new_account_is_not_understood() {
        let other = json!({"detail-type": "x", "source": "aws.organizations", "detail": {"eventName": "MoveAccount"}});
        for body in ["", "not json", "{}", "[]", &other.to_string()] {
            assert_eq!(
                NewAccount::of_message(body, &RoleName::organization_account_access()).unwrap_err().cause,
                Cause::MessageNotUnderstood,
                "{body}"
            );
        }
    }
}
