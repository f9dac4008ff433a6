//! The baseline: what every account must have.

use serde::{Deserialize, Serialize};

use crate::{
    control::{
        account_alias::AccountAlias, account_tags::AccountTags, alternate_contacts::AlternateContacts,
        billing_alarm::BillingAlarm, organizational_unit::OrganizationalUnit, password_policy::PasswordPolicy,
        primary_contact::PrimaryContact, regions::Regions, root_credentials::RootCredentials,
        s3_public_access_block::S3PublicAccessBlock, switch_roles::SwitchRoles,
    },
    ids::Email,
};

/// The desired state of an account: one section per control. A control without a section is left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Baseline {
    /// The alarm on estimated charges.
    pub billing_alarm: Option<BillingAlarm>,
    /// The contacts beside the primary one.
    pub alternate_contacts: Option<AlternateContacts>,
    /// The primary contact.
    pub primary_contact: Option<PrimaryContact>,
    /// The opt-in regions.
    pub regions: Option<Regions>,
    /// The credentials of the root user.
    pub root_credentials: Option<RootCredentials>,
    /// The account's place in the organization.
    pub organizational_unit: Option<OrganizationalUnit>,
    /// The account's tags in the organization.
    pub account_tags: Option<AccountTags>,
    /// The account's alias.
    pub account_alias: Option<AccountAlias>,
    /// The rules for passwords of IAM users.
    pub password_policy: Option<PasswordPolicy>,
    /// The block of public access to S3.
    pub s3_public_access_block: Option<S3PublicAccessBlock>,
    /// The roles that people switch to.
    pub switch_roles: Option<SwitchRoles>,
}

impl Baseline {
    /// The baseline of a stack that has no document: a billing alarm with the stack's own parameters.
    pub fn of_parameters(alert_email: Email, billing_threshold_usd: f64) -> Self {
        let billing_alarm = Some(BillingAlarm::new(billing_threshold_usd, vec![alert_email]));
        Self { billing_alarm, ..Self::default() }
    }
}
