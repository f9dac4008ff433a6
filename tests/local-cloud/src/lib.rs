//! An AWS Organization on one machine.
//!
//! [`LocalCloud`] starts MiniStack, which emulates most of AWS, and stands in front of it as the single AWS endpoint.
//! The front answers what MiniStack cannot, above all Organizations, forwards everything else unchanged, records every
//! call, keeps the published request rates, and fails on demand.

mod client;
mod clock;
mod core;
mod events;
mod fault;
mod front;
mod identity;
mod ids;
mod ministack;
mod quota;
mod record;
pub mod serve;
mod service;
mod sign;
mod temporary;
mod tools;
mod trail;
mod upstream;
mod xml;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use client::{AwsClient, AwsError, Credentials};
pub use fault::{Fault, FaultGuard, Faults, Kind as FaultKind};
pub use http::Method;
pub use ministack::MiniStackError;
pub use record::{Call, CallKind, Calls};
pub use service::account::{Contacts, EmailChanges, Regions};
pub use service::organizations::{FailureReason, Organization, OrganizationBuilder, Request as CreationRequest};
pub use service::root_access::RootCredentials;
pub use tools::Tools;
pub use xml::Xml;

use crate::core::Core;
use ministack::MiniStack;

/// How a local cloud is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The MiniStack executable.
    pub ministack: PathBuf,
    /// The port of the endpoint; 0 takes a free one.
    pub port: u16,
    /// How much faster than real time the simulated services work and their quotas refill.
    pub time_scale: f64,
    /// Whether calls beyond the published rates are refused.
    pub published_rates: bool,
    /// How many times the published rates and bursts the accounts have, as after a request for more.
    pub raised_quotas: f64,
    /// How much longer every call takes, in real time.
    pub latency: Duration,
    /// Whether calls are kept one by one. A benchmark makes so many that it only has them counted.
    pub keep_calls: bool,
    /// Makes generated identifiers the same in every run.
    pub seed: Option<u64>,
    /// Where MiniStack's output goes; otherwise it ends with the cloud.
    pub log: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ministack: Tools::locate().ministack(),
            port: 0,
            time_scale: 1.0,
            published_rates: true,
            raised_quotas: 1.0,
            latency: Duration::ZERO,
            keep_calls: true,
            seed: None,
            log: None,
        }
    }
}

/// Why a local cloud could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The endpoint could not be opened.
    #[error("the endpoint could not be opened")]
    Endpoint(#[source] io::Error),
    /// MiniStack could not be started.
    #[error(transparent)]
    MiniStack(#[from] MiniStackError),
}

/// A running local cloud. It ends, with every process it started, when it is dropped or this process ends.
pub struct LocalCloud {
    address: SocketAddr,
    core: Arc<Core>,
    ministack: MiniStack,
    /// The front's own threads, so that the cloud serves callers on any runtime, or none.
    runtime: Option<Runtime>,
}

impl LocalCloud {
    /// Starts a local cloud and returns when it serves. Blocks; may be called with or without a runtime.
    pub fn start(options: Options) -> Result<Self, StartError> {
        // A thread of its own, because a runtime must not be entered from within another.
        let starting = std::thread::spawn(move || {
            let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = threads.map_err(StartError::Endpoint)?;
            let (address, core, ministack) = runtime.block_on(launch(&options))?;
            Ok(Self { address, core, ministack, runtime: Some(runtime) })
        });
        starting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The URL of the endpoint, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client that signs as the root user of an account.
    pub fn client(&self, account: &str) -> AwsClient {
        AwsClient::new(self.endpoint(), account)
    }

    /// An account id that nothing here has.
    pub fn new_account_id(&self) -> String {
        self.core.ids.account()
    }

    /// Prepares an organization with this management account.
    pub fn organization(&self, management_account: &str) -> OrganizationBuilder {
        OrganizationBuilder::new(self.core.clone(), management_account)
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Every finished call so far; none without [`Options::keep_calls`].
    pub fn calls(&self) -> Calls {
        self.core.recorder.calls()
    }

    /// How many calls of each kind have finished so far.
    pub fn counts(&self) -> BTreeMap<CallKind, u64> {
        self.core.recorder.counts()
    }

    /// The number that the next call will have.
    pub fn sequence(&self) -> u64 {
        self.core.recorder.sequence()
    }

    /// How many requests were handed to MiniStack so far: those that it answers, and those about which it is asked whether
    /// they are allowed.
    pub fn handed_on(&self) -> u64 {
        self.core.upstream.sent()
    }

    /// What went wrong in the background, such as an event that reached no target.
    pub fn mishaps(&self) -> Vec<String> {
        self.core.mishaps()
    }

    /// MiniStack's output.
    pub fn log(&self) -> &Path {
        self.ministack.log()
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for the threads would panic where the last owner is an asynchronous test.
            runtime.shutdown_background();
        }
    }
}

async fn launch(options: &Options) -> Result<(SocketAddr, Arc<Core>, MiniStack), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(StartError::Endpoint)?;
    let address = listener.local_addr().map_err(StartError::Endpoint)?;
    let ministack = MiniStack::start(&options.ministack, address, options.log.as_deref(), options.time_scale).await?;
    let core = Core::new(ministack.address(), options);
    drop(tokio::spawn(front::serve(listener, core.clone())));
    Ok((address, core, ministack))
}
