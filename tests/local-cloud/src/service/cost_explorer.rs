//! The part of AWS Cost Explorer that says what accounts have cost: as much in every month, and what a test has set.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::core::Core;
use crate::front::answer::{ApiError, json_ok};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};

const METRIC: &str = "UnblendedCost";
/// What charges are grouped by.
const ACCOUNT: &str = "LINKED_ACCOUNT";

/// The charges of accounts, by their management account.
#[derive(Default)]
pub(crate) struct CostExplorer {
    costs: Mutex<HashMap<String, BTreeMap<String, String>>>,
}

impl Service for CostExplorer {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "ce"
    }

    fn needs(&self, core: &Core, request: &Incoming) -> Vec<Need> {
        // Who names no billing view asks for the primary one of its own account.
        let account = core.identities.known_account(&request.access_key).unwrap_or_default();
        let view = format!("arn:aws:billing::{account}:billingview/primary");
        vec![Need::new(format!("ce:{}", request.operation), view)]
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        Ok(json_ok(context.request.protocol, &self.perform(context)?))
    }
}

impl CostExplorer {
    /// Says what an account costs a month, in US dollars.
    pub(crate) fn set_cost(&self, management: &str, account: &str, amount: &str) {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        costs.entry(management.to_owned()).or_default().insert(account.to_owned(), amount.to_owned());
    }

    fn perform(&self, context: &Context<'_>) -> Result<Value, ApiError> {
        let input = &context.request.input;
        let period = &input["TimePeriod"];
        let (start, end) = (day(&period["Start"])?, day(&period["End"])?);
        let is_known = context.request.operation == "GetCostAndUsage"
            && input["Granularity"] == "MONTHLY"
            && input["Metrics"] == json!([METRIC])
            && input["GroupBy"] == json!([{"Type": "DIMENSION", "Key": ACCOUNT}]);
        if !is_known {
            return Err(invalid("The local cloud knows the monthly UnblendedCost of accounts alone."));
        }
        if start >= end {
            return Err(invalid("Start date should be before end date"));
        }
        let filter = &input["Filter"]["Dimensions"];
        let values = filter["Values"].as_array().filter(|values| filter["Key"] == ACCOUNT && !values.is_empty());
        let values = values.ok_or_else(|| invalid("The local cloud filters by accounts alone."))?;
        let costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |account: &str| costs.get(&context.caller.account).and_then(|costs| costs.get(account));
        let group = |account: &str| {
            of(account).map(|amount| json!({"Keys": [account], "Metrics": {METRIC: {"Amount": amount, "Unit": "USD"}}}))
        };
        let groups: Vec<_> = values.iter().filter_map(Value::as_str).filter_map(group).collect();
        let total = json!({});
        Ok(json!({
            "GroupDefinitions": input["GroupBy"],
            "ResultsByTime": [{"TimePeriod": period, "Total": total, "Groups": groups, "Estimated": false}],
            "DimensionValueAttributes": [],
        }))
    }
}

/// A day, `2026-10-01`.
fn day(value: &Value) -> Result<&str, ApiError> {
    let is_day = |text: &&str| {
        text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    value.as_str().filter(is_day).ok_or_else(|| invalid("A date must be YYYY-MM-DD."))
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}
