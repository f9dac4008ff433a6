use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
};

fn section(patterns: &[&str]) -> AccountName {
    AccountName { patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect() }
}

async fn outcome_of(name: &str, section: &AccountName) -> Outcome {
    let (mut scope, recorder) = Rules::default().management();
    name.clone_into(&mut scope.name);
    let run_in = (scope, recorder);
    let outcome = run(&AccountNameControl, &run_in, section, Mode::Apply).await;
    assert_eq!(run_in.1.calls(), [] as [&str; 0], "the list of accounts has the name");
    outcome
}

#[tokio::test]
async fn a_name_that_fits_one_pattern_is_compliant_and_costs_no_call() {
    let section = section(&["team-*", "* Prod", "sandbox {account_id}"]);
    for name in ["team-blue", "Checkout Prod", "sandbox 222222222222"] {
        assert_eq!(outcome_of(name, &section).await, Outcome::Compliant, "{name}");
    }
}

#[tokio::test]
async fn another_name_is_left_to_people_even_where_changes_are_made() {
    let section = section(&["team-*", "sandbox {account_id}"]);
    for name in ["test2", "Team-blue", "sandbox 333333333333", "my team-blue"] {
        let line = format!("by hand: rename the account {name}: its name must be like team-* or sandbox 222222222222");
        let outcome = outcome_of(name, &section).await;
        assert_eq!(outcome, Outcome::NotConverged { applied: vec![], remaining: vec![line] });
        assert!(outcome.is_left_to_people());
    }
}

#[tokio::test]
async fn an_account_that_aws_shows_without_a_name_is_unknown() {
    assert_eq!(stopped(outcome_of("", &section(&["*"])).await), (Cause::CallFailed, vec![]));
}
