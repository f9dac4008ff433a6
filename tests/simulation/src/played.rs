//! What a run has shown, as one process tells another, and playing a block of seeds in a process of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde::{Deserialize, Serialize};
use simulation::{Outcome, play};

use crate::arguments::Arguments;

/// How many environments a process makes before another one goes on: the SDK keeps something of every client for as long as
/// its process lives (its retry quota), some kilobytes of each environment.
const MOST_ENVIRONMENTS: u64 = 30_000;

/// What one seed has shown.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Played {
    pub(crate) seed: u64,
    /// Seconds of simulated time.
    pub(crate) lasted: u64,
    /// How often each kind of fault has struck.
    pub(crate) struck: BTreeMap<String, u64>,
    /// What was passed through that no seed before it in this process has.
    pub(crate) covered: Vec<String>,
    /// The invariants that broke, and what was found.
    pub(crate) broken: Vec<(String, String)>,
}

/// Plays seeds and writes a line of JSON for each, until there are enough of them; another process goes on.
pub(crate) fn play_block(arguments: &Arguments) -> io::Result<u64> {
    let mut covered = BTreeSet::new();
    let mut environments = 0;
    for seed in arguments.from..arguments.from + arguments.seeds {
        let (_, script) = arguments.script(seed);
        let Outcome { broken, struck, covered: states, lasted, environments: made, .. } = play(&script);
        let played = Played {
            seed,
            lasted: lasted.as_secs(),
            struck: struck.into_iter().map(|(kind, count)| (format!("{kind:?}"), count)).collect(),
            covered: states.into_iter().filter(|state| covered.insert(state.clone())).collect(),
            broken: broken.into_iter().map(|broken| (broken.name.to_owned(), broken.found)).collect(),
        };
        writeln!(io::stdout(), "{}", serde_json::to_string(&played)?)?;
        environments += made;
        if environments > MOST_ENVIRONMENTS {
            break;
        }
    }
    Ok(0)
}
