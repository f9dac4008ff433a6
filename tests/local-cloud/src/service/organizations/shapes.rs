//! The structures of the Organizations API, as they go over the wire.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{Account, CreateRequest, Fate, Org, Tags, Unit};

/// Seconds since the epoch with milliseconds, as JSON 1.1 services write timestamps.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double")]
pub(super) fn timestamp(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

pub(super) fn organization(org: &Org) -> Value {
    let management = org.account(&org.management);
    json!({
        "Id": org.id,
        "Arn": format!("arn:aws:organizations::{}:organization/{}", org.management, org.id),
        "FeatureSet": if org.all_features { "ALL" } else { "CONSOLIDATED_BILLING" },
        "MasterAccountArn": org.account_arn(&org.management),
        "MasterAccountId": org.management,
        "MasterAccountEmail": management.map(|account| account.email.as_str()).unwrap_or_default(),
        "AvailablePolicyTypes": [],
    })
}

pub(super) fn root(org: &Org) -> Value {
    json!({ "Id": org.root, "Arn": org.arn(&org.root), "Name": "Root", "PolicyTypes": org.policies.types() })
}

pub(super) fn unit(org: &Org, unit: &Unit) -> Value {
    json!({ "Id": unit.id, "Arn": org.arn(&unit.id), "Name": unit.name, "Path": org.path(&unit.id) })
}

/// `Status` is left out: AWS announced its retirement for September 2026, so nothing may rely on it.
pub(super) fn account(org: &Org, account: &Account) -> Value {
    json!({
        "Id": account.id,
        "Arn": org.account_arn(&account.id),
        "Email": account.email,
        "Name": account.name,
        "State": account.state.as_str(),
        "Paths": [format!("{}{}/", org.path(&account.parent), account.id)],
        "JoinedMethod": if account.created { "CREATED" } else { "INVITED" },
        "JoinedTimestamp": timestamp(account.joined),
    })
}

pub(super) fn create_account_status(request: &CreateRequest) -> Value {
    let mut status = json!({
        "Id": request.id,
        "AccountName": request.name,
        "State": request.state(),
        "RequestedTimestamp": timestamp(request.requested),
    });
    if let Some(ended) = request.ended {
        status["CompletedTimestamp"] = timestamp(ended).into();
        match &request.fate {
            Fate::Succeeds(account) => status["AccountId"] = account.as_str().into(),
            Fate::Fails(reason) => status["FailureReason"] = reason.as_str().into(),
        }
    }
    status
}

pub(super) fn enabled_service(principal: &str, since: Timestamp) -> Value {
    json!({ "ServicePrincipal": principal, "DateEnabled": timestamp(since) })
}

pub(super) fn parent(org: &Org, id: &str) -> Value {
    json!({ "Id": id, "Type": if id == org.root { "ROOT" } else { "ORGANIZATIONAL_UNIT" } })
}

pub(super) fn tags(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
