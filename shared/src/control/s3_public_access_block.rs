//! # s3-public-access-block
//!
//! **What it does.** Keeps Amazon S3's block of public access for all buckets of the account.
//!
//! **Why.** A bucket that is public by mistake is the leak that everybody has read about; this makes the mistake
//! impossible.
//!
//! **Desired state.** `block_public_acls`, `ignore_public_acls`, `block_public_policy` and `restrict_public_buckets`;
//! one that is left out is on.
//!
//! **By a policy of the organization.** Where an S3 policy governs the account, the settings are that policy's: Amazon S3 denies
//! every change inside the account. The account is compliant by the policy and nothing is written; where the policy says
//! otherwise than the section, the row says so, and what is to be changed is one of the two. An account whose settings differ
//! is asked for that policy before they count as drift.
//!
//! **Calls.** A compliant account costs one `GetPublicAccessBlock`, one that differs a `DescribeEffectivePolicy` more.
//!
//! **Source.** The settings of the account hold beside those of a bucket, and the stricter one wins (Amazon S3 user
//! guide, "Blocking public access to your Amazon S3 storage"). `PutPublicAccessBlock` replaces all four. What is read
//! is what is in force, settings of the organization included (Amazon S3 API reference, `GetPublicAccessBlock`). AWS
//! Organizations user guide, "Amazon S3 policies".

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Validate},
    error::Cause,
    gateway::{CallError, PublicAccessBlock},
    input::Problem,
};

/// The `s3-public-access-block` section of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "the API has these four")]
pub struct S3PublicAccessBlock {
    /// Whether new public ACLs are refused.
    pub block_public_acls: bool,
    /// Whether public ACLs have no effect.
    pub ignore_public_acls: bool,
    /// Whether new public bucket policies are refused.
    pub block_public_policy: bool,
    /// Whether buckets with a public policy serve their own account alone.
    pub restrict_public_buckets: bool,
}

impl Default for S3PublicAccessBlock {
    fn default() -> Self {
        Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

impl Validate for S3PublicAccessBlock {
    fn problems(&self, _path: &str) -> Vec<Problem> {
        // Any combination of the four is one that S3 takes.
        Vec::new()
    }
}

impl From<S3PublicAccessBlock> for PublicAccessBlock {
    fn from(block: S3PublicAccessBlock) -> Self {
        Self {
            block_public_acls: block.block_public_acls,
            ignore_public_acls: block.ignore_public_acls,
            block_public_policy: block.block_public_policy,
            restrict_public_buckets: block.restrict_public_buckets,
        }
    }
}

/// The one change: all four settings are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The settings as they will be.
    block: PublicAccessBlock,
    /// In what they differ now.
    differs: Vec<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set the account's block of public access to S3: {}", self.differs.join(", "))
    }
}

/// Who decides on the settings of the account, as far as that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decided {
    /// Whoever changes them in the account.
    InTheAccount,
    /// An S3 policy of the organization, which says this.
    ByPolicy(String),
    /// It may not be asked.
    NotKnown,
}

/// What there is. An account without settings has all four off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    block: PublicAccessBlock,
    decided: Decided,
}

/// The control `s3-public-access-block`.
#[derive(Clone, Copy, Debug)]
pub struct S3PublicAccessBlockControl;

impl Control for S3PublicAccessBlockControl {
    const ID: &'static str = "s3-public-access-block";
    const READS: &'static [&'static str] = &["organizations:DescribeEffectivePolicy", "s3:GetAccountPublicAccessBlock"];
    const OPTIONAL_READS: &'static [&'static str] = &["organizations:DescribeEffectivePolicy"];
    const WRITES: &'static [&'static str] = &["s3:PutAccountPublicAccessBlock"];
    type Scope = MemberScope;
    type Desired = S3PublicAccessBlock;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&S3PublicAccessBlock> {
        baseline.s3_public_access_block.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &S3PublicAccessBlock) -> Result<Actual, CallError> {
        let block = scope.s3control.find_public_access_block(&scope.account_id).await?.unwrap_or_default();
        let decided = match plan(*desired, block) {
            None => Decided::InTheAccount,
            Some(_) => decided(scope.effective_policies.find_s3_policy().await)?,
        };
        Ok(Actual { block, decided })
    }

    fn plan(&self, _scope: &MemberScope, desired: &S3PublicAccessBlock, actual: &Actual) -> Vec<Change> {
        match actual.decided {
            Decided::ByPolicy(_) => Vec::new(),
            Decided::InTheAccount | Decided::NotKnown => plan(*desired, actual.block).into_iter().collect(),
        }
    }

    fn notes(&self, desired: &S3PublicAccessBlock, actual: &Actual) -> Vec<String> {
        let otherwise = plan(*desired, actual.block).map(|change| change.differs.join(", ")).unwrap_or_default();
        match &actual.decided {
            Decided::ByPolicy(says) => vec![format!(
                "An S3 policy of the organization keeps the settings (public_access_block_configuration {says}), otherwise than \
                 the document: {otherwise}. They are changed in that policy, and never in the account."
            )],
            Decided::NotKnown => vec![
                "Whether an S3 policy of the organization keeps the settings is not known: \
                 organizations:DescribeEffectivePolicy was denied."
                    .to_owned(),
            ],
            Decided::InTheAccount => Vec::new(),
        }
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        scope.s3control.put_public_access_block(&scope.account_id, change.block).await
    }
}

/// Who decides, by what the organization's S3 policies come to for the account.
fn decided(policy: Result<Option<Value>, CallError>) -> Result<Decided, CallError> {
    let policy = match policy {
        Ok(policy) => policy.unwrap_or_default(),
        Err(error) if error.cause == Cause::AccessDenied => return Ok(Decided::NotKnown),
        Err(error) => return Err(error),
    };
    Ok(match &policy["s3_attributes"]["public_access_block_configuration"] {
        Value::Null => Decided::InTheAccount,
        Value::String(says) => Decided::ByPolicy(says.clone()),
        other => Decided::ByPolicy(other.to_string()),
    })
}

fn plan(desired: S3PublicAccessBlock, present: PublicAccessBlock) -> Option<Change> {
    let block = PublicAccessBlock::from(desired);
    let differs: Vec<_> = [
        ("block_public_acls", present.block_public_acls, block.block_public_acls),
        ("ignore_public_acls", present.ignore_public_acls, block.ignore_public_acls),
        ("block_public_policy", present.block_public_policy, block.block_public_policy),
        ("restrict_public_buckets", present.restrict_public_buckets, block.restrict_public_buckets),
    ]
    .into_iter()
    .filter(|(_, is, should)| is != should)
    .map(|(field, is, should)| format!("{field} {is} -> {should}"))
    .collect();
    (!differs.is_empty()).then_some(Change { block, differs })
}

#[cfg(test)]
mod tests;
