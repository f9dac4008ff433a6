//! The part of S3 Control that MiniStack lacks: an account's settings against public access.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Response;

use crate::core::Core;
use crate::front::actions;
use crate::front::answer::{ApiError, xml_ok};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::front::rest::PUBLIC_ACCESS_BLOCK;
use crate::quota::Rate;
use crate::service::{Answering, Context, Service};
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

    fn needs(&self, _: &Core, request: &Incoming) -> Vec<Need> {
        actions::needed(request).into_iter().map(|action| Need::new(action, "*")).collect()
    }

    fn rate(&self, _: &str) -> Option<Rate> {
        None
    }

    fn answer<'a>(&'a self, context: Context<'a>) -> Answering<'a> {
        Box::pin(async move { self.perform(&context) })
    }
}

impl S3Control {
    fn perform(&self, context: &Context<'_>) -> Result<Response<Bytes>, ApiError> {
        let account = &context.caller.account;
        let named = context.request.parts.headers.get("x-amz-account-id").and_then(|id| id.to_str().ok());
        if named != Some(account) {
            return Err(context.request.protocol.access_denied("Access Denied"));
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
