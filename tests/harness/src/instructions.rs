//! What a person types to work with a local cloud by hand.

use local_cloud::AwsClient;

/// What to set, and what to try: `make cloud` prints it, and a test runs it.
#[derive(Clone, Debug)]
pub struct Instructions {
    /// The variables of the environment that make the AWS CLI and any SDK the root user of the management account.
    pub environment: Vec<(&'static str, String)>,
    /// Commands to begin with, as they are typed; one may have several lines.
    pub commands: Vec<String>,
}

impl Instructions {
    /// For a cloud at this endpoint and the stack with these outputs in this account.
    pub fn new(endpoint: &str, account: &str, output: impl Fn(&str) -> String) -> Self {
        let environment = vec![
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_ACCESS_KEY_ID", account.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", AwsClient::ROOT_SECRET.to_owned()),
            // Version 1 of the AWS CLI knows the second alone, and most SDKs the first.
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ];
        let (requester, sweep) = (output("AccountRequesterFunction"), output("ComplianceSweepArn"));
        let commands = vec![
            format!(
                "aws lambda invoke --function-name {requester} --cli-read-timeout 0 \\\n    \
                 --payload fileb://events/account-requester/request.json /dev/stdout"
            ),
            format!("aws stepfunctions start-execution --state-machine-arn {sweep}"),
            format!("aws s3 cp s3://{}/latest/report.html .", output("ReportsBucket")),
        ];
        Self { environment, commands }
    }
}
