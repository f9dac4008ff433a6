//! The Lambda function `account-updater`.

use account_updater::AccountUpdater;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(AccountUpdater::NAME, AccountUpdater::new, AccountUpdater::handle).await
}
