//! The events that Organizations sends about accounts.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::state::{CreateRequest, Fate};
use crate::core::Core;
use crate::events::{self, EventPlan};

/// Tells the management account how a creation ended, as often and as late as the plan says.
pub(super) fn creation_ended(core: &Arc<Core>, management: &str, request: &CreateRequest, plan: EventPlan) {
    let mut happened = vec![("CreateAccountResult", create_account_result(request))];
    if let Fate::Succeeds(account) = &request.fate {
        happened.push(("AccountJoinedOrganization", account_joined(account, request.ended)));
    }
    for (name, details) in happened {
        events::deliver_as_planned(core, management, &envelope(core, management, name, &details), plan);
    }
}

/// Tells the management account that an account is closed, as often and as late as the plan says.
pub(super) fn closure_ended(core: &Arc<Core>, management: &str, account: &str, requested: Timestamp, plan: EventPlan) {
    let details = json!({ "closeAccountStatus": {
        "accountId": account,
        "state": "SUCCEEDED",
        "requestedTimestamp": spoken(requested),
        "completedTimestamp": spoken(Timestamp::now()),
    } });
    let mut event = envelope(core, management, "CloseAccountResult", &details);
    // As in the sample of the AWS Organizations user guide, "Logging with CloudTrail".
    event["detail"]["userIdentity"]["invokedBy"] = "organizations.amazonaws.com".into();
    events::deliver_as_planned(core, management, &event, plan);
}

fn create_account_result(request: &CreateRequest) -> Value {
    let mut status = json!({
        "id": request.id,
        "state": request.state(),
        "accountName": "****",
        "requestedTimestamp": spoken(request.requested),
        "completedTimestamp": spoken(request.ended.unwrap_or(request.requested)),
    });
    match &request.fate {
        Fate::Succeeds(account) => status["accountId"] = account.as_str().into(),
        Fate::Fails(reason) => status["failureReason"] = reason.as_str().into(),
    }
    json!({ "createAccountStatus": status })
}

fn account_joined(account: &str, at: Option<Timestamp>) -> Value {
    json!({ "accountId": account, "joinedMethod": "CREATED", "joinedTime": spoken(at.unwrap_or_default()) })
}

/// A service event as CloudTrail hands it to EventBridge.
fn envelope(core: &Core, management: &str, name: &str, details: &Value) -> Value {
    let now = Timestamp::now();
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "version": "0",
        "id": core.ids.uuid(),
        "detail-type": "AWS Service Event via CloudTrail",
        "source": "aws.organizations",
        "account": management,
        "time": time,
        "region": crate::client::REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "userIdentity": { "accountId": management, "invokedBy": "AWS Internal" },
            "eventTime": time,
            "eventSource": "organizations.amazonaws.com",
            "eventName": name,
            "awsRegion": crate::client::REGION,
            "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal",
            "requestParameters": null,
            "responseElements": null,
            "eventID": core.ids.uuid(),
            "readOnly": false,
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "recipientAccountId": management,
            "serviceEventDetails": details,
            "eventCategory": "Management",
        },
    })
}

/// A time the way CloudTrail's service events spell it: `May 15, 2023 8:26:54 AM`.
fn spoken(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureReason;

    #[test]
    fn times_are_spelled_as_in_recorded_events() {
        let at: Timestamp = "2023-05-15T08:26:54Z".parse().unwrap();
        assert_eq!(spoken(at), "May 15, 2023 8:26:54 AM");
    }

    #[test]
    fn a_failure_names_its_reason_and_no_account() {
        let request = CreateRequest {
            id: "car-1".to_owned(),
            name: "Payments".to_owned(),
            email: "payments@example.com".to_owned(),
            role: "r".to_owned(),
            tags: super::super::state::Tags::new(),
            requested: Timestamp::UNIX_EPOCH,
            fate: Fate::Fails(FailureReason::EmailAlreadyExists),
            ended: Some(Timestamp::UNIX_EPOCH),
        };
        let status = &create_account_result(&request)["createAccountStatus"];
        assert_eq!(status["failureReason"], "EMAIL_ALREADY_EXISTS");
        assert_eq!(status["accountName"], "****");
        assert!(status.get("accountId").is_none());
    }
}
