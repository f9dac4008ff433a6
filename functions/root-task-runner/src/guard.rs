//! Which accounts and resources may be worked on.

use steward::{
    control::ineligibility,
    error::Cause,
    gateway::{Account, OrganizationsGateway},
    ids::AccountId,
    root_task::{Finding, Protected, Task},
    selection::Target,
    session::Sessions,
};
use tokio::sync::OnceCell;

use crate::{Run, input::Work, resource::Resource};

/// Looks before anything is opened.
#[derive(Debug)]
pub(crate) struct Guard {
    organizations: OrganizationsGateway,
    sessions: Sessions,
    own: OnceCell<AccountId>,
}

impl Guard {
    pub(crate) fn new(organizations: OrganizationsGateway, sessions: Sessions) -> Self {
        Self { organizations, sessions, own: OnceCell::new() }
    }

    /// The account's name, if it may be worked on; otherwise why not.
    pub(crate) async fn look(&self, target: Target, run: &Run<'_>) -> Result<String, Finding> {
        let id = target.id().clone();
        let own = self.own.get_or_try_init(|| self.sessions.find_own_account()).await;
        let own = own.map_err(|error| Finding::failed(Vec::new(), error))?;
        if id == *own {
            let why = "It is the management account, whose root user nobody can assume.".to_owned();
            return Err(Finding::Refused { why });
        }
        let account = match target.describe(&self.organizations).await {
            Ok(account) => account,
            Err(error) if error.cause == Cause::NotFound => {
                return Err(Finding::Refused { why: format!("Account {id} is not in this organization.") });
            }
            Err(error) => return Err(Finding::failed(Vec::new(), error)),
        };
        let resource = match &run.input.work {
            Work::Unlock(_, resource) | Work::Restore { resource, .. } => Some(resource),
            Work::Features | Work::Credentials(..) => None,
        };
        match refusal(&account, run.input.task, resource, run.protected) {
            Some(why) => Err(Finding::Refused { why }),
            None => Ok(account.name),
        }
    }
}

/// Why a task is refused; None when it is not.
fn refusal(account: &Account, task: Task, resource: Option<&Resource>, protected: &Protected) -> Option<String> {
    if let Some(why) = ineligibility(account) {
        return Some(format!("No root session can be opened: {why}."));
    }
    // To see which credentials there are harms nobody.
    if task.only_reads() {
        return None;
    }
    protected.account(&account.id).or_else(|| resource?.obstacle(&account.id, protected))
}

#[cfg(test)]
mod tests {
    use steward::gateway::AccountState;

    use super::*;

    fn account(state: AccountState) -> Account {
        let id = "222222222222".parse().unwrap();
        Account {
            id,
            name: "A".to_owned(),
            email: String::new(),
            state,
            joined_at: None,
            parent: None,
            units: Vec::new(),
        }
    }

    fn bucket() -> Resource {
        Resource::Bucket { name: "crown-jewels".to_owned(), region: "us-east-1".parse().unwrap() }
    }

    #[test]
    fn what_is_protected_is_seen_and_not_touched() {
        let protected = Protected { accounts: vec!["222222222222".parse().unwrap()], ..Protected::default() };
        let active = account(AccountState::Active);
        assert!(refusal(&active, Task::DeleteCredentials, None, &protected).unwrap().contains("protected"));
        assert_eq!(refusal(&active, Task::AuditCredentials, None, &protected), None);
        let protected = Protected { buckets: vec!["crown-jewels".parse().unwrap()], ..Protected::default() };
        assert!(
            refusal(&active, Task::UnlockBucketPolicy, Some(&bucket()), &protected).unwrap().contains("crown-jewels")
        );
        assert_eq!(refusal(&active, Task::DeleteCredentials, None, &protected), None);
    }

    #[test]
    fn a_closed_account_and_a_queue_of_another_one_are_refused() {
        let closed = account(AccountState::Other("SUSPENDED".to_owned()));
        let none = Protected::default();
        assert!(refusal(&closed, Task::AuditCredentials, None, &none).unwrap().contains("SUSPENDED"));
        let queue = Resource::Queue {
            url: String::new(),
            account: "333333333333".parse().unwrap(),
            name: "orders".to_owned(),
            region: "us-east-1".parse().unwrap(),
        };
        let active = account(AccountState::Active);
        assert!(refusal(&active, Task::UnlockQueuePolicy, Some(&queue), &none).unwrap().contains("333333333333"));
    }
}
