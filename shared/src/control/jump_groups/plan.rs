//! What has to be changed in the jump account. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, slice,
};

use super::{
    Group, MadeOf, PATH,
    policies::{assume, assumed, enforce_mfa, fits, resources, says},
};
use crate::{
    gateway::{GroupsAndPolicies, PresentGroup, PresentPolicy},
    ids::AccountId,
};

/// The policy that every group has.
pub(super) const ENFORCE_MFA: &str = "policy-enforce-mfa";
/// How many managed policies IAM attaches to a group, without the one that every group has.
const MAX_POLICIES: usize = 9;
/// How many versions of a policy IAM keeps, without the one in force.
const MAX_OTHER_VERSIONS: usize = 4;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes a policy.
    CreatePolicy {
        /// What it is called.
        name: String,
        /// What it says, as JSON.
        document: String,
    },
    /// Makes room for another version of a policy, or for its end.
    DeleteVersion {
        /// What it is called.
        name: String,
        /// The policy's ARN.
        arn: String,
        /// The version's id.
        version: String,
    },
    /// Replaces what a policy says.
    CorrectPolicy {
        /// What it is called.
        name: String,
        /// The policy's ARN.
        arn: String,
        /// What it says, as JSON.
        document: String,
    },
    /// Makes a group.
    CreateGroup {
        /// What it is called.
        name: String,
    },
    /// Takes a policy that is written into a group out of it.
    DeleteInline {
        /// The group's name.
        group: String,
        /// The policy's name.
        policy: String,
    },
    /// Takes a managed policy from a group.
    Detach {
        /// The group's name.
        group: String,
        /// The policy's ARN.
        arn: String,
    },
    /// Gives a managed policy to a group.
    Attach {
        /// The group's name.
        group: String,
        /// The policy's ARN.
        arn: String,
    },
    /// Deletes a policy that no group needs any more.
    DeletePolicy {
        /// What it is called.
        name: String,
        /// The policy's ARN.
        arn: String,
    },
}

impl Change {
    /// What is taken goes before what is given, and what is needed before what needs it.
    fn stage(&self) -> u8 {
        match self {
            Self::DeleteInline { .. } | Self::Detach { .. } => 0,
            Self::DeleteVersion { .. } => 1,
            Self::CreatePolicy { .. } | Self::CorrectPolicy { .. } | Self::CreateGroup { .. } => 2,
            Self::Attach { .. } => 3,
            Self::DeletePolicy { .. } => 4,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreatePolicy { name, document } => write!(f, "create the policy {name}{}", reach(name, document)),
            Self::DeleteVersion { name, version, .. } => write!(f, "delete the old version {version} of {name}"),
            Self::CorrectPolicy { name, document, .. } => {
                write!(f, "correct what the policy {name} says{}", reach(name, document))
            }
            Self::CreateGroup { name } => write!(f, "create the group {name}"),
            Self::DeleteInline { group, policy } => {
                write!(f, "delete the inline policy {policy:?} of the group {group}")
            }
            Self::Detach { group, arn } => write!(f, "detach {arn} from the group {group}"),
            Self::Attach { group, arn } => write!(f, "attach {arn} to the group {group}"),
            Self::DeletePolicy { name, .. } => write!(f, "delete the policy {name}"),
        }
    }
}

/// How many roles a policy leads to, in words.
fn reach(name: &str, document: &str) -> String {
    if name == ENFORCE_MFA {
        return String::new();
    }
    match resources(document).len() {
        1 => ": it leads to 1 role".to_owned(),
        roles => format!(": it leads to {roles} roles"),
    }
}

/// The groups with all that they are to reach. Of accounts that nobody has looked at, they keep what their policies allow in
/// Steward's own words; what somebody has added in others is nothing to keep.
pub(super) fn whole(
    account: &AccountId,
    groups: &[Group],
    made_of: &MadeOf,
    present: &GroupsAndPolicies,
) -> Vec<Group> {
    let MadeOf::These(looked_at) = made_of else { return groups.to_vec() };
    let by_arn = by_arn(present);
    let is_of_others = |role_arn: &String| {
        let of = account_of(role_arn);
        !looked_at.iter().any(|looked_at| looked_at.as_str() == of)
    };
    let with_others = |group: &Group| {
        let of_others = reached(account, group, present, &by_arn).filter(is_of_others);
        Group { name: group.name.clone(), role_arns: of_others.chain(group.role_arns.iter().cloned()).collect() }
    };
    groups.iter().map(with_others).collect()
}

/// The accounts in which one of the groups reaches more or less than it is to.
pub(super) fn differing(account: &AccountId, groups: &[Group], present: &GroupsAndPolicies) -> BTreeSet<AccountId> {
    let by_arn = by_arn(present);
    let of_group = |group: &Group| {
        let now: BTreeSet<_> = reached(account, group, present, &by_arn).collect();
        let differing = now.symmetric_difference(&group.role_arns);
        differing.filter_map(|role_arn| account_of(role_arn).parse().ok()).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

fn by_arn(present: &GroupsAndPolicies) -> HashMap<&str, &PresentPolicy> {
    present.policies.iter().map(|policy| (policy.arn.as_str(), policy)).collect()
}

/// The roles that a group reaches by the policies that are Steward's, in Steward's own words. A policy that the group does not
/// have, such as one that was made and could not be attached yet, may say what was so long ago.
fn reached(
    account: &AccountId,
    group: &Group,
    present: &GroupsAndPolicies,
    by_arn: &HashMap<&str, &PresentPolicy>,
) -> impl Iterator<Item = String> {
    let attached = own_groups(present).find(|found| found.name == group.name).map_or(&[][..], |found| &found.attached);
    let arns = (1..=MAX_POLICIES).map(|number| arn(account, &policy_name(&group.name, number)));
    let own = arns.filter(|arn| attached.contains(arn));
    own.filter_map(|arn| by_arn.get(arn.as_str()).copied()).flat_map(|policy| assumed(&policy.document))
}

/// The account of a role; `*` for all.
fn account_of(role_arn: &str) -> &str {
    role_arn.split(':').nth(4).unwrap_or_default()
}

/// What is to be done about a group whose roles do not fit into its policies; None where they do.
pub(super) fn too_many(group: &Group) -> Option<String> {
    let needed = packed(&group.role_arns).len();
    (needed > MAX_POLICIES).then(|| {
        format!(
            "split the project of {}: its {} roles take {needed} policies and a group has room for {MAX_POLICIES}; it \
             is left as it is",
            group.name,
            group.role_arns.len()
        )
    })
}

/// The groups of this name that stand elsewhere, and so are not Steward's.
pub(super) fn elsewhere<'a>(group: &Group, present: &'a GroupsAndPolicies) -> Option<&'a PresentGroup> {
    present.groups.iter().find(|other| other.path != PATH && other.name.eq_ignore_ascii_case(&group.name))
}

/// Policies of Steward's that no group needs and that somebody has attached to something else than a group of Steward's.
pub(super) fn attached_elsewhere(account: &AccountId, wanted: &[Group], present: &GroupsAndPolicies) -> Vec<String> {
    let needed = needed(account, wanted, present);
    let unneeded = own_policies(present).filter(|policy| !needed.keeps(policy));
    let elsewhere = unneeded.filter(|policy| has_other_attachments(policy, present));
    let in_words = |policy: &PresentPolicy| {
        format!(
            "detach the policy {} from what it is attached to beside Steward's groups; no group needs it",
            policy.name
        )
    };
    elsewhere.map(in_words).collect()
}

/// The groups of Steward's that the document does not name.
pub(super) fn left_over<'a>(
    wanted: &[Group],
    present: &'a GroupsAndPolicies,
) -> impl Iterator<Item = &'a PresentGroup> {
    let names: BTreeSet<_> = wanted.iter().map(|group| group.name.clone()).collect();
    own_groups(present).filter(move |group| !names.contains(&group.name))
}

fn own_groups(present: &GroupsAndPolicies) -> impl Iterator<Item = &PresentGroup> {
    present.groups.iter().filter(|group| group.path == PATH)
}

/// The policies of groups that are Steward's.
fn own_policies(present: &GroupsAndPolicies) -> impl Iterator<Item = &PresentPolicy> {
    present.policies.iter().filter(|policy| policy.path == PATH && policy.name.starts_with("group-"))
}

fn has_other_attachments(policy: &PresentPolicy, present: &GroupsAndPolicies) -> bool {
    let own = own_groups(present).filter(|group| group.attached.contains(&policy.arn)).count();
    usize::try_from(policy.attachments).unwrap_or_default() > own
}

/// The ARN of a policy of Steward's.
fn arn(account: &AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:policy{PATH}{name}")
}

/// The policies that groups need: by their names what they say, and by the group which they are.
struct Needed {
    policies: BTreeMap<String, BTreeSet<String>>,
    of_group: HashMap<String, Vec<String>>,
    /// The groups that are left as they are.
    left_alone: BTreeSet<String>,
}

impl Needed {
    fn keeps(&self, policy: &PresentPolicy) -> bool {
        let group = policy.name.split('.').next().unwrap_or_default();
        self.policies.contains_key(&policy.name) || self.left_alone.contains(group)
    }
}

fn needed(account: &AccountId, wanted: &[Group], present: &GroupsAndPolicies) -> Needed {
    let by_arn = by_arn(present);
    let mut needed = Needed { policies: BTreeMap::new(), of_group: HashMap::new(), left_alone: BTreeSet::new() };
    for group in wanted {
        if too_many(group).is_some() || elsewhere(group, present).is_some() {
            needed.left_alone.insert(group.name.clone());
            continue;
        }
        let names: Vec<_> = (1..=MAX_POLICIES).map(|number| policy_name(&group.name, number)).collect();
        let of_present = |name: &String| {
            by_arn.get(arn(account, name).as_str()).map(|policy| resources(&policy.document)).unwrap_or_default()
        };
        let parts = distributed(&group.role_arns, names.iter().map(of_present).collect());
        for (name, part) in names.into_iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
            needed.of_group.entry(group.name.clone()).or_default().push(name.clone());
            needed.policies.insert(name, part);
        }
    }
    needed
}

/// The first policy of a group has its name, the others a number behind it.
fn policy_name(group: &str, number: usize) -> String {
    if number == 1 { group.to_owned() } else { format!("{group}.{number}") }
}

/// The roles in as few parts as there is room for them.
fn packed(role_arns: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let mut parts: Vec<BTreeSet<String>> = Vec::new();
    for role_arn in role_arns {
        if !parts.last_mut().is_some_and(|part| added(part, role_arn)) {
            parts.push(BTreeSet::from([role_arn.clone()]));
        }
    }
    parts
}

/// The roles, each in the part in which it is now, so that an account that comes or goes changes one policy. Where they do not
/// fit like that, they are packed anew.
fn distributed(role_arns: &BTreeSet<String>, present: Vec<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let mut open = role_arns.clone();
    let mut parts: Vec<BTreeSet<String>> = present
        .into_iter()
        .map(|part| {
            let mut kept = BTreeSet::new();
            for role_arn in part {
                if open.contains(&role_arn) && added(&mut kept, &role_arn) {
                    open.remove(&role_arn);
                }
            }
            kept
        })
        .collect();
    for role_arn in open {
        if !parts.iter_mut().any(|part| added(part, &role_arn)) {
            return packed(role_arns);
        }
    }
    parts
}

/// Adds a role to a part, if there is room.
fn added(part: &mut BTreeSet<String>, role_arn: &str) -> bool {
    part.insert(role_arn.to_owned());
    let fits = fits(part);
    if !fits {
        part.remove(role_arn);
    }
    fits
}

/// The changes that lead from what is to these groups.
pub(super) fn plan(account: &AccountId, wanted: &[Group], present: &GroupsAndPolicies) -> Vec<Change> {
    let needed = needed(account, wanted, present);
    let mfa_arn = arn(account, ENFORCE_MFA);
    let mut changes = Vec::new();

    let documents = needed.policies.iter().map(|(name, role_arns)| (name.as_str(), assume(role_arns)));
    for (name, document) in std::iter::once((ENFORCE_MFA, enforce_mfa())).chain(documents) {
        let policy_arn = arn(account, name);
        match present.policies.iter().find(|policy| policy.arn == policy_arn) {
            None => changes.push(Change::CreatePolicy { name: name.to_owned(), document: document.to_string() }),
            Some(policy) if says(&policy.document, &document) => {}
            Some(policy) => {
                let too_old = (policy.other_versions.len() + 1).saturating_sub(MAX_OTHER_VERSIONS);
                changes
                    .extend(policy.other_versions.iter().take(too_old).map(|version| delete_version(policy, version)));
                let (name, document) = (name.to_owned(), document.to_string());
                changes.push(Change::CorrectPolicy { name, arn: policy_arn, document });
            }
        }
    }

    for group in wanted.iter().filter(|group| !needed.left_alone.contains(&group.name)) {
        let found = own_groups(present).find(|found| found.name == group.name);
        if found.is_none() {
            changes.push(Change::CreateGroup { name: group.name.clone() });
        }
        let names = needed.of_group.get(&group.name).into_iter().flatten();
        let policies = std::iter::once(mfa_arn.clone()).chain(names.map(|name| arn(account, name)));
        changes.extend(of_group(&group.name, &policies.collect::<Vec<_>>(), found));
    }
    for group in left_over(wanted, present) {
        changes.extend(of_group(&group.name, slice::from_ref(&mfa_arn), Some(group)));
    }

    for policy in own_policies(present).filter(|policy| !needed.keeps(policy)) {
        if !has_other_attachments(policy, present) {
            changes.extend(policy.other_versions.iter().map(|version| delete_version(policy, version)));
            changes.push(Change::DeletePolicy { name: policy.name.clone(), arn: policy.arn.clone() });
        }
    }
    changes.sort_by_key(Change::stage);
    changes
}

fn delete_version(policy: &PresentPolicy, version: &str) -> Change {
    Change::DeleteVersion { name: policy.name.clone(), arn: policy.arn.clone(), version: version.to_owned() }
}

/// What gives a group exactly these policies.
fn of_group(name: &str, policies: &[String], found: Option<&PresentGroup>) -> Vec<Change> {
    let group = || name.to_owned();
    let attached: &[String] = found.map_or(&[], |found| &found.attached);
    let inline = found.into_iter().flat_map(|found| &found.inline);
    let inline = inline.map(|policy| Change::DeleteInline { group: group(), policy: policy.clone() });
    let detach = attached.iter().filter(|arn| !policies.contains(arn));
    let detach = detach.map(|arn| Change::Detach { group: group(), arn: arn.clone() });
    let attach = policies.iter().filter(|arn| !attached.contains(arn));
    let attach = attach.map(|arn| Change::Attach { group: group(), arn: arn.clone() });
    inline.chain(detach).chain(attach).collect()
}
