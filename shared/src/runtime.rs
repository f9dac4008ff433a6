//! What every function runs on: its start, its settings, its log and metrics, what it was invoked with, and stopping in time.

pub mod batch;
pub mod budget;
mod call_metrics;
pub mod concurrency;
mod log;
pub mod metrics;
pub mod settings;
pub mod start;
pub mod trigger;
