//! Central access to root users of member accounts: the features an organization enables for it in IAM, the sessions
//! that STS gives, and what those may do.

mod assume;
mod credentials;
mod features;
mod session;
mod task;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::core::Core;
use crate::front::answer::query_ok;
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};
pub use credentials::RootCredentials;
use features::Features;
use session::RootSession;
use task::Feature;

/// The principal that an organization trusts so that root users can be managed from the management account.
pub(crate) const PRINCIPAL: &str = "iam.amazonaws.com";

pub(crate) const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The features of organizations, by their management account; root credentials by account; sessions by access key.
#[derive(Default)]
pub(crate) struct RootAccess {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    features: HashMap<String, Features>,
    credentials: HashMap<String, RootCredentials>,
    sessions: HashMap<String, RootSession>,
}

impl Service for RootAccess {
    fn claims(&self, request: &Incoming) -> bool {
        match request.service.as_str() {
            "iam" => features::OPERATIONS.contains(&request.operation.as_str()),
            "sts" => request.operation == "AssumeRoot",
            _ => false,
        }
    }

    fn needs(&self, _: &Core, request: &Incoming) -> Vec<Need> {
        if request.service == "sts" {
            return assume::needs(request);
        }
        vec![Need::new(format!("iam:{}", request.operation), "*")]
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        let answer = if context.request.service == "sts" { assume::answer } else { features::answer };
        answer(self, context).map(query_ok)
    }
}

impl RootAccess {
    /// Enables both features, or disables them.
    pub(crate) fn set_features(&self, management: &str, enabled: bool) {
        let all = [Feature::RootCredentialsManagement, Feature::RootSessions];
        self.with_features(management, |features| *features = all.into_iter().filter(|_| enabled).collect());
    }

    /// A new account has a root password, unless its organization manages root credentials.
    pub(crate) fn open(&self, account: &str, management: &str) {
        let managed = self.with_features(management, |features| features.contains(&Feature::RootCredentialsManagement));
        let credentials = if managed { RootCredentials::default() } else { RootCredentials::of_old() };
        self.set_credentials(account, credentials);
    }

    pub(crate) fn credentials(&self, account: &str) -> RootCredentials {
        self.with_credentials(account, |credentials| credentials.clone())
    }

    pub(crate) fn set_credentials(&self, account: &str, credentials: RootCredentials) {
        self.with_credentials(account, |current| *current = credentials);
    }

    /// MiniStack's `GetAccountSummary` with what the root user of the account has: it knows of no root password.
    pub(crate) fn amend_summary(&self, account: &str, summary: &Bytes) -> Bytes {
        let summary = String::from_utf8_lossy(summary);
        self.with_credentials(account, |root| credentials::amended(&summary, root)).into()
    }

    /// The summary of an account that is not MiniStack's.
    pub(crate) fn summary(&self, account: &str) -> String {
        self.with_credentials(account, |root| credentials::summary(root))
    }

    fn with_features<T>(&self, management: &str, change: impl FnOnce(&mut Features) -> T) -> T {
        change(self.lock().features.entry(management.to_owned()).or_default())
    }

    fn with_credentials<T>(&self, account: &str, change: impl FnOnce(&mut RootCredentials) -> T) -> T {
        change(self.lock().credentials.entry(account.to_owned()).or_insert_with(RootCredentials::of_old))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
