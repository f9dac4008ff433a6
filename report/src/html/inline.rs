//! What stands in the page itself, and the hash by which the page's policy allows it.
//!
//! The policy allows nothing else: text of an account that got into the page as markup would neither run nor paint.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::Report;

/// The text of the page's one script or one style.
pub(crate) struct Inline {
    pub(crate) text: String,
}

impl Inline {
    /// The page's script.
    pub(super) fn script() -> Self {
        Self { text: include_str!("../../templates/report.js").to_owned() }
    }

    /// The page's style, with a class for each share that a bar has: styles of single elements have no hash.
    pub(super) fn style(report: &Report) -> Self {
        let totals = &report.totals;
        let all = totals.accounts;
        let mut shares = BTreeSet::from([all.not_compliant, all.unknown, all.compliant, all.not_checked]);
        for control in &totals.controls {
            let (good, rest) = (control.compliant + control.fixed, control.skipped + control.not_checked);
            shares.extend([control.not_compliant(), control.unknown, control.exempt, good, rest]);
        }
        let mut text = include_str!("../../templates/report.css").to_owned();
        text.extend(shares.into_iter().map(|share| format!(".g{share}{{flex-grow:{share}}}\n")));
        Self { text }
    }

    /// As a source of a Content Security Policy: `sha256-...`.
    pub(crate) fn hash(&self) -> String {
        format!("sha256-{}", STANDARD.encode(Sha256::digest(&self.text)))
    }
}
