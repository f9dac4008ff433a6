//! The Lambda function `dead-letter-replayer`.

use dead_letter_replayer::DeadLetterReplayer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(DeadLetterReplayer::NAME, DeadLetterReplayer::new, DeadLetterReplayer::handle).await
}
