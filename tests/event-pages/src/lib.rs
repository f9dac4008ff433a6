//! The page and the JSON Schemas of the events that Steward publishes, made from their types.

mod page;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use account_closer::{AccountClosureAdvanced, AccountClosuresAnnounced};
use account_updater::{AccountUpdated, EmailChangesAbandoned};
use activity_auditor::ActivityAudited;
use compliance_reporter::ComplianceReported;
use jump_user_manager::{JumpUserChanged, JumpUsersReviewed};
use organization_preparer::OrganizationPrepared;
use root_task_runner::RootTaskPerformed;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use steward::{
    account_creation::{AccountCreated, AccountCreationFailed, RecordsUnreadable},
    baseline::{BaselineDocumentRefused, BaselineSelectorUnmatched},
    closed_set::ClosedSet,
    events::{BaselineApplied, BaselineIncomplete, JumpGroupsChanged, RegionOptAudited, RegionPolicyViolated},
    gateway::{Event, EventType},
    sweep::SweepBraked,
};

/// One type of event.
pub(crate) struct Published {
    /// The type.
    pub(crate) event_type: EventType,
    /// The functions that put it on the bus.
    pub(crate) by: &'static [&'static str],
    /// What its detail is.
    pub(crate) schema: Value,
}

/// The functions that go by the baseline document: whichever reads a new one first says that it is refused.
const READERS: &[&str] = &[
    "account-closer",
    "account-lister",
    "account-updater",
    "baseline-applier",
    "compliance-checker",
    "organization-preparer",
    "region-opt-auditor",
    "root-task-runner",
];

/// Every type of event, in the order of the names.
fn all() -> Vec<Published> {
    let mut all = vec![
        of::<AccountClosureAdvanced>(&["account-closer"]),
        of::<AccountClosuresAnnounced>(&["account-closer"]),
        of::<AccountCreated>(&["create-account-poller"]),
        of::<AccountCreationFailed>(&["account-requester", "create-account-poller"]),
        of::<AccountUpdated>(&["account-updater"]),
        of::<ActivityAudited>(&["activity-auditor"]),
        of::<BaselineApplied>(&["baseline-applier"]),
        of::<BaselineDocumentRefused>(READERS),
        of::<BaselineIncomplete>(&["baseline-applier"]),
        of::<BaselineSelectorUnmatched>(&["account-lister", "compliance-reporter"]),
        of::<ComplianceReported>(&["compliance-reporter"]),
        of::<EmailChangesAbandoned>(&["account-updater"]),
        of::<JumpGroupsChanged>(&["baseline-applier"]),
        of::<JumpUserChanged>(&["jump-user-manager"]),
        of::<JumpUsersReviewed>(&["jump-user-manager"]),
        of::<OrganizationPrepared>(&["organization-preparer"]),
        of::<RecordsUnreadable>(&["create-account-poller"]),
        of::<RegionOptAudited>(&["region-opt-auditor"]),
        of::<RegionPolicyViolated>(&["region-opt-auditor"]),
        of::<RootTaskPerformed>(&["root-task-runner"]),
        of::<SweepBraked>(&["compliance-reporter"]),
    ];
    all.sort_by_key(|published| published.event_type.name());
    all
}

fn of<E: Event>(by: &'static [&'static str]) -> Published {
    let settings = SchemaSettings::draft07().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<E>().to_value();
    Published { event_type: E::TYPE, by, schema }
}

/// The folder that holds the pages.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The functions that publish events.
pub fn publishers() -> BTreeSet<&'static str> {
    all().iter().flat_map(|published| published.by).copied().collect()
}

/// Every generated file, by its path in that folder.
pub fn pages() -> BTreeMap<String, String> {
    let all = all();
    let schema = |published: &Published| {
        let path = format!("events/{}.schema.json", published.event_type.name());
        (path, format!("{:#}\n", published.schema))
    };
    let page = ("EVENTS.md".to_owned(), page::of(&all));
    all.iter().map(schema).chain([page]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use strum::VariantArray;

    use super::*;

    #[test]
    fn every_type_of_event_is_on_the_page_once() {
        let mut types: Vec<_> = all().iter().map(|published| published.event_type).collect();
        types.sort();
        let mut known = EventType::VARIANTS.to_vec();
        known.sort();
        assert_eq!(types, known);
    }

    #[test]
    fn the_pages_are_those_of_the_types() {
        for (name, content) in pages() {
            let written = fs::read_to_string(docs().join(&name)).unwrap_or_default();
            assert!(written == content, "{name} is stale: run `make docs`");
        }
        let written = fs::read_dir(docs().join("events")).unwrap().count();
        assert_eq!(written, EventType::VARIANTS.len(), "docs/events holds a schema of no event: run `make docs`");
    }
}
