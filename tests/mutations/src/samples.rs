//! The samples that payloads begin as.

use std::{fs, path::Path};

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
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events"));
    let samples = |(function, _): &(&'static str, _)| Samples {
        function,
        own: payloads(&folder.join(function)),
        has_queue: WITH_QUEUE.contains(function),
    };
    super::FUNCTIONS.iter().map(samples).collect()
}

fn payloads(folder: &Path) -> Vec<Value> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let payload = |path| serde_json::from_slice(&fs::read(path).expect("a sample")).expect("a sample is JSON");
    paths.into_iter().map(payload).collect()
}
