//! The Lambda function `compliance-reporter`.

use compliance_reporter::ComplianceReporter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(ComplianceReporter::NAME, ComplianceReporter::new, ComplianceReporter::handle).await
}
