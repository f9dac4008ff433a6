//! What tests share.

use super::Guards;
use crate::{
    account_source::AccountSource, gateway::testing::taking_every_write, ids::AccountId, table::switch::Switch,
};

/// What keeps accounts from being changed: these are protected, and the switch is off.
pub(crate) fn guards(protected: Vec<AccountId>) -> Guards {
    Guards {
        protected,
        suspended_unit: None,
        switch: Switch::new(taking_every_write()),
        account_source: AccountSource::Organization,
    }
}
