//! AWS IAM in the account that people sign in to: its users, its groups, and what belongs to a user.
//!
//! What was changed a moment ago is not known everywhere at once (IAM user guide, "Changes that I make are not always
//! immediately visible"): for some seconds a call may meet what was there before.

mod groups;
mod reads;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Refusal, member, secrets, unknown};
pub(crate) use groups::{Policy, keeps_groups};

use crate::{
    call::Call,
    cloud::{Principal, State},
    template::JUMP,
    time,
};

/// Where everything of Steward's stands.
pub(crate) const PATH: &str = "/steward/";
/// How long a call may meet what was there before.
pub(crate) const KNOWN_LATE: SignedDuration = SignedDuration::from_secs(6);
/// For how long IAM may refuse to change a password that was made or changed a moment ago.
const UNMODIFIABLE: SignedDuration = SignedDuration::from_secs(4);

/// The password that a user signs in with.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) password: String,
    pub(crate) reset_required: bool,
    pub(crate) changed_at: Timestamp,
}

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) made_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// A user, and what belongs to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    pub(crate) path: String,
    pub(crate) made_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) login: Option<Login>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) keys: Vec<Key>,
    pub(crate) certificates: Vec<String>,
    pub(crate) ssh_keys: Vec<String>,
    pub(crate) service_credentials: Vec<String>,
    /// The serial numbers of devices in use.
    pub(crate) devices: Vec<String>,
    pub(crate) inline_policies: Vec<String>,
    pub(crate) attached_policies: Vec<String>,
}

impl User {
    /// Whether anything is left that keeps it from being deleted (API reference, `DeleteUser`).
    fn has_belongings(&self) -> bool {
        let kept = [
            &self.certificates,
            &self.ssh_keys,
            &self.service_credentials,
            &self.devices,
            &self.inline_policies,
            &self.attached_policies,
        ];
        self.login.is_some() || !self.groups.is_empty() || !self.keys.is_empty() || kept.iter().any(|it| !it.is_empty())
    }
}

/// A group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) path: String,
    /// The ARNs of its policies.
    pub(crate) policies: Vec<String>,
    /// The names of policies that are written into it.
    pub(crate) inline: Vec<String>,
}

/// What the account's password policy asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PasswordPolicy {
    pub(crate) minimum_length: usize,
    pub(crate) hard_expiry: bool,
}

/// Everything that there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    /// The managed policies, by ARN.
    pub(crate) policies: BTreeMap<String, Policy>,
    /// The serial numbers of virtual devices, in use or not.
    pub(crate) virtual_devices: BTreeSet<String>,
    pub(crate) password_policy: Option<PasswordPolicy>,
}

impl Tree {
    /// Whether a group is one of Steward's, and asks for a second factor.
    pub(crate) fn enforces_mfa(&self, group: &str) -> bool {
        let found = self.groups.get(group).filter(|group| group.path == PATH);
        found.is_some_and(|group| group.policies.contains(&policy_arn("policy-enforce-mfa")))
    }
}

/// A change that had its effect.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    /// The logical id of the function, or `people`.
    pub(crate) by: String,
    pub(crate) operation: String,
    pub(crate) user: String,
    /// The path of the user, before the change where it was there before.
    pub(crate) path: String,
    pub(crate) group: String,
    /// How many of the user's groups ask for a second factor, after the change.
    pub(crate) safe_groups: usize,
    /// Whether the group of the change asks for a second factor.
    pub(crate) is_safe: bool,
    /// Since when a one-time password waits in the secret of the user.
    pub(crate) waits_since: Option<Timestamp>,
}

/// What there is, what is still met of what was, and what has changed.
#[derive(Debug, Default)]
pub(crate) struct Iam {
    pub(crate) now: Tree,
    before: Vec<(Timestamp, Tree)>,
    pub(crate) changes: Vec<Change>,
}

/// The ARN of a policy of Steward's.
pub(crate) fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{JUMP}:policy{PATH}{name}")
}

fn user_arn(user: &str, path: &str) -> String {
    format!("arn:aws:iam::{JUMP}:user{path}{user}")
}

/// The ARN that a call is about; `*` where it is about nothing that the sessions of this stack name.
pub(super) fn resource(state: &State, call: &Call) -> String {
    let tree = &state.iam.now;
    let user = call.text("UserName");
    match call.operation.as_str() {
        "CreateUser" => user_arn(user, call.text("Path")),
        "CreateGroup" => format!("arn:aws:iam::{JUMP}:group{}{}", call.text("Path"), call.text("GroupName")),
        "CreatePolicy" => format!("arn:aws:iam::{JUMP}:policy{}{}", call.text("Path"), call.text("PolicyName")),
        "CreatePolicyVersion" | "DeletePolicy" | "DeletePolicyVersion" => call.text("PolicyArn").to_owned(),
        "AddUserToGroup" | "AttachGroupPolicy" | "DeleteGroupPolicy" | "DetachGroupPolicy" | "RemoveUserFromGroup" => {
            let group = call.text("GroupName");
            let path = tree.groups.get(group).map_or(PATH, |group| &group.path);
            format!("arn:aws:iam::{JUMP}:group{path}{group}")
        }
        "DeleteVirtualMFADevice" => call.text("SerialNumber").to_owned(),
        operation if operation.starts_with("Get") || operation.starts_with("List") => "*".to_owned(),
        _ => tree.users.get(user).map_or_else(|| "*".to_owned(), |found| user_arn(user, &found.path)),
    }
}

/// Whether this is asked in the account that people sign in to, of its users and groups.
pub(super) fn is_asked(who: &Principal, call: &Call) -> bool {
    let is_of_users = who.function == "JumpUserManager" && call.operation != "ListAccountAliases";
    who.account == JUMP && (is_of_users || keeps_groups(&call.operation))
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let now = time::now();
    state.iam.before.retain(|(until, _)| *until > now);
    let is_late = !state.iam.before.is_empty() && state.draws.happens("IAM shows what was", 25);
    let before = state.iam.before.first().filter(|_| is_late).map(|(_, tree)| tree.clone());
    if let Some(result) = reads::read(before.as_ref().unwrap_or(&state.iam.now), call) {
        return result.map(|result| Answer::query(&call.operation, &result));
    }
    // What was made a moment ago is not there yet for every call that would change it.
    if let Some(mut before) = before
        && let Some(Err(refusal)) = writes::write(&mut before, call)
        && refusal.code == "NoSuchEntity"
    {
        // Nor does IAM know its path, which a session is bound to.
        let is_of_groups = call.operation.ends_with("Group") || keeps_groups(&call.operation);
        let is_unknown = !before.users.contains_key(call.text("UserName")) && !is_of_groups;
        let is_denied = is_unknown && state.draws.happens("IAM knows no path yet", 50);
        return Err(if is_denied { Refusal::denied(call) } else { refusal });
    }
    let login = state.iam.now.users.get(call.text("UserName")).and_then(|user| user.login.as_ref());
    let is_fresh = login.is_some_and(|login| now.duration_since(login.changed_at) < UNMODIFIABLE);
    let is_of_password = matches!(call.operation.as_str(), "UpdateLoginProfile" | "DeleteLoginProfile");
    if is_fresh && is_of_password && state.draws.happens("password cannot be changed yet", 50) {
        let why = "It is temporarily not modifiable. Try again later.";
        return Err(Refusal::new(409, "EntityTemporarilyUnmodifiable", why));
    }
    match change(state, &who.function, call) {
        Some(result) => result.map(|result| Answer::query(&call.operation, &result)),
        None => Err(unknown(state, who, call)),
    }
}

/// Makes a change, as far as IAM lets, and keeps what it was. None for what is not simulated.
fn change(state: &mut State, by: &str, call: &Call) -> Option<Result<String, Refusal>> {
    let before = state.iam.now.clone();
    let result = writes::write(&mut state.iam.now, call)?;
    if result.is_ok() {
        kept(state, before, (by, &call.operation), (call.text("UserName"), call.text("GroupName")));
    }
    Some(result)
}

/// Somebody has changed something: for some seconds, calls may meet what was there before.
fn kept(state: &mut State, before: Tree, (by, operation): (&str, &str), (user, group): (&str, &str)) {
    let after = &state.iam.now;
    let found = before.users.get(user).or_else(|| after.users.get(user));
    let groups = after.users.get(user).map(|user| &user.groups);
    let change = Change {
        at: time::now(),
        by: by.to_owned(),
        operation: operation.to_owned(),
        path: found.map(|user| user.path.clone()).unwrap_or_default(),
        safe_groups: groups.into_iter().flatten().filter(|group| after.enforces_mfa(group)).count(),
        is_safe: before.enforces_mfa(group),
        waits_since: state.secrets.now.get(&secrets::secret_of(user)).map(|secret| secret.changed_at),
        user: user.to_owned(),
        group: group.to_owned(),
    };
    state.iam.changes.push(change);
    if state.draws.happens("IAM is late", 50) {
        let most = u64::try_from(KNOWN_LATE.as_millis()).expect("seconds");
        let late = state.draws.millis("how late IAM is", 200, most);
        let until = time::now() + SignedDuration::try_from(late).expect("seconds");
        state.iam.before.push((until, before));
    }
}

/// Somebody changes something by hand.
pub(crate) fn by_hand(state: &mut State, operation: &str, user: &str, group: &str, change: impl FnOnce(&mut Tree)) {
    let before = state.iam.now.clone();
    change(&mut state.iam.now);
    kept(state, before, ("people", operation), (user, group));
}

/// An element of XML with a text in it.
fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", member::escaped(text))
}

fn time_element(name: &str, at: Timestamp) -> String {
    element(name, &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn missing(what: &str, name: &str) -> Refusal {
    Refusal::new(404, "NoSuchEntity", format!("The {what} with name {name} cannot be found."))
}
