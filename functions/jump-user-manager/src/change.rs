//! What has to be done with a user, step by step, in the order in which it may be interrupted. Pure.

use std::{collections::BTreeMap, fmt};

use steward::{
    gateway::{Group, LoginProfile, User},
    ids::GroupName,
};

use crate::input::MAX_GROUPS;

/// Where everything of Steward's stands in the jump account's tree of names: users, groups, policies. What stands elsewhere
/// is shown and not touched.
pub(crate) const PATH: &str = "/steward/";

/// One step. Each may be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A one-time password is made and kept, before anybody can sign in with it.
    KeepPassword,
    /// The user is made.
    CreateUser,
    /// The user is put into a group.
    AddToGroup(GroupName),
    /// The user is taken out of a group.
    RemoveFromGroup(String),
    /// The one-time password becomes the user's, to be changed at the first sign-in.
    SetPassword,
    /// The user cannot sign in any more.
    DeleteLoginProfile,
    /// An access key goes.
    DeleteAccessKey(String),
    /// A signing certificate goes.
    DeleteSigningCertificate(String),
    /// A public SSH key goes.
    DeleteSshKey(String),
    /// The credential of a service goes.
    DeleteServiceCredential(String),
    /// A device for multi-factor authentication is taken out of use and, if it is a virtual one, deleted.
    RemoveMfaDevice(String),
    /// A policy that is written into the user goes.
    DeleteInlinePolicy(String),
    /// A managed policy is detached from the user.
    DetachPolicy(String),
    /// The user goes.
    DeleteUser,
    /// The secret with the one-time password goes.
    DeleteSecret,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepPassword => f.write_str("make a one-time password and keep it in AWS Secrets Manager"),
            Self::CreateUser => write!(f, "create the user under {PATH}"),
            Self::AddToGroup(group) => write!(f, "add the user to {group}"),
            Self::RemoveFromGroup(group) => write!(f, "take the user out of {group}"),
            Self::SetPassword => f.write_str("let the user sign in with the one-time password, to be changed at once"),
            Self::DeleteLoginProfile => f.write_str("delete the password"),
            Self::DeleteAccessKey(id) => write!(f, "delete the access key {id}"),
            Self::DeleteSigningCertificate(id) => write!(f, "delete the signing certificate {id}"),
            Self::DeleteSshKey(id) => write!(f, "delete the SSH key {id}"),
            Self::DeleteServiceCredential(id) => write!(f, "delete the service credential {id}"),
            Self::RemoveMfaDevice(serial) => write!(f, "remove the MFA device {serial}"),
            Self::DeleteInlinePolicy(name) => write!(f, "delete the user's own policy {name}"),
            Self::DetachPolicy(arn) => write!(f, "detach {arn}"),
            Self::DeleteUser => f.write_str("delete the user"),
            Self::DeleteSecret => f.write_str("delete the secret with the one-time password"),
        }
    }
}

/// What is known of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) user: Option<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) login: Option<LoginProfile>,
    pub(crate) has_secret: bool,
}

/// What a user can have beside a password and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongings {
    pub(crate) access_keys: Vec<String>,
    pub(crate) signing_certificates: Vec<String>,
    pub(crate) ssh_keys: Vec<String>,
    pub(crate) service_credentials: Vec<String>,
    pub(crate) mfa_devices: Vec<String>,
    pub(crate) inline_policies: Vec<String>,
    pub(crate) attached_policies: Vec<String>,
}

/// Why this user is not Steward's to change.
fn not_own(user: &User) -> Option<String> {
    (user.path != PATH).then(|| {
        format!(
            "The user {} stands under {} and not under {PATH}: it is not Steward's to change.",
            user.name, user.path
        )
    })
}

/// What makes a user that is in exactly these of Steward's groups. `asks_for_mfa`: those that there are, and whether each has
/// the policy that asks for a second factor. An error says why it is refused.
///
/// The secret comes first: a password that is set and not kept would be lost, and a secret without a password shows the next
/// try that it has to go on. The password comes last: until then nobody can sign in without what the groups ask for.
pub(crate) fn change(
    wanted: &[GroupName],
    known: &Known,
    asks_for_mfa: &BTreeMap<String, bool>,
) -> Result<Vec<Step>, String> {
    if let Some(why) = known.user.as_ref().and_then(not_own) {
        return Err(why);
    }
    for group in wanted {
        match asks_for_mfa.get(group.as_str()) {
            Some(true) => {}
            Some(false) => {
                return Err(format!(
                    "The group {group} lacks the policy policy-enforce-mfa: apply the control jump-groups to the jump \
                     account first."
                ));
            }
            None => {
                let there: Vec<_> = asks_for_mfa.keys().map(String::as_str).collect();
                let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                return Err(format!("There is no group {group} under {PATH}. There are: {there}."));
            }
        }
    }
    let is_own = |group: &&Group| group.path == PATH;
    let others: Vec<_> = known.groups.iter().filter(|group| !is_own(group)).map(|group| group.name.as_str()).collect();
    if wanted.len() + others.len() > MAX_GROUPS {
        return Err(format!(
            "IAM lets a user be in {MAX_GROUPS} groups, and these would be {}: {} asked for, and {} that are not \
             Steward's ({}).",
            wanted.len() + others.len(),
            wanted.len(),
            others.len(),
            others.join(", ")
        ));
    }
    let present: Vec<_> = known.groups.iter().filter(is_own).map(|group| group.name.clone()).collect();
    let add = wanted.iter().filter(|group| !present.iter().any(|present| present == group.as_str()));
    let add: Vec<_> = add.cloned().map(Step::AddToGroup).collect();
    let leave = present.iter().filter(|present| !wanted.iter().any(|group| group.as_str() == *present));
    let leave: Vec<_> = leave.cloned().map(Step::RemoveFromGroup).collect();
    let mut steps = Vec::new();
    let needs_password = known.user.is_none() || (known.login.is_none() && known.has_secret);
    if needs_password {
        steps.push(Step::KeepPassword);
    }
    if known.user.is_none() {
        steps.push(Step::CreateUser);
    }
    // A user in no group could do more without a second factor than in one.
    if known.groups.len() + add.len() > MAX_GROUPS {
        steps.extend(leave.into_iter().chain(add));
    } else {
        steps.extend(add.into_iter().chain(leave));
    }
    if needs_password {
        steps.push(Step::SetPassword);
    }
    Ok(steps)
}

/// What gives a user another one-time password and, if that is asked for, takes these devices away.
pub(crate) fn reset(known: &Known, devices: &[String]) -> Result<Vec<Step>, String> {
    let Some(user) = &known.user else { return Err("There is no such user.".to_owned()) };
    if let Some(why) = not_own(user) {
        return Err(why);
    }
    // The password first: whoever has the old one must not be left without a second factor before it.
    let mut steps = vec![Step::KeepPassword, Step::SetPassword];
    steps.extend(devices.iter().cloned().map(Step::RemoveMfaDevice));
    Ok(steps)
}

/// What takes away everything that a user has. What lets somebody in goes first, and the user last (IAM user guide, "Remove or
/// deactivate an IAM user"); an attempt that ends in between leaves nobody in, and the next one goes on.
pub(crate) fn remove(known: &Known, belongings: &Belongings) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    if let Some(user) = &known.user {
        if let Some(why) = not_own(user) {
            return Err(why);
        }
        steps.extend(known.login.map(|_| Step::DeleteLoginProfile));
        let all = |names: &[String], step: fn(String) -> Step| names.iter().cloned().map(step).collect::<Vec<_>>();
        steps.extend(all(&belongings.access_keys, Step::DeleteAccessKey));
        steps.extend(all(&belongings.signing_certificates, Step::DeleteSigningCertificate));
        steps.extend(all(&belongings.ssh_keys, Step::DeleteSshKey));
        steps.extend(all(&belongings.service_credentials, Step::DeleteServiceCredential));
        steps.extend(all(&belongings.inline_policies, Step::DeleteInlinePolicy));
        steps.extend(all(&belongings.attached_policies, Step::DetachPolicy));
        steps.extend(known.groups.iter().map(|group| Step::RemoveFromGroup(group.name.clone())));
        steps.extend(all(&belongings.mfa_devices, Step::RemoveMfaDevice));
        steps.push(Step::DeleteUser);
    }
    if known.has_secret {
        steps.push(Step::DeleteSecret);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, path: &str) -> Group {
        Group { name: name.to_owned(), path: path.to_owned() }
    }

    fn wanted(names: &[&str]) -> Vec<GroupName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn user(path: &str) -> User {
        User {
            name: "alice".to_owned(),
            path: path.to_owned(),
            arn: format!("arn:aws:iam::111111111111:user{path}alice"),
            created_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            password_last_used: None,
        }
    }

    fn there() -> BTreeMap<String, bool> {
        (0..12).map(|n| (format!("group-{n}"), true)).collect()
    }

    fn words(steps: &[Step]) -> Vec<String> {
        steps.iter().map(ToString::to_string).collect()
    }

    const LOGIN: LoginProfile = LoginProfile { reset_required: false };

    #[test]
    fn a_new_user_has_a_kept_password_before_and_a_working_one_after_everything_else() {
        let steps = change(&wanted(&["group-1"]), &Known::default(), &there()).unwrap();
        let group = Step::AddToGroup("group-1".parse().unwrap());
        assert_eq!(steps, [Step::KeepPassword, Step::CreateUser, group, Step::SetPassword]);
    }

    #[test]
    fn a_creation_that_was_interrupted_goes_on_and_a_user_who_is_complete_keeps_the_password() {
        let groups = vec![group("group-1", PATH)];
        let halfway = Known { user: Some(user(PATH)), groups, login: None, has_secret: true };
        let steps = change(&wanted(&["group-1"]), &halfway, &there()).unwrap();
        assert_eq!(steps, [Step::KeepPassword, Step::SetPassword]);
        let complete = Known { login: Some(LOGIN), ..halfway };
        assert_eq!(change(&wanted(&["group-1"]), &complete, &there()).unwrap(), []);
    }

    #[test]
    fn groups_are_added_before_others_are_left_unless_there_is_no_room() {
        let of = |count: usize| {
            let groups = (0..count).map(|n| group(&format!("group-{n}"), PATH)).collect();
            Known { user: Some(user(PATH)), groups, login: Some(LOGIN), has_secret: false }
        };
        let steps = change(&wanted(&["group-5"]), &of(1), &there()).unwrap();
        assert_eq!(words(&steps), ["add the user to group-5", "take the user out of group-0"]);
        let ten: Vec<_> = (1..11).map(|n| format!("group-{n}")).collect();
        let ten = wanted(&ten.iter().map(String::as_str).collect::<Vec<_>>());
        let steps = change(&ten, &of(10), &there()).unwrap();
        assert_eq!(words(&steps), ["take the user out of group-0", "add the user to group-10"]);
    }

    #[test]
    fn groups_of_others_count_and_are_not_left() {
        let groups = vec![group("admins", "/"), group("group-1", PATH)];
        let known = Known { user: Some(user(PATH)), groups, login: Some(LOGIN), has_secret: false };
        assert_eq!(change(&wanted(&["group-1"]), &known, &there()).unwrap(), []);
        let ten: Vec<_> = (0..10).map(|n| format!("group-{n}")).collect();
        let ten = wanted(&ten.iter().map(String::as_str).collect::<Vec<_>>());
        let why = change(&ten, &known, &there()).unwrap_err();
        assert!(why.contains("10 groups") && why.contains("11") && why.contains("admins"), "{why}");
    }

    #[test]
    fn a_group_that_is_not_there_or_asks_for_no_second_factor_is_refused_with_the_reason() {
        let why = change(&wanted(&["group-admin"]), &Known::default(), &there()).unwrap_err();
        assert!(why.contains("no group group-admin") && why.contains("group-11"), "{why}");
        let open = BTreeMap::from([("group-1".to_owned(), false)]);
        let why = change(&wanted(&["group-1"]), &Known::default(), &open).unwrap_err();
        assert!(why.contains("policy-enforce-mfa") && why.contains("jump-groups"), "{why}");
    }

    #[test]
    fn a_user_of_somebody_else_is_never_changed() {
        let known = Known { user: Some(user("/")), has_secret: true, ..Known::default() };
        for refused in [
            change(&wanted(&["group-1"]), &known, &there()),
            reset(&known, &[]),
            remove(&known, &Belongings::default()),
        ] {
            assert!(refused.unwrap_err().contains("not Steward's to change"));
        }
        assert_eq!(reset(&Known::default(), &[]).unwrap_err(), "There is no such user.");
    }

    #[test]
    fn what_lets_somebody_in_goes_first_and_the_user_last() {
        let one = |name: &str| vec![name.to_owned()];
        let belongings = Belongings {
            access_keys: one("AKIA"),
            signing_certificates: one("CERT"),
            ssh_keys: one("SSH"),
            service_credentials: one("ACCA"),
            mfa_devices: one("arn:aws:iam::111111111111:mfa/alice"),
            inline_policies: one("mine"),
            attached_policies: one("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        };
        let groups = vec![group("admins", "/"), group("group-1", PATH)];
        let known = Known { user: Some(user(PATH)), groups, login: Some(LOGIN), has_secret: true };
        let steps = words(&remove(&known, &belongings).unwrap());
        assert_eq!(steps.len(), 12, "{steps:?}");
        assert_eq!((steps[0].as_str(), steps[1].as_str()), ("delete the password", "delete the access key AKIA"));
        assert_eq!(steps[10..], ["delete the user", "delete the secret with the one-time password"]);
        // Nobody is there any more: what is left goes.
        let gone = Known { has_secret: true, ..Known::default() };
        assert_eq!(remove(&gone, &Belongings::default()).unwrap(), [Step::DeleteSecret]);
        assert_eq!(remove(&Known::default(), &Belongings::default()).unwrap(), []);
    }

    #[test]
    fn a_reset_changes_the_password_before_it_takes_the_second_factor() {
        let known = Known { user: Some(user(PATH)), ..Known::default() };
        let steps = reset(&known, &["GAHT1".to_owned()]).unwrap();
        assert_eq!(steps, [Step::KeepPassword, Step::SetPassword, Step::RemoveMfaDevice("GAHT1".to_owned())]);
    }
}
