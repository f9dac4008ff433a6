//! The Lambda function `account-requester`.

use account_requester::AccountRequester;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(AccountRequester::NAME, AccountRequester::new, AccountRequester::handle).await
}
