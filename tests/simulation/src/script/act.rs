//! The lines of a script.

use std::fmt;

use super::{Closing, Harm, LockAct, RegionAct, Update, UserAct, Whose};
use crate::fault::Fault;

/// Something that somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A person asks for an account: the same number, the same address.
    Request {
        /// Whose account it is.
        person: u64,
        /// The unit that is named, by its number.
        unit: Option<u64>,
        /// Whether a person invokes the function, rather than an event.
        by_hand: bool,
    },
    /// The bus delivers the first event of this person a second time.
    Copy {
        /// Whose.
        person: u64,
    },
    /// Somebody outside the organization takes the address.
    Taken {
        /// Whose.
        person: u64,
    },
    /// The address is free again.
    Freed {
        /// Whose.
        person: u64,
    },
    /// The account of this person is closed, after its address was changed.
    Closed {
        /// Whose.
        person: u64,
    },
    /// The account of this person is closed, and keeps its address.
    ClosedAsItIs {
        /// Whose.
        person: u64,
    },
    /// An account that existed elsewhere joins.
    Joins {
        /// Its number.
        number: u64,
    },
    /// An event tells of an account that joined a while ago, late; only now somebody makes the access role in it.
    Known {
        /// Its number.
        number: u64,
    },
    /// Another document is uploaded.
    Document {
        /// Whether it is one that can be read.
        good: bool,
    },
    /// A document is uploaded that has sweeps put right what has drifted.
    Remediating,
    /// A person asks for other names or addresses.
    UpdateAccount(Update),
    /// The stack is updated: every function starts cold.
    Update,
    /// A person brings all accounts to the baseline.
    ApplyToAll,
    /// A person looks what would be done.
    PlanForAll,
    /// A sweep begins.
    Sweep,
    /// A person publishes the report of the last sweep again.
    ReportAgain,
    /// Somebody does what people are to hear of, in the management account or as the root user of a member.
    Watched {
        /// Which of the samples.
        sample: u64,
    },
    /// A person deletes the credentials of an account's root user.
    DeleteRootCredentials {
        /// The number of the account.
        number: u64,
    },
    /// Something is done with a policy that locks everybody out.
    Lock(LockAct),
    /// A person looks which credentials the root users have.
    AuditRootCredentials,
    /// People do something about the closing of accounts.
    Closing(Closing),
    /// A person moves an account.
    Moved {
        /// Which one.
        whose: Whose,
        /// The unit that it comes to; None for the root.
        unit: Option<u64>,
    },
    /// A person gives a unit another name.
    Renamed {
        /// Its number.
        unit: u64,
        /// Whether it is its first name again.
        back: bool,
    },
    /// A person deletes a unit, if it is empty.
    UnitDeleted {
        /// Its number.
        unit: u64,
    },
    /// A person removes an account that was there when the run began from the organization.
    Removed {
        /// Its number.
        number: u64,
    },
    /// An account that was removed is invited, and joins again.
    InvitedAgain {
        /// Its number.
        number: u64,
    },
    /// Whoever administers an account does harm with it.
    Harmed {
        /// Which one.
        whose: Whose,
        /// What is done.
        harm: Harm,
    },
    /// A document is uploaded that is like the one before, with its override or without.
    Overridden {
        /// Whether it has one.
        there: bool,
    },
    /// A person deletes the document.
    DocumentDeleted,
    /// People do something about the users of the account that they sign in to.
    User(UserAct),
    /// Somebody does something about regions.
    Region(RegionAct),
    /// Whoever administers the account that people sign in to tampers with a group.
    Tampered {
        /// In which way.
        way: u64,
    },
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Somebody does something, in this second of the run.
    Act(u64, Act),
    /// Something goes wrong.
    Fault(Fault),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(second, act) => write!(f, "at {second} s: {act:?}"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}
