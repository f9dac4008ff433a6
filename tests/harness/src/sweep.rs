//! A sweep, as an operator starts and follows it.

use std::time::Duration;

use local_cloud::{AwsError, Method};
use serde_json::{Value, json};

use crate::{Stack, eventually};

impl Stack {
    /// Starts a sweep; answers with the ARN of its execution.
    pub async fn start_sweep(&self) -> Result<String, AwsError> {
        self.start_sweep_with(&json!({})).await
    }

    /// Starts a sweep with this input, as a person does; answers with the ARN of its execution.
    pub async fn start_sweep_with(&self, input: &Value) -> Result<String, AwsError> {
        let input = json!({"stateMachineArn": self.output("ComplianceSweepArn"), "input": input.to_string()});
        let started = self.client.json("states", "AWSStepFunctions.StartExecution", input).await?;
        Ok(started["executionArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits for the end of a sweep; answers with its output.
    ///
    /// # Panics
    ///
    /// When it fails or does not end in time.
    pub async fn end_of_sweep(&self, execution: &str, within: Duration) -> Value {
        eventually("the end of the sweep", within, async || {
            let input = json!({"executionArn": execution});
            let shown = self.client.json("states", "AWSStepFunctions.DescribeExecution", input).await.ok()?;
            match shown["status"].as_str() {
                Some("RUNNING") | None => None,
                Some("SUCCEEDED") => serde_json::from_str(shown["output"].as_str()?).ok(),
                Some(_) => panic!("the sweep failed: {shown}"),
            }
        })
        .await
    }

    /// An object of the bucket with the reports, as text.
    pub async fn report_object(&self, key: &str) -> Result<String, AwsError> {
        let path = format!("/{}/{key}", self.output("ReportsBucket"));
        let object = self.client.rest("s3", Method::GET, &path, "").await?;
        Ok(String::from_utf8_lossy(object.body()).into_owned())
    }
}
