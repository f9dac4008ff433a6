//! A runtime API that only notes when it is asked for the first event.

use std::{
    io,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt, net::TcpListener, process::Command};

use crate::deploy::root;

const RUNS: usize = 15;

/// The time until a function's binary asks for its first event.
pub(super) async fn of(bootstrap: &Path) -> io::Result<Duration> {
    median(async || time(Command::new(bootstrap)).await).await
}

/// What a function needs to be told; nothing of it is called.
const SETTINGS: [(&str, &str); 23] = [
    ("ACCOUNT_CREATION_QUEUE_URL", "http://127.0.0.1/bench"),
    ("ACCOUNT_REQUEST_QUEUE_URL", "http://127.0.0.1/bench"),
    ("ACCOUNT_UPDATE_QUEUE_URL", "http://127.0.0.1/bench"),
    ("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:111111111111:bench"),
    ("ALERT_EMAIL", "bench@example.com"),
    ("BACKUP_BUCKET", "bench"),
    ("BASELINE_QUEUE_URL", "http://127.0.0.1/bench"),
    ("BUS_NAME", "bench"),
    ("JOURNAL_TABLE_NAME", "bench"),
    ("MEMBER_BUS_ARN", "arn:aws:events:us-east-1:111111111111:event-bus/bench"),
    ("NOTIFICATION_QUEUE_URL", "http://127.0.0.1/bench"),
    ("OWN_ACCOUNT_ROLE_NAME", "bench"),
    ("OWN_NAMES", "bench"),
    ("OWN_ROLE_IDS", "AROAEXAMPLE"),
    ("OWN_ROLES", "bench arn:aws:iam::111111111111:role/bench"),
    ("REGION_AUDIT_QUEUE_URL", "http://127.0.0.1/bench"),
    ("REPLAY_FUNCTIONS", "bench arn:aws:lambda:us-east-1:111111111111:function:bench"),
    ("REPLAY_QUEUES", "bench http://127.0.0.1/bench http://127.0.0.1/bench"),
    ("REPORTS_BUCKET", "bench"),
    ("TABLE_NAME", "bench"),
    ("UNDELIVERABLE_URL", "http://127.0.0.1/bench"),
    ("USER_SECRETS_PATH", "bench"),
    ("WRITER_ROLE_NAME", "bench"),
];

/// The same for Python with boto3, with as many clients.
pub(super) async fn of_python() -> io::Result<Duration> {
    median(async || {
        let mut python = Command::new(root().join(".tools/sam/bin/python"));
        python.arg(super::python_function());
        time(python).await
    })
    .await
}

async fn median(mut once: impl AsyncFnMut() -> io::Result<Duration>) -> io::Result<Duration> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        times.push(once().await?);
    }
    times.sort();
    Ok(times[RUNS / 2])
}

/// Starts a function's binary once with these settings; an error where it ends or is silent.
#[cfg(test)]
pub(crate) async fn starts(bootstrap: &Path) -> io::Result<()> {
    time(Command::new(bootstrap)).await.map(drop)
}

async fn time(mut command: Command) -> io::Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "111111111111")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .envs(SETTINGS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let start = Instant::now();
    let mut process = command.spawn()?;
    let asked = async {
        let (mut connection, _) = listener.accept().await?;
        let mut first = [0; 16];
        connection.read_exact(&mut first).await?;
        io::Result::Ok(start.elapsed())
    };
    let took = tokio::time::timeout(Duration::from_secs(20), asked).await.map_err(io::Error::from)??;
    process.kill().await?;
    Ok(took)
}
