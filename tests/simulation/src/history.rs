//! What people and members have done in a run, for the invariants: when an account was moved, when it left, which document held.

use jiff::Timestamp;

use crate::document::Document;

/// Something that was done, and has had its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// An account was moved by a person.
    Moved { account: String },
    /// A unit has another name.
    Renamed { unit: String, from: String, to: String },
    /// A unit is gone.
    UnitDeleted { unit: String, name: String },
    /// An account has left the organization.
    Left { account: String },
    /// It is there again.
    CameBack { account: String },
    /// It was closed from within.
    Closed { account: String },
    /// Whoever administers it has done harm.
    Harmed { account: String },
    /// An account has the alias that was meant for another one.
    AliasTaken { meant_for: String },
    /// A document was uploaded.
    Uploaded(Document),
    /// The document was deleted.
    Deleted,
}

/// What was done, in order, and what is to be held against it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) done: Vec<(Timestamp, Done)>,
    /// When a session in an account was asked for, and by which function.
    pub(crate) asked_in: Vec<(Timestamp, String, String)>,
    /// When a function has tagged an account.
    pub(crate) tagged: Vec<(Timestamp, String, String)>,
}

impl History {
    /// When something was done that fits.
    pub(crate) fn times(&self, fits: impl Fn(&Done) -> bool) -> impl Iterator<Item = Timestamp> {
        self.done.iter().filter(move |(_, done)| fits(done)).map(|(at, _)| *at)
    }

    /// Whether anything was done that fits.
    pub(crate) fn has(&self, fits: impl Fn(&Done) -> bool) -> bool {
        self.times(fits).next().is_some()
    }

    /// Whether a person has moved this account.
    pub(crate) fn has_moved(&self, account: &str) -> bool {
        self.has(|done| matches!(done, Done::Moved { account: moved } if moved == account))
    }

    /// Whether whoever administers this account has done harm.
    pub(crate) fn is_hostile(&self, account: &str) -> bool {
        self.has(|done| matches!(done, Done::Harmed { account: hostile } if hostile == account))
    }

    /// Whether another account has the alias that this one is to get.
    pub(crate) fn lacks_its_alias(&self, account: &str) -> bool {
        self.has(|done| matches!(done, Done::AliasTaken { meant_for } if meant_for == account))
    }

    /// Whether anything was done by which more, or something else, is asked of accounts: the documents and the units are the
    /// same all the time where not.
    pub(crate) fn is_rearranged(&self) -> bool {
        let documents = self.done.iter().filter_map(|(_, done)| match done {
            Done::Uploaded(document) => Some((document.has_override, document.marks)),
            _ => None,
        });
        let mut documents = documents.collect::<Vec<_>>();
        documents.dedup();
        documents.len() > 1 || self.has(|done| matches!(done, Done::Renamed { .. } | Done::UnitDeleted { .. }))
    }

    /// The document that was uploaded last; nothing where it was deleted since.
    pub(crate) fn last_document(&self) -> Option<Document> {
        let last = self.done.iter().rev().find_map(|(_, done)| match done {
            Done::Uploaded(document) => Some(Some(*document)),
            Done::Deleted => Some(None),
            _ => None,
        });
        last.flatten()
    }

    /// The times from when to when an account was away or closed; the last without an end where it still is.
    pub(crate) fn absences(&self, account: &str) -> Vec<(Timestamp, Option<Timestamp>)> {
        let mut absences: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for (at, done) in &self.done {
            match done {
                Done::Left { account: left } | Done::Closed { account: left } if left == account => {
                    absences.push((*at, None));
                }
                Done::CameBack { account: back } if back == account => {
                    if let Some(last) = absences.last_mut() {
                        last.1 = Some(*at);
                    }
                }
                _ => {}
            }
        }
        absences
    }
}
