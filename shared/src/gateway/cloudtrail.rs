//! AWS CloudTrail: trails, and whether they deliver.

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::Client;

use super::CallError;
use crate::error::Cause;

/// What Steward sets of a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailSettings {
    /// Its name, unique in account and region.
    pub name: String,
    /// The bucket that it delivers to.
    pub bucket: String,
    /// What the keys of its files begin with.
    pub key_prefix: Option<String>,
    /// The KMS key that encrypts them, by ARN.
    pub kms_key: Option<String>,
}

/// A trail as the account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Its name and destination.
    pub settings: TrailSettings,
    /// Its ARN.
    pub arn: String,
    /// The region in which it can be changed.
    pub home_region: String,
    /// Whether it records every account of the organization.
    pub is_of_organization: bool,
    /// Whether it records every region.
    pub is_multi_region: bool,
    /// Whether changed or deleted files can be found out.
    pub is_validated: bool,
}

/// Whether a trail delivers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStatus {
    /// Whether it records.
    pub is_logging: bool,
    /// Why its last delivery failed, in S3's words; None when it did not.
    pub delivery_error: Option<String>,
    /// Whether it has delivered anything yet.
    pub has_delivered: bool,
}

/// The door to AWS CloudTrail.
#[derive(Clone, Debug)]
pub struct CloudTrailGateway(Client);

impl CloudTrailGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// Every trail of the account that reaches this region, wherever its home is.
    pub async fn list_trails(&self) -> Result<Vec<Trail>, CallError> {
        const OPERATION: &str = "cloudtrail:DescribeTrails";
        let answer = self.0.describe_trails().include_shadow_trails(true).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let missing =
            |member: &str| CallError::unusable(OPERATION, Cause::CallFailed, format!("an answer without {member}"));
        let trails = answer.trail_list().iter().map(|trail| {
            Ok(Trail {
                settings: TrailSettings {
                    name: trail.name().ok_or_else(|| missing("Name"))?.to_owned(),
                    bucket: trail.s3_bucket_name().unwrap_or_default().to_owned(),
                    key_prefix: trail.s3_key_prefix().filter(|prefix| !prefix.is_empty()).map(ToOwned::to_owned),
                    kms_key: trail.kms_key_id().filter(|key| !key.is_empty()).map(ToOwned::to_owned),
                },
                arn: trail.trail_arn().ok_or_else(|| missing("TrailARN"))?.to_owned(),
                home_region: trail.home_region().unwrap_or_default().to_owned(),
                is_of_organization: trail.is_organization_trail().unwrap_or_default(),
                is_multi_region: trail.is_multi_region_trail().unwrap_or_default(),
                is_validated: trail.log_file_validation_enabled().unwrap_or_default(),
            })
        });
        trails.collect()
    }

    /// Whether the trail of this ARN delivers.
    pub async fn trail_status(&self, arn: &str) -> Result<TrailStatus, CallError> {
        let answer = self.0.get_trail_status().name(arn).send().await;
        let answer = answer.map_err(|error| CallError::of("cloudtrail:GetTrailStatus", error))?;
        Ok(TrailStatus {
            is_logging: answer.is_logging().unwrap_or_default(),
            delivery_error: answer.latest_delivery_error().filter(|error| !error.is_empty()).map(ToOwned::to_owned),
            has_delivered: answer.latest_delivery_time().is_some(),
        })
    }

    /// Makes a trail of the whole organization and all regions, whose files are validated. It does not record yet.
    pub async fn create_organization_trail(&self, settings: &TrailSettings) -> Result<(), CallError> {
        let call = self.0.create_trail().name(&settings.name).s3_bucket_name(&settings.bucket);
        let call = call.set_s3_key_prefix(settings.key_prefix.clone()).set_kms_key_id(settings.kms_key.clone());
        let call = call.is_organization_trail(true).is_multi_region_trail(true).enable_log_file_validation(true);
        let answer = call.include_global_service_events(true).send().await;
        answer.map(drop).map_err(|error| CallError::of("cloudtrail:CreateTrail", error))
    }

    /// Makes a trail of this region one of the whole organization and all regions, with this destination; what else is
    /// set of it stays.
    pub async fn update_organization_trail(&self, settings: &TrailSettings) -> Result<(), CallError> {
        let call = self.0.update_trail().name(&settings.name).s3_bucket_name(&settings.bucket);
        // An empty text takes a prefix or a key away, where leaving it out would keep it.
        let call = call.s3_key_prefix(settings.key_prefix.as_deref().unwrap_or_default());
        let call = call.kms_key_id(settings.kms_key.as_deref().unwrap_or_default());
        let call = call.is_organization_trail(true).is_multi_region_trail(true).enable_log_file_validation(true);
        let answer = call.include_global_service_events(true).send().await;
        answer.map(drop).map_err(|error| CallError::of("cloudtrail:UpdateTrail", error))
    }

    /// Lets a trail of this region record.
    pub async fn start_logging(&self, name: &str) -> Result<(), CallError> {
        let answer = self.0.start_logging().name(name).send().await;
        answer.map(drop).map_err(|error| CallError::of("cloudtrail:StartLogging", error))
    }
}
