//! AWS CloudFormation: stack sets of the management account, and their instances in other accounts.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::{
    Client,
    operation::{
        create_stack_instances::CreateStackInstancesError, delete_stack_instances::DeleteStackInstancesError,
        describe_stack_set::DescribeStackSetError,
    },
    types::{ManagedExecution, PermissionModels, StackInstanceSummary, StackSetStatus},
};
use serde::{Deserialize, Serialize};

use super::{CallError, unless_absent};
use crate::{
    error::Cause,
    ids::{AccountId, OrganizationalUnitId, Region},
};

/// How many instances AWS gives on a page.
const PAGE: i32 = 100;
/// How many pages are read: a stack set may have 100,000 instances.
const MAX_PAGES: usize = 1_000;

/// A stack set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSet {
    /// Whether AWS CloudFormation deploys it to whole units of the organization, with roles of its own.
    pub is_service_managed: bool,
    /// The units that it is deployed to, where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<OrganizationalUnitId>,
    /// Whether AWS queues operations that do not conflict, instead of refusing the second one.
    #[serde(default)]
    pub queues: bool,
}

/// A stack set, as a list of all has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStackSet {
    /// Its name.
    pub name: String,
    /// Whether AWS CloudFormation deploys it to whole units of the organization, with roles of its own.
    pub is_service_managed: bool,
}

/// What there is of a stack set in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackInstance {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// `CURRENT`, `OUTDATED` or `INOPERABLE`.
    pub status: String,
    /// How far the last operation came with it, such as `RUNNING` or `FAILED`; empty when AWS does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detailed_status: String,
    /// Why, in AWS's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last operation on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_operation: Option<String>,
}

/// The door to the stack sets of the account.
#[derive(Clone, Debug)]
pub struct StackSetsGateway(Client);

impl StackSetsGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// A stack set by its name.
    pub async fn find_stack_set(&self, name: &str) -> Result<Option<StackSet>, CallError> {
        const OPERATION: &str = "cloudformation:DescribeStackSet";
        let answer = self.0.describe_stack_set().stack_set_name(name).send().await;
        let answer = unless_absent(OPERATION, answer, DescribeStackSetError::is_stack_set_not_found_exception)?;
        let Some(set) = answer.and_then(|answer| answer.stack_set) else { return Ok(None) };
        let units = set.organizational_unit_ids().iter().filter_map(|id| id.parse().ok()).collect();
        Ok(Some(StackSet {
            is_service_managed: set.permission_model() == Some(&PermissionModels::ServiceManaged),
            units,
            queues: set.managed_execution().and_then(ManagedExecution::active).unwrap_or_default(),
        }))
    }

    /// Every stack set that is not deleted.
    pub async fn list_stack_sets(&self) -> Result<Vec<ListedStackSet>, CallError> {
        const OPERATION: &str = "cloudformation:ListStackSets";
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.0.list_stack_sets().status(StackSetStatus::Active).max_results(PAGE).set_next_token(token);
            let page = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
            found.extend(page.summaries().iter().filter_map(|entry| {
                let is_service_managed = entry.permission_model() == Some(&PermissionModels::ServiceManaged);
                entry.stack_set_name().map(|name| ListedStackSet { name: name.to_owned(), is_service_managed })
            }));
            token = page.next_token;
            if token.is_none() {
                return Ok(found);
            }
        }
        let detail = format!("there are more than {MAX_PAGES} pages of stack sets");
        Err(CallError::unusable(OPERATION, Cause::TooMuchToRead, detail))
    }

    /// The instances of a stack set: all of them, or those of one account.
    pub async fn list_instances(
        &self,
        name: &str,
        account: Option<&AccountId>,
    ) -> Result<Vec<StackInstance>, CallError> {
        const OPERATION: &str = "cloudformation:ListStackInstances";
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.0.list_stack_instances().stack_set_name(name).max_results(PAGE).set_next_token(token);
            let call = call.set_stack_instance_account(account.map(ToString::to_string));
            let page = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.summaries() {
                found.push(instance(OPERATION, entry)?);
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(found);
            }
        }
        let detail = format!("{name} has more than {MAX_PAGES} pages of instances");
        Err(CallError::unusable(OPERATION, Cause::TooMuchToRead, detail))
    }

    /// Has the stack set deployed to these accounts and regions, also where an earlier try has failed. An operation that was
    /// asked for under this id before is asked for once.
    pub async fn create_instances(
        &self,
        name: &str,
        accounts: &[AccountId],
        regions: &[Region],
        operation: &str,
    ) -> Result<(), CallError> {
        use CreateStackInstancesError as Refused;
        const OPERATION: &str = "cloudformation:CreateStackInstances";
        let call = self.0.create_stack_instances().stack_set_name(name).operation_id(operation);
        let call = call.set_accounts(Some(accounts.iter().map(ToString::to_string).collect()));
        match call.set_regions(Some(regions.iter().map(ToString::to_string).collect())).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(Refused::is_operation_id_already_exists_exception) => {
                Ok(())
            }
            Err(error) => Err(CallError::of(OPERATION, error)),
        }
    }
}

impl StackSetsGateway {
    /// Takes these accounts out of the stack set in these regions. Their stacks stay as they are, and belong to nothing any
    /// more (AWS CloudFormation API reference, `DeleteStackInstances`, `RetainStacks`). An operation that was asked for under
    /// this id before is asked for once.
    pub async fn release_instances(
        &self,
        name: &str,
        accounts: &[AccountId],
        regions: &[Region],
        operation: &str,
    ) -> Result<(), CallError> {
        use DeleteStackInstancesError as Refused;
        const OPERATION: &str = "cloudformation:DeleteStackInstances";
        let call = self.0.delete_stack_instances().stack_set_name(name).operation_id(operation).retain_stacks(true);
        let call = call.set_accounts(Some(accounts.iter().map(ToString::to_string).collect()));
        match call.set_regions(Some(regions.iter().map(ToString::to_string).collect())).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(Refused::is_operation_id_already_exists_exception) => {
                Ok(())
            }
            Err(error) => Err(CallError::of(OPERATION, error)),
        }
    }
}

fn instance(operation: &'static str, entry: &StackInstanceSummary) -> Result<StackInstance, CallError> {
    let missing =
        |member: &str| CallError::unusable(operation, Cause::CallFailed, format!("an answer without {member}"));
    let detailed = entry.stack_instance_status().and_then(|status| status.detailed_status());
    Ok(StackInstance {
        account: entry.account().and_then(|id| id.parse().ok()).ok_or_else(|| missing("Account"))?,
        region: entry.region().and_then(|region| region.parse().ok()).ok_or_else(|| missing("Region"))?,
        status: entry.status().ok_or_else(|| missing("Status"))?.as_str().to_owned(),
        detailed_status: detailed.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: entry.status_reason().filter(|reason| !reason.is_empty()).map(ToOwned::to_owned),
        last_operation: entry.last_operation_id().map(ToOwned::to_owned),
    })
}
