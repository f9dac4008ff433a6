//! # organization-policies
//!
//! **What it does.** Keeps policies of the organization as files beside the document have them: that they exist, what they say,
//! and what they are attached to. Types of policies that are off are turned on where the document has a policy of them.
//!
//! **Why.** What holds for every account is held by a policy of the organization, and not by 10,000 accounts one by one. A
//! policy in a file is reviewed like code; one that somebody has changed by hand is seen the next day.
//!
//! **Desired state.** A list of `{name, type, file, targets}`: a policy, the file in the folder `policies` beside the document,
//! and the units and accounts that it is attached to. With `test_target`, what the file says goes to that unit or account
//! alone, as the policy `<name>-test`, until the document does not name it any more. Nothing is detached, deleted or turned off: what
//! is attached elsewhere is reported. `FullAWSAccess` and every policy that the document does not name are left alone.
//!
//! A policy is written only if its file is JSON that AWS would take, within AWS's limits of size and number, and if no statement
//! denies Steward its own calls: those of the controls that the document asks for through the access role, the root tasks and
//! the way in. What cannot be told, such as a condition on the caller's address, counts against the statement, which is named.
//! A service or resource control policy that would be made or changed is shown to IAM Access Analyzer first: what it calls an
//! error or a security warning refuses the policy in AWS's words, and other warnings are told. Where that call is denied, Steward's
//! own checks decide, and the row says so. What is refused is left to people, and the other policies go on.
//!
//! **Calls.** A compliant organization costs one `ListRoots`, a page of `ListPolicies` for each type of policy, one
//! `DescribePolicy`, one page of `ListTargetsForPolicy` and one object of Amazon S3 for each policy, and
//! `ListOrganizationalUnitsForParent` for each unit on the way to targets that are named by path. A policy of statements that
//! differs costs one `ValidatePolicy` more.
//!
//! **Source.** AWS Organizations user guide, "Managing policies in AWS Organizations", "Quotas and service limits", "SCP
//! evaluation": service control policies bind member accounts, their root users too, and never the management account. IAM
//! user guide, "IAM Access Analyzer policy validation" (`ValidatePolicy`).

mod content;
mod difference;
mod guard;
mod own_calls;
mod section;
mod validation;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use futures_util::future::{join_all, try_join_all};

use content::{Content, MAX_BYTES, most_attached, says_statements};
pub use own_calls::OwnCalls;
pub use section::{OrganizationPolicy, problems};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    closed_set::ClosedSet,
    control::Control,
    error::{Cause, Failure},
    gateway::{CallError, Found, NewPolicy, PolicyKind, PolicySummary, PolicyTypeState, PolicyTypes},
    unit_reference::{OrganizationalUnitReference, PolicyTarget},
};

/// What there is of the types and policies that the document names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    types: Option<PolicyTypes>,
    policies: Vec<Seen>,
}

/// One policy of the document, and what there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    kind: PolicyKind,
    /// The name of the policy that is kept now.
    name: String,
    description: String,
    /// What it is to say, or everything for which it is refused.
    wanted: Result<Content, Vec<String>>,
    present: Option<Present>,
    targets: Vec<Target>,
    /// What else a person should do, such as about a target that does not exist.
    open: Vec<String>,
    notes: Vec<String>,
}

/// A policy that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Present {
    id: String,
    /// In what it differs from the file; nothing when it does not, or the file is refused.
    differences: Vec<String>,
    /// The ids of what it is attached to.
    attached: BTreeSet<String>,
}

/// What a policy is to be attached to: its id, and what the document calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    id: String,
    shown: String,
}

/// A policy by its id or, where it has to be made first, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Policy {
    Present(String),
    ToBeMade,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Lets policies of a type count.
    EnableType(PolicyTypes, PolicyKind),
    /// Makes a policy, which these words sum up.
    Create(NewPolicy, String),
    /// Has a policy say something else.
    Update {
        /// Its type.
        kind: PolicyKind,
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// What it is to say.
        content: String,
        /// What that changes.
        differences: Vec<String>,
    },
    /// Attaches a policy.
    Attach(Attachment),
}

/// What is attached to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    kind: PolicyKind,
    name: String,
    policy: Policy,
    target: Target,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableType(_, kind) => write!(f, "let policies of the type {kind} count in the organization"),
            Self::Create(policy, summary) => write!(f, "make the {} {}: {summary}", policy.kind, policy.name),
            Self::Update { kind, name, differences, .. } => {
                write!(f, "change the {kind} {name}: {}", differences.join("; "))
            }
            Self::Attach(Attachment { kind, name, target, .. }) => {
                write!(f, "attach the {kind} {name} to {}", target.shown)
            }
        }
    }
}

/// The check `organization-policies`.
#[derive(Clone, Copy, Debug)]
pub struct OrganizationPoliciesCheck;

impl Control<OrganizationSection> for OrganizationPoliciesCheck {
    const ID: &'static str = "organization-policies";
    const READS: &'static [&'static str] = &[
        "access-analyzer:ValidatePolicy",
        "organizations:DescribePolicy",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListPolicies",
        "organizations:ListPoliciesForTarget",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
        "s3:GetObject",
    ];
    const WRITES: &'static [&'static str] = &[
        "organizations:AttachPolicy",
        "organizations:CreatePolicy",
        "organizations:EnablePolicyType",
        "organizations:UpdatePolicy",
    ];
    type Scope = OrganizationScope;
    type Desired = Vec<OrganizationPolicy>;
    type Actual = Actual;
    type Change = Change;

    fn desired(section: &OrganizationSection) -> Option<&Vec<OrganizationPolicy>> {
        (!section.organization_policies.is_empty()).then_some(&section.organization_policies)
    }

    async fn inspect(&self, scope: &OrganizationScope, desired: &Vec<OrganizationPolicy>) -> Result<Actual, CallError> {
        if !scope.organization.all_features {
            return Ok(Actual::default());
        }
        let types = scope.read.organizations.policy_types().await?;
        let kinds: BTreeSet<_> = desired.iter().map(|policy| policy.kind).collect();
        let listed = try_join_all(kinds.into_iter().map(async |kind| {
            let policies = scope.read.organizations.list_policies(kind).await?;
            Ok::<_, CallError>((kind, policies))
        }));
        let listed: BTreeMap<_, _> = listed.await?.into_iter().collect();
        let looks =
            desired.iter().map(|policy| look(scope, policy, listed.get(&policy.kind).map_or(&[], Vec::as_slice)));
        let mut policies = join_all(looks).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        validation::validate(scope, &mut policies).await?;
        leave_room(scope, &mut policies).await?;
        Ok(Actual { types: Some(types), policies })
    }

    fn plan(&self, _: &OrganizationScope, _desired: &Vec<OrganizationPolicy>, actual: &Actual) -> Vec<Change> {
        let Some(types) = &actual.types else { return Vec::new() };
        let written = actual.policies.iter().filter_map(|seen| Some((seen, seen.wanted.as_ref().ok()?)));
        let off: BTreeSet<_> =
            written.clone().map(|(seen, _)| seen.kind).filter(|kind| !types.states.contains_key(kind.name())).collect();
        let mut changes: Vec<_> = off.into_iter().map(|kind| Change::EnableType(types.clone(), kind)).collect();
        for (seen, wanted) in written {
            changes.extend(seen.write(wanted));
            if types.states.get(seen.kind.name()) != Some(&PolicyTypeState::Changing) {
                changes.extend(seen.attach());
            }
        }
        changes
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        let organizations = &scope.write.organizations;
        match change {
            Change::EnableType(types, kind) => organizations.enable_policy_type(&types.root, *kind).await,
            Change::Create(policy, _) => organizations.create_policy(policy).await,
            Change::Update { id, content, .. } => organizations.update_policy(id, content).await,
            Change::Attach(Attachment { policy: Policy::Present(id), target, .. }) => {
                organizations.attach_policy(id, &target.id).await
            }
            Change::Attach(Attachment { kind, name, target, .. }) => {
                let policies = scope.read.organizations.list_policies(*kind).await?;
                let Some(made) = policies.into_iter().find(|policy| policy.name == *name) else {
                    let detail = format!("{name} is not among the policies of the type {kind} yet");
                    return Err(CallError::not_sent("organizations:AttachPolicy", Cause::NotVisibleYet, detail));
                };
                organizations.attach_policy(&made.id, &target.id).await
            }
        }
    }

    fn notes(&self, _desired: &Vec<OrganizationPolicy>, actual: &Actual) -> Vec<String> {
        actual.policies.iter().flat_map(|seen| seen.notes.clone()).collect()
    }

    fn by_hand(&self, desired: &Vec<OrganizationPolicy>, actual: &Actual) -> Vec<String> {
        if actual.types.is_none() {
            let names: Vec<_> = desired.iter().map(|policy| policy.name.as_str()).collect();
            return vec![format!(
                "there are no policies without all features of the organization: {}",
                names.join(", ")
            )];
        }
        actual.policies.iter().flat_map(Seen::left_to_people).collect()
    }

    fn pending(&self, _desired: &Vec<OrganizationPolicy>, actual: &Actual) -> Option<Failure> {
        let types = actual.types.as_ref()?;
        let waits = |seen: &&Seen| {
            types.states.get(seen.kind.name()) == Some(&PolicyTypeState::Changing) && seen.attach().next().is_some()
        };
        let waiting = actual.policies.iter().find(waits)?;
        let detail = format_args!("AWS is turning policies of the type {} on or off.", waiting.kind);
        Some(Failure::with_detail(Cause::NotVisibleYet, detail))
    }
}

impl Seen {
    /// What makes the policy say what its file says.
    fn write(&self, wanted: &Content) -> Option<Change> {
        let (kind, name, content) = (self.kind, self.name.clone(), wanted.text().to_owned());
        match &self.present {
            None => {
                let summary = difference::summary(kind, wanted.value());
                let description = self.description.clone();
                Some(Change::Create(NewPolicy { kind, name, description, content }, summary))
            }
            Some(Present { id, differences, .. }) if !differences.is_empty() => {
                let (id, differences) = (id.clone(), differences.clone());
                Some(Change::Update { kind, name, id, content, differences })
            }
            Some(_) => None,
        }
    }

    /// What attaches it where it is not.
    fn attach(&self) -> impl Iterator<Item = Change> {
        let attached = self.present.as_ref().map(|present| &present.attached);
        let lacking = self.targets.iter().filter(move |it| attached.is_none_or(|attached| !attached.contains(&it.id)));
        lacking.filter(|_| self.wanted.is_ok()).map(|target| {
            let policy = self.present.as_ref().map_or(Policy::ToBeMade, |it| Policy::Present(it.id.clone()));
            let (name, target) = (self.name.clone(), target.clone());
            Change::Attach(Attachment { kind: self.kind, name, policy, target })
        })
    }

    /// What a person has to do: about the file, about targets, and about where it is attached beside them.
    fn left_to_people(&self) -> Vec<String> {
        let (kind, name) = (self.kind, &self.name);
        let refused = self.wanted.as_ref().err().into_iter().flatten();
        let refused = refused.map(|why| format!("the {kind} {name} is not written: {why}"));
        let meant: BTreeSet<_> = self.targets.iter().map(|target| target.id.as_str()).collect();
        let attached = self.present.iter().flat_map(|present| &present.attached);
        let elsewhere: Vec<_> = attached.map(String::as_str).filter(|id| !meant.contains(id)).collect();
        // Of a target that does not exist nobody knows which one was meant.
        let elsewhere = (!elsewhere.is_empty() && self.open.is_empty()).then(|| {
            let elsewhere = elsewhere.join(", ");
            format!("the {kind} {name} is also attached to {elsewhere}: detach it there, or name it in the document")
        });
        refused.chain(self.open.iter().cloned()).chain(elsewhere).collect()
    }
}

/// Looks at one policy of the document.
async fn look(
    scope: &OrganizationScope,
    policy: &OrganizationPolicy,
    listed: &[PolicySummary],
) -> Result<Seen, CallError> {
    let (kind, name) = (policy.kind, policy.kept_name());
    let mut wanted = read_file(scope, policy).await?;
    let summary = listed.iter().find(|it| it.name == name);
    if summary.is_some_and(|summary| summary.is_aws_managed) {
        wanted = Err(vec!["it is a policy of AWS's own".to_owned()]);
    }
    let mut notes = Vec::new();
    if policy.test_target.is_some() {
        notes.push(format!(
            "{} is on trial as {name}: the policy itself and its targets stay as they are until the document names no \
             test_target.",
            policy.name
        ));
    } else if listed.iter().any(|it| it.name == policy.trial_name()) {
        notes.push(format!("{} is left of a trial; detach and delete it by hand.", policy.trial_name()));
    }
    let present = match summary {
        Some(summary) => Some(look_at(scope, kind, summary, wanted.as_ref().ok()).await?),
        None => None,
    };
    let (mut targets, mut open) = (Vec::new(), Vec::new());
    for target in policy.kept_targets() {
        match find_target(scope, target).await {
            Ok(found) => targets.push(found),
            Err(error) if error.cause == Cause::OrganizationalUnitNotFound => {
                open.push(format!("the {kind} {name} cannot be attached to {target}: {}", error.detail));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Seen { kind, name, description: policy.description.clone(), wanted, present, targets, open, notes })
}

/// What the file says, if it may be written.
async fn read_file(
    scope: &OrganizationScope,
    policy: &OrganizationPolicy,
) -> Result<Result<Content, Vec<String>>, CallError> {
    let key = policy.key();
    let Some(files) = &scope.files else {
        return Ok(Err(vec![format!("there is no {key}, for the stack has no document")]));
    };
    let content = match files.find_object(&key, None, MAX_BYTES).await? {
        Found::Object { content, .. } => content,
        Found::Missing | Found::Unchanged => return Ok(Err(vec![format!("there is no {key} beside the document")])),
    };
    let read = Content::read(policy.kind, &content);
    let read = read.map_err(|problems| problems.into_iter().map(|it| format!("{key} {it}")).collect::<Vec<_>>());
    Ok(read.and_then(|content| {
        let locks = if says_statements(policy.kind) {
            guard::locks(policy.kind, content.value(), &scope.own_calls)
        } else {
            Vec::new()
        };
        if locks.is_empty() { Ok(content) } else { Err(locks) }
    }))
}

async fn look_at(
    scope: &OrganizationScope,
    kind: PolicyKind,
    summary: &PolicySummary,
    wanted: Option<&Content>,
) -> Result<Present, CallError> {
    let organizations = &scope.read.organizations;
    let content = organizations.policy_content(&summary.id).await?;
    let attached = organizations.list_targets_of_policy(&summary.id).await?.into_iter().collect();
    let differences = wanted.map(|wanted| match serde_json::from_str(&content) {
        Ok(present) => difference::differences(kind, &present, wanted.value()),
        Err(_) => vec!["it is not JSON".to_owned()],
    });
    Ok(Present { id: summary.id.clone(), differences: differences.unwrap_or_default(), attached })
}

async fn find_target(scope: &OrganizationScope, target: &PolicyTarget) -> Result<Target, CallError> {
    let id = match target {
        PolicyTarget::Account(id) => id.to_string(),
        PolicyTarget::Unit(OrganizationalUnitReference::Id(id)) => id.to_string(),
        PolicyTarget::Unit(OrganizationalUnitReference::Path(names)) => {
            scope.units.find(&scope.read.organizations, names).await?.to_string()
        }
    };
    let shown = if target.to_string() == id { id.clone() } else { format!("{target} ({id})") };
    Ok(Target { id, shown })
}

/// Takes out targets that have no room for another policy, or do not exist, and says so. Only where something is to be
/// attached is anything asked.
async fn leave_room(scope: &OrganizationScope, policies: &mut [Seen]) -> Result<(), CallError> {
    let mut room: BTreeMap<(PolicyKind, String), Option<usize>> = BTreeMap::new();
    for seen in policies {
        let (kind, name) = (seen.kind, seen.name.clone());
        let lacking = seen.attach().filter_map(|change| match change {
            Change::Attach(attachment) => Some(attachment.target),
            _ => None,
        });
        for target in lacking.collect::<Vec<_>>() {
            let key = (kind, target.id.clone());
            if !room.contains_key(&key) {
                let left = match scope.read.organizations.list_policies_of_target(&target.id, kind).await {
                    Ok(attached) => {
                        let most = most_attached(kind).unwrap_or(usize::MAX);
                        // Turning the type on attaches AWS's own.
                        let own = usize::from(attached.is_empty() && says_statements(kind));
                        Some(most.saturating_sub(attached.len() + own))
                    }
                    Err(error) if error.cause == Cause::NotFound => None,
                    Err(error) => return Err(error),
                };
                room.insert(key.clone(), left);
            }
            let why = match room.get_mut(&key) {
                Some(Some(0)) => "it has as many policies of that type as AWS allows",
                Some(Some(left)) => {
                    *left -= 1;
                    continue;
                }
                _ => "there is no such account or unit in the organization",
            };
            seen.targets.retain(|other| other.id != target.id);
            seen.open.push(format!("the {kind} {name} cannot be attached to {}: {why}", target.shown));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
