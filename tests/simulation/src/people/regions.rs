//! What people do about the regions of accounts.

use crate::{
    aws::regions::{self, Asker, OPT_IN},
    document::{Document, Kind, RegionRule},
    furnish::{document_of, upload},
    people::id_of,
    run::World,
    script::{RegionAct, Whose},
    template::Bus,
};

impl World {
    /// Lets people do something about regions.
    pub(super) fn region(&self, act: &RegionAct) {
        match *act {
            RegionAct::Change { whose, region, enables, by_member } => {
                self.change_region(whose, name(region), enables, by_member);
            }
            RegionAct::OfNobody { region } => self.region_of_nobody(name(region)),
            RegionAct::Document(rule) => self.region_document(rule),
        }
    }

    fn change_region(&self, whose: Whose, region: &str, enables: bool, by_member: bool) {
        let Some(id) = self.cloud.with(|state| id_of(state, whose)) else { return };
        let asker = if by_member { Asker::Member("mallory".to_owned()) } else { Asker::Management("alice".to_owned()) };
        self.cloud.with(|state| {
            if state.organization.account(&id).is_none_or(|account| account.state != "ACTIVE") {
                return;
            }
            let changed = regions::change(state, &id, region, enables, &asker);
            let came = changed.map_err(|refusal| refusal.code);
            state.note("people", format_args!("change {region} of {id}: {came:?}"));
        });
    }

    /// An account that has left still forwards what it hears.
    fn region_of_nobody(&self, region: &str) {
        self.cloud.with(|state| {
            let Some(id) = id_of(state, Whose::Nobody) else { return };
            regions::tell(state, &id, region, "ENABLED", Bus::Members);
        });
    }

    /// Uploads a document that says something else of regions; otherwise it is the one before.
    fn region_document(&self, rule: RegionRule) {
        self.cloud.with(|state| {
            let before = state.history.last_document().unwrap_or_else(|| document_of(&self.script, Kind::Good));
            upload(state, Document { regions: Some(rule), ..before });
        });
    }
}

fn name(region: u64) -> &'static str {
    OPT_IN[usize::try_from(region).expect("small")]
}
