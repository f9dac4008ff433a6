//! What happens to accounts that decides who reaches them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, OrganizationalUnitId};

/// Accounts that may have come under a project, or left one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rearranged {
    /// An account sits in another unit.
    Moved(AccountId),
    /// An account has other tags.
    Tagged {
        /// The account.
        account_id: AccountId,
        /// The keys of the tags; empty where they are not known.
        keys: Vec<String>,
    },
    /// An account is closed, or has left the organization.
    Gone(AccountId),
    /// A unit has another name, and with it the path of every account in it.
    Renamed(OrganizationalUnitId),
}

impl fmt::Display for Rearranged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved(account) => write!(f, "the account {account} was moved"),
            Self::Tagged { account_id, .. } => write!(f, "the tags of the account {account_id} were changed"),
            Self::Gone(account) => write!(f, "the account {account} was closed, or has left"),
            Self::Renamed(unit) => write!(f, "the unit {unit} was renamed"),
        }
    }
}
