//! The AWS CLI as a person has it: with files of their own.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use crate::{scenario::Scenario, template::root};

/// Runs the AWS CLI as somebody with these two files. What it asks on a terminal is answered from `answer`.
pub(crate) fn aws(scenario: &Scenario, home: &std::path::Path, arguments: &[&str], answer: &str) -> Output {
    of_the_cli("aws", scenario, home, arguments, answer)
}

/// Runs a program of the environment of the AWS CLI.
pub(crate) fn of_the_cli(
    program: &str,
    scenario: &Scenario,
    home: &std::path::Path,
    arguments: &[&str],
    answer: &str,
) -> Output {
    let cli =
        root().join(".tools/aws/bin").canonicalize().expect("the AWS CLI; `make tools` installs it").join(program);
    // Without a terminal of its own it asks on its input.
    let mut child = Command::new("setsid")
        .arg("--wait")
        .arg(cli)
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", scenario.cloud.endpoint())
        .env("AWS_CONFIG_FILE", home.join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", home.join("credentials"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the AWS CLI starts");
    child.stdin.take().expect("an input").write_all(answer.as_bytes()).expect("it is heard");
    child.wait_with_output().expect("it ends")
}
