//! Chance, by a seed: every question has a row of answers of its own, so that a question more or less elsewhere changes
//! nothing here.

use std::{collections::HashMap, time::Duration};

/// Answers to questions that are left to chance.
#[derive(Debug)]
pub(crate) struct Draws {
    seed: u64,
    asked: HashMap<String, u64>,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, asked: HashMap::new() }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, question: &str, bound: u64) -> u64 {
        let count = self.asked.entry(question.to_owned()).or_default();
        *count += 1;
        let mut state = self.seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in question.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        mixed(state) % bound.max(1)
    }

    /// A number from `least` to `most`.
    pub(crate) fn between(&mut self, question: &str, least: u64, most: u64) -> u64 {
        least + self.below(question, most - least + 1)
    }

    /// Whether something happens that happens so many times of a hundred.
    pub(crate) fn happens(&mut self, question: &str, percent: u64) -> bool {
        self.below(question, 100) < percent
    }

    pub(crate) fn millis(&mut self, question: &str, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(question, least, most))
    }

    /// An id of so many characters of an alphabet.
    pub(crate) fn id(&mut self, question: &str, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let bound = letters.len() as u64;
        (0..length).map(|_| letters[usize::try_from(self.below(question, bound)).expect("small")]).collect()
    }
}

fn mixed(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
