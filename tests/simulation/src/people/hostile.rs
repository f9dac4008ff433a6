//! What whoever administers a member does to gain something by it, or to do harm. A member can put no event on the default bus
//! of the management account, and none that a rule of this stack believes to be of AWS.

mod undo;

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    aws::{arranging, settings},
    history::Done,
    people::id_of,
    run::World,
    script::{Harm, ODD_TEXTS, Whose},
    time,
};

/// How long AWS takes to close an account.
const CLOSING: Duration = Duration::from_mins(2);

impl World {
    pub(super) async fn harm(&self, whose: Whose, harm: Harm) {
        let Some(id) = self.present(whose) else { return };
        if let Harm::Undoes { control, way } = harm {
            // Nothing else of the account is other than it should be.
            self.cloud.with(|state| undo::undo(state, &id, control, way));
            return;
        }
        self.cloud.with(|state| {
            state.history.done.push((time::now(), Done::Harmed { account: id.clone() }));
        });
        match harm {
            Harm::TakesAlias { of } => {
                let other = self.cloud.with(|state| id_of(state, of)).unwrap_or_default();
                self.cloud.with(|state| {
                    let alias = format!("example-{other}");
                    if state.members.values().any(|member| member.alias.as_deref() == Some(&alias)) {
                        return;
                    }
                    state.members.entry(id).or_default().alias = Some(alias);
                    state.history.done.push((time::now(), Done::AliasTaken { meant_for: other }));
                });
            }
            Harm::TakesPolicy => {
                self.cloud.with(|state| state.members.entry(id).or_default().has_lost_policy = true);
            }
            Harm::DeletesRole => self.cloud.with(|state| state.members.entry(id).or_default().role_from = None),
            Harm::ClosesItself => {
                self.cloud.with(|state| arranging::close(state, &id));
                sleep(CLOSING).await;
                self.cloud.with(|state| arranging::closed(state, &id));
            }
            Harm::OddTexts { text } => {
                let text = ODD_TEXTS[usize::try_from(text).expect("small")];
                self.name(&id, text);
                self.cloud.with(|state| state.members.entry(id).or_default().alias = Some(text.to_owned()));
            }
            Harm::NamedLike { other } => {
                let other = self.present(other);
                let name = self.cloud.with(|state| Some(state.organization.account(&other?)?.name.clone()));
                if let Some(name) = name {
                    self.name(&id, &name);
                }
            }
            Harm::Leaves => self.cloud.with(|state| arranging::leave(state, &id)),
            Harm::AnswersNothing => {
                self.cloud.with(|state| state.members.entry(id).or_default().answers_nothing = true);
            }
            Harm::Undoes { .. } => {}
        }
    }

    fn name(&self, id: &str, name: &str) {
        self.cloud.with(|state| {
            settings::begin(state, id);
            let account = state.organization.accounts.iter_mut().find(|account| account.id == id);
            if let Some(account) = account {
                name.clone_into(&mut account.name);
            }
            settings::settled(state, id);
        });
    }
}
