//! Organization checks: what is true once, for the organization as a whole, and not account by account.
//!
//! A check has the shape of a [control](crate::control) and goes through the same steps: inspect, plan, apply, inspect
//! again. Its document is the [`OrganizationSection`] of the baseline document, and it works in the management account.
//! Some checks need no section: without what they look for, Steward cannot do its work anywhere.

pub mod billing_alerts;
pub mod delegated_administrators;
pub mod lambda_concurrency;
mod manual_step;
pub mod organization_policies;
pub mod organization_trail;
mod registry;
pub mod root_features;
mod scope;
mod section;
pub mod service_quota_template;
#[cfg(test)]
pub(crate) mod testing;
mod trusted_access;

use std::{future::Future, pin::Pin};

use serde::Serialize;

pub use manual_step::{ManualStep, manual_steps};
pub use organization_policies::OwnCalls;
pub use registry::{ALL, find};
pub use scope::{OrganizationGateways, OrganizationScope};
pub use section::OrganizationSection;
pub use trusted_access::{TrustedAccessCheck, TrustedService};

use crate::control::{Control, Mode, Outcome, converge};

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckRow {
    /// The check.
    pub control: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What a person should know beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The face that every check shows to the registry.
pub trait AnyCheck: Send + Sync {
    /// Its name.
    fn id(&self) -> &'static str;
    /// The IAM actions of its reads.
    fn reads(&self) -> &'static [&'static str];
    /// The IAM actions of its changes.
    fn writes(&self) -> &'static [&'static str];
    /// Runs it once.
    fn run<'a>(
        &'a self,
        scope: &'a OrganizationScope,
        section: &'a OrganizationSection,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = CheckRow> + Send + 'a>>;
}

impl<C: Control<OrganizationSection, Scope = OrganizationScope>> AnyCheck for C {
    fn id(&self) -> &'static str {
        C::ID
    }

    fn reads(&self) -> &'static [&'static str] {
        C::READS
    }

    fn writes(&self) -> &'static [&'static str] {
        C::WRITES
    }

    fn run<'a>(
        &'a self,
        scope: &'a OrganizationScope,
        section: &'a OrganizationSection,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = CheckRow> + Send + 'a>> {
        Box::pin(async move {
            let (outcome, notes) = match C::desired(section) {
                Some(desired) => converge(self, scope, desired, mode).await,
                None => (Outcome::Skipped { why: "the document does not ask for it".to_owned() }, Vec::new()),
            };
            CheckRow { control: C::ID, outcome, notes }
        })
    }
}

/// Runs these checks one after the other: a later one may need what an earlier one has enabled. What happens to one does
/// not stop another.
pub async fn run(
    checks: &[&'static dyn AnyCheck],
    scope: &OrganizationScope,
    section: &OrganizationSection,
    mode: Mode,
) -> Vec<CheckRow> {
    let mut rows = Vec::with_capacity(checks.len());
    for check in checks {
        rows.push(check.run(scope, section, mode).await);
    }
    rows
}

/// The IAM actions that these checks need in a session in which they change something. What AWS looks at inside a call is
/// among them: a session bounds that as well.
pub fn actions_to_apply(checks: &[&'static dyn AnyCheck]) -> Vec<&'static str> {
    let mut actions: Vec<_> = checks.iter().flat_map(|check| check.writes()).copied().collect();
    if actions.contains(&"cloudtrail:CreateTrail") {
        actions.extend(organization_trail::IMPLIED);
    }
    actions.sort_unstable();
    actions.dedup();
    actions
}
