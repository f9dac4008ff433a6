//! Playing many seeds, on every core, in processes that end before they hold too much.

use std::{
    env::current_exe,
    io::{self, BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use simulation::{play, shortest};

use crate::{arguments::Arguments, played::Played, tally::Tally, timeline};

/// How many lines are shown of a run that was cut down.
const SHOWN: usize = 400;
/// How many seeds one process is given at most.
const BLOCK: u64 = 1_000;

/// The seeds that are played, and by whom.
struct Players<'a> {
    arguments: &'a Arguments,
    /// The first seed that nobody plays.
    next: AtomicU64,
    block: u64,
    tally: Mutex<Tally>,
}

/// Plays the seeds and says what was seen; how many have failed.
pub(crate) fn play_all(arguments: &Arguments) -> io::Result<u64> {
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let players = Players {
        arguments,
        next: AtomicU64::new(arguments.from),
        block: (arguments.seeds / (8 * at_once as u64)).clamp(1, BLOCK),
        tally: Mutex::new(Tally::new(arguments.seeds)),
    };
    thread::scope(|scope| {
        let working: Vec<_> = (0..at_once).map(|_| scope.spawn(|| players.play())).collect();
        working.into_iter().try_for_each(|player| player.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))))
    })?;
    players.tally().conclude()
}

impl Players<'_> {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays blocks for as long as there are any.
    fn play(&self) -> io::Result<()> {
        let end = self.arguments.from + self.arguments.seeds;
        loop {
            let mut at = self.next.fetch_add(self.block, Ordering::Relaxed);
            let until = (at + self.block).min(end);
            if at >= end {
                return Ok(());
            }
            while at < until {
                let reached = self.play_on(at, until)?;
                // A seed that ends its process ends no other.
                if reached == at {
                    self.tally().ended(self.arguments.script(at).0, at)?;
                }
                at = reached.max(at + 1);
            }
        }
    }

    /// Has a process play on; the seed that it has not come to.
    fn play_on(&self, from: u64, until: u64) -> io::Result<u64> {
        let mut process = Command::new(current_exe()?)
            .args(self.arguments.of_block(from, until - from))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut at = from;
        for line in process.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let played: Played = serde_json::from_str(&line?)?;
            at = played.seed + 1;
            self.take(played)?;
        }
        process.wait()?;
        Ok(at)
    }

    fn take(&self, played: Played) -> io::Result<()> {
        let (family, script) = self.arguments.script(played.seed);
        let new = self.tally().take(family, played)?;
        for invariant in new.iter().filter(|_| self.arguments.cuts) {
            let script = shortest(&script, invariant);
            timeline::print(&script, &play(&script), SHOWN)?;
        }
        Ok(())
    }
}
