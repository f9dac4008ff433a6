//! `simulate [--from n] [--seeds n] [--uncut]` plays seeds, says what was seen, and cuts down what fails; `--show n` prints
//! one run, `--script long-line|many-units|week|closings|controls [--seed n] [--timeline]` plays another one.

mod many;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

use mimalloc::MiMalloc;
use simulation::{Outcome, Script, play};

/// A quarter of a run is allocation.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)?.parse().ok()).unwrap_or(default)
    };
    let named = arguments.iter().position(|argument| argument == "--script");
    let failed = if let Some(name) = named.and_then(|place| arguments.get(place + 1)) {
        play_named(name, number("--seed", 1), arguments.iter().any(|argument| argument == "--timeline"))
    } else if arguments.iter().any(|argument| argument == "--show") {
        show(number("--show", 0))
    } else {
        many::play_all(
            number("--from", 1),
            number("--seeds", 100),
            !arguments.iter().any(|argument| argument == "--uncut"),
        )
    };
    match failed {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}

/// Plays one of the other scripts, and says how long it took.
fn play_named(name: &str, seed: u64, shows: bool) -> io::Result<u64> {
    let script = match name {
        "long-line" => Script::of_a_long_line(seed),
        "many-units" => Script::of_many_units(seed),
        "week" => Script::of_a_week(seed, 10_000),
        "closings" => Script::of_closings(seed),
        "controls" => Script::of_controls(seed),
        other => {
            return Err(io::Error::other(format!("{other} is not long-line, many-units, week, closings or controls")));
        }
    };
    let begun = Instant::now();
    let outcome = play(&script);
    if shows {
        timeline(&script, &outcome, usize::MAX)?;
    }
    let mut out = io::stderr().lock();
    let (hours, lines) = (outcome.lasted.as_secs() / 3_600, outcome.lines.len());
    writeln!(out, "{name}: {hours} h in {:.1} s, {lines} lines", begun.elapsed().as_secs_f64())?;
    for broken in &outcome.broken {
        writeln!(out, "BROKEN {}: {} Found: {:.600}", broken.name, broken.sentence, broken.found)?;
    }
    Ok(outcome.broken.len() as u64)
}

/// Plays one seed and prints its timeline.
fn show(seed: u64) -> io::Result<u64> {
    let script = Script::of(seed);
    let outcome = play(&script);
    timeline(&script, &outcome, usize::MAX)?;
    Ok(outcome.broken.len() as u64)
}

/// Prints a run: its script, what happened, at most so many lines of it, and what broke.
fn timeline(script: &Script, outcome: &Outcome, most: usize) -> io::Result<()> {
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
