//! All functions in one process, in virtual time, against AWS in memory.
//!
//! A seed makes a [`Script`]: a world, what people do in it and what goes wrong. [`play`] runs the real handlers of all
//! functions through it on one paused clock, single-threaded, so that the same seed always does the same. What must be
//! true of every run are the invariants; one that breaks is cut down to the [shortest script](shortest) that breaks it.

#[cfg(test)]
mod agreement;
mod aws;
mod call;
mod cloud;
mod document;
mod draw;
mod fault;
mod furnish;
mod history;
mod invariant;
mod invoked;
mod lambda;
mod machine;
mod people;
mod permissions;
mod rate;
mod run;
mod script;
mod shrink;
mod template;
mod time;
mod wire;

pub use cloud::Line;
pub use document::RegionRule;
pub use fault::{Fault, Kind};
pub use invariant::Broken;
pub use run::{Outcome, play};
pub use script::{
    Act, Address, Closing, Code, Control, Controls, Deed, Family, Harm, How, Item, LockAct, LockDeed, Name, Nature,
    RegionAct, Script, Update, UserAct, Whose,
};
pub use shrink::shortest;
