//! What people do about the closing of accounts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    aws::closings,
    people::id_of,
    run::World,
    script::{Closing, Whose},
    time,
};

/// What a person has asked Steward about the closing of accounts.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    /// When the answer was there.
    pub(crate) answered_at: Timestamp,
    pub(crate) what: Closing,
    /// The accounts that it is about.
    pub(crate) accounts: Vec<String>,
    /// None where too many functions were at work.
    pub(crate) answer: Option<Result<Value, Value>>,
}

impl World {
    /// Lets people do something about the closing of accounts.
    pub(super) async fn closing(&self, closing: &Closing) {
        match closing {
            Closing::Plan(accounts) => self.ask_to_close(closing, accounts, "plan", false).await,
            Closing::Apply { accounts, misnamed } => self.ask_to_close(closing, accounts, "apply", *misnamed).await,
            Closing::Keep(accounts) => {
                let ids: Vec<String> =
                    self.cloud.with(|state| accounts.iter().filter_map(|whose| id_of(state, *whose)).collect());
                if !ids.is_empty() {
                    let input = json!({"account_ids": ids, "keep": true, "reason": "Still needed", "mode": "apply"});
                    self.ask_closer(closing, ids, input).await;
                }
            }
            Closing::List => self.ask_closer(closing, Vec::new(), json!({"list": true})).await,
            Closing::PastSteward(whose) => self.cloud.with(|state| {
                if let Some(id) = id_of(state, *whose) {
                    let answer = closings::close(state, &id, "people");
                    state.note("people", format_args!("close {id} past Steward: {answer:?}"));
                }
            }),
            Closing::MovesOut(whose) => self.cloud.with(|state| {
                if let Some(id) = id_of(state, *whose) {
                    closings::move_out(state, &id);
                }
            }),
            Closing::LeavesStackSet => self.cloud.with(|state| state.stack_sets.leave_to_people()),
            Closing::QuotaUsedUp { but_for, until } => self.cloud.with(|state| {
                let ends = state.at_second(*until);
                state.organization.closings.use_up(*but_for, ends);
            }),
        }
    }

    async fn ask_to_close(&self, closing: &Closing, accounts: &[Whose], mode: &str, misnamed: bool) {
        let named: Vec<(String, String)> = self.cloud.with(|state| {
            let ids = accounts.iter().filter_map(|whose| id_of(state, *whose));
            let named = ids.map(|id| {
                let account = state.organization.account(&id);
                let name = account.map_or_else(|| "Nobody".to_owned(), |account| account.name.clone());
                (id, name)
            });
            named.collect()
        });
        if named.is_empty() {
            return;
        }
        let rows = named.iter().enumerate().map(|(place, (id, name))| {
            let name = if misnamed && place == 0 { "Another one" } else { name };
            json!({"account_id": id, "account_name": name})
        });
        let input = json!({"accounts": rows.collect::<Vec<_>>(), "reason": "It is over", "mode": mode});
        self.ask_closer(closing, named.into_iter().map(|(id, _)| id).collect(), input).await;
    }

    async fn ask_closer(&self, closing: &Closing, accounts: Vec<String>, input: Value) {
        let at = time::now();
        let answer = self.lambda.invoke("AccountCloser", input).await;
        let what = closing.clone();
        self.seen.borrow_mut().closings.push(Asked { at, answered_at: time::now(), what, accounts, answer });
    }
}
