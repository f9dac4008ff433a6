//! Every `aws` command that a text tells people to type is run here, by the AWS CLI that `make tools` installs.

mod texts;

use std::{
    collections::BTreeSet,
    os::unix::fs::symlink,
    path::Path,
    process::{Command as Process, Output},
};

use harness::{Instructions, Stack, eventually};
use local_cloud::Method;
use regex::{Captures, Regex};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    scenario::{PATIENCE, Scenario},
    template::{root, template},
};
use texts::{Command, commands};

/// Commands that a local cloud cannot answer, and why. The CLI reads them all the same.
const NOT_RUN: [(&str, &str); 4] = [
    ("aws cloudformation create-stack-set", "the local cloud has no StackSets"),
    ("aws cloudformation create-stack-instances", "the local cloud has no StackSets"),
    ("aws cloudformation activate-organizations-access", "the local cloud has no StackSets"),
    (
        "aws events start-replay",
        "the sentence names the operation alone: which archive and which hours, the reader knows",
    ),
];

/// Placeholders that are no outputs of the stack.
const OF_THE_ORGANIZATION: [&str; 4] = ["bucket of the log archive", "management account", "root id", "unit id"];

/// A text with what `<name>` and `<output name>` stand for.
fn filled(text: &str, value: impl Fn(&str) -> String) -> String {
    let placeholder = Regex::new("<(?:output )?([^<>]+)>").expect("a pattern");
    placeholder.replace_all(text, |found: &Captures<'_>| value(&found[1])).into_owned()
}

/// What the README says of a stack with the name that it proposes.
fn instructions_with_placeholders() -> Instructions {
    Instructions::new("http://127.0.0.1:4566", "111111111111", |output| format!("<{output}>"))
}

#[test]
fn what_the_cli_does_not_understand_is_found_without_a_cloud_as_well() {
    let instructions = instructions_with_placeholders();
    let terminal = Terminal::new(instructions.environment);
    let set = "aws cloudformation create-stack-set --stack-set-name x";
    assert!(terminal.only_read(&format!("{set} --auto-deployment Enabled=true")).is_ok());
    for wrong in [&format!("{set} --auto-deployment Enbled=true"), &format!("{set} --no-such x"), "aws events no-such"]
    {
        assert!(terminal.only_read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_function_is_invoked_once_with_a_sample_that_is_there_by_either_version_of_the_cli() {
    let mut invoked = 0;
    for Command { place, text } in commands(&instructions_with_placeholders()) {
        assert!(!text.contains("--cli-binary-format"), "{place}: version 1 of the CLI does not know it: {text}");
        if !text.starts_with("aws lambda invoke ") {
            continue;
        }
        invoked += 1;
        assert!(text.contains(" --cli-read-timeout 0 "), "{place}: after a minute the CLI invokes again: {text}");
        let (_, payload) = text.split_once("--payload fileb://").unwrap_or_else(|| panic!("{place}: {text}"));
        let payload = payload.split_whitespace().next().expect("a file");
        assert!(root().join(payload).is_file() && payload.starts_with("events/"), "{place}: {payload} is not there");
    }
    assert!(invoked > 3, "{invoked}");
}

#[test]
fn every_placeholder_is_an_output_of_the_stack() {
    let outputs = &template()["Outputs"];
    for Command { place, text } in commands(&instructions_with_placeholders()) {
        filled(&text, |name| {
            assert!(OF_THE_ORGANIZATION.contains(&name) || outputs[name].is_object(), "{place}: {name} in {text}");
            String::new()
        });
    }
}

/// A terminal in a checkout, with the environment that `make cloud` tells people to set and nothing else.
struct Terminal {
    home: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Terminal {
    fn new(environment: Vec<(&'static str, String)>) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        // What commands write must not end in the checkout.
        for folder in ["events", "stacks"] {
            let checkout = root().canonicalize().expect("the checkout");
            symlink(checkout.join(folder), home.path().join(folder)).expect("a link");
        }
        Self { home, environment }
    }

    fn run(&self, command: &str) -> Output {
        let cli = root().join(".tools/aws/bin").canonicalize().expect("the AWS CLI; `make tools` installs it");
        Process::new("/bin/sh")
            .args(["-c", command])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", cli.display()))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("a shell")
    }

    /// Has the CLI read a command, to the point where it would call AWS. A name without arguments need only be one.
    fn only_read(&self, command: &str) -> Result<(), Output> {
        if command.split_whitespace().count() == 3 {
            let output = self.run(&format!("{command} --generate-cli-skeleton"));
            return if output.status.success() { Ok(()) } else { Err(output) };
        }
        // Nobody listens there.
        let output = self.run(&format!("AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_MAX_ATTEMPTS=1 {command}"));
        let has_called = String::from_utf8_lossy(&output.stderr).contains("Could not connect to the endpoint URL");
        if has_called { Ok(()) } else { Err(output) }
    }

    fn has(&self, file: impl AsRef<Path>) -> bool {
        self.home.path().join(file).is_file()
    }
}

/// The documents that a command has printed one after the other: of an invocation, the answer and what became of it.
fn printed(output: &Output) -> Vec<Value> {
    let documents = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    documents.map_while(Result::ok).collect()
}

async fn root_id(stack: &Stack) -> String {
    let roots = stack.client.json("organizations", "ListRoots", json!({})).await.expect("the roots");
    roots["Roots"][0]["Id"].as_str().expect("an id").to_owned()
}

/// Sweeps were started by a command before, and one ends.
async fn a_report(stack: &Stack) {
    let path = format!("/{}/latest/report.html", stack.output("ReportsBucket"));
    eventually("the report", PATIENCE, async || stack.client.rest("s3", Method::GET, &path, "").await.ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_a_text_tells_people_to_type_is_understood_by_the_cli_and_the_cloud() {
    let shared = Scenario::shared().await;
    let documented = shared.stack.output("RequestBusName");
    assert_eq!(documented, "steward-requests", "what the README calls the bus of a stack named steward");
    let scenario = Scenario::with_member_as("JumpAccountId", "version: 1").await;
    let (stack, account) = (&scenario.stack, scenario.organization.management_account());
    let root = root_id(stack).await;
    let value = |name: &str| match name {
        "management account" => account.to_owned(),
        "root id" => root.clone(),
        "unit id" => scenario.organization.unit_id("/Workloads").expect("a unit"),
        "bucket of the log archive" => "log-archive".to_owned(),
        output => stack.output(output).to_owned(),
    };
    let instructions = Instructions::new(&scenario.cloud.endpoint(), account, |output| stack.output(output).to_owned());
    let terminal = Terminal::new(instructions.environment.clone());

    let mut not_run = BTreeSet::new();
    for Command { place, text } in commands(&instructions) {
        let command = filled(&text, value).replace(documented, stack.output("RequestBusName"));
        if let Some((name, _)) = NOT_RUN.iter().find(|(name, _)| text.starts_with(name)) {
            not_run.insert(*name);
            let output = terminal.only_read(&command);
            assert!(output.is_ok(), "{place}: {command}\n{output:?}");
            continue;
        }
        if text.starts_with("aws s3 cp ") {
            a_report(stack).await;
        }
        let output = terminal.run(&command);
        assert!(output.status.success(), "{place}: {command}\n{output:?}");
        let documents = printed(&output);
        if text.starts_with("aws lambda invoke ") {
            let invocation = documents.last().unwrap_or_else(|| panic!("{place}: {command}\n{output:?}"));
            assert_eq!(
                (&invocation["StatusCode"], &invocation["FunctionError"]),
                (&json!(200), &Value::Null),
                "{output:?}"
            );
        }
        assert!(documents.iter().all(|answer| answer["FailedEntryCount"].as_u64().unwrap_or(0) == 0), "{output:?}");
    }
    let listed: BTreeSet<_> = NOT_RUN.iter().map(|(name, _)| *name).collect();
    assert_eq!(not_run, listed, "left stands in a text, right is listed");
    assert!(terminal.has("answer.json") && terminal.has("report.html"), "what commands write is written");
}
