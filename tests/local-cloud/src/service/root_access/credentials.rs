//! The credentials of root users, as their own sessions see and delete them.

use jiff::Timestamp;

use super::IAM_NAMESPACE;
use crate::front::answer::{ApiError, query_body};
use crate::front::request::Incoming;
use crate::ids::Ids;
use crate::xml::{escape, members};

/// What the root user of an account can sign in or sign with. The default is nothing at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootCredentials {
    /// Whether there is a password.
    pub password: bool,
    /// The ids of access keys.
    pub access_keys: Vec<String>,
    /// The ids of signing certificates.
    pub signing_certificates: Vec<String>,
    /// The serial numbers of MFA devices.
    pub mfa_devices: Vec<String>,
}

impl RootCredentials {
    /// What an account has that was opened without central management of root credentials: a password.
    pub(super) fn of_old() -> Self {
        Self { password: true, ..Self::default() }
    }
}

/// Does one IAM operation on the root user itself.
pub(super) fn answer(
    ids: &Ids,
    account: &str,
    root: &mut RootCredentials,
    request: &Incoming,
) -> Result<String, ApiError> {
    let parameter = |name: &str| request.text(name).ok_or_else(|| invalid(format!("{name} is required.")));
    let result = match request.operation.as_str() {
        "CreateLoginProfile" => create_password(root, request)?,
        "DeactivateMFADevice" => remove(&mut root.mfa_devices, parameter("SerialNumber")?)?,
        "DeleteAccessKey" => remove(&mut root.access_keys, parameter("AccessKeyId")?)?,
        "DeleteLoginProfile" => delete_password(root)?,
        "DeleteSigningCertificate" => remove(&mut root.signing_certificates, parameter("CertificateId")?)?,
        "GetAccessKeyLastUsed" => last_used(root, parameter("AccessKeyId")?)?,
        "GetAccountSummary" => summary(root),
        "GetLoginProfile" => login_profile(root)?,
        "GetUser" => user(account),
        "ListAccessKeys" => access_keys(root),
        "ListMFADevices" => mfa_devices(account, root),
        "ListSigningCertificates" => signing_certificates(account, root),
        other => return Err(ApiError::new(400, "InvalidAction", format!("The local cloud does not know {other}."))),
    };
    Ok(query_body(ids, IAM_NAMESPACE, &request.operation, &result))
}

/// Lets the owner of the mailbox set a password; the session must not choose one.
fn create_password(root: &mut RootCredentials, request: &Incoming) -> Result<String, ApiError> {
    if request.text("Password").is_some() {
        return Err(invalid("The password of a root user cannot be set in a root session.".to_owned()));
    }
    if std::mem::replace(&mut root.password, true) {
        return Err(ApiError::new(409, "EntityAlreadyExists", "Login Profile for the root user already exists."));
    }
    login_profile(root)
}

fn delete_password(root: &mut RootCredentials) -> Result<String, ApiError> {
    if std::mem::take(&mut root.password) { Ok(String::new()) } else { Err(none("Login Profile")) }
}

fn login_profile(root: &RootCredentials) -> Result<String, ApiError> {
    if !root.password {
        return Err(none("Login Profile"));
    }
    Ok(format!("<LoginProfile>{}</LoginProfile>", created()))
}

fn remove(entries: &mut Vec<String>, id: &str) -> Result<String, ApiError> {
    let position = entries.iter().position(|entry| entry == id).ok_or_else(|| none(id))?;
    entries.remove(position);
    Ok(String::new())
}

pub(crate) fn summary(root: &RootCredentials) -> String {
    format!("<SummaryMap>{}</SummaryMap>", entries(root).map(|(key, present)| entry(key, u8::from(present))).concat())
}

/// What a summary of the account says of its root user.
fn entries(root: &RootCredentials) -> [(&'static str, bool); 4] {
    [
        ("AccountAccessKeysPresent", !root.access_keys.is_empty()),
        ("AccountMFAEnabled", !root.mfa_devices.is_empty()),
        ("AccountPasswordPresent", root.password),
        ("AccountSigningCertificatesPresent", !root.signing_certificates.is_empty()),
    ]
}

fn entry(key: &str, value: impl std::fmt::Display) -> String {
    format!("<entry><key>{key}</key><value>{value}</value></entry>")
}

/// MiniStack's summary of an account with what this root user has in the place of what MiniStack makes of one.
pub(super) fn amended(summary: &str, root: &RootCredentials) -> String {
    let mut amended = summary.to_owned();
    for (key, present) in entries(root) {
        let own = entry(key, u8::from(present));
        match [0, 1].map(|value| entry(key, value)).into_iter().find(|theirs| amended.contains(theirs)) {
            Some(theirs) => amended = amended.replace(&theirs, &own),
            None => amended = amended.replace("</SummaryMap>", &format!("{own}</SummaryMap>")),
        }
    }
    amended
}

fn user(account: &str) -> String {
    format!("<User><UserId>{account}</UserId><Arn>arn:aws:iam::{account}:root</Arn>{}</User>", created())
}

fn access_keys(root: &RootCredentials) -> String {
    list("AccessKeyMetadata", &root.access_keys, |id| {
        format!("<AccessKeyId>{id}</AccessKeyId><Status>Active</Status>{}", created())
    })
}

fn last_used(root: &RootCredentials, id: &str) -> Result<String, ApiError> {
    if !root.access_keys.iter().any(|key| key == id) {
        return Err(none(id));
    }
    Ok("<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>".to_owned())
}

fn signing_certificates(account: &str, root: &RootCredentials) -> String {
    list("Certificates", &root.signing_certificates, |id| {
        format!(
            "<UserName>{account}</UserName><CertificateId>{id}</CertificateId>\
             <CertificateBody>-----BEGIN CERTIFICATE-----</CertificateBody><Status>Active</Status>"
        )
    })
}

fn mfa_devices(account: &str, root: &RootCredentials) -> String {
    list("MFADevices", &root.mfa_devices, |serial| {
        let enabled = format!("<EnableDate>{}</EnableDate>", time());
        format!("<UserName>{account}</UserName><SerialNumber>{serial}</SerialNumber>{enabled}")
    })
}

fn list(name: &str, ids: &[String], member: impl Fn(&str) -> String) -> String {
    let members = members(ids.iter().map(|id| member(&escape(id))));
    format!("<{name}>{members}</{name}><IsTruncated>false</IsTruncated>")
}

fn created() -> String {
    format!("<CreateDate>{}</CreateDate>", time())
}

/// Nobody here looks at dates: everything has been there for a while.
fn time() -> String {
    Timestamp::UNIX_EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn none(what: &str) -> ApiError {
    ApiError::new(404, "NoSuchEntity", format!("The root user has no {what}."))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(400, "ValidationError", message)
}
