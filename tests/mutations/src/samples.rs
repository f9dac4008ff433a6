//! The samples that payloads begin as.

use serde_json::Value;

/// What a function may be sent.
pub(crate) struct Samples {
    pub(crate) function: &'static str,
    /// Payloads that are meant for it.
    pub(crate) own: Vec<Value>,
    /// Whether it has a queue, so that a payload can come in a message as well.
    pub(crate) has_queue: bool,
}

/// The functions that read a queue.
const WITH_QUEUE: [&str; 6] = [
    "account-requester",
    "activity-auditor",
    "baseline-applier",
    "create-account-poller",
    "notifier",
    "region-opt-auditor",
];

/// Everything in `events`.
pub(crate) fn read() -> Vec<Samples> {
    let samples = |(function, _): &(&'static str, _)| Samples {
        function,
        own: payloads::of(function).into_iter().map(|sample| sample.payload).collect(),
        has_queue: WITH_QUEUE.contains(function),
    };
    super::FUNCTIONS.iter().map(samples).collect()
}
