//! What the front and the services share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::client::AwsClient;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::front::amend::Aliases;
use crate::front::grants::Grants;
use crate::identity::Identities;
use crate::ids::Ids;
use crate::quota::Buckets;
use crate::record::Recorder;
use crate::service::Services;
use crate::upstream::Upstream;

/// The state of one local cloud.
pub(crate) struct Core {
    pub(crate) upstream: Upstream,
    pub(crate) clock: Clock,
    pub(crate) latency: Duration,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) ids: Ids,
    pub(crate) aliases: Aliases,
    pub(crate) identities: Identities,
    pub(crate) grants: Grants,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) services: Services,
    mishaps: Mutex<Vec<String>>,
}

impl Core {
    pub(crate) fn new(ministack: SocketAddr, options: &crate::Options) -> Arc<Self> {
        let clock = Clock::new(options.time_scale);
        Arc::new(Self {
            upstream: Upstream::new(ministack),
            clock,
            latency: options.latency,
            buckets: options.published_rates.then(|| Buckets::new(clock, options.raised_quotas)),
            ids: Ids::new(options.seed),
            aliases: Aliases::default(),
            identities: Identities::default(),
            grants: Grants::default(),
            faults: Faults::default(),
            recorder: Recorder::new(options.keep_calls),
            services: Services::default(),
            mishaps: Mutex::default(),
        })
    }

    /// Where MiniStack is, past the front: calls made there are not recorded.
    pub(crate) fn ministack(&self) -> String {
        format!("http://{}", self.upstream.address())
    }

    /// A client past the front that acts as the root user of an account.
    pub(crate) fn root_of(&self, account: &str) -> AwsClient {
        AwsClient::new(self.ministack(), account)
    }

    /// The same for the front's own runtime alone, in which its connections live on. Most of what MiniStack is asked is about
    /// the permissions of callers, and opening a connection costs it as much as an answer.
    pub(crate) fn front_root_of(&self, account: &str) -> AwsClient {
        self.root_of(account).over(self.upstream.http())
    }

    /// Notes something that went wrong in the background, where no caller can be told.
    pub(crate) fn mishap(&self, what: impl Into<String>) {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    pub(crate) fn mishaps(&self) -> Vec<String> {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
