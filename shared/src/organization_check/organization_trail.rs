//! # organization-trail
//!
//! **What it does.** Checks whether a trail records every account and every region of the organization, with files that are
//! validated, and delivers. Where the document names one, it is made, put right and started.
//!
//! **Why.** Without a trail no call reaches EventBridge, and nobody hears of what people do. A trail of the organization
//! covers new accounts from their first call.
//!
//! **Desired state.** Nothing, or `name` and `bucket` of the trail, with `key_prefix` and `kms_key` where there are any.
//! The bucket and the key are made by whoever keeps the logs, with the policies that CloudTrail needs; Steward makes neither,
//! and stops or deletes no trail. A trail of the document is in us-east-1.
//!
//! **Calls.** A compliant organization costs one `DescribeTrails` and a `GetTrailStatus` for each trail of the organization.
//!
//! **Source.** AWS CloudTrail user guide, "Creating a trail for an organization": the management account makes it, with
//! trusted access for CloudTrail; "Amazon S3 bucket policy for CloudTrail". The first copy of management events is free.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrganizationScope, OrganizationSection};
use crate::{
    baseline::{Findings, Validate},
    control::Control,
    gateway::{CallError, Trail, TrailSettings, TrailStatus},
    ids::Region,
    input::Problem,
};

/// What AWS looks at inside `CreateTrail` of an organization, in the name of who calls.
pub(super) const IMPLIED: [&str; 4] = [
    "iam:CreateServiceLinkedRole",
    "iam:GetRole",
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
];

/// The section `organization-trail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationTrail {
    /// The trail's name: 3 to 128 letters, digits, and single `.`, `_` and `-` between them.
    pub name: String,
    /// The bucket that it delivers to, whose policy lets CloudTrail write.
    pub bucket: String,
    /// What the keys of its files begin with: 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// The ARN of the KMS key that encrypts its files, whose policy lets CloudTrail use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

impl OrganizationTrail {
    fn settings(&self) -> TrailSettings {
        let Self { name, bucket, key_prefix, kms_key } = self.clone();
        TrailSettings { name, bucket, key_prefix, kms_key }
    }
}

impl Validate for OrganizationTrail {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        let joins = |c: char| ".-_".contains(c);
        let is_plain = |text: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || joins(c))
                && !text.starts_with(joins)
                && !text.ends_with(joins)
                && !text.as_bytes().windows(2).any(|pair| pair.iter().all(|byte| joins(char::from(*byte))))
        };
        findings.expect(
            "name",
            (3..=128).contains(&self.name.len()) && is_plain(&self.name),
            "must be 3 to 128 letters, digits, and single . _ - between them",
        );
        let is_bucket = (3..=63).contains(&self.bucket.len())
            && self.bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
        findings.expect(
            "bucket",
            is_bucket,
            "must be the name of a bucket: 3 to 63 lower-case letters, digits, . and -",
        );
        findings.optional_length("key_prefix", self.key_prefix.as_deref(), 1..=200);
        let is_key = |key: &str| key.starts_with("arn:") && key.contains(":kms:") && key.contains(":key/");
        findings.expect(
            "kms_key",
            self.kms_key.as_deref().is_none_or(is_key),
            "must be the ARN of a KMS key (arn:aws:kms:us-east-1:111111111111:key/...): an alias can come to mean another key",
        );
        findings.into_problems()
    }
}

/// A trail of the organization, and whether it delivers.
type Seen = (Trail, TrailStatus);

/// The trails that matter: those of the organization, and the one that the document names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual(Vec<Seen>);

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes the trail.
    Create(TrailSettings),
    /// Sets of it what differs, in these words.
    Update(TrailSettings, Vec<String>),
    /// Lets it record.
    Start(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(settings) => {
                write!(
                    f,
                    "make the trail {} of all accounts and regions, validated, to {}",
                    settings.name,
                    to(settings)
                )
            }
            Self::Update(settings, differences) => {
                write!(f, "change the trail {}: {}", settings.name, differences.join(", "))
            }
            Self::Start(name) => write!(f, "let the trail {name} record"),
        }
    }
}

/// Where a trail delivers to.
fn to(settings: &TrailSettings) -> String {
    let prefix = settings.key_prefix.as_deref().map(|prefix| format!("/{prefix}")).unwrap_or_default();
    let key = settings.kms_key.as_deref().map(|key| format!(", encrypted with {key}")).unwrap_or_default();
    format!("s3://{}{prefix}{key}", settings.bucket)
}

/// What keeps a trail from recording everything, in words.
fn shortcomings((trail, status): &Seen) -> Vec<String> {
    let lacks = [
        (!trail.is_of_organization).then(|| "is not of the whole organization".to_owned()),
        (!trail.is_multi_region).then(|| "records one region alone".to_owned()),
        (!trail.is_validated).then(|| "has no validation of its files".to_owned()),
        (!status.is_logging).then(|| "does not record".to_owned()),
        undelivered(status),
    ];
    lacks.into_iter().flatten().collect()
}

fn undelivered(status: &TrailStatus) -> Option<String> {
    status.delivery_error.as_ref().map(|error| format!("could not deliver ({error})"))
}

fn is_changeable(trail: &Trail) -> bool {
    trail.home_region == Region::us_east_1().as_str()
}

/// The check `organization-trail`.
#[derive(Clone, Copy, Debug)]
pub struct OrganizationTrailCheck;

impl Control<OrganizationSection> for OrganizationTrailCheck {
    const ID: &'static str = "organization-trail";
    const READS: &'static [&'static str] = &["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"];
    const WRITES: &'static [&'static str] =
        &["cloudtrail:CreateTrail", "cloudtrail:StartLogging", "cloudtrail:UpdateTrail"];
    type Scope = OrganizationScope;
    type Desired = Option<OrganizationTrail>;
    type Actual = Actual;
    type Change = Change;

    fn desired(section: &OrganizationSection) -> Option<&Option<OrganizationTrail>> {
        Some(&section.organization_trail)
    }

    async fn inspect(
        &self,
        scope: &OrganizationScope,
        desired: &Option<OrganizationTrail>,
    ) -> Result<Actual, CallError> {
        let mut seen = Vec::new();
        for trail in scope.read.cloudtrail.list_trails().await? {
            let is_named = desired.as_ref().is_some_and(|desired| desired.name == trail.settings.name);
            if is_named || trail.is_of_organization {
                let status = scope.read.cloudtrail.trail_status(&trail.arn).await?;
                seen.push((trail, status));
            }
        }
        Ok(Actual(seen))
    }

    fn plan(&self, _: &OrganizationScope, desired: &Option<OrganizationTrail>, actual: &Actual) -> Vec<Change> {
        let Some(desired) = desired else { return Vec::new() };
        let settings = desired.settings();
        let Some((trail, status)) = actual.named(&desired.name) else {
            return vec![Change::Create(settings), Change::Start(desired.name.clone())];
        };
        if !is_changeable(trail) {
            return Vec::new();
        }
        let mut differences: Vec<_> = [
            (!trail.is_of_organization).then_some("of the whole organization"),
            (!trail.is_multi_region).then_some("of all regions"),
            (!trail.is_validated).then_some("files validated"),
        ]
        .into_iter()
        .flatten()
        .map(ToOwned::to_owned)
        .collect();
        if trail.settings != settings {
            differences.push(format!("{} -> {}", to(&trail.settings), to(&settings)));
        }
        let update = (!differences.is_empty()).then_some(Change::Update(settings, differences));
        let start = (!status.is_logging).then(|| Change::Start(desired.name.clone()));
        update.into_iter().chain(start).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        let cloudtrail = &scope.write.cloudtrail;
        match change {
            Change::Create(settings) => cloudtrail.create_organization_trail(settings).await,
            Change::Update(settings, _) => cloudtrail.update_organization_trail(settings).await,
            Change::Start(name) => cloudtrail.start_logging(name).await,
        }
    }

    fn notes(&self, desired: &Option<OrganizationTrail>, actual: &Actual) -> Vec<String> {
        let waits = |(trail, status): &&Seen| {
            status.is_logging && !status.has_delivered && status.delivery_error.is_none() && trail.is_of_organization
        };
        let is_meant = |(trail, _): &&Seen| desired.as_ref().is_none_or(|desired| desired.name == trail.settings.name);
        let waiting = actual.0.iter().filter(is_meant).filter(waits);
        waiting.map(|(trail, _)| format!("The trail {} has delivered nothing yet.", trail.settings.name)).collect()
    }

    fn by_hand(&self, desired: &Option<OrganizationTrail>, actual: &Actual) -> Vec<String> {
        match desired {
            Some(desired) => actual.named(&desired.name).map(left_of_named).unwrap_or_default(),
            None if actual.0.iter().any(|seen| shortcomings(seen).is_empty()) => Vec::new(),
            None => left_without_name(actual),
        }
    }
}

impl Actual {
    /// The trail of this name; one of us-east-1 before others.
    fn named(&self, name: &str) -> Option<&Seen> {
        let mut named = self.0.iter().filter(|(trail, _)| trail.settings.name == name);
        named.clone().find(|(trail, _)| is_changeable(trail)).or_else(|| named.next())
    }
}

/// What a person has to do about the trail that the document names.
fn left_of_named(seen: &Seen) -> Vec<String> {
    let (trail, status) = seen;
    let name = &trail.settings.name;
    if !is_changeable(trail) {
        let lacks = shortcomings(seen);
        let lacks = if lacks.is_empty() { String::new() } else { format!(" and {}", lacks.join(", ")) };
        return vec![format!(
            "the trail {name} is at home in {}{lacks}: name another one in the document, or change it there",
            trail.home_region
        )];
    }
    let undelivered = undelivered(status).map(|error| {
        format!("the trail {name} {error}: correct the policies of the bucket {} and its key", trail.settings.bucket)
    });
    undelivered.into_iter().collect()
}

/// What a person has to do where the document names no trail, and none records everything.
fn left_without_name(actual: &Actual) -> Vec<String> {
    const REMEDY: &str = "name `organization-trail` in the document, with its bucket, or make a trail of the organization at \
                          https://us-east-1.console.aws.amazon.com/cloudtrailv2/home?region=us-east-1#/trails";
    if actual.0.is_empty() {
        return vec![format!("no trail records the whole organization: {REMEDY}")];
    }
    let words = |seen: &Seen| format!("the trail {} {}: {REMEDY}", seen.0.settings.name, shortcomings(seen).join(", "));
    actual.0.iter().map(words).collect()
}

#[cfg(test)]
mod tests;
