//! The Lambda function `account-closer`.

use account_closer::AccountCloser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(AccountCloser::NAME, AccountCloser::new, AccountCloser::handle).await
}
