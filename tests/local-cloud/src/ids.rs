//! Identifiers in the shapes AWS gives them, repeatable from a seed.

use std::sync::{Mutex, PoisonError};

use fastrand::Rng;

/// Makes identifiers.
pub(crate) struct Ids(Mutex<Rng>);

impl Ids {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(Mutex::new(seed.map_or_else(Rng::new, Rng::with_seed)))
    }

    /// A fresh account id.
    pub(crate) fn account(&self) -> String {
        self.with(|rng| rng.u64(100_000_000_000..=999_999_999_999).to_string())
    }

    /// `prefix` and so many lower-case letters and digits.
    pub(crate) fn lower(&self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let tail: String =
            self.with(|rng| (0..length).map(|_| char::from(ALPHABET[rng.usize(..ALPHABET.len())])).collect());
        format!("{prefix}{tail}")
    }

    /// `prefix` and 32 hexadecimal digits.
    pub(crate) fn hex(&self, prefix: &str) -> String {
        format!("{prefix}{:032x}", self.with(|rng| rng.u128(..)))
    }

    /// A UUID.
    pub(crate) fn uuid(&self) -> String {
        let hex = self.hex("");
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// A random part of one.
    pub(crate) fn fraction(&self) -> f64 {
        self.with(Rng::f64)
    }

    fn with<T>(&self, make: impl FnOnce(&mut Rng) -> T) -> T {
        make(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
