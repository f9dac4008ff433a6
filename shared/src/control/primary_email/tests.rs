use super::*;
use crate::control::{
    Mode, Outcome,
    testing::{Rules, account, run, stopped},
};
use crate::error::Cause;

fn section(domains: &[&str], patterns: &[&str]) -> PrimaryEmail {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    PrimaryEmail { domains: owned(domains), patterns: owned(patterns) }
}

async fn outcome_of(email: &str, section: &PrimaryEmail) -> Outcome {
    let (mut scope, recorder) = Rules::default().management();
    email.clone_into(&mut scope.email);
    let run_in = (scope, recorder);
    let outcome = run(&PrimaryEmailControl, &run_in, section, Mode::Apply).await;
    assert_eq!(run_in.1.calls(), [] as [&str; 0], "the list of accounts has the address");
    outcome
}

#[test]
fn an_address_is_right_in_a_domain_or_by_a_pattern_whatever_its_case() {
    let section = section(&["example.com"], &["aws+{account_id}@example.org", "aws-*@*.example.net"]);
    for (email, is_right) in [
        ("team@example.com", true),
        ("Team@EXAMPLE.com", true),
        ("team@sub.example.com", false),
        ("team@notexample.com", false),
        ("team@example.com.evil.example", false),
        ("AWS+222222222222@example.org", true),
        ("aws+333333333333@example.org", false),
        ("aws-shop@eu.example.net", true),
        ("aws-shop@example.net", false),
        ("example.com", false),
    ] {
        assert_eq!(section.admits(&account(), email), is_right, "{email}");
    }
}

#[tokio::test]
async fn a_right_address_is_compliant_and_costs_no_call() {
    assert_eq!(outcome_of("shop@example.com", &section(&["example.com"], &[])).await, Outcome::Compliant);
}

#[tokio::test]
async fn a_foreign_address_is_left_to_people_even_where_changes_are_made() {
    let section = section(&["example.com"], &["aws+{account_id}@example.org"]);
    let outcome = outcome_of("jane@private.example", &section).await;
    let line = "by hand: change the primary e-mail address jane@private.example: it must be like *@example.com or \
                aws+222222222222@example.org";
    assert_eq!(outcome, Outcome::NotConverged { applied: vec![], remaining: vec![line.to_owned()] });
    assert!(outcome.is_left_to_people());
}

#[tokio::test]
async fn an_account_that_aws_shows_without_an_address_is_unknown() {
    let outcome = outcome_of("", &section(&["example.com"], &["*@example.com"])).await;
    assert_eq!(stopped(outcome), (Cause::CallFailed, vec![]));
}
