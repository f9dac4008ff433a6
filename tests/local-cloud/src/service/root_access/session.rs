//! Sessions of root users of member accounts.

use bytes::Bytes;
use http::{HeaderName, Request, Response, header};

use super::task::Task;
use super::{RootAccess, credentials};
use crate::client::{AwsClient, Credentials};
use crate::core::Core;
use crate::front::actions;
use crate::front::answer::{ApiError, query_ok};
use crate::front::request::Incoming;
use crate::service::simulated;
use crate::sign::{SignError, sign_request};
use crate::temporary::TemporaryKey;
use crate::upstream::UpstreamError;

/// What a signature adds to a request.
const SIGNATURE_HEADERS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-amz-content-sha256"),
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
];

/// A session that may do one task as the root user of an account.
#[derive(Clone)]
pub(crate) struct RootSession {
    pub(super) account: String,
    pub(super) key: TemporaryKey,
    pub(super) task: Task,
}

impl RootSession {
    /// Does what a request signed with this session asks: what concerns root credentials here, the rest in MiniStack
    /// as that account's root user.
    pub(crate) async fn answer(&self, core: &Core, request: &Incoming) -> Result<Response<Bytes>, ApiError> {
        self.key.check(request)?;
        let needed = actions::needed(request);
        if let Some(action) = needed.iter().find(|action| !self.task.permits(action)) {
            return Err(self.denied(request, action));
        }
        if request.service != "iam" && core.services.simulated.has(&self.account) {
            return Err(simulated::unknown(request));
        }
        if request.service != "iam" {
            return self.forward(core, request).await;
        }
        if request.text("UserName").is_some() {
            return Err(self.denied(request, &needed[0]));
        }
        let root_access = &core.services.root_access;
        let body = root_access
            .with_credentials(&self.account, |root| credentials::answer(&core.ids, &self.account, root, request))?;
        Ok(query_ok(body))
    }

    fn denied(&self, request: &Incoming, action: &str) -> ApiError {
        request.protocol.access_denied(format!(
            "User: arn:aws:iam::{}:root is not authorized to perform: {action} with an explicit deny in a session \
             policy",
            self.account
        ))
    }

    async fn forward(&self, core: &Core, request: &Incoming) -> Result<Response<Bytes>, ApiError> {
        let unavailable = |error: UpstreamError| {
            ApiError::new(503, "ServiceUnavailable", format!("MiniStack did not answer: {error}"))
        };
        let signed = self.signed_as_root(request).map_err(unavailable)?;
        let (parts, body) = signed.into_parts();
        core.upstream.send(&parts.method, &parts.uri, &parts.headers, body).await.map_err(unavailable)
    }

    /// The same request, signed by the root user of the account.
    fn signed_as_root(&self, request: &Incoming) -> Result<Request<Bytes>, SignError> {
        let host = request.parts.headers.get(header::HOST).ok_or("a request without a host")?.to_str()?;
        let path = request.parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut signed = Request::new(request.body.clone());
        *signed.method_mut() = request.parts.method.clone();
        *signed.uri_mut() = format!("http://{host}{path}").parse()?;
        *signed.headers_mut() = request.parts.headers.clone();
        for name in SIGNATURE_HEADERS {
            signed.headers_mut().remove(name);
        }
        let root = Credentials {
            access_key_id: self.account.clone(),
            secret_access_key: AwsClient::ROOT_SECRET.to_owned(),
            session_token: None,
        };
        let scope = request.authorization.as_ref().ok_or("an unsigned request")?;
        sign_request(&mut signed, &root, &scope.region, &scope.service)?;
        Ok(signed)
    }
}

impl RootAccess {
    /// The session that an access key belongs to.
    pub(crate) fn session(&self, access_key: &str) -> Option<RootSession> {
        self.lock().sessions.get(access_key).cloned()
    }
}
