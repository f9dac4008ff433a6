//! What all runs so far have shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::Instant,
};

use simulation::Family;

use crate::played::Played;

/// Counts runs, and says how far they are.
pub(crate) struct Tally {
    begun: Instant,
    wanted: u64,
    done: u64,
    failed: u64,
    /// Seconds of simulated time.
    lasted: u64,
    struck: BTreeMap<String, u64>,
    covered: BTreeSet<String>,
    /// The invariants that broke.
    broken: BTreeSet<String>,
    families: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn new(wanted: u64) -> Self {
        Self {
            begun: Instant::now(),
            wanted,
            done: 0,
            failed: 0,
            lasted: 0,
            struck: BTreeMap::new(),
            covered: BTreeSet::new(),
            broken: BTreeSet::new(),
            families: BTreeMap::new(),
        }
    }

    /// Takes a run in; the invariants that break in it and broke in none before.
    pub(crate) fn take(&mut self, family: Family, played: Played) -> io::Result<Vec<String>> {
        self.lasted += played.lasted;
        for (kind, count) in played.struck {
            *self.struck.entry(kind).or_insert(0) += count;
        }
        self.covered.extend(played.covered);
        self.failed += u64::from(!played.broken.is_empty());
        let mut new = Vec::new();
        for (invariant, found) in played.broken {
            writeln!(io::stderr(), "{family} {}: {invariant} ({found:.300})", played.seed)?;
            if self.broken.insert(invariant.clone()) {
                new.push(invariant);
            }
        }
        self.count(family)?;
        Ok(new)
    }

    /// Takes in that a run has ended its process.
    pub(crate) fn ended(&mut self, family: Family, seed: u64) -> io::Result<()> {
        self.failed += 1;
        writeln!(io::stderr(), "{family} {seed} panics")?;
        self.count(family)
    }

    fn count(&mut self, family: Family) -> io::Result<()> {
        self.done += 1;
        *self.families.entry(family.to_string()).or_insert(0) += 1;
        // A hundred lines at most, of few seeds fewer.
        if !self.done.is_multiple_of((self.wanted / 100).max(100)) && self.done != self.wanted {
            return Ok(());
        }
        let Self { done, failed, lasted, .. } = self;
        let rate = f64::from(u32::try_from(*done).unwrap_or(u32::MAX)) / self.begun.elapsed().as_secs_f64();
        let hours = *lasted / 3_600;
        writeln!(io::stderr(), "{done} seeds, {rate:.1} a second, {hours} h of simulated time, {failed} failed")
    }

    /// Says what was seen; how many have failed.
    pub(crate) fn conclude(&self) -> io::Result<u64> {
        let mut out = io::stderr().lock();
        writeln!(out, "families: {:?}", self.families)?;
        writeln!(out, "faults: {:?}", self.struck)?;
        writeln!(out, "covered: {} states, answers, rules and causes", self.covered.len())?;
        Ok(self.failed)
    }
}
