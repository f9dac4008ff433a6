//! The events that Account Management sends about regions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::target::Target;
use crate::core::Core;

/// Says that a region has a new status. It goes to the account that asked, not to the one the region is of.
pub(super) fn region_changed(core: &Core, target: &Target, region: &str, status: &str) -> Value {
    json!({
        "version": "0",
        "id": core.ids.uuid(),
        "detail-type": "Region Opt-In Status Change",
        "source": "aws.account",
        "account": target.caller,
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": crate::client::REGION,
        "resources": [format!("arn:aws:account::{}:account", target.account)],
        "detail": { "accountId": target.account, "regionName": region, "status": status },
    })
}
