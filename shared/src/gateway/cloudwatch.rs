//! Amazon CloudWatch: metric alarms.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    Client,
    types::{
        ActionConfiguration, ComparisonOperator, Dimension, EvaluationWindow, StandardUnit, Statistic,
        WarmUpConfiguration,
    },
};

use super::CallError;

/// A metric alarm, as far as Steward sets it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricAlarm {
    /// Its name, unique in account and region.
    pub name: String,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// The metric's dimensions, sorted by name.
    pub dimensions: Vec<(String, String)>,
    /// The statistic, by its name in the API model.
    pub statistic: String,
    /// Seconds of one period.
    pub period: i32,
    /// Periods that are looked at.
    pub evaluation_periods: i32,
    /// The comparison, by its name in the API model.
    pub comparison: String,
    /// What the statistic is compared with.
    pub threshold: f64,
    /// ARNs that are notified when the alarm goes off, sorted.
    pub actions: Vec<String>,
    /// Whether they are notified at all.
    pub actions_enabled: bool,
    /// The unit that the metric's values must have; an alarm with another one than theirs never sees any.
    pub unit: Option<String>,
    /// What writing the alarm would erase unless it is sent along.
    pub rest: AlarmRest,
}

/// The parts of an alarm that Steward leaves as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmRest {
    /// What people have written about it.
    pub description: Option<String>,
    /// ARNs that are notified when it is calm again.
    pub ok_actions: Vec<String>,
    /// ARNs that are notified when there are no data.
    pub insufficient_data_actions: Vec<String>,
    /// What missing data count as, by its name in the API model.
    pub treat_missing_data: Option<String>,
    /// What is in the messages that it sends.
    pub action_configuration: Option<ActionConfiguration>,
    /// How it chooses the data that it looks at.
    pub evaluation_window: Option<EvaluationWindow>,
    /// How long it does nothing after it was written.
    pub warm_up_configuration: Option<WarmUpConfiguration>,
}

/// The door to Amazon CloudWatch.
#[derive(Clone, Debug)]
pub struct CloudWatchGateway(Client);

impl CloudWatchGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The metric alarm of this name; None when there is none.
    pub async fn find_metric_alarm(&self, name: &str) -> Result<Option<MetricAlarm>, CallError> {
        let answer = self.0.describe_alarms().alarm_names(name).send().await;
        let answer = answer.map_err(|error| CallError::of("cloudwatch:DescribeAlarms", error))?;
        Ok(answer.metric_alarms().first().map(|alarm| {
            let mut dimensions: Vec<_> = alarm
                .dimensions()
                .iter()
                .map(|d| (d.name().unwrap_or_default().to_owned(), d.value().unwrap_or_default().to_owned()))
                .collect();
            dimensions.sort();
            let mut actions = alarm.alarm_actions().to_vec();
            actions.sort();
            MetricAlarm {
                name: name.to_owned(),
                namespace: alarm.namespace().unwrap_or_default().to_owned(),
                metric: alarm.metric_name().unwrap_or_default().to_owned(),
                dimensions,
                statistic: alarm.statistic().map(|s| s.as_str().to_owned()).unwrap_or_default(),
                period: alarm.period().unwrap_or_default(),
                evaluation_periods: alarm.evaluation_periods().unwrap_or_default(),
                comparison: alarm.comparison_operator().map(|c| c.as_str().to_owned()).unwrap_or_default(),
                threshold: alarm.threshold().unwrap_or_default(),
                actions,
                actions_enabled: alarm.actions_enabled().unwrap_or_default(),
                unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
                rest: AlarmRest {
                    description: alarm.alarm_description().map(ToOwned::to_owned),
                    ok_actions: alarm.ok_actions().to_vec(),
                    insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
                    treat_missing_data: alarm.treat_missing_data().map(ToOwned::to_owned),
                    action_configuration: alarm.action_configuration().cloned(),
                    evaluation_window: alarm.evaluation_window().cloned(),
                    warm_up_configuration: alarm.warm_up_configuration().cloned(),
                },
            }
        }))
    }

    /// Writes an alarm; one of the same name is replaced as a whole.
    pub async fn put_metric_alarm(&self, alarm: &MetricAlarm) -> Result<(), CallError> {
        let dimensions =
            alarm.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let answer = self
            .0
            .put_metric_alarm()
            .alarm_name(&alarm.name)
            .namespace(&alarm.namespace)
            .metric_name(&alarm.metric)
            .set_dimensions(Some(dimensions.collect()))
            .statistic(Statistic::from(alarm.statistic.as_str()))
            .period(alarm.period)
            .evaluation_periods(alarm.evaluation_periods)
            .comparison_operator(ComparisonOperator::from(alarm.comparison.as_str()))
            .threshold(alarm.threshold)
            .set_alarm_actions(Some(alarm.actions.clone()))
            .actions_enabled(alarm.actions_enabled)
            .set_unit(alarm.unit.as_deref().map(StandardUnit::from))
            .set_alarm_description(alarm.rest.description.clone())
            .set_ok_actions(Some(alarm.rest.ok_actions.clone()))
            .set_insufficient_data_actions(Some(alarm.rest.insufficient_data_actions.clone()))
            .set_treat_missing_data(alarm.rest.treat_missing_data.clone())
            .set_action_configuration(alarm.rest.action_configuration.clone())
            .set_evaluation_window(alarm.rest.evaluation_window.clone())
            .set_warm_up_configuration(alarm.rest.warm_up_configuration.clone())
            .send()
            .await;
        answer.map(drop).map_err(|error| CallError::of("cloudwatch:PutMetricAlarm", error))
    }
}
