//! Names and addresses that accounts get without Steward: from people, and from whoever administers them.

use super::SHOWN_LATE;
use crate::cloud::State;

/// An account has another name.
pub(crate) fn rename(state: &mut State, id: &str, name: &str) {
    let late = shown_late(state, "a name from outside is shown late");
    let org = &mut state.organization;
    let Some(account) = org.accounts.iter_mut().find(|account| account.id == id) else { return };
    let before = std::mem::replace(&mut account.name, name.to_owned());
    let profile = org.profiles.entry(id.to_owned()).or_default();
    profile.names.push(before, late);
    profile.from_outside.push(name.to_owned());
}

/// The root user of an account has another address.
pub(crate) fn readdress(state: &mut State, id: &str, email: &str) {
    let late = shown_late(state, "an address from outside is shown late");
    let org = &mut state.organization;
    let Some(account) = org.accounts.iter_mut().find(|account| account.id == id) else { return };
    let before = std::mem::replace(&mut account.email, email.to_owned());
    let profile = org.profiles.entry(id.to_owned()).or_default();
    profile.addresses.push(before, late);
    profile.from_outside.push(email.to_owned());
}

fn shown_late(state: &mut State, question: &str) -> std::time::Duration {
    let most = u64::try_from(SHOWN_LATE.as_millis()).expect("minutes");
    state.draws.millis(question, 0, most)
}
