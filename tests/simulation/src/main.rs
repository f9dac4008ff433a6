//! Plays seeds, or prints what happens in one: [`arguments::USAGE`].

mod arguments;
mod many;
mod played;
mod tally;
mod timeline;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use mimalloc::MiMalloc;

use arguments::Arguments;

/// A quarter of a run is allocation.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read(std::env::args().skip(1)).map_err(io::Error::other);
    let failed = arguments.and_then(|arguments| match arguments.shown {
        Some(seed) => timeline::show(&arguments.script(seed).1),
        None if arguments.is_of_another => played::play_block(&arguments),
        None => many::play_all(&arguments),
    });
    match failed {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Where that cannot be written either, nobody reads.
            drop(writeln!(io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}
