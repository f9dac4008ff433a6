//! Policies of an organization, and what they are attached to. They bind nobody here: `denied_units` stands
//! for one that does. What S3 policies come to is what S3 Control answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error;
use super::input::{Input, is_parent_id, is_root_id};
use super::paging::page;
use super::state::Org;
use crate::front::answer::ApiError;
use crate::identity::is_account_id;
use crate::ids::Ids;

/// The types of policies, each with the most characters of one, and the most that may be attached to one target.
const TYPES: [(&str, usize, usize); 14] = [
    ("SERVICE_CONTROL_POLICY", 10_240, 10),
    ("RESOURCE_CONTROL_POLICY", 5_120, 5),
    ("TAG_POLICY", 10_000, 10),
    ("BACKUP_POLICY", 10_000, 10),
    ("AISERVICES_OPT_OUT_POLICY", 2_500, 5),
    ("CHATBOT_POLICY", 10_000, 5),
    ("DECLARATIVE_POLICY_EC2", 10_000, 10),
    ("SECURITYHUB_POLICY", 10_000, 10),
    ("INSPECTOR_POLICY", 10_000, 10),
    ("UPGRADE_ROLLOUT_POLICY", 10_000, 10),
    ("BEDROCK_POLICY", 10_000, 10),
    ("S3_POLICY", 10_000, 10),
    ("NETWORK_SECURITY_DIRECTOR_POLICY", 10_000, 10),
    ("GUARDDUTY_POLICY", 10_000, 10),
];

/// The policies that AWS attaches to everything while their type is enabled: id, name and type.
const FULL: [(&str, &str, &str); 2] = [
    ("p-FullAWSAccess", "FullAWSAccess", "SERVICE_CONTROL_POLICY"),
    ("p-RCPFullAWSAccess", "RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY"),
];

/// The policies of an organization.
#[derive(Default)]
pub(super) struct Policies {
    /// The types that are enabled.
    enabled: BTreeSet<&'static str>,
    own: Vec<Policy>,
}

struct Policy {
    id: String,
    name: String,
    description: String,
    kind: &'static str,
    content: String,
    targets: BTreeSet<String>,
}

impl Policies {
    /// The types that are enabled, as a root shows them.
    pub(super) fn types(&self) -> Vec<Value> {
        self.enabled.iter().map(|kind| json!({ "Type": kind, "Status": "ENABLED" })).collect()
    }

    fn find(&self, id: &str) -> Result<&Policy, ApiError> {
        self.own.iter().find(|policy| policy.id == id).ok_or_else(|| no_such_policy(id))
    }
}

/// The ARN of a policy, also of one that does not exist.
pub(super) fn arn(org: &Org, id: &str) -> String {
    if let Some((_, _, kind)) = FULL.iter().find(|(full, ..)| *full == id) {
        return format!("arn:aws:organizations::aws:policy/{}/{id}", kind.to_ascii_lowercase());
    }
    let kind = org.policies.find(id).map_or("service_control_policy".to_owned(), |it| it.kind.to_ascii_lowercase());
    format!("arn:aws:organizations::{}:policy/{}/{kind}/{id}", org.management, org.id)
}

/// The type of a policy of the organization.
pub(super) fn type_of<'a>(org: &'a Org, id: &str) -> Option<&'a str> {
    let full = FULL.iter().find(|(full, ..)| *full == id).map(|(.., kind)| *kind);
    full.or_else(|| org.policies.find(id).ok().map(|policy| policy.kind))
}

pub(super) fn create(ids: &Ids, org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let content = content(input)?.ok_or_else(|| error::invalid("INPUT_REQUIRED", "Content"))?;
    let description = input.text("Description", 0, 512)?;
    let name = input.text("Name", 1, 128)?;
    let (kind, most, _) = kind(input, "Type")?;
    takes(kind, most, content)?;
    is_free(org, kind, name)?;
    let id = ids.lower("p-", 10);
    org.policies.own.push(Policy {
        id: id.clone(),
        name: name.to_owned(),
        description: description.to_owned(),
        kind,
        content: content.to_owned(),
        targets: BTreeSet::new(),
    });
    describe_one(org, &id)
}

pub(super) fn update(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = own_id(input)?;
    let (kind, old) = org.policies.find(id).map(|policy| (policy.kind, policy.name.clone()))?;
    let (name, description, content) = (input.optional("Name")?, input.optional("Description")?, content(input)?);
    if let Some(content) = content {
        takes(kind, of_type(kind).1, content)?;
    }
    if let Some(name) = name.filter(|name| *name != old) {
        is_free(org, kind, name)?;
    }
    if let Some(policy) = org.policies.own.iter_mut().find(|policy| policy.id == id) {
        for (field, value) in
            [(&mut policy.name, name), (&mut policy.description, description), (&mut policy.content, content)]
        {
            if let Some(value) = value {
                value.clone_into(field);
            }
        }
    }
    describe_one(org, id)
}

pub(super) fn describe(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    describe_one(org, id(input)?)
}

pub(super) fn delete(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = own_id(input)?;
    if !org.policies.find(id)?.targets.is_empty() {
        return Err(error::error("PolicyInUseException", "The policy is attached to one or more entities."));
    }
    org.policies.own.retain(|policy| policy.id != id);
    Ok(json!({}))
}

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (kind, ..) = kind(input, "Filter")?;
    let full = FULL.iter().filter(|(.., of)| *of == kind).map(|(id, ..)| *id);
    let own = org.policies.own.iter().filter(|policy| policy.kind == kind).map(|policy| policy.id.as_str());
    let rows = full.chain(own).filter_map(|id| summary(org, id)).collect();
    page(input, "ListPolicies", "Policies", rows, org.settings.empty_first_pages)
}

pub(super) fn list_for_target(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (kind, ..) = kind(input, "Filter")?;
    let target = target(org, input)?;
    let rows = attached(org, kind, target).into_iter().filter_map(|id| summary(org, id)).collect();
    page(input, "ListPoliciesForTarget", "Policies", rows, org.settings.empty_first_pages)
}

pub(super) fn list_targets(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = id(input)?;
    let targets: Vec<&str> = match FULL.iter().find(|(full, ..)| *full == id) {
        Some((.., kind)) if org.policies.enabled.contains(kind) => everything(org).collect(),
        Some(_) => Vec::new(),
        None => org.policies.find(id)?.targets.iter().map(String::as_str).collect(),
    };
    let rows = targets.into_iter().map(|id| shown_target(org, id)).collect();
    page(input, "ListTargetsForPolicy", "Targets", rows, org.settings.empty_first_pages)
}

pub(super) fn attach(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (id, target) = (id(input)?, target(org, input)?);
    let kind = type_of(org, id).map(of_type).ok_or_else(|| no_such_policy(id))?;
    if !org.policies.enabled.contains(kind.0) {
        let message = "The specified policy type isn't currently enabled in this root.";
        return Err(error::error("PolicyTypeNotEnabledException", message));
    }
    let attached = attached(org, kind.0, target);
    if attached.contains(&id) {
        return Err(error::error(
            "DuplicatePolicyAttachmentException",
            "The policy is already attached to the target.",
        ));
    }
    if attached.len() >= kind.2 {
        return Err(error::constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
    }
    if let Some(policy) = org.policies.own.iter_mut().find(|policy| policy.id == id) {
        policy.targets.insert(target.to_owned());
    }
    Ok(json!({}))
}

pub(super) fn detach(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let (id, target) = (own_id(input)?, target(org, input)?);
    org.policies.find(id)?;
    let policy = org.policies.own.iter_mut().find(|policy| policy.id == id);
    if policy.is_some_and(|policy| policy.targets.remove(target)) {
        Ok(json!({}))
    } else {
        Err(error::error("PolicyNotAttachedException", "The policy isn't attached to the specified target."))
    }
}

pub(super) fn enable(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let root = input.id("RootId", is_root_id)?;
    let (kind, ..) = kind(input, "PolicyType")?;
    if root != org.root {
        return Err(error::not_found("RootNotFoundException", root));
    }
    if !org.all_features {
        let message = "You can't use the specified policy type with the feature set currently enabled.";
        return Err(error::error("PolicyTypeNotAvailableForOrganizationException", message));
    }
    if !org.policies.enabled.insert(kind) {
        let message = "The specified policy type is already enabled in the specified root.";
        return Err(error::error("PolicyTypeAlreadyEnabledException", message));
    }
    Ok(json!({ "Root": super::shapes::root(org) }))
}

/// What the policies of a type come to for an account, asked by an account of the organization.
pub(super) fn effective(org: &Org, caller: &str, input: Input<'_>) -> Result<Value, ApiError> {
    let (kind, ..) = kind(input, "PolicyType")?;
    if FULL.iter().any(|(.., of)| *of == kind) {
        return Err(error::invalid("INVALID_ENUM_POLICY_TYPE", "PolicyType"));
    }
    let target = match input.optional("TargetId")? {
        Some(_) if caller != org.management => return Err(error::not_for_members()),
        Some(id) if org.account(id).is_some() => id,
        Some(id) => return Err(error::not_found("TargetNotFoundException", id)),
        None => caller,
    };
    let content = effective_content(org, kind, target).ok_or_else(|| {
        let message = "There is no effective policy of this type for the account.";
        error::error("EffectivePolicyNotFoundException", message)
    })?;
    Ok(json!({ "EffectivePolicy": {
        "PolicyContent": content.to_string(), "PolicyType": kind, "TargetId": target,
        "LastUpdatedTimestamp": jiff::Timestamp::now().as_second(),
    }}))
}

/// What the policies of a type that are attached to an account, and above it, come to; None where there are none. Of what is
/// assigned twice, the place that is nearer to the account wins; other operators of inheritance are not known here.
pub(super) fn effective_content(org: &Org, kind: &str, account: &str) -> Option<Value> {
    let mut places = vec![account];
    let mut parent = org.account(account).map(|account| account.parent.as_str());
    while let Some(id) = parent {
        places.push(id);
        parent = org.unit(id).map(|unit| unit.parent.as_str());
    }
    let of_place = |place: &&str| attached(org, kind, place).into_iter().filter_map(|id| org.policies.find(id).ok());
    let contents = places.iter().rev().flat_map(of_place).map(|policy| policy.content.as_str());
    let mut whole = None;
    for content in contents.filter_map(|content| serde_json::from_str::<Value>(content).ok()) {
        merge(whole.get_or_insert_with(|| json!({})), &content);
    }
    whole
}

/// Puts what a policy assigns into what there is.
fn merge(into: &mut Value, policy: &Value) {
    if let Some(assigned) = policy.get("@@assign") {
        *into = assigned.clone();
        return;
    }
    let (Some(members), Some(into)) = (policy.as_object(), into.as_object_mut()) else { return };
    for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("@@")) {
        merge(into.entry(name.as_str()).or_insert_with(|| json!({})), member);
    }
}

fn id(input: Input<'_>) -> Result<&str, ApiError> {
    let is_id = |id: &str| {
        let rest = id.strip_prefix("p-").unwrap_or_default();
        (8..=128).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    input.id("PolicyId", is_id)
}

/// The id of a policy that is not AWS's own.
fn own_id(input: Input<'_>) -> Result<&str, ApiError> {
    let id = id(input)?;
    if FULL.iter().any(|(full, ..)| *full == id) { Err(error::invalid("IMMUTABLE_POLICY", "PolicyId")) } else { Ok(id) }
}

fn no_such_policy(id: &str) -> ApiError {
    error::not_found("PolicyNotFoundException", id)
}

fn of_type(name: &str) -> (&'static str, usize, usize) {
    TYPES.into_iter().find(|(kind, ..)| *kind == name).unwrap_or(TYPES[0])
}

fn kind(input: Input<'_>, parameter: &str) -> Result<(&'static str, usize, usize), ApiError> {
    let name = input.optional(parameter)?.ok_or_else(|| error::invalid("INPUT_REQUIRED", parameter))?;
    let kind = TYPES.into_iter().find(|(kind, ..)| *kind == name);
    kind.ok_or_else(|| error::invalid("INVALID_ENUM_POLICY_TYPE", parameter))
}

fn content(input: Input<'_>) -> Result<Option<&str>, ApiError> {
    match input.optional("Content")? {
        Some("") => Err(error::invalid("MIN_LENGTH_EXCEEDED", "Content")),
        content => Ok(content),
    }
}

/// Whether a policy may say that.
fn takes(kind: &str, most: usize, content: &str) -> Result<(), ApiError> {
    if content.chars().count() > most {
        return Err(error::constraint("POLICY_CONTENT_LIMIT_EXCEEDED"));
    }
    let says_statements = kind.ends_with("_CONTROL_POLICY");
    let policy = serde_json::from_str::<Value>(content).unwrap_or_default();
    let fits = policy.is_object() && (!says_statements || policy.get("Statement").is_some());
    let message = "The provided policy document does not meet the requirements of the specified policy type.";
    if fits { Ok(()) } else { Err(error::error("MalformedPolicyDocumentException", message)) }
}

fn is_free(org: &Org, kind: &str, name: &str) -> Result<(), ApiError> {
    let full = FULL.iter().any(|(_, full, of)| (*full, *of) == (name, kind));
    if full || org.policies.own.iter().any(|policy| (policy.kind, policy.name.as_str()) == (kind, name)) {
        return Err(error::error("DuplicatePolicyException", "A policy with the same name already exists."));
    }
    Ok(())
}

fn target<'a>(org: &Org, input: Input<'a>) -> Result<&'a str, ApiError> {
    let id = input.id("TargetId", |id| is_account_id(id) || is_parent_id(id))?;
    if org.is_taggable(id) { Ok(id) } else { Err(error::not_found("TargetNotFoundException", id)) }
}

/// Every root, unit and account.
fn everything(org: &Org) -> impl Iterator<Item = &str> {
    let units = org.units.iter().map(|unit| unit.id.as_str());
    [org.root.as_str()].into_iter().chain(units).chain(org.accounts.iter().map(|account| account.id.as_str()))
}

/// The ids of the policies of a type that are attached to a target itself.
fn attached<'a>(org: &'a Org, kind: &str, target: &str) -> Vec<&'a str> {
    if !org.policies.enabled.contains(kind) {
        return Vec::new();
    }
    let full = FULL.iter().filter(|(.., of)| *of == kind).map(|(id, ..)| *id);
    let own = org.policies.own.iter().filter(|policy| policy.kind == kind && policy.targets.contains(target));
    full.chain(own.map(|policy| policy.id.as_str())).collect()
}

fn summary(org: &Org, id: &str) -> Option<Value> {
    let full = FULL.iter().find(|(full, ..)| *full == id);
    let (name, description, kind) = match full {
        Some((_, name, kind)) => (*name, "Allows access to every operation", *kind),
        None => org.policies.find(id).ok().map(|it| (it.name.as_str(), it.description.as_str(), it.kind))?,
    };
    Some(json!({
        "Id": id, "Arn": arn(org, id), "Name": name, "Description": description, "Type": kind,
        "AwsManaged": full.is_some(),
    }))
}

fn describe_one(org: &Org, id: &str) -> Result<Value, ApiError> {
    const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let summary = summary(org, id).ok_or_else(|| no_such_policy(id))?;
    let content = org.policies.find(id).map_or(EVERYTHING, |policy| policy.content.as_str());
    Ok(json!({ "Policy": { "PolicySummary": summary, "Content": content } }))
}

fn shown_target(org: &Org, id: &str) -> Value {
    let (name, kind) = match (org.unit(id), org.account(id)) {
        (Some(unit), _) => (unit.name.as_str(), "ORGANIZATIONAL_UNIT"),
        (None, Some(account)) => (account.name.as_str(), "ACCOUNT"),
        (None, None) => ("Root", "ROOT"),
    };
    json!({ "TargetId": id, "Arn": org.arn(id), "Name": name, "Type": kind })
}
