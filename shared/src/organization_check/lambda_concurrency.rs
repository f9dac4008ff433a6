//! # lambda-concurrency
//!
//! **What it does.** Checks whether the management account may run enough functions at once. It changes nothing.
//!
//! **Why.** New accounts begin with room for 10. A sweep, the queues and requests by hand then hold each other up, and what
//! comes as an event comes late.
//!
//! **Desired state.** `minimum`: 50 where the document says nothing.
//!
//! **Calls.** One `GetAccountSettings`.
//!
//! **Source.** AWS Lambda developer guide, "Lambda quotas": 1,000 concurrent executions by default, and less in new accounts.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    baseline::{Findings, Validate},
    control::Control,
    gateway::CallError,
    input::Problem,
};

/// The section `lambda-concurrency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LambdaConcurrency {
    /// How many invocations at once there must be room for in us-east-1, beside those that functions have reserved.
    #[schemars(range(min = 10, max = 10_000))]
    pub minimum: i32,
}

impl Default for LambdaConcurrency {
    fn default() -> Self {
        Self { minimum: 50 }
    }
}

impl Validate for LambdaConcurrency {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.range("minimum", self.minimum, 10..=10_000);
        findings.into_problems()
    }
}

/// The check `lambda-concurrency`.
#[derive(Clone, Copy, Debug)]
pub struct LambdaConcurrencyCheck;

impl Control<OrganizationSection> for LambdaConcurrencyCheck {
    const ID: &'static str = "lambda-concurrency";
    const READS: &'static [&'static str] = &["lambda:GetAccountSettings"];
    const WRITES: &'static [&'static str] = &[];
    type Scope = OrganizationScope;
    type Desired = LambdaConcurrency;
    type Actual = i32;
    /// There is none.
    type Change = Infallible;

    fn desired(section: &OrganizationSection) -> Option<&LambdaConcurrency> {
        Some(&section.lambda_concurrency)
    }

    async fn inspect(&self, scope: &OrganizationScope, _desired: &LambdaConcurrency) -> Result<i32, CallError> {
        scope.read.lambda.unreserved_concurrency().await
    }

    fn plan(&self, _: &OrganizationScope, _desired: &LambdaConcurrency, _actual: &i32) -> Vec<Infallible> {
        Vec::new()
    }

    async fn apply(&self, _: &OrganizationScope, change: &Infallible) -> Result<(), CallError> {
        match *change {}
    }

    fn by_hand(&self, desired: &LambdaConcurrency, actual: &i32) -> Vec<String> {
        let too_few = (*actual < desired.minimum).then(|| {
            format!(
                "functions of this account may run {actual} times at once in us-east-1, and must have room for {}: ask for \
                 more at https://us-east-1.console.aws.amazon.com/servicequotas/home/services/lambda/quotas/L-B99A9384",
                desired.minimum
            )
        });
        too_few.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
