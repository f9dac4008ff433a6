use std::collections::BTreeMap;

use super::*;
use crate::{
    account_source::AccountSource,
    error::Cause,
    gateway::{Management, Origin, Rates, Roster, testing::unreachable_config},
    ids::{OrganizationalUnitId, RoleName},
    organization::{UnitNames, UnitPaths},
};

const TWO: &str = "version: 1\naccounts:\n  - {id: '111111111111', name: Jump}\n  - {id: '222222222222', name: Shop, email: \
                   shop@example.com, unit: /Workloads/Blue, tags: {team: blue}}\n";

fn read(text: &str, source: AccountSource) -> Result<Document, Vec<(String, String)>> {
    let document = Document::read_for(text.as_bytes(), &RoleName::organization_account_access(), source);
    document.map_err(|problems| problems.into_iter().map(|problem| (problem.path, problem.problem)).collect())
}

/// The gateways of a stack that has read this document.
fn gateways(text: &str) -> Management {
    let roster = Roster::default();
    roster.replace(read(text, AccountSource::Document).unwrap().named_accounts());
    Management::of(&unreachable_config(), &Rates::new(1.0, Vec::new()), Some(roster))
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

#[test]
fn every_problem_with_the_accounts_is_said_at_once_with_its_path_and_line() {
    let text = "version: 1\norganization: {}\naccounts:\n  - {id: '1', name: A, unit: Workloads}\n  - {id: '222222222222', name: ''}\n  \
                - {id: '222222222222', name: B, tags: {'a&b': c}, budget: 1}\n";
    let problems = read(text, AccountSource::Document).unwrap_err();
    for (path, words) in [
        ("organization", "must be left out"),
        ("accounts[0].id", "(line 4)"),
        ("accounts[0].unit", "must be a path such as /Workloads/Production"),
        ("accounts[1].name", "must have 1 to 50 characters"),
        ("accounts[2].id", "is the account of accounts[1] as well"),
        ("accounts[2].tags.a&b", "which AWS refuses"),
        ("accounts[2].budget", "is not known here"),
    ] {
        assert!(problems.iter().any(|(at, said)| at == path && said.contains(words)), "{path}: {problems:?}");
    }
    assert_eq!(problems.len(), 7, "{problems:?}");
}

#[test]
fn accounts_stand_in_the_document_where_nobody_else_tells_them_and_nowhere_else() {
    assert!(read(TWO, AccountSource::Document).is_ok());
    let [(path, problem)] = &read(TWO, AccountSource::Organization).unwrap_err()[..] else { panic!() };
    assert!(path == "accounts" && problem.contains("must be left out: AWS Organizations tells"), "{problem}");
    for none in ["version: 1", "version: 1\naccounts: []"] {
        let [(path, problem)] = &read(none, AccountSource::Document).unwrap_err()[..] else { panic!("{none}") };
        assert!(path == "accounts" && problem.contains("must have the accounts"), "{problem}");
    }
}

#[tokio::test]
async fn the_gateway_gives_accounts_units_and_tags_as_the_document_names_them_and_asks_nobody() {
    let organizations = gateways(TWO).organizations;
    let accounts = organizations.list_accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);
    let names = UnitNames::of(&organizations, &accounts).await;
    assert_eq!(
        (names.path(&accounts[0]).unwrap(), names.path(&accounts[1]).unwrap()),
        ("/".into(), "/Workloads/Blue".into())
    );
    let found = UnitPaths::default().find(&organizations, &["Workloads".to_owned(), "Blue".to_owned()]).await.unwrap();
    assert_eq!(Some(&found), accounts[1].parent.as_ref());
    // An id that anybody could make up is none of an organization.
    assert!(found.as_str().parse::<OrganizationalUnitId>().is_ok());
    let tags = organizations.list_tags(&accounts[1].id).await.unwrap();
    assert_eq!(tags, BTreeMap::from([("team".to_owned(), "blue".to_owned())]));
    let page = organizations.accounts_page(None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    let unknown = organizations.describe_account(&id("333333333333")).await.unwrap_err();
    assert_eq!(unknown.cause, Cause::NotFound);
    assert_eq!(organizations.find_account(&id("333333333333")).await.unwrap(), None);
    assert_eq!(organizations.origin().await.unwrap(), Origin::Document);
}

#[tokio::test]
async fn what_takes_an_organization_is_refused_for_one_cause_and_nothing_is_asked() {
    let organizations = gateways(TWO).organizations;
    let unit = organizations.find_root().await.unwrap();
    let account = id("222222222222");
    let refused = [
        organizations.describe_organization().await.map(drop).unwrap_err(),
        organizations.close_account(&account).await.unwrap_err(),
        organizations.move_account(&account, &unit, &unit).await.unwrap_err(),
        organizations.put_tags(&account, &BTreeMap::new()).await.unwrap_err(),
        organizations.list_trusted_services().await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(error.cause == Cause::NeedsOrganization && error.refused, "{error}");
    }
    assert_eq!(organizations.expect_organization().unwrap_err().cause, Cause::NeedsOrganization);
}

#[tokio::test]
async fn before_the_document_was_read_nobody_is_there_by_mistake() {
    let management = Management::of(&unreachable_config(), &Rates::new(1.0, Vec::new()), Some(Roster::default()));
    let error = management.organizations.list_accounts().await.unwrap_err();
    assert!(error.detail.contains("was not read before"), "{error}");
}
