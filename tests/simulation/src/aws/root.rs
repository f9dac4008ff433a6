//! The root users of members: what they sign in and call with, as sessions see it and take it away.

use jiff::SignedDuration;

use super::{
    Answer, Refusal,
    settings::{self, Lagging},
};
use crate::{
    call::Call,
    cloud::{Principal, State},
    script::Control,
};

/// What a root user signs in or calls with.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootCredentials {
    pub(crate) password: bool,
    pub(crate) access_keys: Vec<String>,
    pub(crate) certificates: Vec<String>,
    pub(crate) mfa: bool,
}

impl RootCredentials {
    /// Whether there is anything that a second factor guards.
    pub(crate) fn lets_somebody_in(&self) -> bool {
        self.password || !self.access_keys.is_empty() || !self.certificates.is_empty()
    }
}

/// The same as it is, and as those who are no root user see it for a while after a change.
pub(crate) type Root = Lagging<RootCredentials>;

/// Somebody has changed what a root user has: what this makes of it.
pub(crate) fn change(state: &mut State, account: &str, change: impl FnOnce(&mut RootCredentials)) {
    settings::begin(state, account);
    let late = state.draws.happens("a root user is seen late", 40).then(|| state.draws.millis("how late", 1, 5_000));
    let late = late.map(|late| SignedDuration::try_from(late).expect("seconds"));
    let root = &mut state.members.entry(account.to_owned()).or_default().root;
    let mut credentials = root.now().clone();
    change(&mut credentials);
    root.set_late(credentials, late);
}

/// The answer; None for what is not simulated.
pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let operation = call.operation.as_str();
    // Who is the root user itself sees what it has at once.
    let is_old = !who.is_root() && state.draws.happens("a root user is seen as it was", 50);
    let member = state.members.entry(who.account.clone()).or_default();
    let root = member.root.seen_where(|| is_old).clone();
    let result = match operation {
        "GetAccountSummary" => {
            let counts = [
                ("AccountPasswordPresent", u64::from(root.password)),
                ("AccountAccessKeysPresent", u64::from(!root.access_keys.is_empty())),
                ("AccountSigningCertificatesPresent", u64::from(!root.certificates.is_empty())),
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
        "ListSigningCertificates" => {
            let rows = root.certificates.iter().map(|id| {
                format!(
                    "<member><UserName>root</UserName><CertificateId>{id}</CertificateId><CertificateBody>-</CertificateBody>\
                     <Status>Active</Status></member>"
                )
            });
            format!("<Certificates>{}</Certificates><IsTruncated>false</IsTruncated>", rows.collect::<String>())
        }
        "DeleteLoginProfile" | "DeleteAccessKey" | "DeleteSigningCertificate" | "DeactivateMFADevice" => {
            return Some(delete(state, who, call));
        }
        _ => return None,
    };
    Some(Ok(Answer::query(operation, &result)))
}

fn delete(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let operation = call.operation.as_str();
    let mut root = state.members.entry(who.account.clone()).or_default().root.now().clone();
    let is_there = match operation {
        "DeleteLoginProfile" => std::mem::take(&mut root.password),
        "DeleteAccessKey" => without(&mut root.access_keys, call.text("AccessKeyId")),
        "DeleteSigningCertificate" => without(&mut root.certificates, call.text("CertificateId")),
        _ => std::mem::take(&mut root.mfa),
    };
    if !is_there {
        return Err(Refusal::new(404, "NoSuchEntity", "It cannot be found."));
    }
    if operation == "DeactivateMFADevice" && root.lets_somebody_in() {
        state.breaches.insert("second factor", format!("{} of {}: {root:?}", who.function, who.account));
    }
    change(state, &who.account, |present| *present = root);
    settings::written(state, &who.account, Control::RootCredentials, Some(&who.function));
    Ok(Answer::query(operation, ""))
}

/// Takes one out of them, if it is there.
fn without(ids: &mut Vec<String>, wanted: &str) -> bool {
    let before = ids.len();
    ids.retain(|id| id != wanted);
    ids.len() < before
}
