//! What callers around simulated accounts may do, decided without MiniStack where that is plain.
//!
//! Asking MiniStack takes several calls of milliseconds for each request, and a sweep of ten thousand accounts makes a
//! hundred thousand. Here the signature is checked with the secret that the front learned, and the caller's policies are
//! read once in a while. Whatever is not plainly allowed is left to MiniStack, whose word is final.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::authorize::{Need, denied};
use super::judgement::{Document, Judgement, judge};
use super::policies;
use super::request::Incoming;
use crate::core::Core;
use crate::front::answer::ApiError;
use crate::identity::Caller;

/// How long policies are taken for what they were: CloudFormation changes them without being seen here.
const LIFETIME: Duration = Duration::from_secs(5);

/// The policies of roles and users that have been read lately, by ARN.
#[derive(Default)]
pub(crate) struct Grants(Mutex<HashMap<String, Granted>>);

struct Granted {
    /// `None` when the documents are not the whole truth, or cannot be read.
    documents: Option<Arc<Vec<Document>>>,
    read: Instant,
}

impl Grants {
    /// Forgets the policies of an account after a call that may have changed one.
    pub(super) async fn forget(&self, account: &str, request: &Incoming) {
        let reads = ["Get", "List", "Simulate"];
        if request.service != "iam" || reads.iter().any(|verb| request.operation.starts_with(verb)) {
            return;
        }
        self.0.lock().await.retain(|source, _| source.split(':').nth(4) != Some(account));
    }

    async fn of(&self, core: &Core, caller: &Caller) -> Option<Arc<Vec<Document>>> {
        let source = caller.policy_source();
        // Held while the policies are read, so that a crowd of requests reads them once.
        let mut known = self.0.lock().await;
        if let Some(granted) = known.get(&source).filter(|granted| granted.read.elapsed() < LIFETIME) {
            return granted.documents.clone();
        }
        let read = Instant::now();
        let documents = policies::documents_alone(&core.front_root_of(&caller.account), caller).await.map(Arc::new);
        known.insert(source, Granted { documents: documents.clone(), read });
        documents
    }
}

/// Decides about a request of a caller in an organization with simulated accounts; `None` leaves it to MiniStack.
pub(super) async fn decide(
    core: &Core,
    request: &Incoming,
    caller: &Caller,
    needs: &[Need],
) -> Option<Result<(), ApiError>> {
    if core.services.simulated.has(&caller.account) {
        return Some(decide_in_simulated_account(core, request, caller, needs));
    }
    if caller.is_root() {
        // Its signature, where it has one here, has been checked on arrival.
        return request.authorization.as_ref().map(|_| Ok(()));
    }
    core.identities.key(&request.access_key)?.check(request).ok()?;
    let own = core.grants.of(core, caller).await?;
    let session_allows = session_allows(caller);
    let is_plain = |need: &Need| judge(own.iter(), need) == Judgement::Allowed && session_allows(need);
    needs.iter().all(is_plain).then_some(Ok(()))
}

/// MiniStack knows nobody there: the root user may do everything, a session what its session policy plainly allows.
fn decide_in_simulated_account(
    core: &Core,
    request: &Incoming,
    caller: &Caller,
    needs: &[Need],
) -> Result<(), ApiError> {
    let unknown = || request.protocol.unknown_key();
    if caller.is_root() {
        return request.authorization.as_ref().map(|_| ()).ok_or_else(unknown);
    }
    core.identities.key(&request.access_key).ok_or_else(unknown)?.check(request)?;
    let session_allows = session_allows(caller);
    match needs.iter().find(|need| !session_allows(need)) {
        Some(need) => Err(denied(request.protocol, caller, need)),
        None => Ok(()),
    }
}

/// Whether the session policy of a caller plainly allows a need, or there is none.
fn session_allows(caller: &Caller) -> impl Fn(&Need) -> bool {
    let session = caller.session_policy.as_deref().map(Document::parse);
    move |need| match &session {
        Some(Some(document)) => judge([document], need) == Judgement::Allowed,
        Some(None) => false,
        None => true,
    }
}
