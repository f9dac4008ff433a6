//! AWS Config in a member: its recorder and its delivery channel in each region. What came of the last one is said in capitals, as
//! AWS does, and not as its model has it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
    time,
};

/// A recorder, and where it delivers to.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub(crate) is_on: bool,
    /// Until when it is being started.
    pub(crate) starts_until: Timestamp,
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let region = call.host.split('.').nth(1).unwrap_or_default();
    let recorder = settings::of(state, &who.account).recorders.get(region);
    let list = |name: &str, row: Option<Value>| json!({name: row.into_iter().collect::<Vec<_>>()});
    let body = match call.operation.as_str() {
        "DescribeConfigurationRecorderStatus" => {
            let status = |recorder: &Recorder| if time::now() < recorder.starts_until { "PENDING" } else { "SUCCESS" };
            let row = |recorder: &Recorder| json!({"name": "default", "recording": recorder.is_on, "lastStatus": status(recorder)});
            list("ConfigurationRecordersStatus", recorder.map(row))
        }
        "DescribeConfigurationRecorders" => {
            let row = |_: &Recorder| json!({"name": "default", "recordingGroup": {"allSupported": true}});
            list("ConfigurationRecorders", recorder.map(row))
        }
        "DescribeDeliveryChannelStatus" => {
            let info = json!({"lastStatus": "SUCCESS"});
            let row = |_: &Recorder| json!({"name": "default", "configHistoryDeliveryInfo": info, "configStreamDeliveryInfo": info});
            list("DeliveryChannelsStatus", recorder.map(row))
        }
        _ => return None,
    };
    Some(Ok(Answer::json(&body)))
}
