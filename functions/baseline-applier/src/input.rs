//! What a person asks for.

use std::str::FromStr;

use serde_json::Value;
use steward::{
    control::{self, AnyControl, Mode, brake::Confirmation},
    error::Failure,
    ids::NotValid,
    input::{Fields, refused},
    organization::Selection,
};

/// What a person asks for.
pub(crate) struct Input {
    /// The accounts.
    pub(crate) selection: Selection,
    /// Whether changes are made.
    pub(crate) mode: Mode,
    /// The controls to run.
    pub(crate) controls: Vec<&'static dyn AnyControl>,
    /// That the plan was seen, and all of it is meant.
    pub(crate) confirmation: Option<Confirmation>,
}

impl Input {
    /// Reads `{"account_ids":[..] | "organizational_unit":".." | "all":true, "mode"?:"plan"|"apply","controls"?:[..],
    /// "continue"?:".."}`. Nothing is changed unless that is said.
    pub(crate) fn read(input: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let selection = Selection::read(&mut fields);
        let mode = fields.optional("mode");
        let controls: Option<Vec<ControlName>> = fields.optional_list("controls");
        if controls.as_ref().is_some_and(Vec::is_empty) {
            fields.note("controls", "must have the id of at least one control, or be left out");
        }
        let confirmation = fields.optional("continue");
        match (selection, fields.finish()) {
            (Some(selection), problems) if problems.is_empty() => Ok(Self {
                selection,
                mode: mode.unwrap_or(Mode::Plan),
                controls: controls
                    .map_or_else(|| control::ALL.to_vec(), |names| names.into_iter().map(|name| name.0).collect()),
                confirmation,
            }),
            (_, problems) => Err(refused(&problems)),
        }
    }

    /// What a person confirms who has seen the plan of this by this version of the baseline document.
    pub(crate) fn plan(&self, etag: &str) -> Confirmation {
        let controls: Vec<_> = self.controls.iter().map(|control| control.id()).collect();
        Confirmation::of(&self.selection, etag, &controls.join(" "))
    }
}

struct ControlName(&'static dyn AnyControl);

impl FromStr for ControlName {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        control::find(text).map(Self).ok_or(NotValid::expected("the id of a control"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::closed_set::ClosedSet;
    use steward::runtime::trigger::Trigger;

    use crate::message::Message;

    use super::*;

    #[test]
    fn a_person_who_does_not_say_apply_gets_a_plan_of_every_control() {
        let input = Input::read(json!({"account_ids": ["123456789012"]})).unwrap();
        assert_eq!(input.mode, Mode::Plan);
        assert_eq!(input.controls.len(), control::ALL.len());
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let events = [
            "an account was created",
            "an account has joined",
            "something decides who reaches an account",
            "a document was put",
        ];
        let ways = Mode::ALL.iter().map(|mode| mode.name()).chain(Selection::FIELDS).chain(["continue"]).chain(events);
        payloads::check(crate::BaselineApplier::NAME, ways, |sample| {
            let input = match Trigger::of(sample.payload) {
                Trigger::Event(event) if crate::document::is_of_document(&event) => return Ok(vec![events[3]]),
                Trigger::Event(event) => {
                    let way = |message| match message {
                        Message::NewAccount(account) => usize::from(account.joined),
                        Message::Regroup(_) | Message::OfNobody => 2,
                    };
                    return Message::of_event(&event).map(|message| vec![events[way(message)]]);
                }
                Trigger::Manual(input) => input,
                Trigger::Queue(_) => return Err(Failure::not_understood("a batch")),
            };
            let fields = Selection::FIELDS.into_iter().chain(["continue"]);
            let named = fields.filter(|field| input.get(field).is_some());
            let mut ways: Vec<_> = named.collect();
            ways.push(Input::read(input)?.mode.name());
            Ok(ways)
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let input = json!({"account_ids": ["12"], "mode": "force", "controls": ["no-such"], "dry_run": true});
        let Err(failure) = Input::read(input) else { panic!("accepted") };
        for path in ["account_ids[0]", "mode", "controls[0]", "dry_run"] {
            assert!(failure.message.contains(path), "{path}: {}", failure.message);
        }
    }
}
