//! # primary-contact
//!
//! **What it does.** Keeps the primary contact of the account: the company, address and phone number that AWS knows
//! the owner by.
//!
//! **Why.** A new account gets a copy of the management account's contact, and nobody looks at it again until AWS has
//! to find the owner.
//!
//! **Desired state.** The whole record: `full_name`, `address_line_1`, `city`, `postal_code`, `country_code` and
//! `phone_number`, and where they apply `company_name`, `address_line_2`, `address_line_3`, `district_or_county`,
//! `state_or_region` and `website_url`. A field that is left out must be empty: AWS replaces the record as a whole.
//!
//! **Calls.** A compliant account costs one `GetContactInformation`, in a session of its access role; where that is
//! refused, from the management account, and the row says so. The contact is always written from there.
//!
//! **Source.** `PutContactInformation` is idempotent; `state_or_region` is required in US, CA, GB, DE, JP, IN and BR
//! (AWS Account Management API reference).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountScope, AccountView, Control};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::{CallError, ContactInformation},
    input::Problem,
};

/// The `primary-contact` section of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrimaryContact {
    /// Who it is: 1 to 50 characters.
    pub full_name: String,
    /// The company: 1 to 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The address: 1 to 60 characters.
    pub address_line_1: String,
    /// More of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line_2: Option<String>,
    /// More of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line_3: Option<String>,
    /// The city: 1 to 50 characters.
    pub city: String,
    /// The district or county: 1 to 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district_or_county: Option<String>,
    /// The state or region: 1 to 50 characters. Some countries require it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_or_region: Option<String>,
    /// The postal code: 1 to 20 characters.
    pub postal_code: String,
    /// The country: two letters.
    pub country_code: String,
    /// The phone number, with `+` and the country's prefix.
    pub phone_number: String,
    /// A web page: 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
}

/// The countries whose addresses need a state or region.
const WITH_STATES: &[&str] = &["US", "CA", "GB", "DE", "JP", "IN", "BR"];

impl Validate for PrimaryContact {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        for (field, text, most) in [
            ("full_name", &self.full_name, 50),
            ("address_line_1", &self.address_line_1, 60),
            ("city", &self.city, 50),
            ("postal_code", &self.postal_code, 20),
        ] {
            findings.length(field, text, 1..=most);
        }
        for (field, text, most) in [
            ("company_name", &self.company_name, 50),
            ("address_line_2", &self.address_line_2, 60),
            ("address_line_3", &self.address_line_3, 60),
            ("district_or_county", &self.district_or_county, 50),
            ("state_or_region", &self.state_or_region, 50),
            ("website_url", &self.website_url, 256),
        ] {
            findings.optional_length(field, text.as_deref(), 1..=most);
        }
        findings.expect(
            "country_code",
            self.country_code.len() == 2 && self.country_code.bytes().all(|b| b.is_ascii_uppercase()),
            "must be two capital letters such as DE",
        );
        if self.state_or_region.is_none() && WITH_STATES.contains(&self.country_code.as_str()) {
            findings.note("state_or_region", format!("is missing; AWS requires it in {}", self.country_code));
        }
        let digits = self.phone_number.strip_prefix('+').unwrap_or_default();
        let is_in_number = |b: u8| b.is_ascii_digit() || b.is_ascii_whitespace() || b"()-".contains(&b);
        findings.expect(
            "phone_number",
            (1..=19).contains(&digits.len()) && digits.bytes().all(is_in_number),
            "must be a phone number such as +49 30 5550100, of at most 20 characters",
        );
        findings.into_problems()
    }
}

impl From<&PrimaryContact> for ContactInformation {
    fn from(contact: &PrimaryContact) -> Self {
        let PrimaryContact {
            full_name,
            company_name,
            address_line_1,
            address_line_2,
            address_line_3,
            city,
            district_or_county,
            state_or_region,
            postal_code,
            country_code,
            phone_number,
            website_url,
        } = contact.clone();
        Self {
            full_name,
            company_name,
            address_line_1,
            address_line_2,
            address_line_3,
            city,
            district_or_county,
            state_or_region,
            postal_code,
            country_code,
            phone_number,
            website_url,
        }
    }
}

/// The one change: the record is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record as it will be.
    contact: ContactInformation,
    /// The fields in which it differs now; None when there is none.
    differs: Option<Vec<String>>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.differs {
            None => f.write_str("set the primary contact"),
            Some(fields) => write!(f, "correct the primary contact: {}", fields.join(", ")),
        }
    }
}

/// The control `primary-contact`.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryContactControl;

impl Control for PrimaryContactControl {
    const ID: &'static str = "primary-contact";
    const READS: &'static [&'static str] = &["account:GetContactInformation"];
    const WRITES: &'static [&'static str] = &["account:PutContactInformation"];
    type Scope = AccountScope;
    type Desired = PrimaryContact;
    type Actual = Option<ContactInformation>;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&PrimaryContact> {
        baseline.primary_contact.as_ref()
    }

    async fn inspect(
        &self,
        scope: &AccountScope,
        _desired: &PrimaryContact,
    ) -> Result<Option<ContactInformation>, CallError> {
        let AccountView { gateway, target } = &scope.reads;
        gateway.find_contact_information(target).await
    }

    fn plan(
        &self,
        _scope: &AccountScope,
        desired: &PrimaryContact,
        actual: &Option<ContactInformation>,
    ) -> Vec<Change> {
        plan(desired, actual.as_ref()).into_iter().collect()
    }

    async fn apply(&self, scope: &AccountScope, change: &Change) -> Result<(), CallError> {
        let AccountView { gateway, target } = &scope.writes;
        gateway.put_contact_information(target, &change.contact).await
    }
}

fn plan(desired: &PrimaryContact, present: Option<&ContactInformation>) -> Option<Change> {
    let contact = ContactInformation::from(desired);
    let differs = present.map(|present| differences(present, &contact));
    if differs.as_ref().is_some_and(Vec::is_empty) { None } else { Some(Change { contact, differs }) }
}

/// The names of the fields that differ, and which of them are emptied. Their values are about persons and stay out of
/// answers and logs.
fn differences(present: &ContactInformation, wanted: &ContactInformation) -> Vec<String> {
    fn fields(of: &ContactInformation) -> [(&'static str, Option<&str>); 12] {
        [
            ("full_name", Some(&of.full_name)),
            ("company_name", of.company_name.as_deref()),
            ("address_line_1", Some(&of.address_line_1)),
            ("address_line_2", of.address_line_2.as_deref()),
            ("address_line_3", of.address_line_3.as_deref()),
            ("city", Some(&of.city)),
            ("district_or_county", of.district_or_county.as_deref()),
            ("state_or_region", of.state_or_region.as_deref()),
            ("postal_code", Some(&of.postal_code)),
            ("country_code", Some(&of.country_code)),
            ("phone_number", Some(&of.phone_number)),
            ("website_url", of.website_url.as_deref()),
        ]
    }
    let pairs = fields(present).into_iter().zip(fields(wanted));
    let differing = pairs.filter(|((_, is), (_, should))| is != should);
    let words = |(field, should): (&str, Option<&str>)| match should {
        Some(_) => field.to_owned(),
        None => format!("{field} (emptied)"),
    };
    differing.map(|(_, wanted)| words(wanted)).collect()
}

#[cfg(test)]
mod tests;
