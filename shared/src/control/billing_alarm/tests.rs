use aws_sdk_cloudwatch::{
    Client as CloudWatch,
    operation::{
        describe_alarms::{DescribeAlarmsError, DescribeAlarmsOutput},
        put_metric_alarm::{PutMetricAlarmError, PutMetricAlarmOutput},
    },
    types::{
        ActionConfiguration, ComparisonOperator, Dimension, EvaluationWindow, MetricAlarm as Model, SlidingWindow,
        Statistic, WarmUpConfiguration,
    },
};
use aws_sdk_sns::{
    Client as Sns,
    operation::{
        create_topic::CreateTopicOutput,
        get_topic_attributes::{GetTopicAttributesError, GetTopicAttributesOutput},
        list_subscriptions_by_topic::{ListSubscriptionsByTopicError, ListSubscriptionsByTopicOutput},
        set_topic_attributes::SetTopicAttributesOutput,
        subscribe::{SubscribeError, SubscribeOutput},
    },
    types::{Subscription, error::NotFoundException},
};
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, account, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
};

const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:DefaultBillingAlertTopic";

fn section() -> BillingAlarm {
    BillingAlarm::new(100.0, vec!["team@example.com".parse().unwrap()])
}

fn subscribed(pending: bool) -> Vec<EmailSubscription> {
    vec![EmailSubscription { endpoint: "Team@example.com".into(), pending }]
}

/// A topic with which nothing is wrong.
fn good_topic() -> PresentTopic {
    PresentTopic { verdict: Verdict::Allowed, kms_key: None, subscriptions: subscribed(false) }
}

/// An account with which nothing is wrong but for its topic.
fn with(topic: PresentTopic) -> Actual {
    Actual { topic: Some(topic), alarm: Some(section().alarm(&account())) }
}

/// The policy of AWS for a new topic, with this statement behind its own.
fn first_policy(more: Option<Value>) -> String {
    let first = json!({"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:Publish"], "Resource": TOPIC,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account()}}});
    let statements: Vec<_> = std::iter::once(first).chain(more).collect();
    json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": statements}).to_string()
}

fn in_words(actual: &Actual) -> Vec<String> {
    plan(&account(), &section(), actual).iter().map(ToString::to_string).collect()
}

fn topic(answers: &[bool]) -> Rule {
    let rule = mock!(Sns::get_topic_attributes).match_requests(|r| r.topic_arn() == Some(TOPIC)).sequence();
    let missing = || GetTopicAttributesError::NotFoundException(NotFoundException::builder().build());
    let is_there = || GetTopicAttributesOutput::builder().attributes("Policy", first_policy(None)).build();
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
    assert!(in_words(&with(good_topic())).is_empty());
}

#[test]
fn what_keeps_the_alarm_from_reaching_anybody_is_drift() {
    let verdict = Verdict::Missing { policy: "the policy".to_owned() };
    let words = in_words(&with(PresentTopic { verdict, ..good_topic() }));
    assert_eq!(words, [format!("let CloudWatch publish to {TOPIC} by one more statement in its policy")]);
    let unit = MetricAlarm { unit: Some("Bytes".to_owned()), actions_enabled: false, ..section().alarm(&account()) };
    let words = in_words(&Actual { alarm: Some(unit), ..with(good_topic()) });
    assert_eq!(words, ["correct the alarm DefaultBillingAlarm: unit Bytes -> none, actions enabled false -> true"]);
}

#[test]
fn encryption_with_the_key_of_aws_is_left_to_people_in_whichever_way_its_alias_is_written() {
    for key in ["alias/aws/sns", "arn:aws:kms:us-east-1:222222222222:alias/aws/sns"] {
        let actual = with(PresentTopic { kms_key: Some(key.to_owned()), ..good_topic() });
        assert!(in_words(&actual).is_empty(), "{key}");
        let [manual_work] = &BillingAlarmControl.by_hand(&section(), &actual)[..] else { panic!("{key}") };
        assert!(manual_work.starts_with("encrypt the topic with a key of the account's own"), "{manual_work}");
        assert!(manual_work.ends_with(key), "{manual_work}");
        assert!(BillingAlarmControl.notes(&section(), &actual).is_empty(), "{key}");
    }
}

#[test]
fn a_statement_that_denies_is_left_to_people_by_name() {
    let verdict = Verdict::DeniedBy(vec!["the statement No".to_owned(), "statement 3".to_owned()]);
    let actual = with(PresentTopic { verdict, ..good_topic() });
    assert!(in_words(&actual).is_empty());
    assert_eq!(
        BillingAlarmControl.by_hand(&section(), &actual),
        ["make the statement No and statement 3 of the topic's policy except cloudwatch.amazonaws.com, \
          which it forbids to publish, or take it away"]
    );
}

#[test]
fn a_correction_keeps_what_the_section_does_not_speak_of() {
    let rest = AlarmRest {
        description: Some("Ask the shop team.".to_owned()),
        ok_actions: vec!["arn:aws:sns:us-east-1:222222222222:calm".to_owned()],
        warm_up_configuration: Some(WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(5).build()),
        ..AlarmRest::default()
    };
    let others = "arn:aws:sns:us-east-1:222222222222:others".to_owned();
    let alarm = MetricAlarm {
        threshold: 500.0,
        actions: vec![TOPIC.to_owned(), others.clone()],
        rest: rest.clone(),
        ..section().alarm(&account())
    };
    let actual = Actual { alarm: Some(alarm.clone()), ..with(good_topic()) };
    let changes = plan(&account(), &section(), &actual);
    let [Change::PutAlarm { alarm: written, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(written.rest, rest);
    assert_eq!(written.actions, [TOPIC.to_owned(), others]);
    let alarm = Some(MetricAlarm { threshold: 100.0, ..alarm });
    assert!(in_words(&Actual { alarm, ..with(good_topic()) }).is_empty());
}

#[test]
fn a_key_of_the_accounts_own_is_a_note() {
    let actual = with(PresentTopic { kms_key: Some("alias/mail".to_owned()), ..good_topic() });
    let notes = BillingAlarmControl.notes(&section(), &actual);
    assert_eq!(notes, ["the topic is encrypted: the policy of alias/mail must let CloudWatch use it"]);
    assert!(BillingAlarmControl.by_hand(&section(), &actual).is_empty());
}

#[test]
fn an_alarm_that_differs_is_corrected_with_each_difference_named() {
    let alarm = MetricAlarm { threshold: 500.0, actions: vec![], ..section().alarm(&account()) };
    let words = in_words(&Actual { alarm: Some(alarm), ..with(good_topic()) });
    assert_eq!(
        words,
        [format!("correct the alarm DefaultBillingAlarm: threshold 500 -> 100, actions none -> {TOPIC}")]
    );
}

#[test]
fn an_unconfirmed_subscription_is_a_note() {
    let actual = with(PresentTopic { subscriptions: subscribed(true), ..good_topic() });
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
async fn a_topic_that_was_just_made_and_is_not_visible_yet_is_not_ready_and_an_old_one_that_is_gone_is_unknown() {
    let missing = || mock!(Sns::subscribe).then_error(|| SubscribeError::generic(said("NotFound", "no such topic")));
    let create = mock!(Sns::create_topic).then_output(|| CreateTopicOutput::builder().build());
    let put = mock!(CloudWatch::put_metric_alarm).then_output(|| PutMetricAlarmOutput::builder().build());
    let rules = Rules {
        sns: &[&topic(&[false]), &create, &missing()],
        cloudwatch: &[&alarms(&[None]), &put],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }), "{outcome:?}");
    assert_eq!(stopped(outcome).0, Cause::NotVisibleYet);

    let nobody =
        mock!(Sns::list_subscriptions_by_topic).then_output(|| ListSubscriptionsByTopicOutput::builder().build());
    let rules = Rules {
        sns: &[&topic(&[true, true]), &nobody, &missing()],
        cloudwatch: &[&alarms(&[Some(100.0), Some(100.0)])],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::NotFound, vec![]));
}

#[tokio::test]
async fn a_topic_that_is_there_and_whose_subscriptions_are_not_visible_yet_is_not_ready() {
    let missing = mock!(Sns::list_subscriptions_by_topic)
        .then_error(|| ListSubscriptionsByTopicError::generic(said("NotFound", "Topic does not exist")));
    let rules = Rules { sns: &[&topic(&[true]), &missing], cloudwatch: &[&alarms(&[Some(100.0)])], ..Rules::default() };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Plan).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }), "{outcome:?}");
    assert_eq!(stopped(outcome), (Cause::NotVisibleYet, vec![]));
}

#[tokio::test]
async fn a_subscription_that_a_call_whose_answer_was_lost_has_made_is_seen_when_looking_again() {
    let found = || {
        let subscription = Subscription::builder().protocol("email").endpoint("team@example.com");
        let subscription = subscription.subscription_arn("PendingConfirmation").build();
        ListSubscriptionsByTopicOutput::builder().subscriptions(subscription).build()
    };
    let list = mock!(Sns::list_subscriptions_by_topic).sequence();
    let list = list.output(|| ListSubscriptionsByTopicOutput::builder().build()).output(found).build();
    let refused = mock!(Sns::subscribe).then_error(|| SubscribeError::generic(said("NotFound", "no such topic")));
    let rules = Rules {
        sns: &[&topic(&[true, true]), &list, &refused],
        cloudwatch: &[&alarms(&[Some(100.0), Some(100.0)])],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    let applied = vec!["subscribe team@example.com to it (a confirmation mail is sent)".to_owned()];
    assert_eq!(outcome, Outcome::Fixed { applied });
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

/// The topic with this policy, for as often as it is asked for.
fn topic_with(policy: Option<String>) -> Rule {
    mock!(Sns::get_topic_attributes).then_output(move || {
        let answer = GetTopicAttributesOutput::builder().attributes("TopicArn", TOPIC);
        policy.iter().fold(answer, |answer, policy| answer.attributes("Policy", policy)).build()
    })
}

#[tokio::test]
async fn a_policy_that_leaves_cloudwatch_out_is_written_with_one_more_statement_and_read_back() {
    let own = json!({"Sid": "Shop", "Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "sns:Publish",
        "Resource": TOPIC});
    let before = json!({"Version": "2012-10-17", "Statement": [own]}).to_string();
    let added = |policy: &str| {
        let policy: Value = serde_json::from_str(policy).unwrap();
        policy["Statement"][0]["Sid"] == "Shop" && policy["Statement"][1]["Principal"]["Service"] == CLOUDWATCH
    };
    let set = mock!(Sns::set_topic_attributes)
        .match_requests(move |r| r.attribute_name() == Some("Policy") && r.attribute_value().is_some_and(added))
        .then_output(|| SetTopicAttributesOutput::builder().build());
    let get = mock!(Sns::get_topic_attributes).sequence();
    let shown = |policy: String| move || GetTopicAttributesOutput::builder().attributes("Policy", &policy).build();
    let get = get.output(shown(before)).output(shown(first_policy(None))).build();
    let rules = Rules {
        sns: &[&get, &subscriptions(), &set],
        cloudwatch: &[&alarms(&[Some(100.0), Some(100.0)])],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    let applied = vec![format!("let CloudWatch publish to {TOPIC} by one more statement in its policy")];
    assert_eq!(outcome, Outcome::Fixed { applied });
}

#[tokio::test]
async fn a_statement_that_denies_is_drift_that_an_apply_names_and_leaves_alone() {
    let no = json!({"Sid": "OnlyShop", "Effect": "Deny", "NotPrincipal": {"AWS": "333333333333"},
        "Action": "sns:Pub*", "Resource": "*"});
    let denying = || topic_with(Some(first_policy(Some(no.clone()))));
    let named = "by hand: make the statement OnlyShop of the topic's policy except cloudwatch.amazonaws.com, which it \
                 forbids to publish, or take it away";
    let rules =
        Rules { sns: &[&denying(), &subscriptions()], cloudwatch: &[&alarms(&[Some(100.0)])], ..Rules::default() };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Plan).await;
    assert_eq!(outcome, Outcome::Drifted { planned: vec![named.to_owned()] });

    let rules =
        Rules { sns: &[&denying(), &subscriptions()], cloudwatch: &[&alarms(&[Some(100.0)])], ..Rules::default() };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::NotConverged { applied: vec![], remaining: vec![named.to_owned()] });

    // What else differs is remediated.
    let put = mock!(CloudWatch::put_metric_alarm).then_output(|| PutMetricAlarmOutput::builder().build());
    let rules = Rules {
        sns: &[&denying(), &subscriptions()],
        cloudwatch: &[&alarms(&[Some(500.0), Some(100.0)]), &put],
        ..Rules::default()
    };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    let applied = vec!["correct the alarm DefaultBillingAlarm: threshold 500 -> 100".to_owned()];
    assert_eq!(outcome, Outcome::NotConverged { applied, remaining: vec![named.to_owned()] });
}

#[tokio::test]
async fn a_policy_that_is_missing_or_unreadable_is_unknown_in_both_modes_and_nothing_is_written() {
    let perhaps = json!({"Sid": "OfUs", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}});
    for (policy, why) in [
        (None, "AWS shows no policy of the topic"),
        (Some("{".to_owned()), "the topic's policy is not JSON"),
        (Some(first_policy(Some(perhaps))), "the statement OfUs of the topic's policy denies something"),
    ] {
        for mode in [Mode::Plan, Mode::Apply] {
            let get = topic_with(policy.clone());
            let rules =
                Rules { sns: &[&get, &subscriptions()], cloudwatch: &[&alarms(&[Some(100.0)])], ..Rules::default() };
            let outcome = run(&BillingAlarmControl, &rules.member(), &section(), mode).await;
            let Outcome::Unknown { applied, failure } = outcome else { panic!("{outcome:?}") };
            assert_eq!((applied, failure.cause), (vec![], Cause::TopicPolicyUnclear));
            assert!(failure.message.contains(why), "{failure}");
        }
    }
}

#[test]
fn a_plan_that_hides_an_unreadable_policy_behind_other_drift_has_it_as_a_note() {
    let verdict = Verdict::Unreadable("the topic's policy is not JSON".to_owned());
    let actual = with(PresentTopic { verdict, ..good_topic() });
    let notes = BillingAlarmControl.notes(&section(), &actual);
    assert_eq!(notes, ["whether CloudWatch may publish is unknown: the topic's policy is not JSON"]);
}

#[tokio::test]
async fn a_correction_sends_along_what_writing_the_alarm_would_erase() {
    let rest = (
        ActionConfiguration::builder().build(),
        EvaluationWindow::SlidingWindow(SlidingWindow::builder().build()),
        WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(5).build(),
    );
    let (actions, window, warm_up) = rest.clone();
    let get = mock!(CloudWatch::describe_alarms).then_output(move || {
        let alarm = Model::builder().alarm_name("DefaultBillingAlarm").treat_missing_data("ignore");
        let alarm = alarm.action_configuration(actions.clone()).evaluation_window(window.clone());
        DescribeAlarmsOutput::builder().metric_alarms(alarm.warm_up_configuration(warm_up.clone()).build()).build()
    });
    let (actions, window, warm_up) = rest;
    let put = mock!(CloudWatch::put_metric_alarm)
        .match_requests(move |r| {
            (r.action_configuration(), r.evaluation_window(), r.warm_up_configuration(), r.treat_missing_data())
                == (Some(&actions), Some(&window), Some(&warm_up), Some("ignore"))
        })
        .then_output(|| PutMetricAlarmOutput::builder().build());
    let rules =
        Rules { sns: &[&topic(&[true, true]), &subscriptions()], cloudwatch: &[&get, &put], ..Rules::default() };
    let outcome = run(&BillingAlarmControl, &rules.member(), &section(), Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::NotConverged { applied, .. } if applied.len() == 1), "{outcome:?}");
}
