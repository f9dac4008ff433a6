//! `harness demo` plays the demonstration, `harness cloud` keeps its cloud running, `harness bench` measures, or a part of it.

use std::{error::Error, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let argument = |position| std::env::args().nth(position).unwrap_or_default();
    match until_interrupted(harness::run(&argument(1), &argument(2))).await {
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
