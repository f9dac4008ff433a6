//! Tries out as many payloads as the first argument says, from the seed that the second one is.

use std::process::ExitCode;

use mutations::try_out;

/// How many payloads are tried between two lines of progress.
const STEP: u64 = 20_000;

#[tokio::main(flavor = "current_thread", start_paused = true)]
#[expect(clippy::print_stdout, reason = "this is a command")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (payloads, seed) = (arguments.next().unwrap_or(100_000), arguments.next().unwrap_or(1));
    let (mut done, mut step) = (0, 0);
    while done < payloads {
        let (tried, faults) = try_out(seed.wrapping_add(step), STEP.min(payloads - done)).await;
        done += tried.payloads;
        step += 1;
        println!("{done} of {payloads} payloads, {} in messages, {} answered", tried.messages, tried.answered);
        if let Some(fault) = faults.first() {
            println!("{} faults; the first: {fault}", faults.len());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
