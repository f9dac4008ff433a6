//! AWS Organizations. Every call goes to us-east-1, whatever the client's region.

mod closing;
mod named;
mod policies;
mod trust;

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use aws_sdk_organizations::{
    Client,
    config::{Builder, retry::RetryConfig},
    operation::{
        create_account::CreateAccountError, describe_organizational_unit::DescribeOrganizationalUnitError,
        move_account::MoveAccountError,
    },
    types::{
        ConstraintViolationExceptionReason, CreateAccountState, IamUserAccessToBilling, InvalidInputExceptionReason,
        Tag,
    },
};
use jiff::Timestamp;

use super::{
    CallError,
    rate_limiter::{RateLimiter, Rates},
};
use crate::{
    error::Cause,
    ids::{AccountId, AccountName, CreateAccountRequestId, Email, OrganizationalUnitId, RoleName},
};

pub use named::{NamedAccount, NamedAccounts, Origin, Roster};
pub use policies::{NewPolicy, PolicyKind, PolicySummary, PolicyTypeState, PolicyTypes};
pub use trust::Organization;

/// The input of `CreateAccount`.
#[derive(Clone, Debug)]
pub struct AccountToCreate<'a> {
    /// The primary e-mail address.
    pub email: &'a Email,
    /// The account's name.
    pub name: &'a AccountName,
    /// The role that the management account may assume in the new account.
    pub role_name: &'a RoleName,
    /// Whether IAM users of the account may see its bills.
    pub iam_user_access_to_billing: bool,
    /// The account's tags; one bad tag fails the request.
    pub tags: &'a BTreeMap<String, String>,
}

/// How far one call of `CreateAccount` has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAccountStatus {
    /// The id of the call.
    pub id: CreateAccountRequestId,
    /// The name the account was to have.
    pub account_name: Option<String>,
    /// When AWS took the call.
    pub requested_at: Option<Timestamp>,
    /// How far it has come.
    pub outcome: CreateAccountOutcome,
}

/// The end of one call of `CreateAccount`, or that there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateAccountOutcome {
    /// AWS is still working.
    InProgress,
    /// The account exists.
    Succeeded(AccountId),
    /// There will be no account; the `FailureReason` as AWS gave it.
    Failed(String),
}

/// One page of a list, for who reads on later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it; AWS may give empty pages that are not the last.
    pub items: Vec<T>,
    /// Where the next one begins; None after the last.
    pub next: Option<String>,
}

/// An account of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its primary e-mail address, as AWS stores it.
    pub email: String,
    /// Where it stands in its life.
    pub state: AccountState,
    /// When it joined the organization.
    pub joined_at: Option<Timestamp>,
    /// The unit (or root) that holds it, from the account's `Paths`.
    pub parent: Option<OrganizationalUnitId>,
    /// The root and the units that hold it, from the root down; empty when AWS does not show them.
    pub units: Vec<OrganizationalUnitId>,
}

/// The `State` of an account; `Status` is retired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Usable.
    Active,
    /// Any other state, by its name in the API model.
    Other(String),
}

/// A unit below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationalUnit {
    /// Its id.
    pub id: OrganizationalUnitId,
    /// Its name, unique below its parent.
    pub name: String,
}

/// The published rates of each operation, for one account (AWS Organizations user guide, "Quotas").
#[derive(Debug)]
struct RateLimiters {
    close_account: RateLimiter,
    create_account: RateLimiter,
    describe_account: RateLimiter,
    describe_organizational_unit: RateLimiter,
    list_accounts: RateLimiter,
    list_accounts_for_parent: RateLimiter,
    list_create_account_status: RateLimiter,
    list_organizational_units: RateLimiter,
    list_tags: RateLimiter,
    describe_create_account_status: RateLimiter,
    describe_organization: RateLimiter,
    list_delegated_administrators: RateLimiter,
    list_roots: RateLimiter,
    list_trusted_services: RateLimiter,
    move_account: RateLimiter,
    tag_resource: RateLimiter,
    untag_resource: RateLimiter,
    enable_trusted_access: RateLimiter,
    register_delegated_administrator: RateLimiter,
    attach_policy: RateLimiter,
    change_policies: RateLimiter,
    describe_policy: RateLimiter,
    list_policies: RateLimiter,
    list_policies_of_target: RateLimiter,
    list_targets_of_policy: RateLimiter,
}

impl RateLimiters {
    fn of(rates: &Rates) -> Self {
        let limiter = |operation, per_second, burst| RateLimiter::new(operation, per_second, burst, rates);
        Self {
            close_account: limiter("CloseAccount", 0.05, 1.0),
            create_account: limiter("CreateAccount", 0.1, 3.0),
            describe_account: limiter("DescribeAccount", 20.0, 30.0),
            describe_organizational_unit: limiter("DescribeOrganizationalUnit", 2.0, 2.0),
            list_accounts: limiter("ListAccounts", 8.0, 12.0),
            list_accounts_for_parent: limiter("ListAccountsForParent", 5.0, 8.0),
            list_create_account_status: limiter("ListCreateAccountStatus", 5.0, 8.0),
            list_organizational_units: limiter("ListOrganizationalUnitsForParent", 5.0, 8.0),
            list_tags: limiter("ListTagsForResource", 10.0, 15.0),
            describe_create_account_status: limiter("DescribeCreateAccountStatus", 2.0, 2.0),
            describe_organization: limiter("DescribeOrganization", 1.0, 2.0),
            list_delegated_administrators: limiter("ListDelegatedAdministrators", 5.0, 8.0),
            list_roots: limiter("ListRoots", 1.0, 2.0),
            list_trusted_services: limiter("ListAWSServiceAccessForOrganization", 1.0, 3.0),
            move_account: limiter("MoveAccount", 2.0, 3.0),
            tag_resource: limiter("TagResource", 4.0, 6.0),
            untag_resource: limiter("UntagResource", 4.0, 6.0),
            enable_trusted_access: limiter("EnableAWSServiceAccess", 1.0, 2.0),
            register_delegated_administrator: limiter("RegisterDelegatedAdministrator", 1.0, 2.0),
            attach_policy: limiter("AttachPolicy", 2.0, 3.0),
            // What AWS publishes of these was not to be had: no faster than what is published of their like.
            change_policies: limiter("UpdatePolicy", 1.0, 2.0),
            describe_policy: limiter("DescribePolicy", 2.0, 2.0),
            list_policies: limiter("ListPolicies", 5.0, 8.0),
            list_policies_of_target: limiter("ListPoliciesForTarget", 5.0, 8.0),
            list_targets_of_policy: limiter("ListTargetsForPolicy", 5.0, 8.0),
        }
    }
}

/// The door to the accounts, their units and their tags: to AWS Organizations or, in a stack without an organization, to
/// what its document says.
#[derive(Clone, Debug)]
pub struct OrganizationsGateway {
    source: Source,
}

/// Who is asked.
#[derive(Clone, Debug)]
enum Source {
    /// AWS Organizations.
    Organization(Aws),
    /// Nobody: the document names the accounts.
    Document(Roster),
}

/// AWS Organizations itself.
#[derive(Clone, Debug)]
struct Aws {
    client: Client,
    limiters: Arc<RateLimiters>,
}

impl Account {
    /// Whether this is its primary e-mail address. AWS does not mind case.
    pub fn has_email(&self, email: &Email) -> bool {
        self.email.eq_ignore_ascii_case(email.as_str())
    }
}

impl OrganizationsGateway {
    /// A gateway over the SDK's client, which takes this much of the published rates.
    pub(super) fn new(client: Client, rates: &Rates) -> Self {
        Self { source: Source::Organization(Aws { client, limiters: Arc::new(RateLimiters::of(rates)) }) }
    }

    /// A gateway with a client of its own.
    pub(super) fn of(config: &SdkConfig, rates: &Rates) -> Self {
        Self::new(Client::new(config), rates)
    }

    /// A gateway over a mocked client, which takes all of the published rates.
    #[cfg(test)]
    pub(crate) fn mocked(client: Client) -> Self {
        Self::new(client, &Rates::new(1.0, Vec::new()))
    }

    /// The same door for another role of the same account, which shares the account's rates.
    #[must_use]
    pub fn in_another_role(&self, session: &SdkConfig) -> Self {
        let source = match &self.source {
            Source::Organization(Aws { limiters, .. }) => {
                Source::Organization(Aws { client: Client::new(session), limiters: Arc::clone(limiters) })
            }
            Source::Document(roster) => Source::Document(roster.clone()),
        };
        Self { source }
    }

    /// Asks for a new account.
    ///
    /// The SDK's retries are off: the API has no idempotency token, and a repeated call leaves a second request
    /// behind that fails. An error that was not a refusal may hide a call that worked.
    ///
    /// AWS takes one call in ten seconds. A call that comes too soon is not waited for: [`Cause::Throttled`], at once.
    pub async fn create_account(&self, account: &AccountToCreate<'_>) -> Result<CreateAccountStatus, CallError> {
        const OPERATION: &str = "organizations:CreateAccount";
        let tags = model_tags(OPERATION, account.tags)?;
        self.aws(OPERATION)?.limiters.create_account.turn_now(OPERATION)?;
        let billing = if account.iam_user_access_to_billing {
            IamUserAccessToBilling::Allow
        } else {
            IamUserAccessToBilling::Deny
        };
        let answer = self
            .aws(OPERATION)?
            .client
            .create_account()
            .email(account.email.as_str())
            .account_name(account.name.as_str())
            .role_name(account.role_name.as_str())
            .iam_user_access_to_billing(billing)
            .set_tags((!tags.is_empty()).then_some(tags))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| CallError::with_reason(OPERATION, error, create_account_reason))?;
        status(OPERATION, answer.create_account_status())
    }

    /// How far one call of `CreateAccount` has come.
    pub async fn describe_create_account_status(
        &self,
        id: &CreateAccountRequestId,
    ) -> Result<CreateAccountStatus, CallError> {
        const OPERATION: &str = "organizations:DescribeCreateAccountStatus";
        self.aws(OPERATION)?.limiters.describe_create_account_status.turn(OPERATION).await?;
        let answer = self
            .aws(OPERATION)?
            .client
            .describe_create_account_status()
            .create_account_request_id(id.as_str())
            .send()
            .await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        status(OPERATION, answer.create_account_status())
    }

    /// One page of the calls of `CreateAccount` that AWS still tracks, in whatever state, from `token` on.
    pub async fn create_account_statuses(&self, token: Option<&str>) -> Result<Page<CreateAccountStatus>, CallError> {
        const OPERATION: &str = "organizations:ListCreateAccountStatus";
        self.aws(OPERATION)?.limiters.list_create_account_status.turn(OPERATION).await?;
        let call =
            self.aws(OPERATION)?.client.list_create_account_status().set_next_token(token.map(ToOwned::to_owned));
        let page = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
        let entries = page.create_account_statuses().iter().map(|entry| status(OPERATION, Some(entry)));
        Ok(Page { items: entries.collect::<Result<_, _>>()?, next: page.next_token })
    }

    /// Every account of the organization, the management account among them.
    pub async fn list_accounts(&self) -> Result<Vec<Account>, CallError> {
        const OPERATION: &str = "organizations:ListAccounts";
        if let Some(named) = self.named(OPERATION)? {
            return Ok(named.accounts());
        }
        let mut pages = self.aws(OPERATION)?.client.list_accounts().into_paginator().send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_accounts.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.accounts() {
                found.push(account(OPERATION, entry)?);
            }
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_accounts.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// One page of the accounts of the organization, from `token` on.
    pub async fn accounts_page(&self, token: Option<&str>) -> Result<Page<Account>, CallError> {
        const OPERATION: &str = "organizations:ListAccounts";
        if let Some(named) = self.named(OPERATION)? {
            return Ok(Page { items: named.accounts(), next: None });
        }
        self.aws(OPERATION)?.limiters.list_accounts.turn(OPERATION).await?;
        let call = self.aws(OPERATION)?.client.list_accounts().set_next_token(token.map(ToOwned::to_owned));
        let page = call.send().await.map_err(|error| CallError::of(OPERATION, error))?;
        let entries = page.accounts().iter().map(|entry| account(OPERATION, entry));
        Ok(Page { items: entries.collect::<Result<_, _>>()?, next: page.next_token })
    }

    /// One account of the organization; None for one that is not in it, or not any more.
    pub async fn find_account(&self, id: &AccountId) -> Result<Option<Account>, CallError> {
        match self.describe_account(id).await {
            Ok(account) => Ok(Some(account)),
            Err(error) if error.cause == Cause::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One account of the organization.
    pub async fn describe_account(&self, id: &AccountId) -> Result<Account, CallError> {
        const OPERATION: &str = "organizations:DescribeAccount";
        if let Some(named) = self.named(OPERATION)? {
            return named.account(OPERATION, id);
        }
        self.aws(OPERATION)?.limiters.describe_account.turn(OPERATION).await?;
        let answer = self.aws(OPERATION)?.client.describe_account().account_id(id.as_str()).send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let entry = answer.account().ok_or_else(|| incomplete(OPERATION, "Account"))?;
        account(OPERATION, entry)
    }

    /// Moves an account from one unit (or root) to another.
    pub async fn move_account(
        &self,
        id: &AccountId,
        from: &OrganizationalUnitId,
        to: &OrganizationalUnitId,
    ) -> Result<(), CallError> {
        const OPERATION: &str = "organizations:MoveAccount";
        self.aws(OPERATION)?.limiters.move_account.turn(OPERATION).await?;
        let call = self.aws(OPERATION)?.client.move_account().account_id(id.as_str());
        let answer = call.source_parent_id(from.as_str()).destination_parent_id(to.as_str()).send().await;
        answer.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                MoveAccountError::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
                _ => None,
            })
        })
    }

    /// Whether a unit of this id exists; None when it does not.
    pub async fn find_organizational_unit(
        &self,
        id: &OrganizationalUnitId,
    ) -> Result<Option<OrganizationalUnit>, CallError> {
        use DescribeOrganizationalUnitError as Missing;
        const OPERATION: &str = "organizations:DescribeOrganizationalUnit";
        if let Some(named) = self.named(OPERATION)? {
            return Ok(named.unit(id));
        }
        self.aws(OPERATION)?.limiters.describe_organizational_unit.turn(OPERATION).await?;
        match self
            .aws(OPERATION)?
            .client
            .describe_organizational_unit()
            .organizational_unit_id(id.as_str())
            .send()
            .await
        {
            Ok(answer) => {
                let entry = answer.organizational_unit().ok_or_else(|| incomplete(OPERATION, "OrganizationalUnit"))?;
                organizational_unit(OPERATION, entry).map(Some)
            }
            Err(error) if error.as_service_error().is_some_and(Missing::is_organizational_unit_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(CallError::of(OPERATION, error)),
        }
    }

    /// The root of the organization.
    pub async fn find_root(&self) -> Result<OrganizationalUnitId, CallError> {
        const OPERATION: &str = "organizations:ListRoots";
        if self.named(OPERATION)?.is_some() {
            return Ok(OrganizationalUnitId::of_names(&[]));
        }
        self.aws(OPERATION)?.limiters.list_roots.turn(OPERATION).await?;
        let answer =
            self.aws(OPERATION)?.client.list_roots().send().await.map_err(|error| CallError::of(OPERATION, error))?;
        let root = answer.roots().first().ok_or_else(|| incomplete(OPERATION, "Roots"))?;
        parsed(OPERATION, "Id", root.id())
    }

    /// The units directly below a unit or root.
    pub async fn list_organizational_units(
        &self,
        parent: &OrganizationalUnitId,
    ) -> Result<Vec<OrganizationalUnit>, CallError> {
        const OPERATION: &str = "organizations:ListOrganizationalUnitsForParent";
        if let Some(named) = self.named(OPERATION)? {
            return Ok(named.units_below(parent));
        }
        let mut pages = self
            .aws(OPERATION)?
            .client
            .list_organizational_units_for_parent()
            .parent_id(parent.as_str())
            .into_paginator()
            .send();
        let mut found = Vec::new();
        self.aws(OPERATION)?.limiters.list_organizational_units.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in page.organizational_units() {
                found.push(organizational_unit(OPERATION, entry)?);
            }
            if page.next_token().is_some() {
                self.aws(OPERATION)?.limiters.list_organizational_units.turn(OPERATION).await?;
            }
        }
        Ok(found)
    }

    /// One page of the units directly below a unit or root, from `token` on.
    pub async fn organizational_units_page(
        &self,
        parent: &OrganizationalUnitId,
        token: Option<&str>,
    ) -> Result<Page<OrganizationalUnit>, CallError> {
        const OPERATION: &str = "organizations:ListOrganizationalUnitsForParent";
        if let Some(named) = self.named(OPERATION)? {
            return Ok(Page { items: named.units_below(parent), next: None });
        }
        let aws = self.aws(OPERATION)?;
        aws.limiters.list_organizational_units.turn(OPERATION).await?;
        let call = aws.client.list_organizational_units_for_parent().parent_id(parent.as_str());
        let page = call.set_next_token(token.map(ToOwned::to_owned)).send().await;
        let page = page.map_err(|error| CallError::of(OPERATION, error))?;
        let entries = page.organizational_units().iter().map(|entry| organizational_unit(OPERATION, entry));
        Ok(Page { items: entries.collect::<Result<_, _>>()?, next: page.next_token })
    }

    /// The tags of an account.
    pub async fn list_tags(&self, id: &AccountId) -> Result<BTreeMap<String, String>, CallError> {
        const OPERATION: &str = "organizations:ListTagsForResource";
        if let Some(named) = self.named(OPERATION)? {
            return named.tags(OPERATION, id);
        }
        let mut pages =
            self.aws(OPERATION)?.client.list_tags_for_resource().resource_id(id.as_str()).into_paginator().send();
        let mut found = BTreeMap::new();
        // Fifty tags are the most that a resource has: one page.
        self.aws(OPERATION)?.limiters.list_tags.turn(OPERATION).await?;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            found.extend(page.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())));
        }
        Ok(found)
    }

    /// Sets tags of an account; its other tags stay.
    pub async fn put_tags(&self, id: &AccountId, tags: &BTreeMap<String, String>) -> Result<(), CallError> {
        use aws_sdk_organizations::operation::tag_resource::TagResourceError as Refused;
        const OPERATION: &str = "organizations:TagResource";
        let answer = self
            .aws(OPERATION)?
            .client
            .tag_resource()
            .resource_id(id.as_str())
            .set_tags(Some(model_tags(OPERATION, tags)?));
        self.aws(OPERATION)?.limiters.tag_resource.turn(OPERATION).await?;
        answer.send().await.map(drop).map_err(|error| {
            CallError::with_reason(OPERATION, error, |error| match error {
                Refused::ConstraintViolationException(e) => e.reason().map(ConstraintViolationExceptionReason::as_str),
                Refused::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
                _ => None,
            })
        })
    }
}

fn model_tags(operation: &'static str, tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, CallError> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let tags = tags.iter().map(tag).collect::<Result<_, _>>();
    tags.map_err(|error| CallError::not_sent(operation, Cause::InputRefused, error.to_string()))
}

fn create_account_reason(error: &CreateAccountError) -> Option<&str> {
    match error {
        CreateAccountError::ConstraintViolationException(e) => {
            e.reason().map(ConstraintViolationExceptionReason::as_str)
        }
        CreateAccountError::InvalidInputException(e) => e.reason().map(InvalidInputExceptionReason::as_str),
        _ => None,
    }
}

fn incomplete(operation: &'static str, member: &str) -> CallError {
    CallError::unusable(operation, Cause::CallFailed, format!("an answer without {member}"))
}

fn parsed<T: std::str::FromStr>(operation: &'static str, member: &str, text: Option<&str>) -> Result<T, CallError> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| incomplete(operation, member))
}

fn timestamp(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::from_millisecond(time.to_millis().ok()?).ok())
}

fn status(
    operation: &'static str,
    entry: Option<&aws_sdk_organizations::types::CreateAccountStatus>,
) -> Result<CreateAccountStatus, CallError> {
    let entry = entry.ok_or_else(|| incomplete(operation, "CreateAccountStatus"))?;
    let outcome = match entry.state() {
        Some(CreateAccountState::InProgress) => CreateAccountOutcome::InProgress,
        Some(CreateAccountState::Succeeded) => {
            CreateAccountOutcome::Succeeded(parsed(operation, "AccountId", entry.account_id())?)
        }
        Some(CreateAccountState::Failed) => CreateAccountOutcome::Failed(
            entry.failure_reason().map_or("no reason given", |reason| reason.as_str()).to_owned(),
        ),
        _ => return Err(incomplete(operation, "a known State")),
    };
    Ok(CreateAccountStatus {
        id: parsed(operation, "Id", entry.id())?,
        account_name: entry.account_name().map(ToOwned::to_owned),
        requested_at: timestamp(entry.requested_timestamp()),
        outcome,
    })
}

fn account(operation: &'static str, entry: &aws_sdk_organizations::types::Account) -> Result<Account, CallError> {
    use aws_sdk_organizations::types::AccountState as State;
    let units = entry.paths().first().map(|path| units_of(path)).unwrap_or_default();
    Ok(Account {
        id: parsed(operation, "Id", entry.id())?,
        name: entry.name().unwrap_or_default().to_owned(),
        email: entry.email().unwrap_or_default().to_owned(),
        state: match entry.state() {
            Some(State::Active) => AccountState::Active,
            Some(other) => AccountState::Other(other.as_str().to_owned()),
            None => AccountState::Other("UNKNOWN".to_owned()),
        },
        joined_at: timestamp(entry.joined_timestamp()),
        parent: units.last().cloned(),
        units,
    })
}

/// The root and the units of a path such as `o-abc/r-ab12/ou-ab12-cdef3456/123456789012/`.
fn units_of(path: &str) -> Vec<OrganizationalUnitId> {
    path.split('/').filter_map(|part| part.parse().ok()).collect()
}

fn organizational_unit(
    operation: &'static str,
    entry: &aws_sdk_organizations::types::OrganizationalUnit,
) -> Result<OrganizationalUnit, CallError> {
    Ok(OrganizationalUnit {
        id: parsed(operation, "Id", entry.id())?,
        name: entry.name().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests;
