//! Where the policy that is about to be removed is kept.

use std::fmt;

use jiff::Timestamp;
use steward::ids::{AccountId, NotValid, Region};

/// What every key of a backup begins with; the function may write nothing else.
const PREFIX: &str = "root-task-backups";

/// The key of a backup: account, region, kind and name of the resource, and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackupKey {
    /// The account of the resource.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// `bucket` or `queue`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When it was backed up, to the millisecond.
    pub at: Timestamp,
}

impl fmt::Display for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, kind, name, at } = self;
        write!(f, "{PREFIX}/{account}/{region}/{kind}/{name}/{}.json", at.strftime("%Y-%m-%dT%H-%M-%S%.3fZ"))
    }
}

impl std::str::FromStr for BackupKey {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        const EXPECTED: NotValid = NotValid::expected(
            "the key of a backup: root-task-backups/<account>/<region>/<bucket or queue>/<name>/<time>.json",
        );
        let [PREFIX, account, region, kind, name, file] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(EXPECTED);
        };
        let time = file.strip_suffix(".json").ok_or(EXPECTED)?;
        let at = Timestamp::strptime("%Y-%m-%dT%H-%M-%S%.f%z", time.replace('Z', "+0000")).map_err(|_| EXPECTED)?;
        if !matches!(kind, "bucket" | "queue") || name.is_empty() {
            return Err(EXPECTED);
        }
        let key = Self {
            account: account.parse().map_err(|_| EXPECTED)?,
            region: region.parse().map_err(|_| EXPECTED)?,
            kind: kind.to_owned(),
            name: name.to_owned(),
            at,
        };
        if key.to_string() == text { Ok(key) } else { Err(EXPECTED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let key = BackupKey {
            account: "222222222222".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            kind: "bucket".to_owned(),
            name: "locked.bucket".to_owned(),
            at: Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
        };
        let text = key.to_string();
        assert_eq!(
            text,
            "root-task-backups/222222222222/eu-central-1/bucket/locked.bucket/2026-09-21T14-13-20.123Z.json"
        );
        assert_eq!(text.parse(), Ok(key));
    }

    #[test]
    fn no_other_object_passes_for_a_backup() {
        for text in [
            "baseline.yaml",
            "root-task-backups/222222222222/eu-central-1/bucket/x/2026.json",
            "root-task-backups/222222222222/eu-central-1/topic/x/2026-09-21T14-13-20.123Z.json",
            "root-task-backups/../eu-central-1/bucket/x/2026-09-21T14-13-20.123Z.json",
            "root-task-backups/222222222222/eu-central-1/bucket/x/y/2026-09-21T14-13-20.123Z.json",
        ] {
            assert!(text.parse::<BackupKey>().is_err(), "{text}");
        }
    }
}
