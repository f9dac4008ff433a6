use aws_sdk_iam::{
    Client,
    operation::{
        create_account_alias::{CreateAccountAliasError, CreateAccountAliasOutput},
        list_account_aliases::{ListAccountAliasesError, ListAccountAliasesOutput},
    },
    types::error::EntityAlreadyExistsException,
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::denied,
};

fn section() -> AccountAlias {
    AccountAlias { alias: "example-{account_id}".into() }
}

fn list(answers: &[Option<&'static str>]) -> Rule {
    let answer = |alias: Option<&str>| {
        let aliases = alias.into_iter().map(ToOwned::to_owned).collect();
        ListAccountAliasesOutput::builder().set_account_aliases(Some(aliases)).build().unwrap()
    };
    let rule = mock!(Client::list_account_aliases).sequence();
    answers.iter().copied().fold(rule, |rule, alias| rule.output(move || answer(alias))).build()
}

#[test]
fn the_alias_of_many_accounts_carries_the_id_of_each() {
    let account = "222222222222".parse().unwrap();
    assert_eq!(section().of(&account), "example-222222222222");
    let change = |present: Option<&str>| {
        plan("new".into(), present.map(ToOwned::to_owned).as_ref()).map(|change| change.to_string())
    };
    assert_eq!(change(None).unwrap(), "give the account the alias new");
    assert_eq!(change(Some("old")).unwrap(), "change the account's alias: old -> new");
    assert_eq!(change(Some("new")), None);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let scope = Rules { iam: &[&list(&[Some("example-222222222222")])], ..Rules::default() }.member();
    assert_eq!(run(&AccountAliasControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["ListAccountAliases"]);
}

#[tokio::test]
async fn a_missing_alias_is_made_and_read_back() {
    let create = mock!(Client::create_account_alias)
        .match_requests(|r| r.account_alias() == Some("example-222222222222"))
        .then_output(|| CreateAccountAliasOutput::builder().build());
    let scope = Rules { iam: &[&list(&[None, Some("example-222222222222")]), &create], ..Rules::default() }.member();
    let outcome = run(&AccountAliasControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["give the account the alias example-222222222222".into()] });
    assert_eq!(scope.1.calls(), ["ListAccountAliases", "CreateAccountAlias", "ListAccountAliases"]);
}

#[tokio::test]
async fn an_alias_that_another_account_has_is_a_cause_of_its_own() {
    let taken = mock!(Client::create_account_alias).then_error(|| {
        let error = EntityAlreadyExistsException::builder().message("already exists").build();
        CreateAccountAliasError::EntityAlreadyExistsException(error)
    });
    let scope = Rules { iam: &[&list(&[Some("old"), Some("old")]), &taken], ..Rules::default() }.member();
    let outcome = run(&AccountAliasControl, &scope, &section(), Mode::Apply).await;
    assert!(!outcome.is_worth_another_look());
    assert_eq!(stopped(outcome), (Cause::AccountAliasTaken, vec![]));
    assert_eq!(scope.1.calls(), ["ListAccountAliases", "CreateAccountAlias", "ListAccountAliases"]);
}

#[tokio::test]
async fn an_alias_that_a_call_whose_answer_was_lost_has_made_is_ours() {
    let ours = Some("example-222222222222");
    let taken = mock!(Client::create_account_alias).then_error(|| {
        let error = EntityAlreadyExistsException::builder().message("already exists").build();
        CreateAccountAliasError::EntityAlreadyExistsException(error)
    });
    let scope = Rules { iam: &[&list(&[Some("old"), ours]), &taken], ..Rules::default() }.member();
    let outcome = run(&AccountAliasControl, &scope, &section(), Mode::Apply).await;
    let applied = vec!["change the account's alias: old -> example-222222222222".into()];
    assert_eq!(outcome, Outcome::Fixed { applied });
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::list_account_aliases).then_error(|| ListAccountAliasesError::generic(denied()));
    let scope = Rules { iam: &[&no], ..Rules::default() }.member();
    let outcome = run(&AccountAliasControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
    assert_eq!(scope.1.calls(), ["ListAccountAliases"]);
}
