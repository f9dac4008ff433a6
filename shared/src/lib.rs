//! Steward looks after the accounts of an AWS Organization. This crate holds everything that two of its functions
//! could share.
//!
//! Its modules stand in layers, and each uses only what stands below it; `tests/layers.rs` holds them to that, and
//! docs/ARCHITECTURE.md says what is in each. Data flows one way: an event reaches a function's handler, a pure decision
//! ([`account_creation`], [`control`]) says what to do, and a [`gateway`] does it.

pub mod account_creation;
pub mod account_source;
pub mod audit;
pub mod baseline;
pub mod baseline_runner;
pub mod clock;
pub mod closed_set;
pub mod control;
pub mod digest;
pub mod error;
pub mod events;
pub mod gateway;
pub mod ids;
pub mod input;
pub mod invocation;
pub mod organization;
pub mod organization_check;
pub mod policy_document;
pub mod poll_backoff;
pub mod reference_docs;
pub mod runtime;
pub mod session;
pub mod severity;
pub mod shown;
pub mod sweep;
pub mod table;
pub mod tags;
pub mod unit_path;
pub mod unit_reference;
