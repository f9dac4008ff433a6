use super::*;
use crate::{control::Outcome, organization_check::testing::Rules};

fn entry(service: TrustedService, account: &str) -> DelegatedAdministrator {
    DelegatedAdministrator { service, account: account.parse().unwrap() }
}

fn actual(present: &[(TrustedService, &[&str])], allowed: &[&str]) -> Actual {
    let ids = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect::<Vec<AccountId>>();
    let present = present.iter().map(|(service, accounts)| (*service, ids(accounts).into_iter().collect())).collect();
    Actual { present, allowed: ids(allowed) }
}

#[test]
fn another_administrator_is_not_the_one_asked_for_and_stays() {
    let (scope, _) = Rules::default().organization();
    let desired = vec![entry(TrustedService::CloudTrail, "222222222222")];
    let other = actual(&[(TrustedService::CloudTrail, &["333333333333"])], &["222222222222"]);
    let planned = DelegatedAdministratorsCheck.plan(&scope, &desired, &other);
    let words: Vec<_> = planned.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["let account 222222222222 administer cloudtrail.amazonaws.com"]);
    let both = actual(&[(TrustedService::CloudTrail, &["333333333333", "222222222222"])], &["222222222222"]);
    assert_eq!(DelegatedAdministratorsCheck.plan(&scope, &desired, &both), []);
    assert!(DelegatedAdministratorsCheck.by_hand(&desired, &both).is_empty());
}

#[test]
fn an_account_that_the_stack_does_not_name_is_left_to_people() {
    let (scope, _) = Rules::default().organization();
    let desired = vec![entry(TrustedService::Iam, "333333333333")];
    let actual = actual(&[], &["222222222222"]);
    assert_eq!(DelegatedAdministratorsCheck.plan(&scope, &desired, &actual), []);
    let left = DelegatedAdministratorsCheck.by_hand(&desired, &actual);
    assert!(
        left[0].contains("333333333333") && left[0].contains("stack parameter DelegatedAdministrators"),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_document_that_names_nobody_asks_nothing() {
    let (scope, recorder) = Rules::default().organization();
    let rows = crate::organization_check::run(
        &[&DelegatedAdministratorsCheck],
        &scope,
        &OrganizationSection::default(),
        crate::control::Mode::Plan,
    )
    .await;
    assert!(matches!(rows[0].outcome, Outcome::Skipped { .. }), "{rows:?}");
    assert!(recorder.calls().is_empty());
}
