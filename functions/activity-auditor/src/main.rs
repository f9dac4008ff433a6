//! The Lambda function `activity-auditor`.

use activity_auditor::ActivityAuditor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(ActivityAuditor::NAME, ActivityAuditor::new, ActivityAuditor::handle).await
}
