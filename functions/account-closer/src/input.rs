//! What a person, or a schedule, asks for.

use std::collections::BTreeSet;

use serde_json::Value;
use steward::{
    control::Mode,
    error::Failure,
    ids::AccountId,
    input::{Fields, Line, refused},
    table::closures::CalledOff,
};

/// How many accounts are asked for at once: with a reason of their own each, they fit into one input.
const MAX_ACCOUNTS: usize = 500;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Whether anything is changed.
    pub(crate) mode: Mode,
    /// What is to be done.
    pub(crate) work: Work,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// These accounts are to be closed, in this order.
    Close(Vec<Wanted>, Option<String>),
    /// The closing of these accounts is called off.
    Keep(Vec<AccountId>, Asked),
    /// Everything that is being closed, or was, is shown.
    List,
    /// Everything that is being closed goes on as far as it can.
    Advance,
}

/// An account that is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The account.
    pub(crate) account_id: AccountId,
    /// Its name, as whoever asks knows it.
    pub(crate) account_name: String,
    /// The reason that was given for it.
    pub(crate) reason: String,
}

/// Who calls a closing off, as far as they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The reason that was given for it.
    pub(crate) reason: Option<String>,
    /// Who asks, as they say: nobody has verified it.
    pub(crate) requested_by: Option<String>,
}

impl From<Asked> for CalledOff {
    fn from(asked: Asked) -> Self {
        Self { call_off_reason: asked.reason, called_off_by: asked.requested_by }
    }
}

/// The ways of asking, by the field that says which. Where an account is kept, `account_id` says which one.
const WAYS: [&str; 5] = ["account_id", "accounts", "keep", "list", "advance"];

impl Input {
    /// Reads `{"account_id", "account_name", "reason", "requested_by"?}`, `{"accounts": [{"account_id", "account_name",
    /// "reason"?}], "reason"?, "requested_by"?}`, `{"account_id" or "account_ids", "keep": true, "reason"?, "requested_by"?}`,
    /// `{"list": true}` or `{"advance": true}`; each with `"mode"?: "plan"|"apply"`. Nothing is changed unless that is said.
    pub(crate) fn read(input: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let keeps = fields.is_given("keep");
        let given = WAYS.into_iter().filter(|way| fields.is_given(way) && !(keeps && *way == "account_id"));
        let given: Vec<_> = given.collect();
        let [way] = given[..] else {
            fields.note("$", format!("must have exactly one of {}, or account_id with keep", WAYS.join(", ")));
            // Which other fields there may be depends on the way.
            return Err(refused(&fields.finish_known()));
        };
        let work = match way {
            "keep" => keep(&mut fields),
            "list" => said(&mut fields, "list").then_some(Work::List),
            "advance" => said(&mut fields, "advance").then_some(Work::Advance),
            _ => close(&mut fields, way == "accounts"),
        };
        let problems = fields.finish();
        match work {
            Some(work) if problems.is_empty() => Ok(Self { mode, work }),
            _ => Err(refused(&problems)),
        }
    }
}

/// Whether a field that can only be true is.
fn said(fields: &mut Fields, name: &'static str) -> bool {
    let value = fields.optional_bool(name);
    if value == Some(false) {
        fields.note(name, "must be true, or left out");
    }
    value == Some(true)
}

fn close(fields: &mut Fields, many: bool) -> Option<Work> {
    let requested_by: Option<Line> = fields.optional("requested_by");
    let wanted = if many {
        let common: Option<Line> = fields.optional("reason");
        let wanted = fields.optional_objects("accounts", |one| {
            let (account_id, account_name) = (one.required("account_id"), one.required::<Line>("account_name"));
            let own = one.is_given("reason");
            let reason: Option<Line> = if own || common.is_none() { one.required("reason") } else { common.clone() };
            Some(Wanted { account_id: account_id?, account_name: account_name?.0, reason: reason?.0 })
        });
        let wanted = wanted.unwrap_or_default();
        check(fields, "accounts", wanted.iter().map(|one| &one.account_id));
        wanted
    } else {
        let (account_id, account_name) = (fields.required("account_id"), fields.required::<Line>("account_name"));
        let reason: Option<Line> = fields.required("reason");
        vec![Wanted { account_id: account_id?, account_name: account_name?.0, reason: reason?.0 }]
    };
    Some(Work::Close(wanted, requested_by.map(|line| line.0)))
}

fn keep(fields: &mut Fields) -> Option<Work> {
    let keeps = said(fields, "keep");
    let (reason, requested_by): (Option<Line>, Option<Line>) =
        (fields.optional("reason"), fields.optional("requested_by"));
    let named = [fields.is_given("account_id"), fields.is_given("account_ids")];
    let (one, many): (Option<AccountId>, Option<Vec<AccountId>>) =
        (fields.optional("account_id"), fields.optional_list("account_ids"));
    if named == [true, true] || named == [false, false] {
        fields.note("$", "must have exactly one of account_id and account_ids with keep");
    }
    if let Some(many) = &many {
        check(fields, "account_ids", many.iter());
    }
    let asked = Asked { reason: reason.map(|line| line.0), requested_by: requested_by.map(|line| line.0) };
    let ids = many.or_else(|| one.map(|one| vec![one]))?;
    keeps.then_some(Work::Keep(ids, asked))
}

/// Notes what is wrong with a list of accounts as a whole.
fn check<'a>(fields: &mut Fields, name: &str, ids: impl ExactSizeIterator<Item = &'a AccountId>) {
    if ids.len() == 0 {
        fields.note(name, "must name at least one account");
    }
    if ids.len() > MAX_ACCOUNTS {
        fields.note(name, format!("has {}; at most {MAX_ACCOUNTS} accounts are taken at once", ids.len()));
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            fields.note(name, format!("names {id} twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::closed_set::ClosedSet;

    use super::*;

    fn read(input: &Value) -> Input {
        Input::read(input.clone()).unwrap_or_else(|failure| panic!("{input}: {failure}"))
    }

    fn problems(input: Value) -> String {
        Input::read(input).unwrap_err().message
    }

    #[test]
    fn nothing_said_is_a_plan_and_each_way_of_asking_is_read() {
        let one = read(&json!({"account_id": "222222222222", "account_name": "Shop", "reason": "It is over"}));
        assert_eq!(one.mode, Mode::Plan);
        let Work::Close(wanted, None) = one.work else { panic!("{one:?}") };
        assert_eq!((wanted.len(), wanted[0].account_name.as_str()), (1, "Shop"));
        let many = read(&json!({"reason": "All of it", "requested_by": "alice", "mode": "apply", "accounts": [
            {"account_id": "222222222222", "account_name": "Shop"},
            {"account_id": "333333333333", "account_name": "Größe 2", "reason": "This one"}]}));
        let Work::Close(wanted, Some(by)) = many.work else { panic!("{many:?}") };
        let reasons: Vec<_> = wanted.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!((reasons, by.as_str(), many.mode), (vec!["All of it", "This one"], "alice", Mode::Apply));
        let kept = read(&json!({"account_id": "222222222222", "keep": true})).work;
        assert!(matches!(kept, Work::Keep(ids, asked) if ids.len() == 1 && asked == Asked::default()));
        let kept = read(&json!({"account_ids": ["222222222222", "333333333333"], "keep": true, "reason": "no"})).work;
        assert!(matches!(kept, Work::Keep(ids, asked) if ids.len() == 2 && asked.reason.is_some()));
        assert_eq!(read(&json!({"list": true})).work, Work::List);
        assert_eq!(read(&json!({"advance": true, "mode": "apply"})).work, Work::Advance);
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let ways = Mode::ALL.iter().map(|mode| mode.name()).chain(WAYS).chain(["account_ids", "an event"]);
        payloads::check(crate::AccountCloser::NAME, ways, |sample| {
            if let steward::runtime::trigger::Trigger::Event(event) =
                steward::runtime::trigger::Trigger::of(sample.payload.clone())
            {
                let is_known = steward::audit::cloudtrail::close_account_result(&event).is_some();
                return if is_known { Ok(vec!["an event"]) } else { Err(Failure::not_understood("another event")) };
            }
            let given = WAYS.into_iter().chain(["account_ids"]);
            let given: Vec<_> = given.filter(|field| sample.payload.get(field).is_some()).collect();
            let input = Input::read(sample.payload)?;
            Ok(given.into_iter().chain([input.mode.name()]).collect())
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let said = problems(json!({"mode": "now", "colour": "red", "accounts": [
            {"account_id": "22", "account_name": "Shop"},
            {"account_id": "333333333333", "account_name": " ", "reason": "x", "unit": "y"},
            7]}));
        for part in [
            "mode: must be plan or apply",
            "colour: is not a field",
            "accounts[0].account_id: must be an account id",
            "accounts[0].reason: is missing",
            "accounts[1].account_name: must be 1 to 500 characters",
            "accounts[1].unit: is not a field",
            "accounts[2]: must be a JSON object, not a number",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let said = problems(json!({"account_id": "222222222222"}));
        assert!(said.contains("account_name: is missing") && said.contains("reason: is missing"), "{said}");
    }

    #[test]
    fn a_way_is_asked_in_alone_and_an_account_is_named_once() {
        for input in [
            json!({}),
            json!({"list": true, "advance": true}),
            json!({"account_id": "222222222222", "accounts": []}),
            json!({"keep": true, "accounts": []}),
        ] {
            assert!(problems(input.clone()).contains("exactly one of"), "{input}");
        }
        assert!(problems(json!({"keep": true})).contains("exactly one of account_id and account_ids"));
        assert!(problems(json!({"list": false})).contains("must be true"));
        assert!(problems(json!({"list": true, "reason": "x"})).contains("reason: is not a field"));
        assert!(problems(json!({"accounts": []})).contains("at least one account"));
        let twice = problems(json!({"keep": true, "account_ids": ["222222222222", "222222222222"]}));
        assert!(twice.contains("names 222222222222 twice"), "{twice}");
    }

    #[test]
    fn a_501st_account_is_refused_with_all_of_them() {
        let account = |n: usize| json!({"account_id": format!("{n:012}"), "account_name": "A"});
        let accounts = |count: usize| json!({"reason": "x", "accounts": (0..count).map(account).collect::<Vec<_>>()});
        assert!(Input::read(accounts(500)).is_ok());
        assert!(problems(accounts(501)).contains("has 501; at most 500"));
    }
}
