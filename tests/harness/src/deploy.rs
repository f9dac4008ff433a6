//! Deployment by the SAM CLI, as a user does it.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use local_cloud::{AwsClient, AwsError, LocalCloud};
use tokio::process::Command;

use crate::Stack;

/// Why the stack could not be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The SAM CLI could not be started.
    #[error("{0} could not be started; `make tools` installs it")]
    NotStarted(PathBuf, #[source] io::Error),
    /// The SAM CLI has said no.
    #[error("sam deploy failed:\n{0}")]
    Refused(String),
    /// The stack cannot be read.
    #[error("the stack could not be read: {0}")]
    Unreadable(AwsError),
}

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The parameters of a stack in a local cloud: these, and defaults for those without one.
pub(crate) fn with_defaults<'a>(parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = parameters.to_vec();
    for default in [("Architecture", "x86_64"), ("AlertEmail", "platform@example.com"), ("PollSeconds", "1")] {
        if !parameters.iter().any(|(given, _)| *given == default.0) {
            all.push(default);
        }
    }
    all
}

/// Deploys what `sam build` has built, with the settings of `[local]` in samconfig.toml and these parameters on top.
pub async fn deploy(
    cloud: &LocalCloud,
    management_account: &str,
    stack_name: &str,
    parameters: &[(&str, &str)],
) -> Result<Stack, DeployError> {
    let sam = root().join(".tools/sam/bin/sam");
    let overrides = with_defaults(parameters).into_iter().map(|(name, value)| format!("{name}={value}"));
    let output = Command::new(&sam)
        .current_dir(root())
        .args(["deploy", "--config-env", "local", "--stack-name", stack_name])
        .args(["--no-progressbar", "--parameter-overrides"])
        .args(overrides)
        .env("AWS_ENDPOINT_URL", cloud.endpoint())
        .env("AWS_ACCESS_KEY_ID", management_account)
        .env("AWS_SECRET_ACCESS_KEY", AwsClient::ROOT_SECRET)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("SAM_CLI_TELEMETRY", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| DeployError::NotStarted(sam, error))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(DeployError::Refused(String::from_utf8_lossy(&said).into_owned()));
    }
    Stack::read(cloud.client(management_account), stack_name).await.map_err(DeployError::Unreadable)
}
