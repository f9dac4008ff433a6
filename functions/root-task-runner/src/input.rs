//! What a person asks for.

use std::{collections::BTreeSet, str::FromStr};

use serde_json::Value;
use steward::{
    closed_set::ClosedSet,
    control::{Mode, brake::Confirmation},
    error::Failure,
    ids::{AccountId, BucketName, NotValid, QueueArn, Region},
    input::{Fields, Line, refused},
    organization::Selection,
};

use crate::{
    resource::Resource,
    root_task::{BackupKey, CredentialKind, Task},
};

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) task: Task,
    pub(crate) mode: Mode,
    pub(crate) reason: String,
    pub(crate) requested_by: Option<String>,
    pub(crate) work: Work,
    /// Whether the answer has the rows as CSV as well.
    pub(crate) csv: bool,
    /// That the plan was seen, and all of it is meant.
    pub(crate) confirmation: Option<Confirmation>,
}

/// What the task is about.
#[derive(Debug)]
pub(crate) enum Work {
    /// The organization's features.
    Features,
    /// Root credentials of accounts; of these kinds, where some are deleted.
    Credentials(Selection, BTreeSet<CredentialKind>),
    /// A policy that is removed.
    Unlock(AccountId, Resource),
    /// A policy that is put back.
    Restore { account: AccountId, resource: Resource, backup: BackupKey, replace: bool },
}

impl Input {
    /// Reads the input; an error names every problem at once.
    pub(crate) fn read(input: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let task: Option<Task> = fields.required("task");
        let reason: Option<Line> = fields.required("reason");
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let requested_by: Option<Line> = fields.optional("requested_by");
        let (work, csv) = match task {
            Some(task) => {
                (work(task, &mut fields), task == Task::AuditCredentials && fields.optional_bool("csv") == Some(true))
            }
            // Which other fields there may be depends on the task.
            None => return Err(refused(&fields.finish_known())),
        };
        let confirmation = match work {
            Some(Work::Credentials(..)) => fields.optional("continue"),
            _ => None,
        };
        let problems = fields.finish();
        match (task, reason, work) {
            (Some(task), Some(reason), Some(work)) if problems.is_empty() => {
                let (reason, requested_by) = (reason.0, requested_by.map(|words| words.0));
                Ok(Self { task, mode, reason, requested_by, work, csv, confirmation })
            }
            _ => Err(refused(&problems)),
        }
    }

    /// Whether nothing is changed by it, and no session opened in which something could be: to see a policy that locks
    /// everybody out, AWS has none that only reads.
    pub(crate) fn only_looks(&self) -> bool {
        self.mode == Mode::Plan && matches!(self.work, Work::Features | Work::Credentials(..))
    }

    /// What a person confirms who has seen the plan of this task in these accounts, by this version of the baseline
    /// document.
    pub(crate) fn plan(&self, selection: &Selection, etag: &str) -> Confirmation {
        let kinds = match &self.work {
            Work::Credentials(_, kinds) => format!("{kinds:?}"),
            Work::Features | Work::Unlock(..) | Work::Restore { .. } => String::new(),
        };
        Confirmation::of(selection, etag, &format!("{:?} {kinds}", self.task))
    }
}

fn work(task: Task, fields: &mut Fields) -> Option<Work> {
    match task {
        Task::Status | Task::Enable | Task::Disable => Some(Work::Features),
        Task::AuditCredentials | Task::AllowPasswordRecovery => {
            Selection::read(fields).map(|selection| Work::Credentials(selection, BTreeSet::new()))
        }
        Task::DeleteCredentials => {
            let kinds: Option<Vec<CredentialKind>> = fields.optional_list("credentials");
            if kinds.as_ref().is_some_and(Vec::is_empty) {
                fields.note("credentials", "must have at least one kind, or be left out for all");
            }
            let kinds = kinds.unwrap_or_else(|| CredentialKind::ALL.to_vec()).into_iter().collect();
            Selection::read(fields).map(|selection| Work::Credentials(selection, kinds))
        }
        Task::UnlockBucketPolicy => {
            let (account, bucket) = (fields.required("account_id"), bucket(fields));
            Some(Work::Unlock(account?, bucket?))
        }
        Task::UnlockQueuePolicy => {
            let (account, queue) = (fields.required("account_id"), queue(fields));
            Some(Work::Unlock(account?, queue?))
        }
        Task::RestoreBucketPolicy | Task::RestoreQueuePolicy => {
            let account = fields.required("account_id");
            let resource = if task == Task::RestoreBucketPolicy { bucket(fields) } else { queue(fields) };
            let backup: Option<BackupKey> = fields.required("backup");
            let replace = fields.optional_bool("replace") == Some(true);
            let (account, resource, backup): (AccountId, Resource, BackupKey) = (account?, resource?, backup?);
            if !resource.is_of(&backup) || backup.account != account {
                fields.note("backup", "is of another account, region or resource");
            }
            Some(Work::Restore { account, resource, backup, replace })
        }
    }
}

fn bucket(fields: &mut Fields) -> Option<Resource> {
    let (name, region): (Option<BucketName>, Option<Region>) = (fields.required("bucket"), fields.required("region"));
    let (name, region) = (name?, region?);
    if name.is_old() && region != Region::us_east_1() {
        fields.note("bucket", format!("is a name that only an old bucket in {} can have", Region::us_east_1()));
        return None;
    }
    Some(Resource::Bucket { name: name.to_string(), region })
}

fn queue(fields: &mut Fields) -> Option<Resource> {
    let (url, region): (Option<QueueUrl>, Option<Region>) = (fields.required("queue_url"), fields.optional("region"));
    let QueueUrl { url, account, name, region: of_url } = url?;
    match (of_url, region) {
        (Some(of_url), Some(region)) if of_url != region => {
            fields.note("region", format!("must be the region of the queue, {of_url}"));
            None
        }
        (Some(region), _) | (None, Some(region)) => Some(Resource::Queue { url, account, name, region }),
        (None, None) => {
            fields.note("region", "is missing, and the queue's URL does not name it");
            None
        }
    }
}

/// `https://sqs.<region>.amazonaws.com/<account>/<name>`, or an endpoint of another name.
struct QueueUrl {
    url: String,
    account: AccountId,
    name: String,
    region: Option<Region>,
}

impl FromStr for QueueUrl {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        const EXPECTED: NotValid =
            NotValid::expected("the URL of a queue, https://sqs.<region>.amazonaws.com/<account>/<name>");
        let (_, rest) = text.split_once("://").ok_or(EXPECTED)?;
        let [host, account, name] = rest.split('/').collect::<Vec<_>>()[..] else { return Err(EXPECTED) };
        // In whichever region: its name has the grammar of its ARN.
        format!("arn:aws:sqs:us-east-1:{account}:{name}").parse::<QueueArn>().map_err(|_| EXPECTED)?;
        let region = host.strip_prefix("sqs.").and_then(|host| host.strip_suffix(".amazonaws.com"));
        Ok(Self {
            url: text.to_owned(),
            account: account.parse().map_err(|_| EXPECTED)?,
            name: name.to_owned(),
            region: region.and_then(|region| region.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(input: Value) -> String {
        Input::read(input).unwrap_err().message
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let tasks = Task::ALL.iter().map(|task| task.name());
        let ways = tasks.chain(Mode::ALL.iter().map(|mode| mode.name())).chain(Selection::FIELDS).chain(["continue"]);
        payloads::check(crate::RootTaskRunner::NAME, ways, |sample| {
            let fields = Selection::FIELDS.into_iter().chain(["continue"]);
            let named = fields.filter(|field| sample.payload.get(field).is_some());
            let mut ways: Vec<_> = named.collect();
            let input = Input::read(sample.payload)?;
            ways.extend([input.task.name(), input.mode.name()]);
            Ok::<_, Failure>(ways)
        });
    }

    #[test]
    fn plans_of_features_and_of_credentials_only_look() {
        let mut only_look = BTreeSet::new();
        for sample in payloads::of(crate::RootTaskRunner::NAME) {
            let mut input = Input::read(sample.payload).unwrap();
            input.mode = Mode::Apply;
            assert!(!input.only_looks(), "{}", input.task.name());
            input.mode = Mode::Plan;
            only_look.extend(input.only_looks().then_some(input.task.name()));
        }
        let expected =
            ["allow-password-recovery", "audit-credentials", "delete-credentials", "disable", "enable", "status"];
        assert_eq!(only_look.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_reason_is_asked_for_and_an_unknown_task_is_answered_with_those_there_are() {
        let said = problems(json!({"task": "unlock", "mode": "now"}));
        for part in ["task: must be status", "reason: is missing", "mode: must be plan or apply"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(problems(json!({"task": "status", "reason": " "})).contains("reason"));
    }

    #[test]
    fn a_bucket_needs_its_region_and_a_queue_says_it_in_its_url() {
        let unlock =
            json!({"task": "unlock-bucket-policy", "reason": "x", "account_id": "222222222222", "bucket": "locked"});
        assert!(problems(unlock).contains("region: is missing"));
        let queue = |url: &str| json!({"task": "unlock-queue-policy", "reason": "x", "account_id": "222222222222", "queue_url": url});
        let input = Input::read(queue("https://sqs.eu-west-1.amazonaws.com/222222222222/orders")).unwrap();
        let Work::Unlock(_, Resource::Queue { region, name, .. }) = input.work else { panic!("{:?}", input.work) };
        assert_eq!((region.as_str(), name.as_str()), ("eu-west-1", "orders"));
        assert!(problems(queue("http://localhost/222222222222/orders")).contains("region: is missing"));
        assert!(problems(queue("orders")).contains("queue_url"));
    }

    #[test]
    fn an_old_bucket_can_be_unlocked_where_there_are_such() {
        let unlock = |region: &str| {
            json!({"task": "unlock-bucket-policy", "reason": "x", "account_id": "222222222222",
            "bucket": "My_Legacy.Bucket", "region": region})
        };
        assert!(Input::read(unlock("us-east-1")).is_ok());
        assert!(problems(unlock("eu-central-1")).contains("bucket: is a name that only an old bucket in us-east-1"));
    }

    #[test]
    fn a_backup_of_something_else_is_not_put_there() {
        let restore = |bucket: &str| {
            json!({"task": "restore-bucket-policy", "reason": "x", "account_id": "222222222222",
            "bucket": bucket, "region": "us-east-1",
            "backup": "root-task-backups/222222222222/us-east-1/bucket/locked/2026-09-21T14-13-20.123Z.json"})
        };
        assert!(Input::read(restore("locked")).is_ok());
        assert!(problems(restore("other")).contains("backup: is of another"));
    }

    #[test]
    fn fields_of_other_tasks_are_refused() {
        assert!(problems(json!({"task": "status", "reason": "x", "bucket": "b"})).contains("bucket"));
        assert!(problems(json!({"task": "delete-credentials", "reason": "x"})).contains("names no accounts"));
    }
}
