//! AWS Organizations: accounts that functions move.

use serde_json::{Value, json};

use super::{Refusal, arranging, settings};
use crate::{call::Call, cloud::State, script::Control};

/// Moves an account from the parent that the call names.
pub(super) fn serve(state: &mut State, call: &Call) -> Result<Value, Refusal> {
    let shown_from = arranging::shown_from(state, "move shown late", "move shown");
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
    arranging::put(state, id, to, shown_from)?;
    let function = settings::function_of(state, call);
    settings::written(state, id, Control::OrganizationalUnit, function.as_deref());
    Ok(json!({}))
}
