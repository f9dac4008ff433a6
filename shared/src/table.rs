//! What Steward remembers: the items of its two tables that are of no single domain. [`keys`] names every kind of item.

pub mod account_index;
pub mod closures;
pub mod email_changes;
pub mod idempotency;
pub mod journal;
pub mod keys;
pub mod known_accounts;
pub mod looks;
pub mod mail_budget;
pub mod named_accounts;
pub mod root_sessions;
pub mod switch;
pub mod turn;
