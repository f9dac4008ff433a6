//! Playing many seeds, on every core.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use simulation::{Family, Kind, Outcome, play, shortest};

use crate::{arguments::Arguments, timeline};

/// How many lines are shown of a run that was cut down.
const SHOWN: usize = 400;

/// What all runs so far have shown.
struct Tally {
    begun: Instant,
    wanted: u64,
    cuts: bool,
    done: u64,
    failed: u64,
    lasted: u64,
    struck: BTreeMap<Kind, u64>,
    covered: BTreeSet<String>,
    /// The invariants of which a broken run was cut down: one run of each.
    cut: BTreeSet<&'static str>,
}

/// Plays the seeds and says what was seen; how many have failed.
pub(crate) fn play_all(arguments: &Arguments) -> io::Result<u64> {
    let Arguments { from, seeds, cuts, .. } = *arguments;
    let tally = Mutex::new(Tally {
        begun: Instant::now(),
        wanted: seeds,
        cuts,
        done: 0,
        failed: 0,
        lasted: 0,
        struck: BTreeMap::new(),
        covered: BTreeSet::new(),
        cut: BTreeSet::new(),
    });
    let next = AtomicU64::new(from);
    let work = || -> io::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds {
                return Ok(());
            }
            let (family, script) = arguments.script(seed);
            // Every run stands for itself: one that panics ends no other.
            let outcome = catch_unwind(AssertUnwindSafe(|| play(&script)));
            let to_cut = tally.lock().unwrap_or_else(PoisonError::into_inner).take(family, seed, outcome)?;
            for invariant in to_cut {
                let script = shortest(&script, invariant);
                timeline::print(&script, &play(&script), SHOWN)?;
            }
        }
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))))
    })?;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out = io::stderr().lock();
    writeln!(out, "faults: {:?}", tally.struck)?;
    writeln!(out, "covered: {} states, answers, rules and causes", tally.covered.len())?;
    Ok(tally.failed)
}

impl Tally {
    /// Takes a run in; the invariants that are to be cut down to what they need to break.
    fn take(
        &mut self,
        family: Family,
        seed: u64,
        outcome: Result<Outcome, Box<dyn Any + Send>>,
    ) -> io::Result<Vec<&'static str>> {
        let mut out = io::stderr().lock();
        let mut to_cut = Vec::new();
        self.done += 1;
        match outcome {
            Err(_) => {
                self.failed += 1;
                writeln!(out, "{family} {seed} panics")?;
            }
            Ok(outcome) => {
                self.lasted += outcome.lasted.as_secs();
                for (kind, count) in &outcome.struck {
                    *self.struck.entry(*kind).or_insert(0) += count;
                }
                self.covered.extend(outcome.covered.iter().cloned());
                self.failed += u64::from(!outcome.broken.is_empty());
                for broken in &outcome.broken {
                    writeln!(out, "{family} {seed}: {} ({:.300})", broken.name, broken.found)?;
                    if self.cuts && self.cut.insert(broken.name) {
                        to_cut.push(broken.name);
                    }
                }
            }
        }
        // A hundred lines at most, of few seeds fewer.
        if self.done.is_multiple_of((self.wanted / 100).max(100)) || self.done == self.wanted {
            let Self { done, failed, lasted, .. } = self;
            let rate = f64::from(u32::try_from(*done).unwrap_or(u32::MAX)) / self.begun.elapsed().as_secs_f64();
            writeln!(
                out,
                "{done} seeds, {rate:.1} a second, {} h of simulated time, {failed} failed",
                *lasted / 3_600
            )?;
        }
        Ok(to_cut)
    }
}
