//! Whole flows on the local cloud: the functions as the SAM CLI has deployed them, behind the real buses and queues.
//!
//! One cloud serves all tests. Tests with settings of their own have an organization and a stack of their own.

mod access_page;
mod account_closer;
mod account_requester;
mod account_updater;
mod activity_auditor;
mod aws_cli;
mod baseline_applier;
mod brake;
mod callers;
mod commands;
mod compliance_sweep;
mod controls;
mod create_account_poller;
mod dead_letter_replayer;
mod event_patterns;
mod jump_groups;
mod jump_user_manager;
mod member_events;
mod notifier;
mod one_table;
mod organization_preparer;
mod own_account;
mod permissions;
mod policies;
mod protection;
mod published_rates;
mod rate_shares;
mod region_opt_auditor;
mod root_task_runner;
mod samples;
mod scenario;
mod secrets;
mod side_by_side;
mod stack_instances;
mod state_machine;
mod template;
mod without_organization;
