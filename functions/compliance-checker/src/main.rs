//! The Lambda function `compliance-checker`.

use compliance_checker::ComplianceChecker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(ComplianceChecker::NAME, ComplianceChecker::new, ComplianceChecker::handle).await
}
