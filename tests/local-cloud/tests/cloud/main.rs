//! The local cloud, seen from outside: one cloud for all tests, one organization for each.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod account;
mod closing;
mod creation;
mod email_change;
mod events;
mod faults;
mod forwarding;
mod function;
mod inside;
mod member;
mod process;
mod record;
mod root_access;
mod simulated;
mod ten_thousand;
mod wire;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use local_cloud::{AwsClient, LocalCloud, Options, Organization};

/// Twenty times faster than AWS.
static CLOUD: LazyLock<LocalCloud> = LazyLock::new(|| {
    let options = Options { time_scale: 20.0, ..Options::default() };
    LocalCloud::start(options).expect("the local cloud starts; are the tools installed?")
});

/// An organization of one test, with the unit `/Workloads/Prod`.
async fn organization() -> (Organization, AwsClient) {
    let management = CLOUD.new_account_id();
    let organization = CLOUD.organization(&management).unit("/Workloads/Prod").create().await.unwrap();
    (organization, CLOUD.client(&management))
}

/// Looks again until something is there, but not for ever.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    // Only a hang ends it: a busy machine may take its time.
    let deadline = Instant::now() + Duration::from_mins(5);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
