//! Which accounts and resources may be worked on.

use steward::{
    error::{Cause, Failure},
    gateway::OrganizationsGateway,
    ids::AccountId,
    organization::Target,
    session::{Admission, Protected, Protection, Sessions},
};

use crate::{
    Run,
    input::Work,
    resource::Resource,
    root_task::{Finding, Task},
};

/// Looks before anything is opened.
#[derive(Debug)]
pub(crate) struct Guard {
    organizations: OrganizationsGateway,
    sessions: Sessions,
}

/// An account that may be worked on.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) admission: Admission,
    pub(crate) name: String,
}

impl Guard {
    pub(crate) fn new(organizations: OrganizationsGateway, sessions: Sessions) -> Self {
        Self { organizations, sessions }
    }

    /// A failure while Steward's switch is on.
    pub(crate) async fn allow_changes(&self) -> Result<(), Failure> {
        self.sessions.allow_changes().await
    }

    /// The account, if it may be worked on; otherwise why not.
    pub(crate) async fn look(&self, target: Target, run: &Run<'_>) -> Result<Admitted, Finding> {
        let id = target.id().clone();
        let account = match target.describe(&self.organizations).await {
            Ok(account) => account,
            Err(error) if error.cause == Cause::NotFound => {
                return Err(Finding::Refused { why: format!("Account {id} is not in this organization.") });
            }
            Err(error) => return Err(Finding::failed(Vec::new(), error)),
        };
        let admission = match self.sessions.admit(&account, run.protected).await {
            Ok(admission) => admission,
            Err(failure) if failure.cause == Cause::AccountNotActive => {
                return Err(Finding::Refused { why: format!("No root session can be opened: {}", failure.message) });
            }
            Err(failure) => return Err(Finding::failed(Vec::new(), failure)),
        };
        let resource = match &run.input.work {
            Work::Unlock(_, resource) | Work::Restore { resource, .. } => Some(resource),
            Work::Features | Work::Credentials(..) => None,
        };
        let protection = admission.protection();
        let why = if admission.is_own() {
            Some("It is the management account, whose root user nobody can assume.".to_owned())
        } else {
            refusal(&id, protection, run.input.task, resource, run.protected)
        };
        why.map_or(Ok(Admitted { admission, name: account.name }), |why| Err(Finding::Refused { why }))
    }
}

/// Why a task is refused; None when it is not. To see which credentials there are harms nobody, but the stack may keep
/// Steward out even of that.
fn refusal(
    id: &AccountId,
    protection: Option<Protection>,
    task: Task,
    resource: Option<&Resource>,
    protected: &Protected,
) -> Option<String> {
    match protection {
        Some(Protection::Document | Protection::Switch | Protection::Suspended) if task.only_reads() => None,
        // It is a plan. One of a resource would need a session in which more can be done than look.
        Some(Protection::PlanOnly) if resource.is_none() => None,
        Some(protection) => Some(protection.why().to_owned()),
        None => resource?.ineligibility(id, protected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> AccountId {
        "222222222222".parse().unwrap()
    }

    fn bucket() -> Resource {
        Resource::Bucket { name: "crown-jewels".to_owned(), region: "us-east-1".parse().unwrap() }
    }

    #[test]
    fn what_is_protected_by_the_document_is_seen_and_not_touched() {
        let none = Protected::default();
        let by_document = Some(Protection::Document);
        assert!(refusal(&id(), by_document, Task::DeleteCredentials, None, &none).unwrap().contains("protected"));
        assert_eq!(refusal(&id(), by_document, Task::AuditCredentials, None, &none), None);
        let protected = Protected { buckets: vec!["crown-jewels".parse().unwrap()], ..Protected::default() };
        let unlock = refusal(&id(), None, Task::UnlockBucketPolicy, Some(&bucket()), &protected);
        assert!(unlock.unwrap().contains("crown-jewels"));
        assert_eq!(refusal(&id(), None, Task::DeleteCredentials, None, &protected), None);
    }

    #[test]
    fn an_account_that_the_stack_protects_is_not_even_audited() {
        let none = Protected::default();
        for task in [Task::AuditCredentials, Task::DeleteCredentials] {
            let why = refusal(&id(), Some(Protection::Stack), task, None, &none).unwrap();
            assert!(why.contains("ProtectedAccounts"), "{why}");
        }
    }

    #[test]
    fn who_may_only_look_plans_what_is_done_with_credentials_and_sees_no_locked_policy() {
        let (looks, none) = (Some(Protection::PlanOnly), Protected::default());
        assert_eq!(refusal(&id(), looks, Task::DeleteCredentials, None, &none), None);
        let why = refusal(&id(), looks, Task::UnlockBucketPolicy, Some(&bucket()), &none).unwrap();
        assert!(why.contains("alias"), "{why}");
    }

    #[test]
    fn a_queue_of_another_account_is_refused() {
        let queue = Resource::Queue {
            url: String::new(),
            account: "333333333333".parse().unwrap(),
            name: "orders".to_owned(),
            region: "us-east-1".parse().unwrap(),
        };
        let why = refusal(&id(), None, Task::UnlockQueuePolicy, Some(&queue), &Protected::default());
        assert!(why.unwrap().contains("333333333333"));
    }
}
