//! Where accounts come from and where they sit: units by path and by name, which accounts a person means, and what moves them.

mod account_facts;
mod rearranged;
mod selection;
mod unit_names;
mod unit_paths;

pub use account_facts::AccountFacts;
pub use rearranged::Rearranged;
pub use selection::{Selection, Target};
pub use unit_names::UnitNames;
pub use unit_paths::UnitPaths;
