//! Metrics, as lines of the log that CloudWatch reads (CloudWatch user guide, "Embedded metric format").

use std::{cell::Cell, io::Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use strum::{IntoStaticStr, VariantArray};

use crate::{closed_set::ClosedSet, runtime::settings::Settings};

/// Every metric of a stack. Alarms and the dashboard go by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Metric {
    /// The accounts of a sweep.
    Accounts,
    /// How often AWS was called.
    ApiCalls,
    /// The accounts in which everything is as it should be.
    CompliantAccounts,
    /// The accounts that could not be entered although they are old enough.
    LockedOutAccounts,
    /// The accounts in which something was found wrong; of one control where that is a dimension.
    NotCompliantAccounts,
    /// The organization checks that found something wrong.
    NotCompliantOrganizationChecks,
    /// How long a sweep took, in seconds.
    SweepDuration,
    /// How often AWS has throttled a call.
    Throttles,
    /// How long an account took from the first request to its end, in seconds.
    TimeToReady,
    /// The accounts of which something could not be found out.
    UnknownAccounts,
    /// The organization checks that could not find out.
    UnknownOrganizationChecks,
    /// The requests whose items in the table cannot be read.
    UnreadableRequests,
}

impl Metric {
    /// What its numbers count in, as CloudWatch calls it.
    fn unit(self) -> &'static str {
        match self {
            Self::SweepDuration | Self::TimeToReady => "Seconds",
            Self::Accounts
            | Self::ApiCalls
            | Self::CompliantAccounts
            | Self::LockedOutAccounts
            | Self::NotCompliantAccounts
            | Self::NotCompliantOrganizationChecks
            | Self::Throttles
            | Self::UnknownAccounts
            | Self::UnknownOrganizationChecks
            | Self::UnreadableRequests => "Count",
        }
    }
}

/// Numbers that share their dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// What tells them apart from others of the same names; empty for none.
    pub dimensions: Vec<(&'static str, String)>,
    /// The numbers.
    pub values: Vec<(Metric, f64)>,
    /// What stands beside them in the log, and tells no metrics apart: a dimension makes a metric of each value, and
    /// each is paid for.
    pub properties: Vec<(&'static str, String)>,
}

/// The line of some metrics, in the namespace of their stack: two stacks of one account do not mix.
fn line(namespace: &str, metrics: &Metrics, now: Timestamp) -> Value {
    let named = metrics.values.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}));
    let dimensions: Vec<_> = metrics.dimensions.iter().map(|(name, _)| *name).collect();
    let mut line: Map<String, Value> = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [{
            "Namespace": namespace, "Dimensions": [dimensions], "Metrics": named.collect::<Vec<_>>(),
        }]}),
    );
    let texts = metrics.dimensions.iter().chain(&metrics.properties);
    line.extend(texts.map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(metrics.values.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    Value::Object(line)
}

thread_local! {
    static LOG: Cell<fn(&Value)> = const { Cell::new(write) };
}

/// Gives this thread another place for the lines, so that a simulation can read them.
pub fn set_log(log: fn(&Value)) {
    LOG.set(log);
}

/// Writes metrics to the log.
pub fn emit(metrics: &[Metrics]) {
    let now = crate::clock::now();
    let namespace = Settings::from_environment().metrics_namespace();
    for metrics in metrics {
        LOG.get()(&line(&namespace, metrics, now));
    }
}

/// A log that cannot be written to is no reason to fail.
fn write(line: &Value) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let metrics = Metrics {
            dimensions: vec![("Control", "regions".to_owned())],
            values: vec![(Metric::NotCompliantAccounts, 3.0), (Metric::SweepDuration, 1.5)],
            properties: vec![("Function", "compliance-reporter".to_owned())],
        };
        let shown = line("Steward/steward-prod", &metrics, Timestamp::from_millisecond(1_790_000_000_123).unwrap());
        assert_eq!(
            shown,
            json!({"_aws": {"Timestamp": 1_790_000_000_123_i64, "CloudWatchMetrics": [{
                "Namespace": "Steward/steward-prod", "Dimensions": [["Control"]],
                "Metrics": [
                    {"Name": "NotCompliantAccounts", "Unit": "Count"}, {"Name": "SweepDuration", "Unit": "Seconds"},
                ],
            }]}, "Control": "regions", "Function": "compliance-reporter", "NotCompliantAccounts": 3.0, "SweepDuration": 1.5})
        );
    }
}
