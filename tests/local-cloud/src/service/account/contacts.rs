//! The primary contact and the alternate contacts.

use serde_json::{Value, json};

use super::error;
use super::fields::{Field, is_email, is_international_phone, is_phone, record, word};
use super::profile::Profile;
use crate::front::answer::ApiError;

/// What alternate contacts are for.
const TYPES: [&str; 3] = ["BILLING", "OPERATIONS", "SECURITY"];

/// Countries whose addresses need a state or region.
const COUNTRIES_WITH_STATES: [&str; 7] = ["BR", "CA", "DE", "GB", "IN", "JP", "US"];

const ALTERNATE: [Field; 5] = [
    Field::required("AlternateContactType", 10),
    Field::required("EmailAddress", 254).that(is_email),
    Field::required("Name", 64),
    Field::required("PhoneNumber", 25).that(is_phone),
    Field::required("Title", 50),
];

const PRIMARY: [Field; 12] = [
    Field::required("FullName", 50),
    Field::required("AddressLine1", 60),
    Field::optional("AddressLine2", 60),
    Field::optional("AddressLine3", 60),
    Field::required("City", 50),
    Field::optional("StateOrRegion", 50),
    Field::optional("DistrictOrCounty", 50),
    Field::required("PostalCode", 20),
    Field::required("CountryCode", 2).that(|code| code.len() == 2),
    Field::required("PhoneNumber", 20).that(is_international_phone),
    Field::optional("CompanyName", 50),
    Field::optional("WebsiteUrl", 256),
];

pub(super) fn get(profile: &Profile) -> Result<Value, ApiError> {
    let contact = profile.contact.as_ref().ok_or_else(|| error::not_found("contact information"))?;
    Ok(json!({ "ContactInformation": contact }))
}

/// Replaces the whole record: what is left out is gone.
pub(super) fn put(profile: &mut Profile, input: &Value) -> Result<Value, ApiError> {
    let contact = record(&input["ContactInformation"], &PRIMARY)?;
    let country = contact["CountryCode"].as_str().unwrap_or_default();
    if COUNTRIES_WITH_STATES.contains(&country) && !contact.contains_key("StateOrRegion") {
        return Err(error::invalid("StateOrRegion"));
    }
    profile.contact = Some(contact);
    Ok(json!({}))
}

pub(super) fn get_alternate(profile: &Profile, input: &Value) -> Result<Value, ApiError> {
    let contact = profile.alternates.get(kind(input)?).ok_or_else(none_of_that_type)?;
    Ok(json!({ "AlternateContact": contact }))
}

pub(super) fn put_alternate(profile: &mut Profile, input: &Value) -> Result<Value, ApiError> {
    let kind = kind(input)?;
    profile.alternates.insert(kind.to_owned(), record(input, &ALTERNATE)?);
    Ok(json!({}))
}

pub(super) fn delete_alternate(profile: &mut Profile, input: &Value) -> Result<Value, ApiError> {
    profile.alternates.remove(kind(input)?).ok_or_else(none_of_that_type)?;
    Ok(json!({}))
}

fn kind(input: &Value) -> Result<&str, ApiError> {
    word(input, "AlternateContactType", &TYPES)
}

fn none_of_that_type() -> ApiError {
    error::not_found("contact of the inputted alternate contact type")
}
