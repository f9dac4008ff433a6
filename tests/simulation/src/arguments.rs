//! What whoever plays runs asks for.

use simulation::{Family, Script};

/// How it is asked for.
pub(crate) const USAGE: &str = "simulate [--script small|mixed|closings|people|controls|access|locks|long-line|many-units|week] [--from n] [--seeds n] \
                                [--uncut] plays seeds, and cuts down what fails; with --show n it prints what happens in one.";

/// What is played.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// None: to each seed its own.
    family: Option<Family>,
    pub(crate) from: u64,
    pub(crate) seeds: u64,
    /// Whether what fails is cut down to what it needs.
    pub(crate) cuts: bool,
    /// The one seed whose run is printed.
    pub(crate) shown: Option<u64>,
    /// Whether this process plays for another one.
    pub(crate) is_of_another: bool,
}

/// What one process says to another that is to play for it.
const BLOCK: &str = "--block";

impl Arguments {
    /// Reads them; what cannot be read is said, all of it.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { family: None, from: 1, seeds: 100, cuts: true, shown: None, is_of_another: false };
        let mut wrong = Vec::new();
        while let Some(name) = arguments.next() {
            let mut number = || {
                let value = arguments.next().unwrap_or_default();
                value.parse().map_err(|_| wrong.push(format!("{name} takes a number, not '{value}'."))).ok()
            };
            match name.as_str() {
                "--from" => read.from = number().unwrap_or_default(),
                "--seeds" => read.seeds = number().unwrap_or_default(),
                "--show" => read.shown = number(),
                "--uncut" => read.cuts = false,
                BLOCK => read.is_of_another = true,
                "--script" => match arguments.next().unwrap_or_default().parse() {
                    Ok(family) => read.family = Some(family),
                    Err(error) => wrong.push(error),
                },
                other => wrong.push(format!("{other} is not known.")),
            }
        }
        if wrong.is_empty() { Ok(read) } else { Err(format!("{} {USAGE}", wrong.join(" "))) }
    }

    /// The arguments of a process that is to play so many seeds of these.
    pub(crate) fn of_block(&self, from: u64, seeds: u64) -> Vec<String> {
        let mut arguments: Vec<String> =
            [BLOCK, "--from", &from.to_string(), "--seeds", &seeds.to_string()].map(ToOwned::to_owned).into();
        if let Some(family) = self.family {
            arguments.extend(["--script".to_owned(), family.to_string()]);
        }
        arguments
    }

    /// The family and the script of a seed.
    pub(crate) fn script(&self, seed: u64) -> (Family, Script) {
        let family = self.family.unwrap_or_else(|| Family::of(seed));
        (family, family.script(seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        Arguments::read(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn a_family_and_its_seeds_are_read() {
        let wanted = Arguments {
            family: Some(Family::Closings),
            from: 7,
            seeds: 3,
            cuts: false,
            shown: None,
            is_of_another: false,
        };
        assert_eq!(read("--script closings --from 7 --seeds 3 --uncut"), Ok(wanted));
    }

    #[test]
    fn a_block_is_of_the_same_family() {
        let arguments = read("--script week --from 1 --seeds 10").expect("arguments");
        let block = Arguments::read(arguments.of_block(4, 2).into_iter()).expect("arguments of a block");
        let wanted = Arguments { from: 4, seeds: 2, is_of_another: true, ..arguments };
        assert_eq!(block, wanted);
    }

    #[test]
    fn everything_that_cannot_be_read_is_said_at_once() {
        let error = read("--script none --seeds many --loud").expect_err("three mistakes");
        for part in ["none is no family of scripts", "--seeds takes a number, not 'many'.", "--loud is not known."] {
            assert!(error.contains(part), "{error}");
        }
    }
}
