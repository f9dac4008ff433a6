//! The name of an account.

use serde_json::{Value, json};

use super::error;
use super::fields::text;
use super::target::Target;
use crate::core::Core;
use crate::front::answer::ApiError;

/// What is known of an account: its name, where it is in an organization.
pub(super) fn get(core: &Core, target: &Target) -> Result<Value, ApiError> {
    let name = core.services.organizations.name_of(&target.caller, &target.account);
    let name = name.ok_or_else(|| error::not_found("account information"))?;
    Ok(json!({ "AccountId": target.account, "AccountName": name }))
}

/// Gives an account another name. Two accounts may have one name.
pub(super) fn put(core: &Core, target: &Target, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "AccountName", 50)?;
    // `[ -;=?-~]+`: printable ASCII without < and >.
    let is_name = name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'<' && b != b'>');
    if !is_name {
        return Err(error::invalid("AccountName"));
    }
    core.services.organizations.rename(&target.caller, &target.account, name);
    Ok(json!({}))
}
