//! What a member account has of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Answer, Refusal, locks, regions, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    time,
};

/// What a root user signs in or calls with.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootCredentials {
    pub(crate) password: bool,
    pub(crate) access_keys: Vec<String>,
    pub(crate) mfa: bool,
}

/// A member account from inside.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// From when on its access role can be assumed; None when it never can.
    pub(crate) role_from: Option<Timestamp>,
    /// From when on the role's policy holds in every place; until then, half of the calls are denied.
    pub(crate) policy_from: Option<Timestamp>,
    /// Whether somebody has taken its policy away from the role.
    pub(crate) has_lost_policy: bool,
    /// Whether calls from within it are never answered.
    pub(crate) answers_nothing: bool,
    pub(crate) alias: Option<String>,
    /// When it was given its alias.
    pub(crate) alias_at: Option<Timestamp>,
    pub(crate) root: RootCredentials,
    pub(crate) regions: regions::Regions,
    /// The policies of its bucket and its queue.
    pub(crate) policies: BTreeMap<&'static str, locks::Policy>,
    /// How often something was written here.
    pub(crate) writes: u64,
    pub(crate) asked: u64,
}

impl Member {
    pub(crate) fn has_role(&self) -> bool {
        self.role_from.is_some_and(|from| from <= time::now())
    }

    /// Whether the policy of the role is known where this call is looked at.
    pub(crate) fn policy_holds(&mut self) -> bool {
        self.asked += 1;
        let is_spread = self.policy_from.is_none_or(|from| from <= time::now()) || self.asked.is_multiple_of(2);
        is_spread && !self.has_lost_policy
    }
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let member = state.members.entry(who.account.clone()).or_default();
    match (call.service.as_str(), call.operation.as_str()) {
        ("iam", "ListAccountAliases") => {
            let alias =
                member.alias.as_ref().map_or_else(String::new, |alias| format!("<member>{}</member>", escaped(alias)));
            let result = format!("<AccountAliases>{alias}</AccountAliases><IsTruncated>false</IsTruncated>");
            Ok(Answer::query("ListAccountAliases", &result))
        }
        ("iam", "CreateAccountAlias") => {
            let alias = call.text("AccountAlias").to_owned();
            if state.members.values().any(|member| member.alias.as_ref() == Some(&alias)) {
                return Err(Refusal::new(409, "EntityAlreadyExists", "The account alias already exists."));
            }
            let member = state.members.entry(who.account.clone()).or_default();
            member.alias = Some(alias);
            member.alias_at = Some(time::now());
            member.writes += 1;
            Ok(Answer::query("CreateAccountAlias", ""))
        }
        ("iam", operation) => root_call(member, operation, call).unwrap_or_else(|| Err(unknown(state, who, call))),
        _ => Err(unknown(state, who, call)),
    }
}

/// A text as XML holds it. What XML cannot hold is written as if it could: who reads it has to bear that.
pub(super) fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter {
        '&' | '<' | '>' | '"' => format!("&#{};", u32::from(letter)),
        control if control.is_control() => format!("&#{};", u32::from(control)),
        plain => plain.to_string(),
    };
    text.chars().map(escape).collect()
}

/// What sessions as root ask for; None for what is not simulated.
fn root_call(member: &mut Member, operation: &str, call: &Call) -> Option<Result<Answer, Refusal>> {
    let root = &mut member.root;
    let missing = || Refusal::new(404, "NoSuchEntity", "It cannot be found.");
    let result = match operation {
        "GetAccountSummary" => {
            let counts = [
                ("AccountPasswordPresent", u64::from(root.password)),
                ("AccountAccessKeysPresent", u64::from(!root.access_keys.is_empty())),
                ("AccountSigningCertificatesPresent", 0),
                ("AccountMFAEnabled", u64::from(root.mfa)),
            ];
            let entries = counts.map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"));
            format!("<SummaryMap>{}</SummaryMap>", entries.concat())
        }
        "ListAccessKeys" => {
            let keys = root.access_keys.iter().map(|key| format!("<member><AccessKeyId>{key}</AccessKeyId></member>"));
            format!(
                "<AccessKeyMetadata>{}</AccessKeyMetadata><IsTruncated>false</IsTruncated>",
                keys.collect::<String>()
            )
        }
        "ListMFADevices" => {
            let device = "<member><UserName>root</UserName><SerialNumber>arn:aws:iam::1:mfa/root</SerialNumber>\
                          <EnableDate>2026-01-01T00:00:00Z</EnableDate></member>";
            let devices = if root.mfa { device } else { "" };
            format!("<MFADevices>{devices}</MFADevices><IsTruncated>false</IsTruncated>")
        }
        "ListSigningCertificates" => "<Certificates></Certificates><IsTruncated>false</IsTruncated>".to_owned(),
        "DeleteLoginProfile" if !root.password => return Some(Err(missing())),
        "DeleteLoginProfile" => {
            root.password = false;
            String::new()
        }
        "DeleteAccessKey" => {
            let Some(place) = root.access_keys.iter().position(|key| key == call.text("AccessKeyId")) else {
                return Some(Err(missing()));
            };
            root.access_keys.remove(place);
            String::new()
        }
        "DeactivateMFADevice" if !root.mfa => return Some(Err(missing())),
        "DeactivateMFADevice" => {
            root.mfa = false;
            String::new()
        }
        _ => return None,
    };
    Some(Ok(Answer::query(operation, &result)))
}
