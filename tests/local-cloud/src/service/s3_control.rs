//! The part of S3 Control that MiniStack lacks: an account's settings against public access.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::front::answer::{ApiError, xml_ok};
use crate::front::request::Incoming;
use crate::front::rest::PUBLIC_ACCESS_BLOCK;
use crate::service::{Answered, Context, Service};
use crate::xml::Xml;

const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

const SETTINGS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// Whether each of [`SETTINGS`] is on.
type Blocked = [bool; 4];

/// The settings of accounts that have any.
#[derive(Default)]
pub(crate) struct S3Control {
    blocked: Mutex<HashMap<String, Blocked>>,
}

impl Service for S3Control {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "s3" && request.parts.uri.path() == PUBLIC_ACCESS_BLOCK
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context)
    }
}

impl S3Control {
    fn perform(&self, context: &Context<'_>) -> Answered {
        let account = &context.caller.account;
        let named = context.request.parts.headers.get("x-amz-account-id").and_then(|id| id.to_str().ok());
        if named != Some(account) {
            return Err(context.request.protocol.access_denied("Access Denied"));
        }
        // What an S3 policy of the organization says is in force, and nobody in the account changes it; the account's own settings
        // are kept behind it.
        let by_policy = context.core.services.organizations.effective_policy("S3_POLICY", account);
        let by_policy = by_policy.and_then(|policy| {
            let said = policy["s3_attributes"]["public_access_block_configuration"].as_str()?.to_owned();
            Some([said == "all"; SETTINGS.len()])
        });
        if let Some(in_force) = by_policy {
            return match context.request.operation.as_str() {
                "GetPublicAccessBlock" => Ok(xml_ok(body(in_force))),
                _ => Err(context.request.protocol.access_denied("Access Denied")),
            };
        }
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        match context.request.operation.as_str() {
            "GetPublicAccessBlock" => blocked.get(account).map(|blocked| xml_ok(body(*blocked))).ok_or_else(none),
            "PutPublicAccessBlock" => {
                blocked.insert(account.clone(), settings(&context.request.body));
                Ok(xml_ok(String::new()))
            }
            "DeletePublicAccessBlock" => {
                blocked.remove(account);
                Ok(xml_ok(String::new()))
            }
            other => Err(ApiError::new(405, "MethodNotAllowed", format!("The local cloud does not know {other}."))),
        }
    }
}

/// What a request sets; what it leaves out is off.
fn settings(body: &Bytes) -> Blocked {
    let document = Xml(String::from_utf8_lossy(body).into_owned());
    SETTINGS.map(|name| document.text(name).as_deref() == Some("true"))
}

fn body(blocked: Blocked) -> String {
    let settings: Vec<String> =
        SETTINGS.iter().zip(blocked).map(|(name, on)| format!("<{name}>{on}</{name}>")).collect();
    let settings = settings.concat();
    format!("<PublicAccessBlockConfiguration xmlns=\"{NAMESPACE}\">{settings}</PublicAccessBlockConfiguration>")
}

fn none() -> ApiError {
    ApiError::new(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
}
