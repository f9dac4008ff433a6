//! What is answered.

use serde::Serialize;
use steward::{
    control::Mode,
    ids::{AccountId, UserName},
};

use crate::{
    event::Finding,
    expiry::Over,
    people::{Findings, People},
    sheet::Sheet,
};

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// What came of one user.
    User(Box<UserReport>),
    /// Every user.
    List {
        /// The jump account.
        account_id: AccountId,
        /// The users.
        #[serde(flatten)]
        people: People,
    },
    /// What came of one-time passwords.
    Passwords {
        /// Whether anything was to be changed.
        mode: Mode,
        /// Those that are over; in a plan they stay.
        over: Vec<Ended>,
        /// How many wait for their first use.
        waiting: usize,
    },
    /// Who needs a look.
    Review(Review),
}

/// What came of one user.
#[derive(Debug, Serialize)]
pub struct UserReport {
    pub(crate) mode: Mode,
    pub(crate) account_id: AccountId,
    pub(crate) user_name: UserName,
    /// What came of it.
    #[serde(flatten)]
    pub(crate) finding: Finding,
    /// The name of the secret in which a one-time password waits, in the account and region of this function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_in: Option<String>,
    /// What whoever asked should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// What the person needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sheet: Option<Sheet>,
}

/// A one-time password that is over.
#[derive(Debug, Serialize)]
pub struct Ended {
    pub(crate) user_name: String,
    pub(crate) why: Over,
}

/// Who needs a look.
#[derive(Debug, Serialize)]
pub struct Review {
    pub(crate) mode: Mode,
    pub(crate) account_id: AccountId,
    /// Whether it was published by this invocation.
    pub(crate) published: bool,
    #[serde(flatten)]
    pub(crate) findings: Findings,
}
