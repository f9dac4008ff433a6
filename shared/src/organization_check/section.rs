//! What the document says of the organization as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    delegated_administrators::DelegatedAdministrator,
    lambda_concurrency::LambdaConcurrency,
    organization_policies::{self, OrganizationPolicy},
    organization_trail::OrganizationTrail,
    service_quota_template::{self, WantedQuota},
};
use crate::{
    baseline::Validate,
    input::{Problem, inner},
};

/// What the organization must have, once. A check without a section looks at what Steward needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSection {
    /// The trail of the organization. Without it, any trail that records every account and region will do, and none is
    /// made.
    #[serde(rename = "organization-trail", default, skip_serializing_if = "Option::is_none")]
    pub organization_trail: Option<OrganizationTrail>,
    /// The accounts that administer a service for the organization.
    #[serde(rename = "delegated-administrators", default, skip_serializing_if = "Vec::is_empty")]
    pub delegated_administrators: Vec<DelegatedAdministrator>,
    /// The policies of the organization that are kept as files beside the document have them: at most 40.
    #[serde(rename = "organization-policies", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub organization_policies: Vec<OrganizationPolicy>,
    /// The quotas that AWS asks for in each account that is created: at most ten.
    #[serde(rename = "service-quota-template", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub service_quota_template: Vec<WantedQuota>,
    /// How many invocations of functions the management account must have room for.
    #[serde(rename = "lambda-concurrency", default)]
    pub lambda_concurrency: LambdaConcurrency,
}

impl OrganizationSection {
    /// Whether the document says nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Validate for OrganizationSection {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(trail) = &self.organization_trail {
            problems.extend(trail.problems(&inner(path, "organization-trail")));
        }
        problems.extend(self.lambda_concurrency.problems(&inner(path, "lambda-concurrency")));
        let path_of_policies = inner(path, "organization-policies");
        problems.extend(organization_policies::problems(&self.organization_policies, &path_of_policies));
        let path_of_quotas = inner(path, "service-quota-template");
        problems.extend(service_quota_template::problems(&self.service_quota_template, &path_of_quotas));
        let mut seen: Vec<&DelegatedAdministrator> = Vec::new();
        for (position, entry) in self.delegated_administrators.iter().enumerate() {
            if seen.contains(&entry) {
                let path = inner(path, &format!("delegated-administrators[{position}]"));
                problems.push(Problem::new(path, "is in the list twice"));
            }
            seen.push(entry);
        }
        problems
    }
}
