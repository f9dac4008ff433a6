//! A bucket or a queue whose policy is at stake, and the door to it.

use std::time::Duration;

use steward::{
    gateway::{CallError, S3Gateway, SqsGateway, TaskPolicy},
    ids::{AccountId, Region},
    runtime::start::SdkConfig,
    session::{Admission, Protected, Sessions},
};

use crate::{root_task::BackupKey, shown::MINUTE};

/// A bucket or a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Bucket { name: String, region: Region },
    Queue { url: String, account: AccountId, name: String, region: Region },
}

impl Resource {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bucket { .. } => "bucket",
            Self::Queue { .. } => "queue",
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Bucket { name, .. } | Self::Queue { name, .. } => name,
        }
    }

    pub(crate) fn region(&self) -> &Region {
        match self {
            Self::Bucket { region, .. } | Self::Queue { region, .. } => region,
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Bucket { name, .. } => format!("arn:aws:s3:::{name}"),
            Self::Queue { account, name, region, .. } => format!("arn:aws:sqs:{region}:{account}:{name}"),
        }
    }

    /// How long AWS may take to show everywhere what was changed of its policy: Amazon SQS up to a minute, Amazon S3 seconds.
    pub(crate) fn shows_within(&self) -> Duration {
        match self {
            Self::Bucket { .. } => Duration::from_secs(10),
            Self::Queue { .. } => MINUTE,
        }
    }

    /// Whether a backup is of this resource.
    pub(crate) fn is_of(&self, backup: &BackupKey) -> bool {
        (backup.kind.as_str(), backup.name.as_str(), &backup.region) == (self.kind(), self.name(), self.region())
    }

    /// Why it may not be touched in this account; None when it may.
    pub(crate) fn ineligibility(&self, in_account: &AccountId, protected: &Protected) -> Option<String> {
        match self {
            Self::Bucket { name, .. } => protected.bucket(name),
            Self::Queue { account, .. } if account != in_account => {
                Some(format!("The queue belongs to account {account}, not to {in_account}."))
            }
            Self::Queue { .. } => protected.queue(&self.arn()),
        }
    }

    fn task(&self) -> TaskPolicy {
        match self {
            Self::Bucket { .. } => TaskPolicy::UnlockBucketPolicy,
            Self::Queue { .. } => TaskPolicy::UnlockQueuePolicy,
        }
    }

    /// Opens a root session for its policy. AWS has one task policy for looking and for changing, and whoever is not the
    /// root user is locked out of both: so what only looks gets a [`ResourceReader`], which can do nothing else.
    pub(crate) async fn view(&self, sessions: &Sessions, account: &Admission) -> Result<ResourceReader, CallError> {
        let session = sessions.assume_root(account, self.task()).await?;
        Ok(ResourceReader(ResourceGateway::of(self, &Sessions::in_region(&session, self.region()))))
    }

    /// Opens a root session that may change its policy.
    pub(crate) async fn open(&self, sessions: &Sessions, account: &Admission) -> Result<ResourceEditor, CallError> {
        self.view(sessions, account).await.map(ResourceEditor)
    }
}

/// Sees the policy of one resource.
pub(crate) struct ResourceReader(ResourceGateway);

/// Sees and changes the policy of one resource.
pub(crate) struct ResourceEditor(pub(crate) ResourceReader);

enum ResourceGateway {
    Bucket(S3Gateway),
    Queue(SqsGateway),
}

impl ResourceGateway {
    fn of(resource: &Resource, session: &SdkConfig) -> Self {
        match resource {
            Resource::Bucket { name, .. } => Self::Bucket(S3Gateway::of(session, name)),
            Resource::Queue { url, .. } => Self::Queue(SqsGateway::of(session, url)),
        }
    }
}

impl ResourceReader {
    /// The policy as it stands; None when there is none.
    pub(crate) async fn policy(&self) -> Result<Option<String>, CallError> {
        match &self.0 {
            ResourceGateway::Bucket(bucket) => bucket.find_policy().await,
            ResourceGateway::Queue(queue) => queue.find_policy().await,
        }
    }
}

impl ResourceEditor {
    /// Takes the policy away.
    pub(crate) async fn remove(&self) -> Result<(), CallError> {
        match &self.0.0 {
            ResourceGateway::Bucket(bucket) => bucket.delete_policy().await,
            ResourceGateway::Queue(queue) => queue.set_policy(None).await,
        }
    }

    /// Puts a policy there.
    pub(crate) async fn put(&self, policy: &str) -> Result<(), CallError> {
        match &self.0.0 {
            ResourceGateway::Bucket(bucket) => bucket.put_policy(policy).await,
            ResourceGateway::Queue(queue) => queue.set_policy(Some(policy)).await,
        }
    }
}
