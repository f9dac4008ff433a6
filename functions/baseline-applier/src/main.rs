//! The Lambda function `baseline-applier`.

use baseline_applier::BaselineApplier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(BaselineApplier::NAME, BaselineApplier::new, BaselineApplier::handle).await
}
