//! The Lambda function `region-opt-auditor`.

use region_opt_auditor::RegionOptAuditor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(RegionOptAuditor::NAME, RegionOptAuditor::new, RegionOptAuditor::handle).await
}
