//! What people do to the organization while functions are at work in it.

use crate::{
    aws::{arranging, organizations},
    people::id_of,
    run::World,
    script::Whose,
};

impl World {
    pub(super) fn move_account(&self, whose: Whose, unit: Option<u64>) {
        let Some(id) = self.present(whose) else { return };
        let to = match unit {
            Some(unit) => self.unit(unit),
            None => Some(self.cloud.with(|state| state.organization.root.clone())),
        };
        let Some(to) = to else { return };
        self.cloud.with(|state| {
            let moved = arranging::move_account(state, &id, &to);
            state.note("people", format_args!("move {id} to {to}: {:?}", moved.map_err(|refusal| refusal.code)));
        });
    }

    pub(super) fn rename_unit(&self, unit: u64, back: bool) {
        let Some(id) = self.unit(unit) else { return };
        let name = if back { format!("Unit {unit}") } else { format!("Renamed {unit}") };
        self.cloud.with(|state| {
            let renamed = arranging::rename_unit(state, &id, &name).map(drop);
            state.note("people", format_args!("rename {id} to {name}: {:?}", renamed.map_err(|refusal| refusal.code)));
        });
    }

    pub(super) fn delete_unit(&self, unit: u64) {
        let Some(id) = self.unit(unit) else { return };
        self.cloud.with(|state| {
            let deleted = arranging::delete_unit(state, &id).map(drop);
            state.note("people", format_args!("delete {id}: {:?}", deleted.map_err(|refusal| refusal.code)));
        });
    }

    pub(super) fn remove_account(&self, number: u64) {
        let id = organizations::id_of(number);
        self.cloud.with(|state| {
            let removed = arranging::remove_account(state, &id).map(drop);
            state.note("people", format_args!("remove {id}: {:?}", removed.map_err(|refusal| refusal.code)));
        });
    }

    pub(super) fn invite_again(&self, number: u64) {
        self.cloud.with(|state| arranging::come_back(state, &organizations::id_of(number)));
    }

    /// The id of a unit, by its number.
    fn unit(&self, number: u64) -> Option<String> {
        self.units.get(usize::try_from(number).ok()?).cloned()
    }

    /// The id of an account, if it is there.
    pub(super) fn present(&self, whose: Whose) -> Option<String> {
        self.cloud.with(|state| {
            let wanted = id_of(state, whose)?;
            state.organization.accounts.iter().find(|account| account.id == wanted).map(|account| account.id.clone())
        })
    }
}
