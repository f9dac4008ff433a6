//! The part of AWS Billing that MiniStack lacks: whether CloudWatch gets the charges of an account.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::front::answer::{ApiError, json_ok};
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};

/// The one feature that is known, and the key of its preference. What AWS calls it is not published: who sends another one
/// than was read has made it up.
const FEATURE: &str = "BILLING_ALERTS";
const KEY: &str = "RECEIVE_CLOUDWATCH_BILLING_ALERTS";

/// The accounts whose alerts are on: nobody's, to begin with.
#[derive(Default)]
pub(crate) struct Billing {
    alerting: Mutex<HashSet<String>>,
}

impl Service for Billing {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "billing"
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context)
    }
}

impl Billing {
    /// Turns the alerts of an account on, or off, which no API does.
    pub(crate) fn set_alerts(&self, account: &str, on: bool) {
        let mut alerting = self.alerting.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            alerting.insert(account.to_owned());
        } else {
            alerting.remove(account);
        }
    }

    /// Whether the alerts of an account are on.
    pub(crate) fn has_alerts(&self, account: &str) -> bool {
        self.alerting.lock().unwrap_or_else(PoisonError::into_inner).contains(account)
    }

    fn perform(&self, context: &Context<'_>) -> Answered {
        let (request, account) = (context.request, &context.caller.account);
        let answer = match request.operation.as_str() {
            "GetBillingPreferences" if request.input["features"] == json!([FEATURE]) => {
                let value = if self.has_alerts(account) { "ENABLED" } else { "DISABLED" };
                json!({"billingPreferences": [{"feature": FEATURE, "key": KEY, "value": value}]})
            }
            "UpdateBillingPreferences" if request.input["feature"] == FEATURE => {
                let entries =
                    request.input["billingPreferencesPerKey"].as_array().map(Vec::as_slice).unwrap_or_default();
                let is_known = |entry: &&Value| entry["key"] == KEY && entry["value"] == "ENABLED";
                if entries.is_empty() || !entries.iter().all(|entry| is_known(&entry)) {
                    return Err(invalid("There is no such preference, or it cannot be set to that."));
                }
                self.set_alerts(account, true);
                json!({"feature": FEATURE, "updatedPreferences": []})
            }
            "GetBillingPreferences" | "UpdateBillingPreferences" => return Err(invalid("Exactly one known feature.")),
            other => {
                let message = format!("The local cloud does not know {other}.");
                return Err(ApiError::new(400, "UnknownOperationException", message));
            }
        };
        Ok(json_ok(request.protocol, &answer))
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}
