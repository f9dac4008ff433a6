//! Records of CloudTrail as EventBridge delivers them, read leniently: AWS adds fields, leaves fields out, and spells
//! some of them in several ways.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    audit::own_roles::OwnRole,
    ids::{AccountId, CreateAccountRequestId, NotValid},
    organization::Rearranged,
};

/// The `detail` of an event that CloudTrail has brought.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(&'a Value);

impl<'a> Record<'a> {
    /// The detail of an event; None when it names no call.
    pub fn of(detail: &'a Value) -> Option<Self> {
        detail["eventName"].as_str().is_some_and(|name| !name.is_empty()).then_some(Self(detail))
    }

    /// The call, or what happened: `PutAlternateContact`, `ConsoleLogin`, `CloseAccountResult`.
    pub fn name(self) -> &'a str {
        self.0["eventName"].as_str().unwrap_or_default()
    }

    /// The call as IAM names it, `organizations:MoveAccount`.
    pub fn action(self) -> String {
        let service = self.service();
        format!("{}:{}", service.strip_suffix(".amazonaws.com").unwrap_or(service), self.name())
    }

    /// The service: `account.amazonaws.com`.
    pub fn service(self) -> &'a str {
        self.0["eventSource"].as_str().unwrap_or_default()
    }

    /// Any part of the record.
    pub fn at(self, pointer: &str) -> &'a Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A text of the record; None where there is none, and where AWS has masked it.
    pub fn text(self, pointer: &str) -> Option<&'a str> {
        self.at(pointer).as_str().filter(|text| !text.is_empty() && !text.chars().all(|letter| letter == '*'))
    }

    /// Something of the record that can be parsed.
    pub fn parsed<T: std::str::FromStr<Err = NotValid>>(self, pointer: &str) -> Option<T> {
        self.text(pointer)?.parse().ok()
    }

    /// The account that the call is about: the one that it names or, when it names none, the one it was made in.
    pub fn account(self) -> Option<AccountId> {
        ["/requestParameters", "/serviceEventDetails", "/responseElements"]
            .into_iter()
            .find_map(|part| account_id_in(self.at(part)))
            .or_else(|| self.parsed("/recipientAccountId"))
            .or_else(|| self.parsed("/userIdentity/accountId"))
    }

    /// The error code of a call that AWS refused.
    pub fn error_code(self) -> Option<&'a str> {
        self.text("/errorCode")
    }
}

/// The first account id in a value or in what it holds, whatever the case of the field's name.
fn account_id_in(value: &Value) -> Option<AccountId> {
    let fields = value.as_object()?;
    let here = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("accountId"));
    here.and_then(|(_, id)| id.as_str()?.parse().ok()).or_else(|| fields.values().find_map(account_id_in))
}

/// What kind of identity made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A session of a role.
    Role,
    /// An IAM user.
    User,
    /// The root user of an account, with its password or its access keys.
    Root,
    /// A session that `AssumeRoot` gave: the root user's name without its credentials, for one task.
    RootSession,
    /// AWS itself, also where it acts in the name of a root user.
    Service,
    /// Somebody whose record says no more.
    Unknown,
}

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The kind of identity.
    pub kind: ActorKind,
    /// How people call it: a role and its session, a user, an account's root user, a service.
    pub name: String,
    /// Its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The account that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Whether it is a role of this stack.
    pub is_steward: bool,
    /// Which function's, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Whether it has signed in with a second factor; None where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
}

impl Actor {
    /// Who is behind a record. A session of one of `own_roles`, by its exact ARN, is Steward.
    pub fn of(record: Record<'_>, own_roles: &[OwnRole]) -> Self {
        let kind = kind(record);
        let arn = record.text("/userIdentity/arn").map(ToOwned::to_owned);
        let issuer = record.text("/userIdentity/sessionContext/sessionIssuer/arn");
        let account_id = record.parsed("/userIdentity/accountId");
        let name = match kind {
            ActorKind::Role => arn.as_deref().map(after_colon),
            ActorKind::User => record.text("/userIdentity/userName").or_else(|| arn.as_deref().map(after_colon)),
            ActorKind::Root => Some("root user"),
            ActorKind::RootSession => Some("root session"),
            ActorKind::Service => record.text("/userIdentity/invokedBy"),
            ActorKind::Unknown => record.text("/userIdentity/principalId"),
        };
        let mfa = match (
            record.at("/userIdentity/sessionContext/attributes/mfaAuthenticated"),
            record.at("/additionalEventData/MFAUsed"),
        ) {
            (Value::String(said), _) => Some(said == "true"),
            (Value::Bool(said), _) => Some(*said),
            (_, Value::String(said)) => Some(said.eq_ignore_ascii_case("yes")),
            _ => None,
        };
        let function = own_roles.iter().find(|role| issuer == Some(&role.arn)).map(|role| role.name.clone());
        Self {
            kind,
            name: name.unwrap_or("somebody").to_owned(),
            is_steward: function.is_some(),
            function,
            arn,
            account_id,
            mfa,
        }
    }
}

fn kind(record: Record<'_>) -> ActorKind {
    match record.text("/userIdentity/type") {
        Some("AssumedRole" | "Role") => ActorKind::Role,
        Some("IAMUser" | "FederatedUser" | "IdentityCenterUser" | "SAMLUser" | "WebIdentityUser") => ActorKind::User,
        Some("Root") if is_by_service(record) => ActorKind::Service,
        Some("Root") if is_assumed(record) => ActorKind::RootSession,
        Some("Root") => ActorKind::Root,
        Some("AWSService") => ActorKind::Service,
        // Events of a service about itself have no type.
        None if record.text("/userIdentity/invokedBy").is_some() => ActorKind::Service,
        Some(_) | None => ActorKind::Unknown,
    }
}

/// Whether a service of AWS has called in somebody's name: no person was there.
fn is_by_service(record: Record<'_>) -> bool {
    let by = record.text("/userIdentity/invokedBy");
    by.is_some_and(|by| by.ends_with(".amazonaws.com") || by == "AWS Internal")
}

/// Whether root's record says that its session came from `AssumeRoot`.
fn is_assumed(record: Record<'_>) -> bool {
    let said = record.at("/userIdentity/sessionContext/assumedRoot");
    said == "true" || *said == Value::Bool(true)
}

/// `role/session` of `arn:aws:sts::111122223333:assumed-role/role/session`.
fn after_colon(arn: &str) -> &str {
    let last = arn.rsplit(':').next().unwrap_or(arn);
    last.strip_prefix("assumed-role/").or_else(|| last.strip_prefix("user/")).unwrap_or(last)
}

/// The id that AWS gave to the call of `CreateAccount` whose end a `CreateAccountResult` event tells. Everything
/// else in that event is masked, or can be asked for. None for any other event.
pub fn create_account_result(event: &EventBridgeEvent<Value>) -> Option<CreateAccountRequestId> {
    if event.detail["eventName"] != "CreateAccountResult" {
        return None;
    }
    event.detail["serviceEventDetails"]["createAccountStatus"]["id"].as_str()?.parse().ok()
}

/// The account whose closing has ended, as a `CloseAccountResult` event tells. What became of it is to be asked for. None for
/// any other event.
pub fn close_account_result(event: &EventBridgeEvent<Value>) -> Option<AccountId> {
    if event.detail["eventName"] != "CloseAccountResult" {
        return None;
    }
    account_id_in(&event.detail["serviceEventDetails"])
}

/// The events of AWS Organizations that tell of what decides who reaches an account: the ends of its own doings, and calls.
pub const REARRANGING: [&str; 6] = [
    "AccountDepartedOrganization",
    "CloseAccountResult",
    "MoveAccount",
    "TagResource",
    "UntagResource",
    "UpdateOrganizationalUnit",
];

/// Which accounts such an event is about. None for any other event, for a call that AWS has refused, and for one about
/// something else, such as a tag of a unit.
pub fn rearranged(event: &EventBridgeEvent<Value>) -> Option<Rearranged> {
    let record = Record::of(&event.detail).filter(|record| record.error_code().is_none())?;
    let named = |name: &str| record.parsed::<AccountId>(&format!("/requestParameters/{name}"));
    match record.name() {
        "MoveAccount" => named("accountId").map(Rearranged::Moved),
        "TagResource" | "UntagResource" => {
            let keys = [("/requestParameters/tags", "key"), ("/requestParameters/tagKeys", "")];
            let key = |(list, field): (&str, &'static str)| {
                let entries = record.at(list).as_array().into_iter().flatten();
                entries.filter_map(move |entry| if field.is_empty() { entry } else { &entry[field] }.as_str())
            };
            let keys = keys.into_iter().flat_map(key).map(ToOwned::to_owned).collect();
            Some(Rearranged::Tagged { account_id: named("resourceId")?, keys })
        }
        "UpdateOrganizationalUnit" => record.parsed("/requestParameters/organizationalUnitId").map(Rearranged::Renamed),
        "CloseAccountResult" => close_account_result(event).map(Rearranged::Gone),
        "AccountDepartedOrganization" => named_account(event).map(Rearranged::Gone),
        _ => None,
    }
}

/// The account that an `AccountJoinedOrganization` event is about. AWS has published no sample of it, so the id is
/// looked for in every place that comparable events use. None for any other event.
pub fn account_joined(event: &EventBridgeEvent<Value>) -> Option<AccountId> {
    if event.detail["eventName"] != "AccountJoinedOrganization" {
        return None;
    }
    named_account(event)
}

/// The account that an event of AWS Organizations about itself names.
fn named_account(event: &EventBridgeEvent<Value>) -> Option<AccountId> {
    // Not the whole detail: `userIdentity` and `recipientAccountId` name the management account.
    ["serviceEventDetails", "responseElements", "requestParameters"]
        .into_iter()
        .find_map(|part| account_id_in(&event.detail[part]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn actor(detail: &Value) -> Actor {
        let arn = "arn:aws:iam::111111111111:role/steward-Auditor".to_owned();
        let own = [OwnRole { name: "activity-auditor".to_owned(), arn }];
        Actor::of(Record(detail), &own)
    }

    #[test]
    fn a_session_of_the_stacks_role_is_steward_and_one_that_is_named_alike_is_not() {
        let session = |issuer: &str| {
            json!({"eventName": "EnableRegion", "userIdentity": {"type": "AssumedRole",
                "arn": "arn:aws:sts::111111111111:assumed-role/steward-Auditor/x", "accountId": "111111111111",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer},
                    "attributes": {"mfaAuthenticated": "false"}}}})
        };
        let ours = actor(&session("arn:aws:iam::111111111111:role/steward-Auditor"));
        assert_eq!((ours.kind, ours.name.as_str(), ours.is_steward), (ActorKind::Role, "steward-Auditor/x", true));
        assert_eq!(ours.mfa, Some(false));
        assert!(!actor(&session("arn:aws:iam::222222222222:role/steward-Auditor")).is_steward);
    }

    #[test]
    fn a_root_user_and_a_root_session_are_told_apart() {
        let root = |context: Value| {
            json!({"eventName": "DeleteBucketPolicy", "userIdentity": {"type": "Root", "accountId": "222222222222",
                "arn": "arn:aws:iam::222222222222:root", "sessionContext": context}})
        };
        assert_eq!(actor(&root(json!({"assumedRoot": "true"}))).kind, ActorKind::RootSession);
        assert_eq!(actor(&root(json!({"attributes": {"mfaAuthenticated": "true"}}))).kind, ActorKind::Root);
    }

    #[test]
    fn a_service_that_acts_in_the_name_of_a_root_user_is_no_person() {
        let by = |service: &str| {
            actor(&json!({"eventName": "CreateServiceLinkedRole", "userIdentity": {"type": "Root",
                "accountId": "222222222222", "arn": "arn:aws:iam::222222222222:root", "invokedBy": service}}))
        };
        let service = by("organizations.amazonaws.com");
        assert_eq!((service.kind, service.name.as_str()), (ActorKind::Service, "organizations.amazonaws.com"));
        assert_eq!(by("somebody").kind, ActorKind::Root, "AWS names its services in one way");
    }

    #[test]
    fn an_identity_without_a_type_is_aws_itself_if_it_says_so() {
        let service = json!({"eventName": "CloseAccountResult", "userIdentity": {"accountId": "111111111111", "invokedBy": "AWS Internal"}});
        assert_eq!((actor(&service).kind, actor(&service).name.as_str()), (ActorKind::Service, "AWS Internal"));
        let nothing = json!({"eventName": "x"});
        assert_eq!((actor(&nothing).kind, actor(&nothing).name.as_str()), (ActorKind::Unknown, "somebody"));
    }

    #[test]
    fn the_account_of_a_call_is_the_one_it_names_and_then_the_one_it_was_made_in() {
        let named = json!({"eventName": "EnableRegion", "requestParameters": {"regionName": "x", "accountId": "222222222222"},
            "recipientAccountId": "333333333333", "userIdentity": {"accountId": "111111111111"}});
        assert_eq!(Record(&named).account().unwrap().as_str(), "222222222222");
        let unnamed =
            json!({"eventName": "EnableRegion", "requestParameters": null, "recipientAccountId": "333333333333"});
        assert_eq!(Record(&unnamed).account().unwrap().as_str(), "333333333333");
    }

    #[test]
    fn a_masked_text_is_no_text() {
        let masked = json!({"eventName": "x", "requestParameters": {"email": "****", "name": "*Alejandro*"}});
        assert_eq!(Record(&masked).text("/requestParameters/email"), None);
        assert_eq!(Record(&masked).text("/requestParameters/name"), Some("*Alejandro*"));
    }

    fn event(detail: &Value) -> EventBridgeEvent<Value> {
        crate::runtime::trigger::as_event(&json!({"detail-type": "AWS Service Event via CloudTrail", "source": "aws.organizations", "detail": detail}))
            .expect("an event")
    }

    #[test]
    fn a_create_account_result_gives_the_id_of_its_request() {
        let detail = json!({"eventName": "CreateAccountResult", "serviceEventDetails": {"createAccountStatus":
            {"id": "car-3fbd74c0f2fa11ed8b6e0a41b5dcf48f", "state": "FAILED", "accountName": "****"}}});
        assert_eq!(create_account_result(&event(&detail)).unwrap().as_str(), "car-3fbd74c0f2fa11ed8b6e0a41b5dcf48f");
        assert_eq!(create_account_result(&event(&json!({"eventName": "CloseAccountResult"}))), None);
    }

    #[test]
    fn the_end_of_a_closure_names_its_account_and_no_other_event_does() {
        let detail = json!({"eventName": "CloseAccountResult", "recipientAccountId": "111111111111",
            "serviceEventDetails": {"closeAccountStatus": {"accountId": "222222222222", "state": "SUCCEEDED"}}});
        assert_eq!(close_account_result(&event(&detail)).unwrap().as_str(), "222222222222");
        let call = json!({"eventName": "CloseAccount", "serviceEventDetails": {"accountId": "222222222222"}});
        assert_eq!(close_account_result(&event(&call)), None);
    }

    #[test]
    fn what_decides_who_reaches_an_account_is_read_and_what_does_not_is_not() {
        let account = "222222222222";
        let of = |name: &str, parameters: Value| {
            rearranged(&event(&json!({"eventName": name, "requestParameters": parameters})))
        };
        let id: AccountId = account.parse().unwrap();
        let tagged = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            Some(Rearranged::Tagged { account_id: id.clone(), keys })
        };
        let moved =
            json!({"accountId": account, "sourceParentId": "r-ab12", "destinationParentId": "ou-ab12-cdef3456"});
        assert_eq!(of("MoveAccount", moved.clone()), Some(Rearranged::Moved(id.clone())));
        let tags =
            json!({"resourceId": account, "tags": [{"key": "team", "value": "blue"}, {"key": "cost", "value": "1"}]});
        assert_eq!(of("TagResource", tags), tagged(&["team", "cost"]));
        assert_eq!(of("UntagResource", json!({"resourceId": account, "tagKeys": ["team"]})), tagged(&["team"]));
        assert_eq!(of("TagResource", json!({"resourceId": account})), tagged(&[]), "a record without them");
        let unit = json!({"organizationalUnitId": "ou-ab12-cdef3456", "name": "Green"});
        let renamed = Some(Rearranged::Renamed("ou-ab12-cdef3456".parse().unwrap()));
        assert_eq!(of("UpdateOrganizationalUnit", unit), renamed);
        let gone = json!({"eventName": "AccountDepartedOrganization", "recipientAccountId": "111111111111",
            "serviceEventDetails": {"accountId": account, "departureMethod": "LEFT"}});
        assert_eq!(rearranged(&event(&gone)), Some(Rearranged::Gone(id.clone())));
        let closed = json!({"eventName": "CloseAccountResult",
            "serviceEventDetails": {"closeAccountStatus": {"accountId": account, "state": "SUCCEEDED"}}});
        assert_eq!(rearranged(&event(&closed)), Some(Rearranged::Gone(id)));

        // What is about no account, and what AWS has refused.
        assert_eq!(of("TagResource", json!({"resourceId": "ou-ab12-cdef3456", "tags": []})), None);
        assert_eq!(of("AttachPolicy", json!({"accountId": account})), None);
        let refused = json!({"eventName": "MoveAccount", "errorCode": "AccessDenied", "requestParameters": moved});
        assert_eq!(rearranged(&event(&refused)), None);
    }

    #[test]
    fn a_joined_account_is_found_wherever_the_event_carries_it_but_never_in_the_callers_identity() {
        let nested = json!({"eventName": "AccountJoinedOrganization", "userIdentity": {"accountId": "111111111111"},
            "serviceEventDetails": {"accountJoined": {"AccountId": "222222222222"}}});
        assert_eq!(account_joined(&event(&nested)).unwrap().as_str(), "222222222222");
        let without = json!({"eventName": "AccountJoinedOrganization", "userIdentity": {"accountId": "111111111111"},
            "recipientAccountId": "111111111111"});
        assert_eq!(account_joined(&event(&without)), None);
    }
}
