//! How much something matters.

use serde_json::Value;
use steward::{
    audit::{
        cloudtrail::{Actor, ActorKind, Record},
        own_roles::may,
    },
    severity::Severity,
    table::root_sessions::OpenedSession,
};

use super::OwnRecord;

/// Why the work of the stack's own functions does not matter.
pub(super) const OWN_WORK: &str = "a function of Steward did it";
/// Why the end of a closure does not matter.
const OWN_CLOSURE: &str = "it was closed by account-closer, which tells of it";

/// What takes accounts out of the organization's hands, or guards away. Calls of other services have the same names.
const TAKES_AWAY: &[&str] = &[
    "account:AcceptPrimaryEmailUpdate",
    "account:CloseAccount",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "iam:DisableOrganizationsRootCredentialsManagement",
    "iam:DisableOrganizationsRootSessions",
    "organizations:CloseAccount",
    "organizations:DeleteOrganization",
    "organizations:DeletePolicy",
    "organizations:DeleteResourcePolicy",
    "organizations:DeregisterDelegatedAdministrator",
    "organizations:DetachPolicy",
    "organizations:DisableAWSServiceAccess",
    "organizations:DisablePolicyType",
    "organizations:LeaveOrganization",
    "organizations:RemoveAccountFromOrganization",
    "organizations:UpdatePolicy",
];

/// What hands out power over accounts, or over who pays for them.
const HANDS_OUT: &[&str] = &[
    "iam:EnableOrganizationsRootCredentialsManagement",
    "iam:EnableOrganizationsRootSessions",
    "organizations:EnableAWSServiceAccess",
    "organizations:InviteOrganizationToTransferResponsibility",
    "organizations:PutResourcePolicy",
    "organizations:RegisterDelegatedAdministrator",
    "sts:AssumeRoot",
];

/// What is done with a root user's sign-in to take it over, or to get it back (AWS CloudTrail user guide, "AWS Management
/// Console sign-in events"; AWS Sign-In user guide).
const TAKES_OVER: &[&str] = &[
    "signin:EmailUpdated",
    "signin:PasswordRecoveryCompleted",
    "signin:PasswordRecoveryRequested",
    "signin:PasswordUpdated",
];

/// What else decides who may do what, or which baseline an account has.
const DECIDES: &[&str] = &[
    "organizations:AttachPolicy",
    "organizations:CreatePolicy",
    "organizations:EnablePolicyType",
    "organizations:UpdateOrganizationalUnit",
];

/// The services of which the stack has resources, as CloudTrail names them.
const OWN_SERVICES: &[&str] = &[
    "cloudformation",
    "dynamodb",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "scheduler",
    "sns",
    "sqs",
    "states",
];

/// What guards the organization here, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// What the names of the stack's resources begin with, and the ids of those without such a name.
    pub own_names: Vec<String>,
    /// The role through which member accounts are entered.
    pub access_role: String,
}

/// How much a record matters, and why. `own` is what Steward has recorded of what the record is about, if it has.
pub(super) fn judge(
    record: Record<'_>,
    actor: &Actor,
    guarded: &Guarded,
    own: Option<&OwnRecord>,
) -> (Severity, String) {
    let action = record.action();
    let opened = own.and_then(OwnRecord::session);
    if let Some(function) = &actor.function {
        return own_work(record, function, &action, own);
    }
    if record.name() == "CloseAccountResult" && own == Some(&OwnRecord::Closure) {
        return (Severity::Informational, OWN_CLOSURE.to_owned());
    }
    if let Some(opened) = opened.filter(|_| matches!(actor.kind, ActorKind::Root | ActorKind::RootSession)) {
        return own_session(&action, opened);
    }
    let (severity, why) = accomplished(record, actor, &action, guarded);
    match super::failure(record) {
        None => (severity, why),
        Some(code) => (severity.lowered(), format!("{why}; AWS refused it ({code})")),
    }
}

/// What a role of the stack did. Its policy is the excuse, and no more than its policy.
fn own_work(record: Record<'_>, function: &str, action: &str, own: Option<&OwnRecord>) -> (Severity, String) {
    let opened = own.and_then(OwnRecord::session);
    let refused = super::failure(record);
    if !may(function, action) {
        let why = format!(
            "{function} did it, whose policy does not allow it: somebody has its credentials, or has changed its policy"
        );
        return (Severity::Critical, why);
    }
    if action == "sts:AssumeRoot" {
        return match (opened, refused) {
            (_, Some(code)) => {
                (Severity::Warning, format!("{function} asked for a root session; AWS refused it ({code})"))
            }
            (Some(opened), None) if opened.function == function => (Severity::Informational, OWN_WORK.to_owned()),
            (_, None) => {
                let why = format!("{function}'s role opened a root session of which {function} has kept no record");
                (Severity::Critical, why)
            }
        };
    }
    if action == "organizations:CloseAccount" {
        return match (own, refused) {
            // Nothing has happened, and it is tried again: the quota of 30 days is waited for in this way.
            (_, Some(code)) => {
                (Severity::Notice, format!("{function} asked for an account to be closed; AWS refused it ({code})"))
            }
            (Some(OwnRecord::Closure), None) => (Severity::Informational, OWN_CLOSURE.to_owned()),
            (_, None) => {
                let why = format!("{function}'s role closed an account of which {function} has kept no record");
                (Severity::Critical, why)
            }
        };
    }
    if TAKES_AWAY.contains(&action) || HANDS_OUT.contains(&action) {
        return (
            Severity::Warning,
            format!("{function} did it, as its policy allows; such a change is for people to know"),
        );
    }
    (Severity::Informational, OWN_WORK.to_owned())
}

/// What was done in a root session that a function has opened: its task is the excuse, and no more than its task.
fn own_session(action: &str, opened: &OpenedSession) -> (Severity, String) {
    if opened.allows(action) {
        (Severity::Informational, OWN_WORK.to_owned())
    } else {
        let why = format!("a root session of {} did it, whose task does not allow it", opened.function);
        (Severity::Critical, why)
    }
}

/// The same for anybody else, as if it had worked.
fn accomplished(record: Record<'_>, actor: &Actor, action: &str, guarded: &Guarded) -> (Severity, String) {
    let name = record.name();
    let said = |severity, why: &str| (severity, why.to_owned());
    if action == "signin:ConsoleLogin" {
        return match (actor.kind, actor.mfa) {
            (ActorKind::Root, Some(true)) => said(Severity::Warning, "a root user signed in"),
            (ActorKind::Root, _) => said(Severity::Critical, "a root user signed in without a second factor"),
            _ => said(Severity::Informational, "somebody signed in"),
        };
    }
    if TAKES_OVER.contains(&action) && actor.kind == ActorKind::Root {
        return said(Severity::Critical, "that is how a root user is taken over, or got back");
    }
    if TAKES_AWAY.contains(&action) {
        let why = format!("{name} takes accounts out of hand or guards away, and is not for people to call");
        return (Severity::Critical, why);
    }
    if HANDS_OUT.contains(&action) {
        return (Severity::Critical, format!("{name} hands out power over accounts, and is not for people to call"));
    }
    if is_access_role(record, action, guarded) {
        return said(Severity::Critical, "the role through which Steward enters the account was changed");
    }
    if is_own(record, action, guarded) {
        return own_resource(record, action);
    }
    match (actor.kind, name) {
        (_, "AccountDepartedOrganization") => departed(record),
        (_, "CloseAccountResult") => said(Severity::Warning, "an account was closed"),
        (_, "AccountJoinedOrganization") => said(Severity::Notice, "an account has joined the organization"),
        (ActorKind::Root, _) => said(Severity::Warning, "a root user did it"),
        (ActorKind::RootSession, _) => said(Severity::Warning, "a root session did it that Steward did not open"),
        (ActorKind::Service, _) => said(Severity::Informational, "AWS did it"),
        _ if DECIDES.contains(&action) => {
            said(Severity::Warning, "it decides who may do what, or which baseline an account has")
        }
        (ActorKind::Role | ActorKind::User | ActorKind::Unknown, _) => {
            said(Severity::Notice, "somebody changed an account or the organization past Steward")
        }
    }
}

/// Accounts leave in three ways. `CLEANED` ones were closed about ninety days before, which was published then.
fn departed(record: Record<'_>) -> (Severity, String) {
    let method = record.text("/serviceEventDetails/departureMethod").unwrap_or_default().to_ascii_uppercase();
    let (severity, why) = match method.as_str() {
        "CLEANED" => (Severity::Informational, "an account that was closed some ninety days ago is gone for good"),
        "LEFT" => (Severity::Critical, "an account has left the organization by itself"),
        "REMOVED" => (Severity::Warning, "an account was removed from the organization"),
        _ => (Severity::Warning, "an account has left the organization"),
    };
    (severity, why.to_owned())
}

fn is_access_role(record: Record<'_>, action: &str, guarded: &Guarded) -> bool {
    action.starts_with("iam:") && record.text("/requestParameters/roleName") == Some(&guarded.access_role)
}

/// Whether a call is about a resource of this stack.
fn is_own(record: Record<'_>, action: &str, guarded: &Guarded) -> bool {
    let is_served = action.split_once(':').is_some_and(|(service, _)| OWN_SERVICES.contains(&service));
    is_served && ["/requestParameters", "/responseElements"].into_iter().any(|part| names_own(record.at(part), guarded))
}

/// Whether a value, or what it holds, names something of this stack: a name that begins with the stack's, an ARN or a URL
/// with such a name in it, or an id.
fn names_own(value: &Value, guarded: &Guarded) -> bool {
    let is_own = |segment: &str| {
        guarded.own_names.iter().any(|own| {
            let rest = segment.get(..own.len()).filter(|start| start.eq_ignore_ascii_case(own));
            rest.is_some() && segment[own.len()..].chars().next().is_none_or(|next| next == '-')
        })
    };
    match value {
        Value::String(text) => text.split([':', '/']).any(is_own),
        Value::Array(items) => items.iter().any(|item| names_own(item, guarded)),
        Value::Object(fields) => fields.values().any(|field| names_own(field, guarded)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A change of Steward itself: of a function, role, rule, schedule, queue, subscription, bucket, key, alarm.
fn own_resource(record: Record<'_>, action: &str) -> (Severity, String) {
    const DEPLOYED: &str = "cloudformation.amazonaws.com";
    let by = [record.text("/userIdentity/invokedBy"), record.text("/sourceIPAddress")];
    let said = |severity, why: &str| (severity, why.to_owned());
    if action == "cloudformation:DeleteStack" {
        said(Severity::Critical, "somebody deletes Steward")
    } else if action.starts_with("cloudformation:") {
        said(Severity::Warning, "somebody deploys Steward")
    } else if by.contains(&Some(DEPLOYED)) {
        said(Severity::Notice, "a deployment changed a resource of Steward")
    } else {
        said(Severity::Critical, "somebody changed Steward itself, past its deployment")
    }
}
