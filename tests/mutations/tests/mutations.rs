//! Payloads that a reviewer would not think of: the same ones in every run, and `make mutate PAYLOADS=1000000` for more.

use mutations::try_out;

#[tokio::test(start_paused = true)]
async fn no_payload_makes_a_function_panic_or_drop_a_message_silently() {
    let (tried, faults) = try_out(1, 3_000).await;
    assert!(faults.is_empty(), "{}", faults.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert!(tried.messages > 500 && tried.answered > 50, "the payloads reach little: {tried:?}");
}
