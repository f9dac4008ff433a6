//! AWS Organizations: accounts that functions move.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Refusal, settings};
use crate::{call::Call, cloud::State, script::Control, time};

/// Moves an account from the parent that the call names.
pub(super) fn serve(state: &mut State, call: &Call) -> Result<Value, Refusal> {
    // Organizations is consistent after a while (API reference, "AWS Organizations is eventually consistent").
    let shown_after = if state.draws.happens("move shown late", 50) {
        state.draws.millis("move shown", 0, 10_000)
    } else {
        Duration::ZERO
    };
    let shown_from = time::now() + SignedDuration::try_from(shown_after).expect("seconds");
    let (id, from, to) = (call.text("AccountId"), call.text("SourceParentId"), call.text("DestinationParentId"));
    if !state.organization.is_parent(to) {
        return Err(Refusal::new(400, "DestinationParentNotFoundException", "We can't find the destination."));
    }
    let parent = &state.organization.account_mut(id)?.parent;
    if parent == to {
        return Err(Refusal::new(400, "DuplicateAccountException", "That account is already present there."));
    }
    if parent != from {
        return Err(Refusal::new(400, "SourceParentNotFoundException", "We can't find the source."));
    }
    settings::begin(state, id);
    let account = state.organization.account_mut(id)?;
    let before = std::mem::replace(&mut account.parent, to.to_owned());
    account.moved_from = Some((before, shown_from));
    let function = settings::function_of(state, call);
    settings::written(state, id, Control::OrganizationalUnit, function.as_deref());
    Ok(json!({}))
}
