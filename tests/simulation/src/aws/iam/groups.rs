//! What IAM shows of groups and managed policies at once, and lets be changed of them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Group, Tree, element, missing, reads};
use crate::{aws::Refusal, call::Call, template::JUMP};

/// How many versions a policy has at most, and policies a group (IAM user guide, "IAM and AWS STS quotas").
const MAX_VERSIONS: usize = 5;
const MAX_POLICIES: usize = 10;
/// When everything was made.
const MADE: &str = "2026-01-01T00:00:00Z";
/// The calls by which groups are kept.
const CALLS: [&str; 9] = [
    "AttachGroupPolicy",
    "CreateGroup",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeleteGroupPolicy",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DetachGroupPolicy",
    "GetAccountAuthorizationDetails",
];

/// Whether an operation is one by which groups are kept.
pub(crate) fn keeps_groups(operation: &str) -> bool {
    CALLS.contains(&operation)
}

/// A managed policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The number of each version, and what it says; the last one is in force.
    versions: Vec<(u32, String)>,
}

impl Policy {
    /// One that says this.
    pub(crate) fn saying(document: &str) -> Self {
        Self { versions: vec![(1, document.to_owned())] }
    }

    /// What it says.
    pub(crate) fn document(&self) -> &str {
        self.versions.last().map_or("", |(_, document)| document)
    }

    /// From now on it says this.
    pub(crate) fn correct(&mut self, document: &str) {
        let number = self.number_in_force() + 1;
        self.versions.push((number, document.to_owned()));
    }

    fn number_in_force(&self) -> u32 {
        self.versions.last().map_or(0, |(number, _)| *number)
    }

    /// The id of the version that is in force.
    pub(super) fn version_in_force(&self) -> String {
        format!("v{}", self.number_in_force())
    }
}

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}

/// A page of all groups and managed policies.
pub(super) fn details(tree: &Tree, call: &Call) -> String {
    let marker = call.text("Marker");
    let groups = tree.groups.iter().map(|(name, group)| (format!("group {name}"), true, group_details(name, group)));
    let policies = tree.policies.iter();
    let policies = policies.map(|(arn, policy)| (format!("policy {arn}"), false, policy_details(tree, arn, policy)));
    let mut rows: Vec<_> = groups.chain(policies).filter(|(key, ..)| key.as_str() > marker).collect();
    rows.sort();
    let is_truncated = rows.len() > reads::PAGE;
    rows.truncate(reads::PAGE);
    let next = rows.last().filter(|_| is_truncated).map(|(key, ..)| element("Marker", key)).unwrap_or_default();
    let of = |wanted: bool| {
        let rows = rows.iter().filter(|(_, is_group, _)| *is_group == wanted);
        rows.map(|(.., fields)| format!("<member>{fields}</member>")).collect::<Vec<_>>().concat()
    };
    let (groups, policies) = (of(true), of(false));
    format!(
        "<IsTruncated>{is_truncated}</IsTruncated><UserDetailList/><RoleDetailList/><GroupDetailList>{groups}\
         </GroupDetailList><Policies>{policies}</Policies>{next}"
    )
}

fn group_details(name: &str, group: &Group) -> String {
    let inline = group.inline.iter().map(|policy| {
        let document = element("PolicyDocument", &encoded("{}"));
        format!("<member>{}{document}</member>", element("PolicyName", policy))
    });
    let attached = group.policies.iter().map(|arn| format!("<member>{}</member>", reads::attached(arn).1));
    let (inline, attached): (String, String) = (inline.collect(), attached.collect());
    format!(
        "{}<GroupPolicyList>{inline}</GroupPolicyList><AttachedManagedPolicies>{attached}</AttachedManagedPolicies>",
        reads::group_fields(name, &group.path)
    )
}

fn policy_details(tree: &Tree, arn: &str, policy: &Policy) -> String {
    let versions = policy.versions.iter().map(|(number, document)| {
        let is_default = (*number == policy.number_in_force()).to_string();
        let fields = [element("Document", &encoded(document)), element("VersionId", &format!("v{number}"))].concat();
        let rest = [element("IsDefaultVersion", &is_default), element("CreateDate", MADE)].concat();
        format!("<member>{fields}{rest}</member>")
    });
    let versions: String = versions.collect();
    format!("{}<PolicyVersionList>{versions}</PolicyVersionList>", policy_fields(tree, arn, policy))
}

pub(super) fn policy_fields(tree: &Tree, arn: &str, policy: &Policy) -> String {
    let (path, name) = place(arn);
    let attachments = tree.groups.values().filter(|group| group.policies.iter().any(|other| other == arn)).count();
    [
        element("PolicyName", &name),
        element("PolicyId", &format!("ANPA{}", name.to_uppercase())),
        element("Arn", arn),
        element("Path", &path),
        element("DefaultVersionId", &policy.version_in_force()),
        element("AttachmentCount", &attachments.to_string()),
        element("PermissionsBoundaryUsageCount", "0"),
        element("IsAttachable", "true"),
        element("CreateDate", MADE),
        element("UpdateDate", MADE),
    ]
    .concat()
}

/// The path and the name of the policy with this ARN.
fn place(arn: &str) -> (String, String) {
    let place = arn.split_once(":policy").map_or(arn, |(_, place)| place);
    let (path, name) = place.rsplit_once('/').unwrap_or(("", place));
    (format!("{path}/"), name.to_owned())
}

/// The result of a call that changes something of them; None for another one.
pub(super) fn write(tree: &mut Tree, call: &Call) -> Option<Result<String, Refusal>> {
    let arn = call.text("PolicyArn");
    let conflict = |code: &str, message: &str| Refusal::new(409, code, message);
    Some(match call.operation.as_str() {
        "CreateGroup" => {
            let (name, path) = (call.text("GroupName"), call.text("Path"));
            if tree.groups.keys().any(|other| other.eq_ignore_ascii_case(name)) {
                return Some(Err(conflict("EntityAlreadyExists", "A group of this name already exists.")));
            }
            tree.groups.insert(name.to_owned(), Group { path: path.to_owned(), ..Group::default() });
            Ok(format!("<Group>{}</Group>", reads::group_fields(name, path)))
        }
        "CreatePolicy" => {
            let arn = format!("arn:aws:iam::{JUMP}:policy{}{}", call.text("Path"), call.text("PolicyName"));
            if tree.policies.contains_key(&arn) {
                return Some(Err(conflict("EntityAlreadyExists", "A policy of this name already exists.")));
            }
            let policy = Policy::saying(call.text("PolicyDocument"));
            let shown = policy_fields(tree, &arn, &policy);
            tree.policies.insert(arn, policy);
            Ok(format!("<Policy>{shown}</Policy>"))
        }
        "CreatePolicyVersion" => policy(tree, arn).and_then(|policy| {
            if policy.versions.len() >= MAX_VERSIONS {
                return Err(conflict("LimitExceeded", "A managed policy can have up to 5 versions."));
            }
            policy.correct(call.text("PolicyDocument"));
            let fields = [element("VersionId", &policy.version_in_force()), element("CreateDate", MADE)].concat();
            Ok(format!("<PolicyVersion>{fields}<IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>"))
        }),
        "DeletePolicyVersion" => policy(tree, arn).and_then(|policy| {
            let is_it = |number: u32| format!("v{number}") == call.text("VersionId");
            if is_it(policy.number_in_force()) {
                return Err(conflict("DeleteConflict", "Cannot delete the default version of a policy."));
            }
            let place = policy.versions.iter().position(|(number, _)| is_it(*number));
            policy.versions.remove(place.ok_or_else(|| missing("policy version", call.text("VersionId")))?);
            Ok(String::new())
        }),
        "DeletePolicy" => {
            let is_attached = tree.groups.values().any(|group| group.policies.iter().any(|other| other == arn));
            policy(tree, arn).map(|policy| policy.versions.len()).and_then(|versions| {
                if is_attached || versions > 1 {
                    return Err(conflict("DeleteConflict", "It is attached, or has more than one version."));
                }
                tree.policies.remove(arn);
                Ok(String::new())
            })
        }
        "AttachGroupPolicy" => {
            if !arn.starts_with("arn:aws:iam::aws:") && !tree.policies.contains_key(arn) {
                return Some(Err(missing("policy", arn)));
            }
            group(tree, call).and_then(|group| {
                if group.policies.iter().any(|other| other == arn) {
                    return Ok(String::new());
                }
                if group.policies.len() >= MAX_POLICIES {
                    return Err(conflict("LimitExceeded", "Cannot exceed quota for PoliciesPerGroup: 10"));
                }
                group.policies.push(arn.to_owned());
                Ok(String::new())
            })
        }
        "DetachGroupPolicy" => group(tree, call).and_then(|group| taken(&mut group.policies, arn)),
        "DeleteGroupPolicy" => group(tree, call).and_then(|group| taken(&mut group.inline, call.text("PolicyName"))),
        _ => return None,
    })
}

fn policy<'a>(tree: &'a mut Tree, arn: &str) -> Result<&'a mut Policy, Refusal> {
    tree.policies.get_mut(arn).ok_or_else(|| missing("policy", arn))
}

fn group<'a>(tree: &'a mut Tree, call: &Call) -> Result<&'a mut Group, Refusal> {
    let name = call.text("GroupName");
    tree.groups.get_mut(name).ok_or_else(|| missing("group", name))
}

/// Takes one away that must be there.
fn taken(from: &mut Vec<String>, one: &str) -> Result<String, Refusal> {
    let place = from.iter().position(|other| other == one).ok_or_else(|| missing("policy of the group", one))?;
    from.remove(place);
    Ok(String::new())
}
