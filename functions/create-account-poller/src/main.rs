//! The Lambda function `create-account-poller`.

use create_account_poller::CreateAccountPoller;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(CreateAccountPoller::NAME, CreateAccountPoller::new, CreateAccountPoller::handle)
        .await
}
