//! Which organizations accounts belong to, as conditions on `aws:PrincipalOrgID` and `aws:ResourceOrgID` ask.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::request::Incoming;
use crate::core::Core;
use crate::identity::Caller;

/// The header in which MiniStack is told of them: an object with an organization for each account that is in one.
const HEADER: HeaderName = HeaderName::from_static("x-local-cloud-organizations");

/// The headers of a request on its way to MiniStack, which knows no organizations: they say which ones the caller and the
/// role that it wants to assume belong to. Signatures do not cover what was added.
pub(super) fn headers(core: &Core, request: &Incoming, caller: Option<&Caller>) -> HeaderMap {
    let mut headers = request.parts.headers.clone();
    headers.remove(&HEADER);
    let role =
        request.text("RoleArn").filter(|_| request.operation == "AssumeRole").and_then(|arn| arn.split(':').nth(4));
    let accounts = caller.map(|caller| caller.account.as_str()).into_iter().chain(role);
    let known = accounts.filter_map(|account| Some((account.to_owned(), organization(core, account)?.into())));
    let known: Map<String, Value> = known.collect();
    if let Ok(value) = HeaderValue::try_from(Value::from(known).to_string()) {
        headers.insert(HEADER, value);
    }
    headers
}

/// The organization of an account.
pub(crate) fn organization(core: &Core, account: &str) -> Option<String> {
    core.services.organizations.membership(account).map(|membership| membership.organization)
}
