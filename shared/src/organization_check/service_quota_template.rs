//! # service-quota-template
//!
//! **What it does.** Keeps the template of quotas that AWS asks for in each account that is created in the organization. Entries
//! that the document does not name stay.
//!
//! **Why.** New accounts begin with less than old ones, such as room for 10 Lambda functions at once, and whoever finds that out waits for
//! days.
//!
//! **Desired state.** Up to ten `{service, quota, region, value}`, by the codes of Service Quotas. It counts for accounts that
//! are created from then on, and not for those that are invited.
//!
//! **Calls.** A compliant organization costs one `GetAssociationForServiceQuotaTemplate` and one page of
//! `ListServiceQuotaIncreaseRequestsInTemplate`.
//!
//! **Source.** Service Quotas user guide, "Using Service Quotas request templates": in us-east-1, in an organization with all
//! features and trusted access for Service Quotas.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    baseline::{Findings, Validate},
    control::Control,
    error::Cause,
    gateway::{CallError, TemplateQuota},
    ids::Region,
    input::Problem,
};

/// How many entries a template has at most.
const MOST: usize = 10;

/// One entry of the section `service-quota-template`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedQuota {
    /// The code of the service, such as `lambda`: a letter, then letters, digits and hyphens.
    pub service: String,
    /// The code of the quota, such as `L-B99A9384`: a letter, then letters, digits and hyphens.
    pub quota: String,
    /// The region that it is asked for in; us-east-1 for quotas that are global.
    pub region: Region,
    /// What is asked for: 1 to 10,000,000,000.
    #[schemars(range(min = 1, max = 10_000_000_000_u64))]
    pub value: u64,
}

impl WantedQuota {
    #[expect(clippy::cast_precision_loss, reason = "the largest value is far below 2^53")]
    fn entry(&self) -> TemplateQuota {
        TemplateQuota {
            service: self.service.clone(),
            quota: self.quota.clone(),
            region: self.region.to_string(),
            value: self.value as f64,
        }
    }

    fn is_for_the_same_as(&self, entry: &TemplateQuota) -> bool {
        (&self.service, &self.quota, self.region.as_str()) == (&entry.service, &entry.quota, entry.region.as_str())
    }
}

impl Validate for WantedQuota {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        for (field, code, most) in [("service", &self.service, 63), ("quota", &self.quota, 128)] {
            let is_plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let fits =
                is_plain && (2..=most).contains(&code.len()) && code.starts_with(|c: char| c.is_ascii_alphabetic());
            findings.expect(
                field,
                fits,
                "must be a code of Service Quotas: a letter, then letters, digits and hyphens",
            );
        }
        findings.expect("value", (1..=10_000_000_000).contains(&self.value), "must be 1 to 10,000,000,000");
        findings.into_problems()
    }
}

/// The problems of the whole section, which stands at this path.
pub fn problems(quotas: &[WantedQuota], path: &str) -> Vec<Problem> {
    let mut problems: Vec<_> =
        quotas.iter().enumerate().flat_map(|(n, quota)| quota.problems(&format!("{path}[{n}]"))).collect();
    if quotas.len() > MOST {
        problems.push(Problem::new(path, format!("must be at most {MOST} quotas")));
    }
    for (n, quota) in quotas.iter().enumerate() {
        if quotas.iter().take(n).any(|earlier| earlier.is_for_the_same_as(&quota.entry())) {
            problems.push(Problem::new(format!("{path}[{n}]"), "is for the same quota and region as another one"));
        }
    }
    problems
}

/// The template.
#[derive(Clone, Debug, PartialEq)]
pub enum Actual {
    /// Service Quotas may not look into the organization.
    NotTrusted,
    /// What it says, and whether it counts.
    There(Vec<TemplateQuota>, bool),
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Puts an entry in the place of another, if there is one.
    Put(TemplateQuota, Option<f64>),
    /// Lets the template count.
    Associate,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(TemplateQuota { service, quota, region, value }, before) => {
                write!(f, "ask for {value} of {quota} ({service}) in {region} for each new account")?;
                before.map_or(Ok(()), |before| write!(f, ", and not for {before}"))
            }
            Self::Associate => f.write_str("let the template of quotas count for new accounts"),
        }
    }
}

/// The check `service-quota-template`.
#[derive(Clone, Copy, Debug)]
pub struct ServiceQuotaTemplateCheck;

impl Control<OrganizationSection> for ServiceQuotaTemplateCheck {
    const ID: &'static str = "service-quota-template";
    const READS: &'static [&'static str] = &[
        "servicequotas:GetAssociationForServiceQuotaTemplate",
        "servicequotas:ListServiceQuotaIncreaseRequestsInTemplate",
    ];
    const WRITES: &'static [&'static str] =
        &["servicequotas:AssociateServiceQuotaTemplate", "servicequotas:PutServiceQuotaIncreaseRequestIntoTemplate"];
    type Scope = OrganizationScope;
    type Desired = Vec<WantedQuota>;
    type Actual = Actual;
    type Change = Change;

    fn desired(section: &OrganizationSection) -> Option<&Vec<WantedQuota>> {
        (!section.service_quota_template.is_empty()).then_some(&section.service_quota_template)
    }

    async fn inspect(&self, scope: &OrganizationScope, _desired: &Vec<WantedQuota>) -> Result<Actual, CallError> {
        let quotas = &scope.read.service_quotas;
        match quotas.is_template_associated().await {
            Ok(counts) => Ok(Actual::There(quotas.list_template().await?, counts)),
            Err(error) if error.cause == Cause::TrustedAccessMissing => Ok(Actual::NotTrusted),
            Err(error) => Err(error),
        }
    }

    fn plan(&self, _: &OrganizationScope, desired: &Vec<WantedQuota>, actual: &Actual) -> Vec<Change> {
        let Actual::There(present, counts) = actual else { return Vec::new() };
        let put = desired.iter().filter_map(|wanted| {
            let entry = wanted.entry();
            let before = present.iter().find(|present| wanted.is_for_the_same_as(present));
            (before != Some(&entry)).then(|| Change::Put(entry, before.map(|before| before.value)))
        });
        put.chain((!counts).then_some(Change::Associate)).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        match change {
            Change::Put(entry, _) => scope.write.service_quotas.put_into_template(entry).await,
            Change::Associate => scope.write.service_quotas.associate_template().await,
        }
    }

    fn by_hand(&self, _desired: &Vec<WantedQuota>, actual: &Actual) -> Vec<String> {
        let remedy = "Service Quotas has no trusted access: enable it at \
                      https://console.aws.amazon.com/organizations/v2/home/services/Service%20Quotas, or with aws organizations \
                      enable-aws-service-access --service-principal servicequotas.amazonaws.com";
        (*actual == Actual::NotTrusted).then(|| remedy.to_owned()).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
