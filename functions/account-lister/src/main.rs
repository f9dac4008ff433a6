//! The Lambda function `account-lister`.

use account_lister::AccountLister;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(AccountLister::NAME, AccountLister::new, AccountLister::handle).await
}
