//! People who have names and addresses of accounts changed, and who read the codes that AWS mails for that.

use std::{rc::Rc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    aws::organizations,
    invariant::is_untrue,
    invoked::without_code,
    lambda::Answered,
    people::id_of,
    run::{World, address},
    script::{Address, Code, Name, Update, Whose},
    template::EMAIL_DOMAINS,
    time,
};

/// An address that an account elsewhere has.
const ELSEWHERE: &str = "elsewhere@new.example";
/// A code that nobody was mailed.
pub(crate) const WRONG_CODE: &str = "ZqWRNG";
/// What a new address by a pattern looks like.
pub(crate) const PATTERN: &str = "aws+{account_id}@new.example";

/// What somebody asked of account-updater.
#[derive(Clone, Debug)]
pub(crate) struct Updated {
    pub(crate) at: Timestamp,
    /// What for, without a code.
    pub(crate) input: Value,
    /// What they were answered; None where nobody waits for it, or not yet.
    pub(crate) answer: Option<Answered>,
    /// What in the answer was not true when it came.
    pub(crate) untrue: Option<String>,
}

impl World {
    /// Lets people ask for names and addresses.
    pub(super) async fn update(&self, update: &Update) {
        let input = match update {
            Update::Rename { names, applies } => {
                self.names(names).map(|names| asked("rename", *applies, &json!({"names": names})))
            }
            Update::Start { whose, address, applies } => self.cloud.with(|state| id_of(state, *whose)).map(|id| {
                let email = self.new_address(*address);
                asked("start-email-change", *applies, &json!({"account_id": id, "new_email": email}))
            }),
            Update::Accept { whose, code, waits } => {
                let Some(id) = self.cloud.with(|state| id_of(state, *whose)) else { return };
                self.give(&id, *code, *waits).await;
                None
            }
            Update::Resend { whose } => self
                .cloud
                .with(|state| id_of(state, *whose))
                .map(|id| asked("resend-email-change", true, &json!({"account_id": id}))),
            Update::Forget { whose } => self
                .cloud
                .with(|state| id_of(state, *whose))
                .map(|id| asked("forget-email-change", true, &json!({"account_id": id}))),
            Update::ChangeDomain { accounts, by_pattern, applies } => Some(domain(accounts, *by_pattern, *applies)),
            Update::GiveCodes { percent } => {
                self.give_codes(*percent).await;
                None
            }
            Update::Show => Some(json!({"task": "email-changes", "csv": true})),
            Update::Follow { applies } => Some(asked("follow-email-changes", *applies, &json!({}))),
        };
        if let Some(input) = input {
            self.ask_updater(input).await;
        }
    }

    /// Asks, waits for the answer, and sees whether it is true.
    async fn ask_updater(&self, input: Value) {
        let began = time::now();
        let place = self.seen.borrow().updated.len();
        let shown = without_code(&input);
        let updated = Updated { at: began, input: shown.clone(), answer: None, untrue: None };
        self.seen.borrow_mut().updated.push(updated);
        let answer = self.lambda.invoke("AccountUpdater", input).await;
        let answer = answer.unwrap_or_else(|| Err(json!({"errorType": "TooManyRequestsException"})));
        let untrue =
            answer.as_ref().ok().and_then(|answer| self.cloud.with(|state| is_untrue(state, began, &shown, answer)));
        let seen = &mut self.seen.borrow_mut().updated[place];
        (seen.answer, seen.untrue) = (Some(answer), untrue);
    }

    /// Gives the code for one account, if there is one to give.
    async fn give(&self, id: &str, code: Code, waits: bool) {
        let Some(code) = self.code(id, code) else {
            self.cloud.with(|state| state.note("people", format_args!("have no code for {id}")));
            return;
        };
        let input = json!({"task": "accept-email-change", "account_id": id, "otp": code, "mode": "apply"});
        if waits {
            self.ask_updater(input).await;
        } else {
            let updated = Updated { at: time::now(), input: without_code(&input), answer: None, untrue: None };
            self.seen.borrow_mut().updated.push(updated);
            Rc::clone(&self.lambda).invoke_for_nobody("AccountUpdater".to_owned(), input).await;
        }
    }

    async fn give_codes(&self, percent: u64) {
        for number in 0..self.script.accounts {
            let id = organizations::id_of(number);
            let is_given = self.cloud.with(|state| {
                let profile = state.organization.profiles.get(&id);
                let waits =
                    profile.and_then(|profile| profile.updates.last()).is_some_and(|last| last.status == "PENDING");
                waits && state.draws.happens("a code is given", percent)
            });
            if is_given {
                self.give(&id, Code::Mailed, true).await;
                sleep(Duration::from_secs(2)).await;
            }
        }
    }

    /// What the mails say that have come for this account.
    fn code(&self, id: &str, code: Code) -> Option<String> {
        self.cloud.with(|state| {
            let updates = state.organization.profiles.get(id).map_or(&[][..], |profile| &profile.updates);
            let mut mails = updates.iter().filter(|update| update.mailed_at <= time::now()).rev();
            match code {
                Code::Mailed => mails.next().map(|mail| mail.code.clone()),
                Code::Before => mails.nth(1).map(|mail| mail.code.clone()),
                Code::Wrong => Some(WRONG_CODE.to_owned()),
            }
        })
    }

    /// New names by accounts, each account and each name once.
    fn names(&self, names: &[(Whose, Name)]) -> Option<Value> {
        let mut found = serde_json::Map::new();
        for (whose, name) in names {
            let name = match name {
                Name::New(number) => format!("Renamed {number}"),
                Name::Of(number) => format!("Account {number}"),
            };
            let is_new = found.values().all(|other| *other != name.as_str());
            if let Some(id) = self.cloud.with(|state| id_of(state, *whose)).filter(|_| is_new) {
                found.entry(id).or_insert_with(|| name.into());
            }
        }
        (!found.is_empty()).then(|| found.into())
    }

    fn new_address(&self, which: Address) -> String {
        match which {
            Address::New(number) if number.is_multiple_of(2) => format!("Changed+{number}@New.example"),
            Address::New(number) => format!("changed+{number}@new.example"),
            Address::Of(number) => format!("aws+{number}@example.com"),
            Address::OfPerson(person) => address(person),
            Address::Elsewhere => {
                self.cloud.with(|state| state.organization.elsewhere.push(ELSEWHERE.to_owned()));
                ELSEWHERE.to_owned()
            }
        }
    }
}

fn asked(task: &str, applies: bool, more: &Value) -> Value {
    let mut input = json!({"task": task, "mode": if applies { "apply" } else { "plan" }, "reason": "People have asked for it", "requested_by": "alice"});
    let fields = more.as_object().expect("an object").clone();
    input.as_object_mut().expect("an object").extend(fields);
    input
}

fn domain(accounts: &[u64], by_pattern: bool, applies: bool) -> Value {
    let [from, to] = EMAIL_DOMAINS;
    let mut more = json!({"from": from, "to": to});
    if accounts.is_empty() {
        more["all"] = true.into();
    } else {
        more["account_ids"] = accounts.iter().map(|number| organizations::id_of(*number)).collect();
    }
    if by_pattern {
        more["pattern"] = PATTERN.into();
    }
    asked("change-email-domain", applies, &more)
}
