//! `stage demo` plays the demonstration, `stage cloud` keeps its cloud running, `stage bench` measures.

use std::{error::Error, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    match until_interrupted(harness::run(&command)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

/// A signal drops the work, and with it every process that it has started.
async fn until_interrupted(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        _ = terminate.recv() => Err("terminated".into()),
    }
}

#[expect(clippy::print_stderr, reason = "a program for people to run")]
fn complain(error: &dyn Error) {
    eprintln!("error: {error}");
}
