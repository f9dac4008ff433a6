use aws_sdk_billing::{
    Client,
    operation::{
        get_billing_preferences::{GetBillingPreferencesError, GetBillingPreferencesOutput},
        update_billing_preferences::{UpdateBillingPreferencesError, UpdateBillingPreferencesOutput},
    },
    types::{BillingFeature, BillingPreferenceSummary, PreferenceValue},
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{run_once, stopped},
    },
    error::Cause,
    gateway::testing::denied,
    organization_check::testing::Rules,
};

fn preferences(answers: &[Option<PreferenceValue>]) -> Rule {
    let rule = mock!(Client::get_billing_preferences)
        .match_requests(|r| r.features() == [BillingFeature::BillingAlerts])
        .sequence();
    let answer = |value: Option<PreferenceValue>| {
        let entry = value.map(|value| {
            let entry = BillingPreferenceSummary::builder().feature(BillingFeature::BillingAlerts);
            entry.key("a-key-of-aws").value(value).build().unwrap()
        });
        GetBillingPreferencesOutput::builder()
            .set_billing_preferences(Some(entry.into_iter().collect()))
            .build()
            .unwrap()
    };
    answers.iter().cloned().fold(rule, |rule, value| rule.output(move || answer(value.clone()))).build()
}

#[tokio::test]
async fn alerts_that_are_on_cost_one_read() {
    let scope =
        Rules { billing: &[&preferences(&[Some(PreferenceValue::Enabled)])], ..Rules::default() }.organization();
    assert_eq!(run_once(&BillingAlertsCheck, &scope, &(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetBillingPreferences"]);
}

#[tokio::test]
async fn alerts_that_are_off_are_turned_on_with_the_key_that_was_read() {
    let update = mock!(Client::update_billing_preferences)
        .match_requests(|r| {
            let entry = &r.billing_preferences_per_key()[0];
            entry.key() == "a-key-of-aws" && *entry.value() == PreferenceValue::Enabled
        })
        .then_output(|| UpdateBillingPreferencesOutput::builder().build());
    let read = preferences(&[Some(PreferenceValue::Disabled), Some(PreferenceValue::Enabled)]);
    let scope = Rules { billing: &[&read, &update], ..Rules::default() }.organization();
    let Outcome::Fixed { applied } = run_once(&BillingAlertsCheck, &scope, &(), Mode::Apply).await else { panic!() };
    assert_eq!(applied, ["turn on CloudWatch billing alerts (a-key-of-aws), which cannot be turned off again"]);
}

#[tokio::test]
async fn a_preference_that_aws_does_not_show_is_for_people_to_look_at() {
    let scope = Rules { billing: &[&preferences(&[None])], ..Rules::default() }.organization();
    let outcome = run_once(&BillingAlertsCheck, &scope, &(), Mode::Plan).await;
    assert!(outcome.is_left_to_people(), "{outcome:?}");
}

#[tokio::test]
async fn a_denied_read_and_a_denied_change_are_no_success() {
    let no = mock!(Client::get_billing_preferences).then_error(|| GetBillingPreferencesError::generic(denied()));
    let scope = Rules { billing: &[&no], ..Rules::default() }.organization();
    assert_eq!(stopped(run_once(&BillingAlertsCheck, &scope, &(), Mode::Plan).await), (Cause::AccessDenied, vec![]));
    let no = mock!(Client::update_billing_preferences).then_error(|| UpdateBillingPreferencesError::generic(denied()));
    let read = preferences(&[Some(PreferenceValue::Disabled)]);
    let scope = Rules { billing: &[&read, &no], ..Rules::default() }.organization();
    assert_eq!(stopped(run_once(&BillingAlertsCheck, &scope, &(), Mode::Apply).await), (Cause::AccessDenied, vec![]));
}
