//! What IAM lets be changed.

use super::{Login, Tree, User, element, groups, missing};
use crate::{aws::Refusal, call::Call, time};

/// How many groups a user may be in (IAM user guide, "IAM and AWS STS quotas").
const MAX_GROUPS: usize = 10;
/// The shortest password where the account has no policy for them.
const SHORTEST: usize = 8;

/// The result of a call that changes something; None for another one.
pub(super) fn write(tree: &mut Tree, call: &Call) -> Option<Result<String, Refusal>> {
    let name = call.text("UserName");
    Some(match call.operation.as_str() {
        "CreateUser" => create_user(tree, name, call.text("Path")),
        "DeleteUser" => delete_user(tree, name),
        "AddUserToGroup" => add_to_group(tree, name, call.text("GroupName")),
        "RemoveUserFromGroup" => remove_from_group(tree, name, call.text("GroupName")),
        "CreateLoginProfile" => set_password(tree, call, true),
        "UpdateLoginProfile" => set_password(tree, call, false),
        "DeleteLoginProfile" => user(tree, name).and_then(|user| {
            let gone = user.login.take();
            gone.map(|_| String::new()).ok_or_else(|| missing("login profile of the user", name))
        }),
        "DeleteAccessKey" => user(tree, name).and_then(|user| {
            let id = call.text("AccessKeyId");
            let place = user.keys.iter().position(|key| key.id == id).ok_or_else(|| missing("access key", id))?;
            user.keys.remove(place);
            Ok(String::new())
        }),
        "DeleteSigningCertificate" => {
            user(tree, name).and_then(|user| take(&mut user.certificates, call.text("CertificateId")))
        }
        "DeleteSSHPublicKey" => user(tree, name).and_then(|user| take(&mut user.ssh_keys, call.text("SSHPublicKeyId"))),
        "DeleteServiceSpecificCredential" => user(tree, name)
            .and_then(|user| take(&mut user.service_credentials, call.text("ServiceSpecificCredentialId"))),
        "DeactivateMFADevice" => user(tree, name).and_then(|user| take(&mut user.devices, call.text("SerialNumber"))),
        "DeleteVirtualMFADevice" => delete_virtual_device(tree, call.text("SerialNumber")),
        "DeleteUserPolicy" => {
            user(tree, name).and_then(|user| take(&mut user.inline_policies, call.text("PolicyName")))
        }
        "DetachUserPolicy" => {
            user(tree, name).and_then(|user| take(&mut user.attached_policies, call.text("PolicyArn")))
        }
        _ => return groups::write(tree, call),
    })
}

fn user<'a>(tree: &'a mut Tree, name: &str) -> Result<&'a mut User, Refusal> {
    tree.users.get_mut(name).ok_or_else(|| missing("user", name))
}

fn conflict(code: &str, message: String) -> Refusal {
    Refusal::new(409, code, message)
}

/// Takes one away that must be there.
fn take(from: &mut Vec<String>, one: &str) -> Result<String, Refusal> {
    let place = from.iter().position(|name| name == one).ok_or_else(|| missing("thing", one))?;
    from.remove(place);
    Ok(String::new())
}

fn create_user(tree: &mut Tree, name: &str, path: &str) -> Result<String, Refusal> {
    // Names that differ only in case are the same.
    if tree.users.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(conflict("EntityAlreadyExists", format!("User with name {name} already exists.")));
    }
    let user = User { path: path.to_owned(), made_at: time::now(), ..User::default() };
    let shown = super::reads::user_fields(name, &user);
    tree.users.insert(name.to_owned(), user);
    Ok(format!("<User>{shown}</User>"))
}

fn delete_user(tree: &mut Tree, name: &str) -> Result<String, Refusal> {
    if user(tree, name)?.has_belongings() {
        return Err(conflict("DeleteConflict", "Cannot delete entity, must remove what it has first.".to_owned()));
    }
    tree.users.remove(name);
    Ok(String::new())
}

fn add_to_group(tree: &mut Tree, name: &str, group: &str) -> Result<String, Refusal> {
    if !tree.groups.contains_key(group) {
        return Err(missing("group", group));
    }
    let user = user(tree, name)?;
    if user.groups.len() >= MAX_GROUPS && !user.groups.contains(group) {
        let message = format!("Cannot exceed quota for GroupsPerUser: {MAX_GROUPS}");
        return Err(conflict("LimitExceeded", message));
    }
    user.groups.insert(group.to_owned());
    Ok(String::new())
}

fn remove_from_group(tree: &mut Tree, name: &str, group: &str) -> Result<String, Refusal> {
    if !tree.groups.contains_key(group) {
        return Err(missing("group", group));
    }
    let user = user(tree, name)?;
    if user.groups.remove(group) { Ok(String::new()) } else { Err(missing("user in this group", name)) }
}

fn set_password(tree: &mut Tree, call: &Call, is_new: bool) -> Result<String, Refusal> {
    let (name, password) = (call.text("UserName"), call.text("Password"));
    let shortest = tree.password_policy.map_or(SHORTEST, |policy| policy.minimum_length);
    let user = user(tree, name)?;
    match (is_new, user.login.is_some()) {
        (true, true) => {
            return Err(conflict("EntityAlreadyExists", format!("Login Profile for user {name} already exists.")));
        }
        (false, false) => return Err(missing("login profile of the user", name)),
        _ => {}
    }
    if password.len() < shortest {
        let message = "Password does not conform to the account password policy.";
        return Err(Refusal::new(400, "PasswordPolicyViolation", message));
    }
    let reset_required = call.text("PasswordResetRequired") == "true";
    user.login = Some(Login { password: password.to_owned(), reset_required, changed_at: time::now() });
    if !is_new {
        return Ok(String::new());
    }
    let fields = element("UserName", name) + &super::time_element("CreateDate", time::now());
    let reset = element("PasswordResetRequired", &reset_required.to_string());
    Ok(format!("<LoginProfile>{fields}{reset}</LoginProfile>"))
}

fn delete_virtual_device(tree: &mut Tree, serial: &str) -> Result<String, Refusal> {
    if !tree.virtual_devices.contains(serial) {
        return Err(missing("VirtualMFADevice", serial));
    }
    if tree.users.values().any(|user| user.devices.iter().any(|device| device == serial)) {
        return Err(conflict("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.".to_owned()));
    }
    tree.virtual_devices.remove(serial);
    Ok(String::new())
}
