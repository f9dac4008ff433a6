//! Cutting a failing run down to what it needs to fail.

use crate::{Script, play};

/// The shortest script, by leaving lines out, that still breaks the invariant.
pub fn shortest(script: &Script, invariant: &str) -> Script {
    let breaks = |script: &Script| play(script).broken.iter().any(|broken| broken.name == invariant);
    let mut best = script.clone();
    let mut part = best.items.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < best.items.len() {
            let mut shorter = best.clone();
            let end = (at + part).min(shorter.items.len());
            shorter.items.drain(at..end);
            if breaks(&shorter) { best = shorter } else { at = end }
        }
        if part == 1 {
            break;
        }
        part = part.div_ceil(2);
    }
    for accounts in [3, 10, 25, 60] {
        let smaller = Script { accounts, ..best.clone() };
        if accounts < best.accounts && breaks(&smaller) {
            best = smaller;
        }
    }
    best
}
