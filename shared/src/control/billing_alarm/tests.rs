use std::sync::{Arc, Mutex};

use aws_sdk_cloudwatch::operation::{
    describe_alarms::{DescribeAlarmsError, DescribeAlarmsOutput},
    put_metric_alarm::PutMetricAlarmOutput,
};
use aws_sdk_sns::operation::{
    create_topic::CreateTopicOutput,
    get_topic_attributes::{GetTopicAttributesError, GetTopicAttributesOutput},
    list_subscriptions_by_topic::ListSubscriptionsByTopicOutput,
    subscribe::{SubscribeError, SubscribeOutput},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeSerializationInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{config_bag::ConfigBag, error::ErrorMetadata};

use super::*;
use crate::{
    control::{AnyControl, Mode, Outcome},
    error::Cause,
    gateway::{CloudWatchGateway, SnsGateway},
};

fn id() -> AccountId {
    "123456789012".parse().unwrap()
}

fn desired() -> BillingAlarm {
    BillingAlarm::new(100.0, vec!["ops@example.com".parse().unwrap()])
}

fn subscription(endpoint: &str, pending: bool) -> EmailSubscription {
    EmailSubscription { endpoint: endpoint.to_owned(), pending }
}

fn in_words(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_bare_account_gets_topic_subscription_and_alarm_in_this_order() {
    let changes = plan(&id(), &desired(), &Actual { subscriptions: None, alarm: None });
    assert_eq!(
        in_words(&changes),
        [
            "create the SNS topic DefaultBillingAlertTopic",
            "subscribe ops@example.com to it (a confirmation mail is sent)",
            "create the alarm DefaultBillingAlarm at 100 USD",
        ]
    );
}

#[test]
fn an_account_that_has_it_all_needs_nothing_even_while_a_confirmation_is_pending() {
    let subscriptions = Some(vec![subscription("OPS@example.com", true), subscription("other@example.com", false)]);
    let actual = Actual { subscriptions, alarm: Some(desired().alarm(&id())) };
    assert_eq!(plan(&id(), &desired(), &actual), []);
    assert_eq!(BillingAlarmControl.notes(&actual), ["OPS@example.com has not confirmed the subscription yet"]);
}

#[test]
fn an_alarm_that_somebody_changed_is_corrected_and_the_plan_says_in_what() {
    let mut alarm = desired().alarm(&id());
    alarm.threshold = 9999.0;
    alarm.actions = vec![];
    let actual = Actual { subscriptions: Some(vec![subscription("ops@example.com", false)]), alarm: Some(alarm) };
    assert_eq!(
        in_words(&plan(&id(), &desired(), &actual)),
        ["correct the alarm DefaultBillingAlarm: threshold 9999 -> 100, actions none -> \
          arn:aws:sns:us-east-1:123456789012:DefaultBillingAlertTopic"]
    );
}

/// Notes every SDK operation that leaves the process.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    // Before serialisation: in the earlier hooks the operation's name is not known yet.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().expect("every operation has metadata");
        self.0.lock().unwrap().push(operation.name().to_owned());
        Ok(())
    }
}

impl Recorder {
    fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn scope(sns: &[&Rule], cloudwatch: &[&Rule]) -> (Scope, Recorder) {
    let recorder = Recorder::default();
    let sns = mock_client!(aws_sdk_sns, RuleMode::Sequential, sns, |c: aws_sdk_sns::config::Builder| c
        .interceptor(recorder.clone()));
    let cloudwatch =
        mock_client!(aws_sdk_cloudwatch, RuleMode::Sequential, cloudwatch, |c: aws_sdk_cloudwatch::config::Builder| c
            .interceptor(recorder.clone()));
    let scope = Scope { account_id: id(), sns: SnsGateway::new(sns), cloudwatch: CloudWatchGateway::new(cloudwatch) };
    (scope, recorder)
}

fn baseline() -> Baseline {
    Baseline { billing_alarm: Some(desired()) }
}

fn no_topic() -> Rule {
    mock!(aws_sdk_sns::Client::get_topic_attributes).then_error(|| {
        GetTopicAttributesError::NotFoundException(aws_sdk_sns::types::error::NotFoundException::builder().build())
    })
}

fn topic() -> Rule {
    mock!(aws_sdk_sns::Client::get_topic_attributes).then_output(|| GetTopicAttributesOutput::builder().build())
}

fn subscriptions() -> Rule {
    mock!(aws_sdk_sns::Client::list_subscriptions_by_topic).then_output(|| {
        let subscription = aws_sdk_sns::types::Subscription::builder()
            .protocol("email")
            .endpoint("ops@example.com")
            .subscription_arn("PendingConfirmation")
            .build();
        ListSubscriptionsByTopicOutput::builder().subscriptions(subscription).build()
    })
}

fn topic_is_made() -> Rule {
    mock!(aws_sdk_sns::Client::create_topic)
        .match_requests(|r| r.name() == Some("DefaultBillingAlertTopic"))
        .then_output(|| CreateTopicOutput::builder().build())
}

fn address_is_subscribed() -> Rule {
    mock!(aws_sdk_sns::Client::subscribe)
        .match_requests(|r| r.protocol() == Some("email") && r.endpoint() == Some("ops@example.com"))
        .then_output(|| SubscribeOutput::builder().build())
}

fn alarms(present: bool) -> Rule {
    mock!(aws_sdk_cloudwatch::Client::describe_alarms).then_output(move || {
        let alarm = aws_sdk_cloudwatch::types::MetricAlarm::builder()
            .alarm_name("DefaultBillingAlarm")
            .namespace("AWS/Billing")
            .metric_name("EstimatedCharges")
            .dimensions(aws_sdk_cloudwatch::types::Dimension::builder().name("Currency").value("USD").build())
            .statistic(aws_sdk_cloudwatch::types::Statistic::Maximum)
            .period(21_600)
            .evaluation_periods(1)
            .comparison_operator(aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanOrEqualToThreshold)
            .threshold(100.0)
            .alarm_actions("arn:aws:sns:us-east-1:123456789012:DefaultBillingAlertTopic")
            .actions_enabled(true)
            .build();
        DescribeAlarmsOutput::builder().set_metric_alarms(present.then(|| vec![alarm])).build()
    })
}

fn alarm_is_put() -> Rule {
    mock!(aws_sdk_cloudwatch::Client::put_metric_alarm)
        .match_requests(|r| {
            r.threshold() == Some(100.0) && r.period() == Some(21_600) && r.dimensions()[0].value() == Some("USD")
        })
        .then_output(|| PutMetricAlarmOutput::builder().build())
}

#[tokio::test]
async fn drift_is_mended_and_read_back() {
    let (scope, recorder) = scope(
        &[&no_topic(), &topic_is_made(), &address_is_subscribed(), &topic(), &subscriptions()],
        &[&alarms(false), &alarm_is_put(), &alarms(true)],
    );
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Apply).await;
    assert!(matches!(&row.outcome, Outcome::Fixed { applied } if applied.len() == 3), "{row:?}");
    assert_eq!(row.notes, ["ops@example.com has not confirmed the subscription yet"]);
    assert_eq!(
        recorder.calls(),
        [
            "GetTopicAttributes",
            "DescribeAlarms",
            "CreateTopic",
            "Subscribe",
            "PutMetricAlarm",
            "GetTopicAttributes",
            "ListSubscriptionsByTopic",
            "DescribeAlarms",
        ]
    );
}

#[tokio::test]
async fn a_compliant_account_costs_three_reads_and_no_write() {
    let (scope, recorder) = scope(&[&topic(), &subscriptions()], &[&alarms(true)]);
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Apply).await;
    assert_eq!(row.outcome, Outcome::Compliant);
    assert_eq!(recorder.calls(), ["GetTopicAttributes", "ListSubscriptionsByTopic", "DescribeAlarms"]);
}

#[tokio::test]
async fn a_plan_writes_nothing() {
    let (scope, recorder) = scope(&[&no_topic()], &[&alarms(false)]);
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Plan).await;
    assert!(matches!(&row.outcome, Outcome::Drifted { planned } if planned.len() == 3), "{row:?}");
    assert_eq!(recorder.calls(), ["GetTopicAttributes", "DescribeAlarms"]);
}

#[tokio::test]
async fn a_denied_read_is_unknown_and_not_compliant() {
    let denied = mock!(aws_sdk_cloudwatch::Client::describe_alarms)
        .then_error(|| DescribeAlarmsError::generic(ErrorMetadata::builder().code("AccessDenied").build()));
    let (scope, _) = scope(&[&topic(), &subscriptions()], &[&denied]);
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Apply).await;
    assert!(
        matches!(&row.outcome, Outcome::Unknown { applied, failure } if applied.is_empty() && failure.cause == Cause::AccessDenied),
        "{row:?}"
    );
}

#[tokio::test]
async fn an_account_that_is_not_signed_up_yet_is_not_ready_and_keeps_what_was_applied() {
    let early = mock!(aws_sdk_sns::Client::subscribe)
        .then_error(|| SubscribeError::generic(ErrorMetadata::builder().code("OptInRequired").build()));
    let (scope, _) = scope(&[&no_topic(), &topic_is_made(), &early], &[&alarms(false)]);
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Apply).await;
    let Outcome::NotReady { applied, failure, .. } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(applied, &["create the SNS topic DefaultBillingAlertTopic"]);
    assert_eq!(failure.cause, Cause::OptInRequired);
}

#[tokio::test]
async fn a_change_that_does_not_stick_is_not_called_fixed() {
    let (scope, _) = scope(
        &[&topic(), &subscriptions(), &topic(), &subscriptions()],
        &[&alarms(false), &alarm_is_put(), &alarms(false)],
    );
    let row = BillingAlarmControl.run(&scope, &baseline(), Mode::Apply).await;
    assert!(matches!(row.outcome, Outcome::NotConverged { .. }), "{row:?}");
}
