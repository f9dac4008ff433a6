//! AWS Account Management: contacts and regions of the accounts of an organization. Every call goes to us-east-1.

mod primary;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_account::{
    Client,
    config::{Builder, retry::RetryConfig},
    operation::{
        delete_alternate_contact::DeleteAlternateContactError, get_alternate_contact::GetAlternateContactError,
        get_contact_information::GetContactInformationError,
    },
    types::{AlternateContactType, ContactInformation as ContactRecord},
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use strum::{IntoStaticStr, VariantArray};

use super::{
    CallError,
    rate_limiter::{RateLimiter, Rates},
    unless_absent,
};
use crate::{
    error::Cause,
    ids::{AccountId, Region},
};

pub use primary::{EmailCode, EmailUpdate, EmailUpdateStatus};

/// The account that a call is about, as the management account names it.
///
/// The management account never passes its own id: AWS denies that call. A target knows which of the two it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTarget(Option<AccountId>);

impl AccountTarget {
    /// The account, named by the management account.
    pub fn of(account: &AccountId, management_account: &AccountId) -> Self {
        Self((account != management_account).then(|| account.clone()))
    }

    /// The caller's own account. AWS calls this the standalone context: it needs neither trusted access nor an organization
    /// (AWS Account Management reference guide, "Understanding API modes of operation").
    pub fn own() -> Self {
        Self(None)
    }

    fn id(&self) -> Option<String> {
        self.0.as_ref().map(ToString::to_string)
    }

    /// Names a denial for what it means here: AWS denies calls about another account that lack trusted access in the same
    /// words as calls that lack a permission.
    fn denied(&self, mut error: CallError) -> CallError {
        if error.cause == Cause::AccessDenied && self.0.is_some() {
            error.cause = Cause::AccountManagementDenied;
        }
        error
    }
}

/// Whom AWS asks beside the owner of the primary e-mail address, by the names of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "UPPERCASE")]
pub enum ContactKind {
    /// About invoices.
    Billing,
    /// About the running of services.
    Operations,
    /// About security findings and abuse.
    Security,
}

/// An alternate contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlternateContact {
    /// Who it is.
    pub name: String,
    /// What they are.
    pub title: String,
    /// Their e-mail address.
    pub email: String,
    /// Their phone number.
    pub phone: String,
}

/// The primary contact of an account, field by field as in the API model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactInformation {
    /// `FullName`.
    pub full_name: String,
    /// `CompanyName`.
    pub company_name: Option<String>,
    /// `AddressLine1`.
    pub address_line_1: String,
    /// `AddressLine2`.
    pub address_line_2: Option<String>,
    /// `AddressLine3`.
    pub address_line_3: Option<String>,
    /// `City`.
    pub city: String,
    /// `DistrictOrCounty`.
    pub district_or_county: Option<String>,
    /// `StateOrRegion`.
    pub state_or_region: Option<String>,
    /// `PostalCode`.
    pub postal_code: String,
    /// `CountryCode`, two letters.
    pub country_code: String,
    /// `PhoneNumber`.
    pub phone_number: String,
    /// `WebsiteUrl`.
    pub website_url: Option<String>,
}

/// Whether a region can be used in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionStatus {
    /// It can be used in every account, and nobody can disable it.
    EnabledByDefault,
    /// It can be used, since somebody has enabled it.
    Enabled,
    /// It can be used soon: AWS takes minutes, at times hours.
    Enabling,
    /// It can still be used: AWS takes minutes to days to disable it.
    Disabling,
    /// It cannot be used.
    Disabled,
}

/// The published rates, of each operation (Account Management reference guide, "Quotas").
#[derive(Debug)]
struct RateLimiters {
    get_alternate_contact: RateLimiter,
    get_contact_information: RateLimiter,
    put_alternate_contact: RateLimiter,
    put_contact_information: RateLimiter,
    delete_alternate_contact: RateLimiter,
    list_regions: RateLimiter,
    enable_region: RateLimiter,
    disable_region: RateLimiter,
    accept_primary_email_update: RateLimiter,
    get_account_information: RateLimiter,
    get_primary_email: RateLimiter,
    get_primary_email_update_status: RateLimiter,
    put_account_name: RateLimiter,
    start_primary_email_update: RateLimiter,
}

impl RateLimiters {
    fn of(rates: &Rates) -> Self {
        let limiter = |operation, per_second, burst| RateLimiter::new(operation, per_second, burst, rates);
        Self {
            get_alternate_contact: limiter("GetAlternateContact", 10.0, 15.0),
            get_contact_information: limiter("GetContactInformation", 10.0, 15.0),
            put_alternate_contact: limiter("PutAlternateContact", 5.0, 8.0),
            put_contact_information: limiter("PutContactInformation", 5.0, 8.0),
            delete_alternate_contact: limiter("DeleteAlternateContact", 1.0, 6.0),
            list_regions: limiter("ListRegions", 5.0, 5.0),
            enable_region: limiter("EnableRegion", 1.0, 1.0),
            disable_region: limiter("DisableRegion", 1.0, 1.0),
            accept_primary_email_update: limiter("AcceptPrimaryEmailUpdate", 1.0, 1.0),
            get_account_information: limiter("GetAccountInformation", 3.0, 3.0),
            get_primary_email: limiter("GetPrimaryEmail", 3.0, 3.0),
            // AWS publishes none for it: that of its sister.
            get_primary_email_update_status: limiter("GetPrimaryEmailUpdateStatus", 3.0, 3.0),
            put_account_name: limiter("PutAccountName", 1.0, 1.0),
            start_primary_email_update: limiter("StartPrimaryEmailUpdate", 1.0, 1.0),
        }
    }
}

/// The door to AWS Account Management.
#[derive(Clone, Debug)]
pub struct AccountGateway {
    client: Client,
    limiters: Arc<RateLimiters>,
}

impl AccountGateway {
    /// A gateway over the SDK's client, which takes this much of the published rates.
    pub(super) fn new(client: Client, rates: &Rates) -> Self {
        Self { client, limiters: Arc::new(RateLimiters::of(rates)) }
    }

    /// A gateway with a client of its own.
    pub(super) fn of(config: &SdkConfig, rates: &Rates) -> Self {
        Self::new(Client::new(config), rates)
    }

    /// A gateway of a session in a member account. AWS counts these calls for the account that makes them: each account has
    /// its own rates, and all of them (AWS Account Management reference guide, "Quotas").
    pub fn of_session(session: &SdkConfig) -> Self {
        Self::of(session, &Rates::new(1.0, Vec::new()))
    }

    /// A gateway over a mocked client, which takes all of the published rates.
    #[cfg(test)]
    pub(crate) fn mocked(client: Client) -> Self {
        Self::new(client, &Rates::new(1.0, Vec::new()))
    }

    /// The alternate contact of this kind; None when there is none.
    pub async fn find_alternate_contact(
        &self,
        target: &AccountTarget,
        kind: ContactKind,
    ) -> Result<Option<AlternateContact>, CallError> {
        const OPERATION: &str = "account:GetAlternateContact";
        self.limiters.get_alternate_contact.turn(OPERATION).await?;
        let call = self.client.get_alternate_contact().set_account_id(target.id());
        let answer = call.alternate_contact_type(model(kind)).send().await;
        let is_absent = GetAlternateContactError::is_resource_not_found_exception;
        let answer = unless_absent(OPERATION, answer, is_absent).map_err(|error| target.denied(error))?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let contact = answer.map(|answer| {
            let contact = answer.alternate_contact().ok_or_else(|| {
                CallError::unusable(OPERATION, Cause::CallFailed, "an answer without AlternateContact")
            })?;
            Ok(AlternateContact {
                name: text(contact.name()),
                title: text(contact.title()),
                email: text(contact.email_address()),
                phone: text(contact.phone_number()),
            })
        });
        contact.transpose()
    }

    /// Writes the alternate contact of this kind; one that is there is replaced.
    pub async fn put_alternate_contact(
        &self,
        target: &AccountTarget,
        kind: ContactKind,
        contact: &AlternateContact,
    ) -> Result<(), CallError> {
        const OPERATION: &str = "account:PutAlternateContact";
        self.limiters.put_alternate_contact.turn(OPERATION).await?;
        let call = self.client.put_alternate_contact().set_account_id(target.id()).alternate_contact_type(model(kind));
        let call = call.name(&contact.name).title(&contact.title);
        let call = call.email_address(&contact.email).phone_number(&contact.phone);
        call.send().await.map(drop).map_err(|error| target.denied(CallError::of(OPERATION, error)))
    }

    /// Removes the alternate contact of this kind. No error when there is none.
    pub async fn delete_alternate_contact(&self, target: &AccountTarget, kind: ContactKind) -> Result<(), CallError> {
        const OPERATION: &str = "account:DeleteAlternateContact";
        self.limiters.delete_alternate_contact.turn(OPERATION).await?;
        let call = self.client.delete_alternate_contact().set_account_id(target.id());
        let answer = call.alternate_contact_type(model(kind)).send().await;
        let is_absent = DeleteAlternateContactError::is_resource_not_found_exception;
        unless_absent(OPERATION, answer, is_absent).map(drop).map_err(|error| target.denied(error))
    }

    /// The primary contact; None when the account has none.
    pub async fn find_contact_information(
        &self,
        target: &AccountTarget,
    ) -> Result<Option<ContactInformation>, CallError> {
        const OPERATION: &str = "account:GetContactInformation";
        self.limiters.get_contact_information.turn(OPERATION).await?;
        let answer = self.client.get_contact_information().set_account_id(target.id()).send().await;
        let is_absent = GetContactInformationError::is_resource_not_found_exception;
        let answer = unless_absent(OPERATION, answer, is_absent).map_err(|error| target.denied(error))?;
        let contact = answer.map(|answer| {
            let record = answer.contact_information().ok_or_else(|| {
                CallError::unusable(OPERATION, Cause::CallFailed, "an answer without ContactInformation")
            })?;
            Ok(contact_information(record))
        });
        contact.transpose()
    }

    /// Writes the primary contact; the present one is replaced as a whole.
    pub async fn put_contact_information(
        &self,
        target: &AccountTarget,
        contact: &ContactInformation,
    ) -> Result<(), CallError> {
        const OPERATION: &str = "account:PutContactInformation";
        let record = contact_record(contact)
            .map_err(|error| CallError::not_sent(OPERATION, Cause::InputRefused, error.to_string()))?;
        self.limiters.put_contact_information.turn(OPERATION).await?;
        let call = self.client.put_contact_information().set_account_id(target.id()).contact_information(record);
        call.send().await.map(drop).map_err(|error| target.denied(CallError::of(OPERATION, error)))
    }

    /// Every region that AWS knows, with its status in the account.
    pub async fn list_regions(&self, target: &AccountTarget) -> Result<BTreeMap<Region, RegionStatus>, CallError> {
        const OPERATION: &str = "account:ListRegions";
        self.limiters.list_regions.turn(OPERATION).await?;
        let mut pages = self.client.list_regions().set_account_id(target.id()).into_paginator().page_size(50).send();
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| target.denied(CallError::of(OPERATION, error)))?;
            for entry in page.regions() {
                let (region, status) = region(entry).ok_or_else(|| {
                    CallError::unusable(OPERATION, Cause::CallFailed, format!("a region like {entry:?}"))
                })?;
                found.insert(region, status);
            }
        }
        if found.is_empty() {
            // Every account has regions.
            return Err(CallError::unusable(OPERATION, Cause::CallFailed, "a list without regions"));
        }
        Ok(found)
    }

    /// Asks AWS to enable a region. Without the SDK's retries: what AWS answers when too many regions change at once looks like
    /// throttling, and lasts for minutes.
    pub async fn enable_region(&self, target: &AccountTarget, region: &Region) -> Result<(), CallError> {
        const OPERATION: &str = "account:EnableRegion";
        in_turn(&self.limiters.enable_region, OPERATION, || {
            let call = self.client.enable_region().set_account_id(target.id()).region_name(region.as_str());
            let asked = call.customize().config_override(without_retries()).send();
            async { asked.await.map(drop).map_err(|error| region_change_failed(target, OPERATION, error)) }
        })
        .await
    }

    /// Asks AWS to disable a region, as it is asked to enable one.
    pub async fn disable_region(&self, target: &AccountTarget, region: &Region) -> Result<(), CallError> {
        const OPERATION: &str = "account:DisableRegion";
        in_turn(&self.limiters.disable_region, OPERATION, || {
            let call = self.client.disable_region().set_account_id(target.id()).region_name(region.as_str());
            let asked = call.customize().config_override(without_retries()).send();
            async { asked.await.map(drop).map_err(|error| region_change_failed(target, OPERATION, error)) }
        })
        .await
    }
}

/// How often something is asked for that another process was quicker with.
const ATTEMPTS: u32 = 4;
/// By how much a process whose call was throttled steps out of the way of the one that was quicker. Both have the same time
/// between two calls: without this, the slower one would be throttled each time.
const OUT_OF_STEP: Duration = Duration::from_millis(400);

/// Asks for something, again at its next turn where the call was throttled: AWS allows one a second, and other processes ask as
/// well. For calls that are made without the SDK's retries.
async fn in_turn<Asked: Future<Output = Result<(), CallError>>>(
    limiter: &RateLimiter,
    operation: &'static str,
    ask: impl Fn() -> Asked,
) -> Result<(), CallError> {
    limiter.turn(operation).await?;
    let mut answer = ask().await;
    for _ in 1..ATTEMPTS {
        if !answer.as_ref().is_err_and(|error| error.cause == Cause::Throttled) {
            break;
        }
        limiter.fall_back(OUT_OF_STEP);
        if limiter.turn(operation).await.is_err() {
            break;
        }
        answer = ask().await;
    }
    answer
}

fn without_retries() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// Classifies an error of a region change. The quota of changes at once shares its exception with throttling, and
/// only the message tells them apart; a conflict is a change of the same region that is under way.
fn region_change_failed<E>(
    target: &AccountTarget,
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_concurrency_quota = error.as_service_error().and_then(|e| e.message()).is_some_and(|message| {
        let message = message.to_ascii_lowercase();
        message.contains("quota") && message.contains("concurrent region-opt")
    });
    let mut error = target.denied(CallError::of(operation, error));
    match error.cause {
        Cause::Throttled if is_concurrency_quota => error.cause = Cause::RegionOptQuota,
        Cause::Conflict => error.cause = Cause::RegionInTransition,
        _ => {}
    }
    error
}

fn model(kind: ContactKind) -> AlternateContactType {
    match kind {
        ContactKind::Billing => AlternateContactType::Billing,
        ContactKind::Operations => AlternateContactType::Operations,
        ContactKind::Security => AlternateContactType::Security,
    }
}

fn region(entry: &aws_sdk_account::types::Region) -> Option<(Region, RegionStatus)> {
    use aws_sdk_account::types::RegionOptStatus as Status;
    let status = match entry.region_opt_status()? {
        Status::EnabledByDefault => RegionStatus::EnabledByDefault,
        Status::Enabled => RegionStatus::Enabled,
        Status::Enabling => RegionStatus::Enabling,
        Status::Disabling => RegionStatus::Disabling,
        Status::Disabled => RegionStatus::Disabled,
        _ => return None,
    };
    Some((entry.region_name()?.parse().ok()?, status))
}

fn contact_information(record: &ContactRecord) -> ContactInformation {
    // An empty member and a missing one are the same contact.
    let optional = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    ContactInformation {
        full_name: record.full_name().to_owned(),
        company_name: optional(record.company_name()),
        address_line_1: record.address_line1().to_owned(),
        address_line_2: optional(record.address_line2()),
        address_line_3: optional(record.address_line3()),
        city: record.city().to_owned(),
        district_or_county: optional(record.district_or_county()),
        state_or_region: optional(record.state_or_region()),
        postal_code: record.postal_code().to_owned(),
        country_code: record.country_code().to_owned(),
        phone_number: record.phone_number().to_owned(),
        website_url: optional(record.website_url()),
    }
}

fn contact_record(contact: &ContactInformation) -> Result<ContactRecord, aws_sdk_account::error::BuildError> {
    ContactRecord::builder()
        .full_name(&contact.full_name)
        .set_company_name(contact.company_name.clone())
        .address_line1(&contact.address_line_1)
        .set_address_line2(contact.address_line_2.clone())
        .set_address_line3(contact.address_line_3.clone())
        .city(&contact.city)
        .set_district_or_county(contact.district_or_county.clone())
        .set_state_or_region(contact.state_or_region.clone())
        .postal_code(&contact.postal_code)
        .country_code(&contact.country_code)
        .phone_number(&contact.phone_number)
        .set_website_url(contact.website_url.clone())
        .build()
}

#[cfg(test)]
mod tests;
