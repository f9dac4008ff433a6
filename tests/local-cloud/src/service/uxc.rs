//! AWS User Experience Customization, which MiniStack lacks: how the console of an account looks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::front::answer::{ApiError, json_ok};
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};

const COLORS: [&str; 10] =
    ["none", "pink", "purple", "darkBlue", "lightBlue", "teal", "green", "yellow", "orange", "red"];
const SETTINGS: [&str; 3] = ["accountColor", "visibleRegions", "visibleServices"];

/// The settings of accounts that have any.
#[derive(Default)]
pub(crate) struct Uxc {
    customized: Mutex<HashMap<String, Map<String, Value>>>,
}

impl Service for Uxc {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "uxc"
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context)
    }
}

impl Uxc {
    fn perform(&self, context: &Context<'_>) -> Answered {
        let (request, account) = (context.request, &context.caller.account);
        let mut customized = self.customized.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = customized.entry(account.clone()).or_default();
        match request.operation.as_str() {
            "GetAccountCustomizations" => {}
            "UpdateAccountCustomizations" => {
                let sent = request.input.as_object().ok_or_else(|| invalid("The body must be an object."))?;
                if let Some(other) = sent.keys().find(|name| !SETTINGS.contains(&name.as_str())) {
                    return Err(invalid(&format!("There is no setting {other}.")));
                }
                if sent.get("accountColor").is_some_and(|color| !COLORS.iter().any(|known| color == known)) {
                    return Err(invalid("There is no such color."));
                }
                // What is not sent stays; null is the default again.
                settings.extend(sent.clone());
                settings.retain(|_, value| !value.is_null());
            }
            other => {
                let message = format!("The local cloud does not know {other}.");
                return Err(ApiError::new(404, "UnknownOperationException", message));
            }
        }
        let mut answer = settings.clone();
        answer.entry("accountColor").or_insert_with(|| json!("none"));
        Ok(json_ok(request.protocol, &Value::Object(answer)))
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "ValidationException", message).with("message", message)
}
