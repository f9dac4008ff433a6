//! The MiniStack process: started, watched until it serves, and never outliving this one.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use crate::client::AwsClient;
use crate::upstream::Upstream;

/// How long MiniStack may take until it serves.
const START_DEADLINE: Duration = Duration::from_mins(3);
/// After how long without a call an execution environment of a function ends, at the speed of AWS, which names no time;
/// minutes are what people see.
const IDLE: Duration = Duration::from_mins(5);
/// How long attributes of a queue that were set are shown as they were, at the speed of AWS: "up to 60 seconds" (Amazon SQS
/// API reference, `SetQueueAttributes`).
const ATTRIBUTES_SHOW_AFTER: Duration = Duration::from_mins(1);
/// Another process may take the free port first.
const ATTEMPTS: usize = 3;
/// How much of the log an error shows.
const LOG_TAIL_LINES: usize = 25;

/// The services MiniStack answers.
///
/// Organizations, Account Management and the Resource Groups Tagging API are left out on purpose: MiniStack then checks the credentials and the IAM
/// policy of such a request and stops, which is what [`crate::front::authorize`] asks it for. Its own handlers would
/// make up an organization.
const SERVICES: &str = "budgets,cloudformation,cloudtrail,config,dynamodb,dynamodbstreams,ecr,events,iam,kms,lambda,logs,monitoring,s3,scheduler,\
     secretsmanager,sns,sqs,ssm,states,sts";

/// Why MiniStack could not be started.
#[derive(Debug, thiserror::Error)]
pub enum MiniStackError {
    /// The executable is not there.
    #[error("MiniStack is not installed at {}: run `make tools`", .0.display())]
    NotInstalled(PathBuf),
    /// The process or its folder could not be made.
    #[error("MiniStack could not be started")]
    Io(#[from] io::Error),
    /// It ended by itself.
    #[error("MiniStack ended early ({status}); its log ends with:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// It runs, but does not serve.
    #[error("MiniStack did not serve within {START_DEADLINE:?}; its log ends with:\n{log}")]
    Unhealthy {
        /// The last lines it wrote.
        log: String,
    },
}

/// A running MiniStack. Dropping it kills the process and every Lambda function it started.
pub(crate) struct MiniStack {
    address: SocketAddr,
    server: Child,
    watchdog: Child,
    log: PathBuf,
    _state: TempDir,
}

impl MiniStack {
    /// Starts MiniStack on a free port and waits until it serves. `front` is what it and its functions call AWS at; the
    /// waits of state machines are shorter by `time_scale`.
    pub(crate) async fn start(
        executable: &Path,
        front: SocketAddr,
        log: Option<&Path>,
        time_scale: f64,
    ) -> Result<Self, MiniStackError> {
        if !executable.is_file() {
            return Err(MiniStackError::NotInstalled(executable.to_owned()));
        }
        let mut attempt = 1;
        loop {
            let mut ministack = Self::spawn(executable, front, log, time_scale)?;
            match ministack.wait_until_serving().await {
                Ok(()) => return Ok(ministack),
                Err(MiniStackError::Ended { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    fn spawn(
        executable: &Path,
        front: SocketAddr,
        log: Option<&Path>,
        time_scale: f64,
    ) -> Result<Self, MiniStackError> {
        let state = tempfile::Builder::new().prefix("local-cloud-").tempdir()?;
        let address = free_address()?;
        let log = log.map_or_else(|| state.path().join("ministack.log"), Path::to_owned);
        let output = File::create(&log)?;
        let server = Command::new(executable)
            .env("AUTH", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{front}"))
            .env("AWS_SECRET_ACCESS_KEY", AwsClient::ROOT_SECRET)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("LAMBDA_EXECUTOR", "local")
            .env("LAMBDA_WARM_TTL_SECONDS", (IDLE.as_secs_f64() / time_scale).to_string())
            .env("S3_DATA_DIR", state.path().join("s3"))
            .env("SERVICES", SERVICES)
            .env("SFN_WAIT_SCALE", time_scale.recip().to_string())
            .env("SQS_ATTRIBUTES_SHOW_AFTER_SECONDS", (ATTRIBUTES_SHOW_AFTER.as_secs_f64() / time_scale).to_string())
            .env("STATE_DIR", state.path().join("state"))
            .env("TMPDIR", state.path())
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        let watchdog = match watchdog(server.id(), state.path()) {
            Ok(watchdog) => watchdog,
            Err(error) => {
                stop(server)?;
                return Err(error.into());
            }
        };
        Ok(Self { address, server, watchdog, log, _state: state })
    }

    async fn wait_until_serving(&mut self) -> Result<(), MiniStackError> {
        let upstream = Upstream::new(self.address);
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self.server.try_wait()? {
                return Err(MiniStackError::Ended { status, log: tail(&self.log) });
            }
            if upstream.is_healthy().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(MiniStackError::Unhealthy { log: tail(&self.log) });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // Closing its input makes the watchdog do its work. A failure here has nobody left to be told.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
        let _ = self.server.wait();
    }
}

/// A shell that kills MiniStack's process group, Lambda functions included, and removes its folder as soon as the
/// shell's input ends. The other end of that pipe is ours alone, so this also happens when we are killed, or exit
/// without a drop; a parent-death signal would reach MiniStack but not the functions it started.
fn watchdog(group: u32, state: &Path) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", r#"read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2""#, "watchdog"])
        .arg(group.to_string())
        .arg(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Not in our group: Ctrl-C must not end it before it has done its work.
        .process_group(0)
        .spawn()
}

fn stop(mut child: Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_else(|error| format!("(unreadable: {error})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}
