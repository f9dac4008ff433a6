//! Steward looks after the accounts of an AWS Organization. This crate holds everything that two of its functions
//! could share.
//!
//! Data flows one way: an [event](events) reaches a function's handler, a pure decision
//! ([`account_creation`], [`control`]) says what to do, and a [`gateway`] does it.

pub mod account_creation;
pub mod account_index;
pub mod activity;
pub mod baseline;
pub mod batch;
pub mod brake;
pub mod budget;
pub mod clock;
pub mod cloudtrail;
pub mod concurrency;
pub mod control;
pub mod error;
pub mod events;
pub mod gateway;
pub mod heard_accounts;
pub mod ids;
pub mod input;
pub mod invocation;
pub mod journal;
pub mod keys;
pub mod mail_budget;
pub mod manual;
pub mod mending;
pub mod new_account;
pub mod notification;
pub mod once;
pub mod own_roles;
pub mod preparation;
pub mod region_policy;
pub mod replay;
pub mod root_session_log;
pub mod root_task;
pub mod selection;
pub mod session;
pub mod settings;
pub mod start;
pub mod sweep;
pub mod sweep_brake;
pub mod sweep_execution;
pub mod switch;
pub mod tags;
pub mod telemetry;
pub mod turn;
pub mod unit_names;
pub mod unit_path;
