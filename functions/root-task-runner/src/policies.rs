//! Policies that lock everybody out: shown, backed up, removed, put back.

use steward::{
    clock,
    control::Mode,
    digest::sha256,
    error::{Cause, Failure},
    session::{Admission, Sessions},
};

use crate::{
    backups::Backups,
    resource::Resource,
    root_task::{BackupKey, Finding, why_it_locks},
    shown::shown,
};

/// Works on the policy of one resource.
#[derive(Debug)]
pub(crate) struct Policies {
    pub(crate) sessions: Sessions,
    pub(crate) backups: Backups,
}

/// How far it has come, for the answer of a failure half way.
#[derive(Default)]
struct Progress {
    steps: Vec<String>,
    backup: Option<String>,
}

impl Progress {
    fn failed(self, failure: impl Into<Failure>) -> Finding {
        Finding::Failed { steps: self.steps, backup: self.backup, failure: failure.into() }
    }
}

impl Policies {
    /// Shows, or backs up and removes, a policy.
    pub(crate) async fn unlock(&self, account: &Admission, resource: &Resource, mode: Mode) -> Finding {
        let mut progress = Progress::default();
        match self.try_unlock(account, resource, mode, &mut progress).await {
            Ok(finding) => finding,
            Err(failure) => progress.failed(failure),
        }
    }

    /// Shows, or puts back, a policy that was backed up.
    pub(crate) async fn restore(
        &self,
        account: &Admission,
        resource: &Resource,
        backup: &BackupKey,
        replace: bool,
        mode: Mode,
    ) -> Finding {
        let mut progress = Progress::default();
        match self.try_restore(account, resource, backup, replace, mode, &mut progress).await {
            Ok(finding) => finding,
            Err(failure) => progress.failed(failure),
        }
    }

    async fn try_unlock(
        &self,
        account: &Admission,
        resource: &Resource,
        mode: Mode,
        progress: &mut Progress,
    ) -> Result<Finding, Failure> {
        if mode == Mode::Plan {
            let policy = resource.view(&self.sessions, account).await?.policy().await?;
            let Some(policy) = policy else { return Ok(no_policy(resource)) };
            let steps = ["back the policy up", "remove the policy", "see that it is gone"];
            return Ok(planned(&steps, policy));
        }
        let editor = resource.open(&self.sessions, account).await?;
        // Where nothing is seen, there may be what was put there a moment ago.
        let within = resource.shows_within();
        let present = shown(within, async || editor.0.policy().await, Option::is_some).await?;
        let Some(policy) = present else { return Ok(no_policy(resource)) };
        let key = self.back_up(account, resource, &policy).await?;
        progress.backup = Some(key.clone());
        progress.steps.push("backed the policy up".to_owned());
        editor.remove().await?;
        progress.steps.push("removed the policy".to_owned());
        if shown(within, async || editor.0.policy().await, Option::is_none).await?.is_some() {
            return Err(Failure::with_detail(Cause::NotConverged, "There is a policy again, or still."));
        }
        progress.steps.push("saw that it is gone".to_owned());
        Ok(done(progress, &policy))
    }

    async fn try_restore(
        &self,
        account: &Admission,
        resource: &Resource,
        backup: &BackupKey,
        replace: bool,
        mode: Mode,
        progress: &mut Progress,
    ) -> Result<Finding, Failure> {
        let policy = self.backups.read(backup).await?;
        if mode == Mode::Plan {
            let present = resource.view(&self.sessions, account).await?.policy().await?;
            if let Some(ineligibility) = ineligibility(present.as_deref(), &policy, replace) {
                return Ok(ineligibility);
            }
            let replaced = present.is_some().then_some("back up the policy that stands there");
            let steps: Vec<_> =
                replaced.into_iter().chain(["put the policy back", "see that it is the same"]).collect();
            return Ok(planned(&steps, policy));
        }
        let editor = resource.open(&self.sessions, account).await?;
        // Where the same policy is seen, it may have been removed a moment ago.
        let within = resource.shows_within();
        let is_another = |seen: &Option<String>| seen.as_deref() != Some(policy.as_str());
        let present = shown(within, async || editor.0.policy().await, is_another).await?;
        if let Some(ineligibility) = ineligibility(present.as_deref(), &policy, replace) {
            return Ok(ineligibility);
        }
        if let Some(present) = present {
            progress.backup = Some(self.back_up(account, resource, &present).await?);
            progress.steps.push("backed up the policy that stood there".to_owned());
        }
        editor.put(&policy).await?;
        progress.steps.push("put the policy back".to_owned());
        let is_the_same = |now: &Option<String>| now.as_deref().is_some_and(|now| sha256(now) == sha256(&policy));
        if !is_the_same(&shown(within, async || editor.0.policy().await, is_the_same).await?) {
            return Err(Failure::with_detail(Cause::NotConverged, "The policy that stands there is another one."));
        }
        progress.steps.push("saw that it is the same".to_owned());
        Ok(done(progress, &policy))
    }

    async fn back_up(&self, account: &Admission, resource: &Resource, policy: &str) -> Result<String, Failure> {
        let key = BackupKey {
            account: account.account_id().clone(),
            region: resource.region().clone(),
            kind: resource.kind().to_owned(),
            name: resource.name().to_owned(),
            at: clock::now(),
        };
        self.backups.keep(&key, policy).await
    }
}

/// Why the backup is not put back, given the policy that stands there.
fn ineligibility(present: Option<&str>, backup: &str, replace: bool) -> Option<Finding> {
    match present {
        Some(present) if present == backup => {
            Some(Finding::NothingToDo { why: "The policy of the backup stands there.".to_owned() })
        }
        Some(_) if !replace => {
            let why = "Another policy stands there; say \"replace\": true to put the backup in its place.";
            Some(Finding::Refused { why: why.to_owned() })
        }
        Some(_) | None => None,
    }
}

fn no_policy(resource: &Resource) -> Finding {
    Finding::NothingToDo { why: format!("The {} has no policy.", resource.kind()) }
}

fn planned(steps: &[&str], policy: String) -> Finding {
    Finding::Planned {
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        sha256: Some(sha256(&policy)),
        why_it_locks: why_it_locks(&policy),
        policy: Some(policy),
    }
}

fn done(progress: &mut Progress, policy: &str) -> Finding {
    let Progress { steps, backup } = std::mem::take(progress);
    Finding::Done { steps, backup, sha256: Some(sha256(policy)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_policy_is_replaced_only_when_that_is_said() {
        assert_eq!(ineligibility(None, "a", false), None);
        assert!(matches!(ineligibility(Some("a"), "a", true), Some(Finding::NothingToDo { .. })));
        assert!(matches!(ineligibility(Some("b"), "a", false), Some(Finding::Refused { .. })));
        assert_eq!(ineligibility(Some("b"), "a", true), None);
    }
}
