//! A run as a person reads it.

use std::io::{self, Write};

use simulation::{Outcome, Script, play};

/// Plays a script and prints everything that happens; how many invariants broke.
pub(crate) fn show(script: &Script) -> io::Result<u64> {
    let outcome = play(script);
    print(script, &outcome, usize::MAX)?;
    Ok(outcome.broken.len() as u64)
}

/// Prints a run: its script, what happened, at most so many lines of it, and what broke.
pub(crate) fn print(script: &Script, outcome: &Outcome, most: usize) -> io::Result<()> {
    let mut out = io::stderr().lock();
    write!(out, "{script}")?;
    for line in outcome.lines.iter().take(most) {
        writeln!(out, "  {} {:<26} {:.400}", line.at.strftime("%d %H:%M:%S%.3f"), line.who, line.what)?;
    }
    if outcome.lines.len() > most {
        writeln!(out, "  ... and {} lines more", outcome.lines.len() - most)?;
    }
    for broken in &outcome.broken {
        writeln!(out, "  BROKEN {}: {} Found: {}", broken.name, broken.sentence, broken.found)?;
    }
    Ok(())
}
