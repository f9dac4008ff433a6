//! Steward on a stage: deployed by the SAM CLI into a local cloud, with the few calls that tests, the demonstration
//! and the benchmarks make of it.

mod account_stack;
mod bench;
mod cloud_command;
mod console;
mod demo;
mod demo_organization;
mod demo_without_organization;
mod deploy;
mod follow;
mod instructions;
mod listen;
mod mailbox;
mod package;
mod process;
mod queue;
mod rates;
mod stack;
mod sweep;

pub use account_stack::deploy_account_stack;
pub use console::Console;
pub use demo_organization::DemoOrganization;
pub use deploy::{DeployError, deploy};
pub use follow::{Passed, Progress};
pub use instructions::Instructions;
pub use listen::{Listener, PublishedEvent};
pub use mailbox::{Mail, Mailbox};
pub use package::Package;
pub use process::{kill, processes_of};
pub use stack::Stack;

use std::{
    error::Error,
    time::{Duration, Instant},
};

/// Asks again and again until there is an answer; None when the time is up.
pub async fn within<T>(time: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if start.elapsed() > time {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks again and again until there is an answer.
///
/// # Panics
///
/// When the time is up; `what` says what was waited for.
pub async fn eventually<T>(what: &str, time: Duration, ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(time, ask).await.unwrap_or_else(|| panic!("after {time:?} still waiting for {what}"))
}

/// Runs one of the commands of the program.
///
/// `part` is the part of the benchmarks that is run; all of them where it is empty.
pub async fn run(command: &str, part: &str) -> Result<(), Box<dyn Error>> {
    match command {
        "demo" => demo::run().await,
        "demo-without-organization" => demo_without_organization::run().await,
        "cloud" => cloud_command::serve().await,
        "bench" => bench::measure(part).await,
        _ => Err(
            "usage: harness demo | demo-without-organization | cloud | bench [cold-start | load | sweep | sweep-10000]"
                .into(),
        ),
    }
}
