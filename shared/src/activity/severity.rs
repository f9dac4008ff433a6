//! How much something matters.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    cloudtrail::{Actor, ActorKind, Record},
    ids::NotValid,
};

/// Why the work of the stack's own functions does not matter.
pub(super) const OWN_WORK: &str = "a function of Steward did it";

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For whoever looks it up.
    Informational,
    /// Worth a line in a daily mail.
    Notice,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now.
    Critical,
}

impl FromStr for Severity {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        match text {
            "informational" => Ok(Self::Informational),
            "notice" => Ok(Self::Notice),
            "warning" => Ok(Self::Warning),
            "critical" => Ok(Self::Critical),
            _ => Err(NotValid("informational, notice, warning or critical")),
        }
    }
}

impl Severity {
    /// Every severity, in rising order.
    pub const ALL: [Self; 4] = [Self::Informational, Self::Notice, Self::Warning, Self::Critical];

    /// One step less: for what was tried and refused.
    fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::Warning,
            Self::Warning | Self::Notice => Self::Notice,
            Self::Informational => Self::Informational,
        }
    }
}

/// Calls that take an account out of the organization's hands, or the guards off all of them. Nobody but Steward should
/// make them, and hardly ever.
const DENY_LISTED: [&str; 12] = [
    "AcceptPrimaryEmailUpdate",
    "AssumeRoot",
    "CloseAccount",
    "DeleteOrganization",
    "DeregisterDelegatedAdministrator",
    "DetachPolicy",
    "DisableAWSServiceAccess",
    "DisableOrganizationsRootCredentialsManagement",
    "DisableOrganizationsRootSessions",
    "DisablePolicyType",
    "LeaveOrganization",
    "RemoveAccountFromOrganization",
];

/// How much a record matters, and why.
pub fn judge(record: Record<'_>, actor: &Actor) -> (Severity, String) {
    let (severity, why) = accomplished(record, actor);
    match super::failure(record) {
        None => (severity, why),
        Some(code) => (severity.lowered(), format!("{why}; AWS refused it ({code})")),
    }
}

/// The same, as if it had worked.
fn accomplished(record: Record<'_>, actor: &Actor) -> (Severity, String) {
    let name = record.name();
    let said = |severity, why: &str| (severity, why.to_owned());
    if actor.is_steward {
        return said(Severity::Informational, OWN_WORK);
    }
    if name == "ConsoleLogin" {
        return match (actor.kind, actor.mfa) {
            (ActorKind::Root, Some(true)) => said(Severity::Warning, "a root user signed in"),
            (ActorKind::Root, _) => said(Severity::Critical, "a root user signed in without a second factor"),
            _ => said(Severity::Informational, "somebody signed in"),
        };
    }
    if DENY_LISTED.contains(&name) {
        let why = format!("{name} takes accounts out of hand or guards away, and is not for people to call");
        return (Severity::Critical, why);
    }
    match (actor.kind, name) {
        (ActorKind::Root, _) => said(Severity::Warning, "a root user did it"),
        (ActorKind::RootSession, _) => said(Severity::Warning, "a root session did it that Steward did not open"),
        (_, "AccountDepartedOrganization") => said(Severity::Warning, "an account has left the organization"),
        (_, "CloseAccountResult") => said(Severity::Warning, "an account was closed"),
        (_, "AccountJoinedOrganization") => said(Severity::Notice, "an account has joined the organization"),
        (ActorKind::Service, _) => said(Severity::Informational, "AWS did it"),
        (ActorKind::Role | ActorKind::User | ActorKind::Unknown, _) => {
            said(Severity::Notice, "somebody changed an account or the organization past Steward")
        }
    }
}
