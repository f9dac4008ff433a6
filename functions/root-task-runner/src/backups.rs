//! Backups of policies. What is restored is what was backed up, whoever has written over the object since: the journal holds
//! which version it is, and its SHA-256.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward::{
    clock,
    digest::sha256,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, Found, S3Gateway},
    table::keys,
};

use crate::root_task::BackupKey;

/// The largest policy that AWS takes is 20 KB.
const MAX_POLICY: usize = 64 * 1024;

/// The backups, in the stack's bucket and its journal table.
#[derive(Debug)]
pub(crate) struct Backups {
    bucket: S3Gateway,
    journal: DynamoDbGateway,
}

/// What the journal holds of a backup.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    sha256: String,
    version: Option<String>,
    at: Timestamp,
}

impl Backups {
    pub(crate) fn new(bucket: S3Gateway, journal: DynamoDbGateway) -> Self {
        Self { bucket, journal }
    }

    /// Keeps a policy and reads it back: what cannot be read back is not to be removed.
    pub(crate) async fn keep(&self, key: &BackupKey, policy: &str) -> Result<String, Failure> {
        let name = key.to_string();
        self.bucket.put_object(&name, policy.to_owned()).await?;
        let (kept, version) = text(&name, self.bucket.find_object(&name, None, MAX_POLICY).await?)?;
        if sha256(&kept) != sha256(policy) {
            return Err(Failure::with_detail(Cause::NotConverged, "The backup differs from the policy."));
        }
        let kept = Kept { sha256: sha256(policy), version, at: clock::now() };
        if self.journal.put_new(pk(&name), &kept).await? {
            Ok(name)
        } else {
            Err(Failure::with_detail(Cause::NotConverged, "There is another backup of this very moment."))
        }
    }

    /// The policy as it was backed up.
    ///
    /// A backup that the journal does not know gives [`Cause::NotInRecord`], and so does one whose content is another than
    /// it was.
    pub(crate) async fn read(&self, key: &BackupKey) -> Result<String, Failure> {
        let name = key.to_string();
        let unknown = |why: &str| Failure::with_detail(Cause::NotInRecord, format_args!("{name} {why}"));
        let kept: Kept = self
            .journal
            .find(&pk(&name))
            .await?
            .ok_or_else(|| unknown("is no backup that Steward has made: its journal does not know it."))?;
        let found = match &kept.version {
            Some(version) => self.bucket.find_version(&name, version, MAX_POLICY).await?,
            None => self.bucket.find_object(&name, None, MAX_POLICY).await?,
        };
        let (policy, _) = text(&name, found)?;
        if sha256(&policy) == kept.sha256 {
            Ok(policy)
        } else {
            Err(unknown("is not what was backed up: its SHA-256 is another one than the journal's."))
        }
    }
}

fn pk(name: &str) -> String {
    keys::BACKUP.key(name)
}

/// The content of an object, and its version.
fn text(key: &str, found: Found) -> Result<(String, Option<String>), Failure> {
    match found {
        Found::Object { content, version, .. } if content.len() <= MAX_POLICY => String::from_utf8(content)
            .map(|text| (text, version))
            .map_err(|_| Failure::with_detail(Cause::InputRefused, format_args!("{key} is not text."))),
        Found::Object { .. } => {
            Err(Failure::with_detail(Cause::InputRefused, format_args!("{key} is larger than any policy.")))
        }
        Found::Missing | Found::Unchanged => {
            Err(Failure::with_detail(Cause::NotFound, format_args!("There is no backup {key}.")))
        }
    }
}
