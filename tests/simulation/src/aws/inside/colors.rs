//! AWS User Experience Customization: the color of an account's console.

use serde_json::json;

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
    script::Control,
};

const COLORS: [&str; 10] =
    ["none", "pink", "purple", "darkBlue", "lightBlue", "teal", "green", "yellow", "orange", "red"];

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    // What is not sent stays.
    let color = match (call.operation.as_str(), call.input["accountColor"].as_str()) {
        ("GetAccountCustomizations", _) | ("UpdateAccountCustomizations", None) => {
            settings.color.seen(&mut state.draws).clone()
        }
        ("UpdateAccountCustomizations", Some(color)) => {
            if !COLORS.contains(&color) {
                return Some(Err(Refusal::new(400, "ValidationException", "accountColor is not a color.")));
            }
            settings.color.set(Some(color.to_owned()), &mut state.draws);
            settings::changed(state, &who.account, Control::ConsoleColor, Some(&who.function));
            Some(color.to_owned())
        }
        _ => return None,
    };
    Some(Ok(Answer::json(&json!({"accountColor": color.as_deref().unwrap_or("none")}))))
}
