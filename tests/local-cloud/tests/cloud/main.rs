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

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use local_cloud::{AwsClient, LocalCloud, Options, Organization, Tools};

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

/// Runs a script beside these tests with the interpreter of MiniStack, and returns what it prints.
fn python(script: &str, arguments: &[impl AsRef<OsStr>]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let program = Command::new(Tools::locate().python()).arg("-B").arg(script).args(arguments).output();
    let output = program.expect("the interpreter beside MiniStack runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
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
