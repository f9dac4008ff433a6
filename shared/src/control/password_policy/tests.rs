use aws_sdk_iam::{
    Client,
    operation::{
        get_account_password_policy::{GetAccountPasswordPolicyError, GetAccountPasswordPolicyOutput},
        update_account_password_policy::{UpdateAccountPasswordPolicyError, UpdateAccountPasswordPolicyOutput},
    },
    types::{PasswordPolicy as Model, error::NoSuchEntityException},
};
use aws_smithy_mocks::mock;

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
};

/// What is said of setting the strict policy where there is none.
const STRICT: &str = "set a password policy: minimum_length 14, require_symbols true, require_numbers true, \
    require_uppercase true, require_lowercase true, users_may_change true, max_age_days none, reuse_prevention 24, \
    hard_expiry false";

fn strict() -> GetAccountPasswordPolicyOutput {
    let model = Model::builder()
        .minimum_password_length(14)
        .require_symbols(true)
        .require_numbers(true)
        .require_uppercase_characters(true)
        .require_lowercase_characters(true)
        .allow_users_to_change_password(true)
        .expire_passwords(false)
        .max_password_age(0)
        .password_reuse_prevention(24);
    GetAccountPasswordPolicyOutput::builder().password_policy(model.build()).build()
}

fn none() -> GetAccountPasswordPolicyError {
    GetAccountPasswordPolicyError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build())
}

#[test]
fn every_field_is_compared_and_shown_as_it_is_and_should_be() {
    let desired = PasswordPolicy::default();
    assert_eq!(plan(desired, Some(desired.into())), None);
    let present = Actual { minimum_length: 8, reuse_prevention: None, ..desired.into() };
    assert_eq!(
        plan(desired, Some(present)).unwrap().to_string(),
        "correct the password policy: minimum_length 8 -> 14, reuse_prevention none -> 24"
    );
    let opposite = Actual {
        minimum_length: 6,
        require_symbols: false,
        require_numbers: false,
        require_uppercase: false,
        require_lowercase: false,
        users_may_change: false,
        max_age_days: Some(90),
        reuse_prevention: Some(1),
        hard_expiry: true,
    };
    assert_eq!(plan(desired, Some(opposite)).unwrap().differs.unwrap().len(), 9);
    assert_eq!(plan(desired, None).unwrap().to_string(), STRICT);
}

#[test]
fn an_empty_section_asks_for_the_strict_policy() {
    assert_eq!(serde_json::from_str::<PasswordPolicy>("{}").unwrap(), PasswordPolicy::default());
    assert!(serde_json::from_str::<PasswordPolicy>(r#"{"minimum_lenght": 8}"#).is_err());
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let get = mock!(Client::get_account_password_policy).then_output(strict);
    let scope = Rules { iam: &[&get], ..Rules::default() }.member();
    let outcome = run(&PasswordPolicyControl, &scope, &PasswordPolicy::default(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetAccountPasswordPolicy"]);
}

#[tokio::test]
async fn an_account_without_a_policy_gets_the_whole_one() {
    let get = mock!(Client::get_account_password_policy).sequence().error(none).output(strict).build();
    let put = mock!(Client::update_account_password_policy)
        .match_requests(|r| {
            let kinds = [
                r.require_symbols(),
                r.require_numbers(),
                r.require_uppercase_characters(),
                r.require_lowercase_characters(),
                r.allow_users_to_change_password(),
            ];
            kinds == [Some(true); 5]
                && (r.minimum_password_length(), r.password_reuse_prevention()) == (Some(14), Some(24))
                && (r.max_password_age(), r.hard_expiry()) == (None, Some(false))
        })
        .then_output(|| UpdateAccountPasswordPolicyOutput::builder().build());
    let scope = Rules { iam: &[&get, &put], ..Rules::default() }.member();
    let outcome = run(&PasswordPolicyControl, &scope, &PasswordPolicy::default(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec![STRICT.into()] });
    let calls = ["GetAccountPasswordPolicy", "UpdateAccountPasswordPolicy", "GetAccountPasswordPolicy"];
    assert_eq!(scope.1.calls(), calls);
}

#[tokio::test]
async fn a_policy_that_a_call_whose_answer_was_lost_has_set_is_read_back() {
    let get = mock!(Client::get_account_password_policy).sequence().error(none).output(strict).build();
    let lost = mock!(Client::update_account_password_policy)
        .then_error(|| UpdateAccountPasswordPolicyError::generic(said("NoSuchEntity", "none")));
    let scope = Rules { iam: &[&get, &lost], ..Rules::default() }.member();
    let outcome = run(&PasswordPolicyControl, &scope, &PasswordPolicy::default(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec![STRICT.into()] });
}

#[tokio::test]
async fn a_denied_read_or_write_is_unknown_with_nothing_applied() {
    let no = mock!(Client::get_account_password_policy).then_error(|| GetAccountPasswordPolicyError::generic(denied()));
    let scope = Rules { iam: &[&no], ..Rules::default() }.member();
    let outcome = run(&PasswordPolicyControl, &scope, &PasswordPolicy::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
    assert_eq!(scope.1.calls(), ["GetAccountPasswordPolicy"]);

    let get = mock!(Client::get_account_password_policy).then_error(none);
    let no = mock!(Client::update_account_password_policy)
        .then_error(|| UpdateAccountPasswordPolicyError::generic(denied()));
    let scope = Rules { iam: &[&get, &no], ..Rules::default() }.member();
    let outcome = run(&PasswordPolicyControl, &scope, &PasswordPolicy::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
}
