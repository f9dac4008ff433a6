//! The samples in `events`: what each function is sent, by AWS and by people.
//!
//! Each function has one test that hands every sample to the code that reads its input, by [`check`].

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use serde_json::Value;

/// A sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name of its file.
    pub name: String,
    /// What is sent.
    pub payload: Value,
}

/// The samples of a function, in the order of their names.
///
/// # Panics
///
/// When there is none, or one is not JSON.
pub fn of(function: &str) -> Vec<Sample> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events")).join(function);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    assert!(!paths.is_empty(), "{function} has no sample");
    paths.sort();
    let sample = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let payload = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Sample { name: path.file_name().expect("a name").to_string_lossy().into_owned(), payload }
    };
    paths.iter().map(sample).collect()
}

/// Checks that a function takes every sample of its own, and that each way of asking it has one. `read` is given a sample,
/// and says in which ways it asks: its task, its mode, how accounts are named.
///
/// # Panics
///
/// When a sample is not taken, or a way has no sample.
pub fn check<Way, Ways, Refusal>(
    function: &str,
    ways: impl IntoIterator<Item = Way>,
    read: impl Fn(Sample) -> Result<Ways, Refusal>,
) where
    Way: Ord + Debug,
    Ways: IntoIterator<Item = Way>,
    Refusal: Debug,
{
    let mut shown = BTreeSet::new();
    for sample in of(function) {
        let name = sample.name.clone();
        let asked = read(sample);
        shown.extend(asked.unwrap_or_else(|refusal| panic!("events/{function}/{name} is not taken: {refusal:?}")));
    }
    assert_eq!(shown, ways.into_iter().collect(), "{function}: left has a sample in events, right is a way of asking");
}
