//! AWS Cost Explorer: nothing has cost anything.

use serde_json::json;

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
};

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    if call.operation != "GetCostAndUsage" {
        return Err(unknown(state, who, call));
    }
    let month = json!({"TimePeriod": call.input["TimePeriod"], "Total": {}, "Groups": [], "Estimated": false});
    Ok(Answer::json(&json!({
        "GroupDefinitions": call.input["GroupBy"],
        "ResultsByTime": [month],
        "DimensionValueAttributes": [],
    })))
}
