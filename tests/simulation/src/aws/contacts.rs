//! AWS Account Management: whom AWS asks about an account.

use serde_json::{Map, Value, json};

use super::{
    Answer, Refusal,
    account::{denied, invalid},
    arranging::GONE,
    settings,
};
use crate::{
    call::Call,
    cloud::{Principal, State},
    script::Control,
    template::ACCOUNT,
};

const KINDS: [&str; 3] = ["BILLING", "OPERATIONS", "SECURITY"];
/// The fields of an alternate contact, and how long each may be.
const ALTERNATE: [(&str, usize); 4] = [("EmailAddress", 254), ("Name", 64), ("PhoneNumber", 25), ("Title", 50)];
/// The fields of the primary contact, how long each may be, and whether it must be there.
const PRIMARY: [(&str, usize, bool); 12] = [
    ("FullName", 50, true),
    ("AddressLine1", 60, true),
    ("AddressLine2", 60, false),
    ("AddressLine3", 60, false),
    ("City", 50, true),
    ("StateOrRegion", 50, false),
    ("DistrictOrCounty", 50, false),
    ("PostalCode", 20, true),
    ("CountryCode", 2, true),
    ("PhoneNumber", 20, true),
    ("CompanyName", 50, false),
    ("WebsiteUrl", 256, false),
];
const WITH_STATES: [&str; 7] = ["BR", "CA", "DE", "GB", "IN", "JP", "US"];

/// The account that a call is about: the caller's own, or one that the management account names.
pub(super) fn target(state: &State, who: &Principal, call: &Call) -> Result<String, Refusal> {
    match call.input["AccountId"].as_str() {
        None => Ok(who.account.clone()),
        // The management account is asked about without its id, and nobody else may name an account.
        Some(id) if id == ACCOUNT || who.account != ACCOUNT => Err(denied()),
        Some(id) if state.organization.account(id).is_none_or(|account| account.state == GONE) => Err(denied()),
        Some(id) => Ok(id.to_owned()),
    }
}

/// The answer; None for what is not about contacts.
pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let answer = match call.operation.as_str() {
        "GetAlternateContact" | "PutAlternateContact" | "DeleteAlternateContact" => alternate(state, who, call),
        "GetContactInformation" | "PutContactInformation" => primary(state, who, call),
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

fn alternate(state: &mut State, who: &Principal, call: &Call) -> Result<Value, Refusal> {
    let account = target(state, who, call)?;
    let kind = call.text("AlternateContactType").to_owned();
    if !KINDS.contains(&kind.as_str()) {
        return Err(invalid("AlternateContactType"));
    }
    let contacts = &mut settings::of(state, &account).contacts;
    match call.operation.as_str() {
        "GetAlternateContact" => {
            let mut contact = contacts.get(&kind).ok_or_else(none_of_that_type)?.clone();
            contact["AlternateContactType"] = kind.into();
            return Ok(json!({"AlternateContact": contact}));
        }
        "DeleteAlternateContact" => drop(contacts.remove(&kind).ok_or_else(none_of_that_type)?),
        _ => {
            let fields = ALTERNATE.map(|(name, most)| field(&call.input, name, most, true));
            contacts.insert(kind, record(fields)?.into());
        }
    }
    settings::changed(state, &account, Control::AlternateContacts, Some(&who.function));
    Ok(json!({}))
}

fn primary(state: &mut State, who: &Principal, call: &Call) -> Result<Value, Refusal> {
    let account = target(state, who, call)?;
    if call.operation == "GetContactInformation" {
        return Ok(json!({"ContactInformation": settings::of(state, &account).contact}));
    }
    let given = &call.input["ContactInformation"];
    let fields = PRIMARY.map(|(name, most, is_needed)| field(given, name, most, is_needed));
    let contact = record(fields)?;
    let has_states = WITH_STATES.iter().any(|country| contact["CountryCode"] == *country);
    if has_states && !contact.contains_key("StateOrRegion") {
        return Err(invalid("StateOrRegion"));
    }
    settings::of(state, &account).contact = contact.into();
    settings::changed(state, &account, Control::PrimaryContact, Some(&who.function));
    Ok(json!({}))
}

/// The record of these fields, unless one of them is wrong.
fn record<const N: usize>(
    fields: [Result<Option<(String, Value)>, Refusal>; N],
) -> Result<Map<String, Value>, Refusal> {
    fields.into_iter().filter_map(Result::transpose).collect()
}

/// A field of a record, if it is there.
fn field(record: &Value, name: &str, most: usize, is_needed: bool) -> Result<Option<(String, Value)>, Refusal> {
    match record[name].as_str() {
        Some(text) if (1..=most).contains(&text.chars().count()) => Ok(Some((name.to_owned(), text.into()))),
        None if !is_needed => Ok(None),
        _ => Err(invalid(name)),
    }
}

fn none_of_that_type() -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
}
