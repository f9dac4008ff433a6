//! The life of one account request: what was asked for, how far it has come, and what to do next.
//!
//! Everything here but the [`Store`] is a pure decision. The functions do the calls.

mod account_spec;
mod admission;
mod baseline_message;
mod decision;
mod events;
mod newly_named;
mod request;
mod store;

pub use account_spec::AccountSpec;
pub use admission::{Admission, Asked, Known, admit};
pub use baseline_message::BaselineMessage;
pub use decision::{
    Evidence, Placement, Progress, Seen, Step, Verdict, after_create, after_duplicate, after_failed_read,
    after_looking, after_move, after_status, calls_of, delay, next_step, not_recognised, placement,
};
pub use events::{AccountCreated, AccountCreationFailed, RecordsUnreadable};
pub use newly_named::{Announced, NewlyNamed};
pub use request::{Announcement, Passed, Reminder, Request, State};
pub use store::{Advanced, Maker, Started, Store};
