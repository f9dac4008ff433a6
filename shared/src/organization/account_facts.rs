//! What is known of an account.

use std::collections::BTreeMap;

use crate::ids::{AccountId, OrganizationalUnitId};

/// What must be known of an account to tell what holds for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its id.
    pub id: AccountId,
    /// The names of the units that hold it, from the root down, as a [path](crate::unit_path); `/` right below the root.
    pub organizational_unit_path: String,
    /// The units that hold it, from the root down.
    pub units: Vec<OrganizationalUnitId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}
