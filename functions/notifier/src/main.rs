//! The Lambda function `notifier`.

use notifier::Notifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(Notifier::NAME, Notifier::new, Notifier::handle).await
}
