//! The same accounts read by a script that is written with boto3, on the same cloud in the same run.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use local_cloud::{AwsClient, LocalCloud};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::deploy::root;

/// Accounts that the script works on at a time.
const THREADS: usize = 32;
/// The app name by which its calls are told apart.
pub(super) const NAME: &str = "boto3-sweep";
const IAM: &str = "2010-05-08";

/// How long the script took, and how much of a processor.
pub(super) struct Took {
    pub(super) time: Duration,
    pub(super) cpu_seconds: f64,
}

/// Runs the script over all members of an organization; an error when it has not read all of them.
pub(super) async fn sweep(cloud: &LocalCloud, management: &str, accounts: usize) -> Result<Took, Box<dyn Error>> {
    let keys = role(&cloud.client(management), management).await?.credentials().clone();
    let begun = Instant::now();
    let output = Command::new(root().join(".tools/ministack/bin/python"))
        .arg("-B")
        .arg(root().join("tests/harness/src/bench/boto3_sweep.py"))
        .args([cloud.endpoint().as_str(), management, &THREADS.to_string()])
        .env("AWS_ACCESS_KEY_ID", keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
        .env("AWS_SESSION_TOKEN", keys.session_token.unwrap_or_default())
        .env("AWS_SDK_UA_APP_ID", NAME)
        .output()
        .await?;
    let time = begun.elapsed();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let said: Value = serde_json::from_slice(&output.stdout)?;
    if said["accounts"] != accounts || said["failed"] != 0 {
        return Err(format!("boto3 has not read every account whole: {said}").into());
    }
    let cpu_seconds = said["cpu_seconds"].as_f64().ok_or("no CPU-seconds")?;
    Ok(Took { time, cpu_seconds })
}

/// A session of a role that may enter every account: a root user enters none.
async fn role(client: &AwsClient, management: &str) -> Result<AwsClient, Box<dyn Error>> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{management}:root")}}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let (trust, policy) = (trust.to_string(), policy.to_string());
    client.query("iam", "CreateRole", IAM, &[("RoleName", NAME), ("AssumeRolePolicyDocument", &trust)]).await?;
    let allowed = [("RoleName", NAME), ("PolicyName", "own"), ("PolicyDocument", &policy)];
    client.query("iam", "PutRolePolicy", IAM, &allowed).await?;
    Ok(client.assume_role(&format!("arn:aws:iam::{management}:role/{NAME}"), NAME, None).await?)
}
