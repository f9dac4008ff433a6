//! A cloud to play with.

use std::error::Error;

use local_cloud::AwsClient;

use crate::{Scene, scene::MANAGEMENT_ACCOUNT, screen::Screen};

/// The port of a cloud to play with: the one that AWS emulators commonly use.
const PORT: u16 = 4566;

/// Opens the scene and keeps it open until the process is interrupted.
pub(crate) async fn keep() -> Result<(), Box<dyn Error>> {
    let screen = Screen;
    screen.heading("An AWS Organization on this machine, with Steward in it; Ctrl-C ends it");
    let scene = Scene::open(&screen, PORT, 0).await?;
    screen.heading("In another terminal, for the AWS CLI or any SDK, as the root user of the management account:");
    screen.line(&format!("export AWS_ENDPOINT_URL={}", scene.cloud.endpoint()));
    screen.line(&format!("export AWS_ACCESS_KEY_ID={MANAGEMENT_ACCOUNT}"));
    screen.line(&format!("export AWS_SECRET_ACCESS_KEY={}", AwsClient::ROOT_SECRET));
    screen.line("export AWS_REGION=us-east-1");
    screen.heading("Then, for example:");
    screen.line(&format!(
        "aws lambda invoke --function-name {} --cli-read-timeout 0 \\",
        scene.stack.output("AccountRequesterFunction")
    ));
    screen.line("    --payload fileb://events/account-requester/request.json /dev/stdout");
    let sweep = scene.stack.output("ComplianceSweepArn");
    screen.line(&format!("aws stepfunctions start-execution --state-machine-arn {sweep}"));
    let reports = scene.stack.output("ReportsBucket");
    screen.line(&format!("aws s3 cp s3://{reports}/latest/report.html ."));
    std::future::pending().await
}
