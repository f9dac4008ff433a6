//! The Lambda function `notifier`.

use notifier::Notifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::start::serve(Notifier::NAME, Notifier::new, Notifier::handle).await
}
