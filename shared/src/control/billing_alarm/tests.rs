use aws_sdk_cloudwatch::{
    Client as CloudWatch,
    operation::{
        describe_alarms::{DescribeAlarmsError, DescribeAlarmsOutput},
        put_metric_alarm::{PutMetricAlarmError, PutMetricAlarmOutput},
    },
    types::{ComparisonOperator, Dimension, MetricAlarm as Model, Statistic},
};
use aws_sdk_sns::{
    Client as Sns,
    operation::{
        create_topic::CreateTopicOutput,
        get_topic_attributes::{GetTopicAttributesError, GetTopicAttributesOutput},
        list_subscriptions_by_topic::ListSubscriptionsByTopicOutput,
        subscribe::{SubscribeError, SubscribeOutput},
    },
    types::{Subscription, error::NotFoundException},
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, account, denied, run, said, stopped},
    },
    error::Cause,
};

const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:DefaultBillingAlertTopic";

fn section() -> BillingAlarm {
    BillingAlarm::new(100.0, vec!["team@example.com".parse().unwrap()])
}

fn subscribed(pending: bool) -> Vec<EmailSubscription> {
    vec![EmailSubscription { endpoint: "Team@example.com".into(), pending }]
}

fn in_words(actual: &Actual) -> Vec<String> {
    plan(&account(), &section(), actual).iter().map(ToString::to_string).collect()
}

fn topic(answers: &[bool]) -> Rule {
    let rule = mock!(Sns::get_topic_attributes).match_requests(|r| r.topic_arn() == Some(TOPIC)).sequence();
    let missing = || GetTopicAttributesError::NotFoundException(NotFoundException::builder().build());
    let is_there = || GetTopicAttributesOutput::builder().build();
    answers.iter().fold(rule, |rule, there| if *there { rule.output(is_there) } else { rule.error(missing) }).build()
}

fn subscriptions() -> Rule {
    mock!(Sns::list_subscriptions_by_topic).then_output(|| {
        let subscription = Subscription::builder().protocol("email").endpoint("team@example.com");
        let subscription = subscription.subscription_arn("PendingConfirmation").build();
        ListSubscriptionsByTopicOutput::builder().subscriptions(subscription).build()
    })
}

fn alarms(answers: &[Option<f64>]) -> Rule {
    let answer = |threshold: Option<f64>| {
        let model = |threshold| {
            Model::builder()
                .alarm_name("DefaultBillingAlarm")
                .namespace("AWS/Billing")
                .metric_name("EstimatedCharges")
                .dimensions(Dimension::builder().name("Currency").value("USD").build())
                .statistic(Statistic::Maximum)
                .period(21600)
                .evaluation_periods(1)
                .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
                .threshold(threshold)
                .alarm_actions(TOPIC)
                .actions_enabled(true)
                .build()
        };
        DescribeAlarmsOutput::builder().set_metric_alarms(threshold.map(|t| vec![model(t)])).build()
    };
    let rule = mock!(CloudWatch::describe_alarms).sequence();
    answers.iter().copied().fold(rule, |rule, threshold| rule.output(move || answer(threshold))).build()
}

#[test]
fn what_is_missing_is_made_and_an_address_is_the_same_in_any_case() {
    assert_eq!(
        in_words(&Actual { topic: None, alarm: None }),
        [
            "create the SNS topic DefaultBillingAlertTopic",
            "subscribe team@example.com to it (a confirmation mail is sent)",
            "create the alarm DefaultBillingAlarm at 100 USD",
        ]
    );
    let alarm = Some(section().alarm(&account()));
    assert!(in_words(&Actual { topic: Some((Topic::default(), subscribed(false))), alarm }).is_empty());
}

#[test]
fn what_keeps_the_alarm_from_reaching_anybody_is_drift() {
    let policy = Some(r#"{"Statement": []}"#.to_owned());
    let topic = Topic { policy, kms_key: Some("alias/aws/sns".to_owned()) };
    let alarm = Some(section().alarm(&account()));
    let words = in_words(&Actual { topic: Some((topic, subscribed(false))), alarm });
    assert_eq!(
        words,
        [
            format!("let CloudWatch publish to {TOPIC}"),
            format!("stop encrypting {TOPIC} with alias/aws/sns, which CloudWatch cannot use"),
        ]
    );
    let unit = MetricAlarm { unit: Some("Bytes".to_owned()), actions_enabled: false, ..section().alarm(&account()) };
    let words = in_words(&Actual { topic: Some((Topic::default(), subscribed(false))), alarm: Some(unit) });
    assert_eq!(words, ["correct the alarm DefaultBillingAlarm: unit Bytes -> none, actions enabled false -> true"]);
}

#[test]
fn a_correction_keeps_what_the_section_does_not_speak_of() {
    let rest = AlarmRest {
        description: Some("Ask the shop team.".to_owned()),
        ok_actions: vec!["arn:aws:sns:us-east-1:222222222222:calm".to_owned()],
        ..AlarmRest::default()
    };
    let others = "arn:aws:sns:us-east-1:222222222222:others".to_owned();
    let alarm = MetricAlarm {
        threshold: 500.0,
        actions: vec![TOPIC.to_owned(), others.clone()],
        rest: rest.clone(),
        ..section().alarm(&account())
    };
    let actual = Actual { topic: Some((Topic::default(), subscribed(false))), alarm: Some(alarm.clone()) };
    let changes = plan(&account(), &section(), &actual);
    let [Change::PutAlarm { alarm: written, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(written.rest, rest);
    assert_eq!(written.actions, [TOPIC.to_owned(), others]);
    let alarm = Some(MetricAlarm { threshold: 100.0, ..alarm });
    assert!(in_words(&Actual { topic: Some((Topic::default(), subscribed(false))), alarm }).is_empty());
}

#[test]
fn a_key_of_the_accounts_own_is_a_note() {
    let topic = Topic { policy: None, kms_key: Some("alias/mail".to_owned()) };
    let actual = Actual { topic: Some((topic, subscribed(false))), alarm: None };
    let notes = BillingAlarmControl.notes(&section(), &actual);
    assert_eq!(notes, ["the topic is encrypted: the policy of alias/mail must let CloudWatch use it"]);
}

#[test]
fn an_alarm_that_differs_is_corrected_with_each_difference_named() {
    let alarm = MetricAlarm { threshold: 500.0, actions: vec![], ..section().alarm(&account()) };
    let words = in_words(&Actual { topic: Some((Topic::default(), subscribed(false))), alarm: Some(alarm) });
    assert_eq!(
        words,
        [format!("correct the alarm DefaultBillingAlarm: threshold 500 -> 100, actions none -> {TOPIC}")]
    );
}

#[test]
fn an_unconfirmed_subscription_is_a_note() {
    let actual = Actual { topic: Some((Topic::default(), subscribed(true))), alarm: None };
    let notes = BillingAlarmControl.notes(&section(), &actual);
    assert_eq!(notes, ["Team@example.com has not confirmed the subscription yet"]);
}

#[tokio::test]
async fn a_compliant_account_costs_three_reads() {
    let rules =
        Rules { sns: &[&topic(&[true]), &subscriptions()], cloudwatch: &[&alarms(&[Some(100.0)])], ..Rules::default() };
    let scope = rules.member();
    assert_eq!(run(&BillingAlarmControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    let mut calls = scope.1.calls();
    calls.sort();
    assert_eq!(calls, ["DescribeAlarms", "GetTopicAttributes", "ListSubscriptionsByTopic"]);
}

#[tokio::test]
async fn everything_is_made_and_read_back() {
    let create = mock!(Sns::create_topic)
        .match_requests(|r| r.name() == Some("DefaultBillingAlertTopic"))
        .then_output(|| CreateTopicOutput::builder().topic_arn(TOPIC).build());
    let subscribe = mock!(Sns::subscribe)
        .match_requests(|r| {
            (r.topic_arn(), r.protocol(), r.endpoint()) == (Some(TOPIC), Some("email"), Some("team@example.com"))
        })
        .then_output(|| SubscribeOutput::builder().build());
    let put = mock!(CloudWatch::put_metric_alarm)
        .match_requests(|r| r.alarm_actions() == [TOPIC] && r.threshold() == Some(100.0))
        .then_output(|| PutMetricAlarmOutput::builder().build());
    let rules = Rules {
        sns: &[&topic(&[false, true]), &subscriptions(), &create, &subscribe],
        cloudwatch: &[&alarms(&[None, Some(100.0)]), &put],
        ..Rules::default()
    };
    let scope = rules.member();
    let outcome = run(&BillingAlarmControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 3), "{outcome:?}");
    let calls = scope.1.calls();
    assert_eq!(calls[2..5], ["CreateTopic", "Subscribe", "PutMetricAlarm"]);
    assert_eq!(calls.len(), 8);
}

#[tokio::test]
async fn a_denied_read_is_unknown_and_a_failed_write_names_those_that_went_through() {
    let no = mock!(CloudWatch::describe_alarms).then_error(|| DescribeAlarmsError::generic(denied()));
    let scope = Rules { sns: &[&topic(&[true]), &subscriptions()], cloudwatch: &[&no], ..Rules::default() }.member();
    let outcome = run(&BillingAlarmControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));

    let no = mock!(CloudWatch::put_metric_alarm).then_error(|| PutMetricAlarmError::generic(denied()));
    let subscribe = mock!(Sns::subscribe).then_output(|| SubscribeOutput::builder().build());
    let nobody =
        mock!(Sns::list_subscriptions_by_topic).then_output(|| ListSubscriptionsByTopicOutput::builder().build());
    let rules = Rules {
        sns: &[&topic(&[true]), &nobody, &subscribe],
        cloudwatch: &[&alarms(&[None]), &no],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    let applied = vec!["subscribe team@example.com to it (a confirmation mail is sent)".into()];
    assert_eq!(stopped(outcome), (Cause::AccessDenied, applied));
}

#[tokio::test]
async fn a_plan_writes_nothing() {
    let rules = Rules { sns: &[&topic(&[false])], cloudwatch: &[&alarms(&[None])], ..Rules::default() };
    let scope = rules.member();
    let outcome = run(&BillingAlarmControl, &scope, &section(), Mode::Plan).await;
    assert!(matches!(&outcome, Outcome::Drifted { planned } if planned.len() == 3), "{outcome:?}");
    assert_eq!(scope.1.calls(), ["GetTopicAttributes", "DescribeAlarms"]);
}

#[tokio::test]
async fn an_account_that_is_not_signed_up_yet_is_not_ready_and_keeps_what_was_applied() {
    let create = mock!(Sns::create_topic).then_output(|| CreateTopicOutput::builder().build());
    let early = mock!(Sns::subscribe).then_error(|| SubscribeError::generic(said("OptInRequired", "early")));
    let put =
        mock!(CloudWatch::put_metric_alarm).then_error(|| PutMetricAlarmError::generic(said("OptInRequired", "")));
    let rules =
        Rules { sns: &[&topic(&[false]), &create, &early], cloudwatch: &[&alarms(&[None]), &put], ..Rules::default() };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }), "{outcome:?}");
    let applied = vec!["create the SNS topic DefaultBillingAlertTopic".into()];
    assert_eq!(stopped(outcome), (Cause::OptInRequired, applied));
}

#[tokio::test]
async fn a_change_that_does_not_stick_is_not_called_fixed() {
    let put = mock!(CloudWatch::put_metric_alarm).then_output(|| PutMetricAlarmOutput::builder().build());
    let rules = Rules {
        sns: &[&topic(&[true, true]), &subscriptions()],
        cloudwatch: &[&alarms(&[None, None]), &put],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotConverged { .. }), "{outcome:?}");
}
