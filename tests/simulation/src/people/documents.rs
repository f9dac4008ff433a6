//! What people do with the document while functions go by it.

use crate::{
    document::{Document, Kind},
    furnish::{document_of, upload},
    history::Done,
    run::World,
    time,
};

impl World {
    /// Uploads the document with its override, or without; otherwise it is the one before.
    pub(super) fn override_again(&self, there: bool) {
        self.cloud.with(|state| {
            let before = state.history.last_document().unwrap_or_else(|| document_of(&self.script, Kind::Good));
            upload(state, Document { has_override: there, ..before });
        });
    }

    /// Deletes the document: its versions stay, below a delete marker.
    pub(super) fn delete_document(&self) {
        self.cloud.with(|state| {
            state.buckets.entry("documents".to_owned()).or_default().delete("baseline.yaml");
            state.history.done.push((time::now(), Done::Deleted));
        });
    }
}
