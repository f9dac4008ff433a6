//! What IAM shows.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Policy, Tree, User, element, groups, missing, time_element, user_arn};
use crate::{aws::Refusal, call::Call, template::JUMP};

/// How many rows a page has. IAM may give fewer than were asked for, although there are more.
pub(super) const PAGE: usize = 5;

/// The result of a call that shows something; None for another one.
pub(super) fn read(tree: &Tree, call: &Call) -> Option<Result<String, Refusal>> {
    let of_user = |show: fn(&Call, &str, &User) -> String| {
        let name = call.text("UserName");
        let user = tree.users.get(name).ok_or_else(|| missing("user", name));
        user.map(|user| show(call, name, user))
    };
    Some(match call.operation.as_str() {
        "GetAccountPasswordPolicy" => password_policy(tree),
        "GetAccessKeyLastUsed" => last_use(tree, call.text("AccessKeyId")),
        "GetUser" => of_user(|_, name, user| format!("<User>{}</User>", user_fields(name, user))),
        "ListUsers" => {
            let rows = tree.users.iter().map(|(name, user)| (name.clone(), user_fields(name, user)));
            Ok(page(call, "Users", rows))
        }
        "GetLoginProfile" => login_profile(tree, call.text("UserName")),
        "ListGroups" => {
            let groups = tree.groups.iter().filter(|(_, group)| group.path.starts_with(call.text("PathPrefix")));
            Ok(page(call, "Groups", groups.map(|(name, group)| (name.clone(), group_fields(name, &group.path)))))
        }
        "ListGroupsForUser" => {
            let name = call.text("UserName");
            let user = tree.users.get(name).ok_or_else(|| missing("user", name));
            user.map(|user| {
                let path = |group: &str| tree.groups.get(group).map_or("/", |group| &group.path);
                let rows = user.groups.iter().map(|group| (group.clone(), group_fields(group, path(group))));
                page(call, "Groups", rows)
            })
        }
        "ListAttachedGroupPolicies" => {
            let name = call.text("GroupName");
            let group = tree.groups.get(name).ok_or_else(|| missing("group", name));
            group.map(|group| page(call, "AttachedPolicies", group.policies.iter().map(|arn| attached(arn))))
        }
        "GetAccountAuthorizationDetails" => Ok(groups::details(tree, call)),
        "GetPolicy" => policy(tree, call).map(|(arn, policy)| {
            let fields = groups::policy_fields(tree, arn, policy);
            format!("<Policy>{fields}</Policy>")
        }),
        "GetPolicyVersion" => policy(tree, call).map(|(_, policy)| {
            let document = utf8_percent_encode(policy.document(), NON_ALPHANUMERIC).to_string();
            let fields = [element("Document", &document), element("VersionId", &policy.version_in_force())].concat();
            format!("<PolicyVersion>{fields}<IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>")
        }),
        "ListAccessKeys" => of_user(|call, name, user| {
            let row = |key: &super::Key| {
                let fields = [element("UserName", name), element("AccessKeyId", &key.id), element("Status", "Active")];
                (key.id.clone(), fields.concat() + &time_element("CreateDate", key.made_at))
            };
            page(call, "AccessKeyMetadata", user.keys.iter().map(row))
        }),
        "ListSigningCertificates" => of_user(|call, name, user| {
            let row = |id: &String| {
                let fields = [element("UserName", name), element("CertificateId", id), element("CertificateBody", "x")];
                (id.clone(), fields.concat() + &element("Status", "Active"))
            };
            page(call, "Certificates", user.certificates.iter().map(row))
        }),
        "ListSSHPublicKeys" => of_user(|call, name, user| {
            let row = |id: &String| {
                let fields = [element("UserName", name), element("SSHPublicKeyId", id), element("Status", "Active")];
                (id.clone(), fields.concat() + &time_element("UploadDate", user.made_at))
            };
            page(call, "SSHPublicKeys", user.ssh_keys.iter().map(row))
        }),
        "ListServiceSpecificCredentials" => of_user(|_, name, user| {
            let row = |id: &String| {
                let fields = [element("UserName", name), element("ServiceSpecificCredentialId", id)].concat()
                    + &[element("Status", "Active"), element("ServiceName", "codecommit.amazonaws.com")].concat();
                format!("<member>{fields}{}</member>", time_element("CreateDate", user.made_at))
            };
            let rows: String = user.service_credentials.iter().map(row).collect();
            format!("<ServiceSpecificCredentials>{rows}</ServiceSpecificCredentials>")
        }),
        "ListMFADevices" => of_user(|call, name, user| {
            let row = |serial: &String| {
                let fields = [element("UserName", name), element("SerialNumber", serial)].concat();
                (serial.clone(), fields + &time_element("EnableDate", user.made_at))
            };
            page(call, "MFADevices", user.devices.iter().map(row))
        }),
        "ListUserPolicies" => of_user(|call, _, user| {
            let row = |name: &String| (name.clone(), name.clone());
            page(call, "PolicyNames", user.inline_policies.iter().map(row))
        }),
        "ListAttachedUserPolicies" => of_user(|call, _, user| {
            page(call, "AttachedPolicies", user.attached_policies.iter().map(|arn| attached(arn)))
        }),
        _ => return None,
    })
}

/// A page of rows, each with the name that it goes by.
fn page(call: &Call, list: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let marker = call.text("Marker");
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows.retain(|(name, _)| marker.is_empty() || name.as_str() > marker);
    let is_truncated = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| is_truncated).map(|(name, _)| element("Marker", name)).unwrap_or_default();
    let members: Vec<String> = rows.iter().map(|(_, fields)| format!("<member>{fields}</member>")).collect();
    let members = members.concat();
    format!("<{list}>{members}</{list}><IsTruncated>{is_truncated}</IsTruncated>{next}")
}

pub(super) fn user_fields(name: &str, user: &User) -> String {
    let id = element("UserId", &format!("AIDA{}", name.to_uppercase()));
    let arn = element("Arn", &user_arn(name, &user.path));
    let last_used = user.used_at.map(|at| time_element("PasswordLastUsed", at)).unwrap_or_default();
    let fields = [element("Path", &user.path), element("UserName", name), id, arn];
    fields.concat() + &time_element("CreateDate", user.made_at) + &last_used
}

pub(super) fn group_fields(name: &str, path: &str) -> String {
    let arn = element("Arn", &format!("arn:aws:iam::{JUMP}:group{path}{name}"));
    let id = element("GroupId", &format!("AGPA{}", name.to_uppercase()));
    let made = element("CreateDate", "2026-01-01T00:00:00Z");
    [element("Path", path), element("GroupName", name), id, arn, made].concat()
}

pub(super) fn attached(arn: &str) -> (String, String) {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    (arn.to_owned(), element("PolicyName", name) + &element("PolicyArn", arn))
}

fn login_profile(tree: &Tree, name: &str) -> Result<String, Refusal> {
    let user = tree.users.get(name).ok_or_else(|| missing("user", name))?;
    let login = user.login.as_ref().ok_or_else(|| missing("login profile of the user", name))?;
    let fields = element("UserName", name) + &time_element("CreateDate", login.changed_at);
    let reset = element("PasswordResetRequired", &login.reset_required.to_string());
    Ok(format!("<LoginProfile>{fields}{reset}</LoginProfile>"))
}

fn password_policy(tree: &Tree) -> Result<String, Refusal> {
    let policy = tree.password_policy.ok_or_else(|| missing("password policy of the account", JUMP))?;
    let length = element("MinimumPasswordLength", &policy.minimum_length.to_string());
    let flags = ["RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters"];
    let flags: String = flags.iter().map(|flag| element(flag, "true")).collect();
    let expiry = element("ExpirePasswords", "false") + &element("HardExpiry", &policy.hard_expiry.to_string());
    let may_change = element("AllowUsersToChangePassword", "true");
    Ok(format!("<PasswordPolicy>{length}{flags}{may_change}{expiry}</PasswordPolicy>"))
}

fn last_use(tree: &Tree, id: &str) -> Result<String, Refusal> {
    let mut keys = tree.users.iter().flat_map(|(name, user)| user.keys.iter().map(move |key| (name, key)));
    let (name, key) = keys.find(|(_, key)| key.id == id).ok_or_else(|| missing("access key", id))?;
    let used = key.used_at.map(|at| time_element("LastUsedDate", at)).unwrap_or_default();
    let place = element("ServiceName", "s3") + &element("Region", "us-east-1");
    Ok(format!("{}<AccessKeyLastUsed>{used}{place}</AccessKeyLastUsed>", element("UserName", name)))
}

fn policy<'a>(tree: &'a Tree, call: &'a Call) -> Result<(&'a str, &'a Policy), Refusal> {
    let arn = call.text("PolicyArn");
    let policy = tree.policies.get(arn).ok_or_else(|| missing("policy", arn))?;
    Ok((arn, policy))
}
