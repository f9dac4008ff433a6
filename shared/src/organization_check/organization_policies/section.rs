//! What the document says of the policies of the organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{Findings, Validate},
    gateway::PolicyKind,
    input::{Problem, inner},
    unit_reference::PolicyTarget,
};

/// The most policies of a document: so many are looked at within the time that a look at the organization has.
const MOST: usize = 40;
/// What the name of a policy on trial ends with.
const TRIAL: &str = "-test";
/// Where the files are, beside the document.
const FOLDER: &str = "policies/";
/// The policies that AWS attaches everywhere, so that something is allowed at all.
const OF_AWS: [&str; 2] = ["FullAWSAccess", "RCPFullAWSAccess"];
/// What the names of the policies of AWS Control Tower begin with.
const OF_CONTROL_TOWER: &str = "aws-guardrails-";

/// One entry of the section `organization-policies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPolicy {
    /// The policy's name: 1 to 123 characters.
    pub name: String,
    /// Its type, by the name that AWS has for it.
    #[serde(rename = "type")]
    pub kind: PolicyKind,
    /// The file that says what it says: a JSON file in the folder `policies` beside the document.
    pub file: String,
    /// What it is for: at most 512 characters. It is said when the policy is made, and not changed later.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The units and accounts that it is attached to.
    #[schemars(length(min = 1))]
    pub targets: Vec<PolicyTarget>,
    /// The unit or account on which it is tried out. While it is named, what the file says goes there alone, as the policy
    /// `<name>-test`; the policy itself and its targets stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_target: Option<PolicyTarget>,
}

impl OrganizationPolicy {
    /// The name of the policy that is kept now.
    pub(super) fn kept_name(&self) -> String {
        if self.test_target.is_some() { self.trial_name() } else { self.name.clone() }
    }

    /// The name that it has on trial.
    pub(super) fn trial_name(&self) -> String {
        format!("{}{TRIAL}", self.name)
    }

    /// What the policy that is kept now is attached to.
    pub(super) fn kept_targets(&self) -> &[PolicyTarget] {
        self.test_target.as_ref().map_or(&self.targets, std::slice::from_ref)
    }

    /// Where its file is in the bucket of the document.
    pub(super) fn key(&self) -> String {
        format!("{FOLDER}{}", self.file)
    }
}

impl Validate for OrganizationPolicy {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.length("name", &self.name, 1..=128 - TRIAL.len());
        findings.expect(
            "name",
            !OF_AWS.contains(&self.name.as_str()) && !self.name.starts_with(OF_CONTROL_TOWER),
            "must be a policy of your own: AWS and AWS Control Tower keep theirs",
        );
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let parts_are_named = self.file.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        findings.expect(
            "file",
            self.file.len() <= 200 && self.file.strip_suffix(".json").is_some() && self.file.bytes().all(is_plain) && parts_are_named,
            "must be the name of a JSON file in the folder policies, such as protect-trail.json: letters, digits and . _ - /",
        );
        findings.length("description", &self.description, 0..=512);
        findings.expect("targets", !self.targets.is_empty(), "must be at least one unit or account");
        findings.distinct("targets", self.targets.iter().map(ToString::to_string));
        findings.into_problems()
    }
}

/// The problems of the whole section, which stands at this path.
pub fn problems(policies: &[OrganizationPolicy], path: &str) -> Vec<Problem> {
    let entries = policies.iter().enumerate();
    let mut problems: Vec<_> =
        entries.clone().flat_map(|(position, entry)| entry.problems(&format!("{path}[{position}]"))).collect();
    if policies.len() > MOST {
        problems.push(Problem::new(path, format!("must be at most {MOST} policies")));
    }
    for (position, entry) in entries {
        let earlier = policies.get(..position).unwrap_or_default();
        let is_same = |other: &&OrganizationPolicy| {
            other.kind == entry.kind
                && [&other.name, &other.trial_name()]
                    .iter()
                    .any(|name| [&entry.name, &entry.trial_name()].contains(name))
        };
        if let Some(other) = earlier.iter().find(is_same) {
            let problem = format!("must be another name than {} and its trial have: they are of one type", other.name);
            problems.push(Problem::new(inner(&format!("{path}[{position}]"), "name"), problem));
        }
    }
    problems
}
