use aws_sdk_organizations::{
    Client,
    operation::{
        describe_account::{DescribeAccountError, DescribeAccountOutput},
        list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput,
        list_roots::ListRootsOutput,
        move_account::{MoveAccountError, MoveAccountOutput},
    },
    types::{
        Account, OrganizationalUnit as Unit, Root,
        error::{DestinationParentNotFoundException, DuplicateAccountException, SourceParentNotFoundException},
    },
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    gateway::testing::{denied, said},
};

const ROOT: &str = "r-ab12";
const WORKLOADS: &str = "ou-ab12-workload1";
const PRODUCTION: &str = "ou-ab12-product1";

fn section(unit: &str) -> OrganizationalUnit {
    OrganizationalUnit { organizational_unit: unit.to_owned().try_into().unwrap() }
}

fn sits_in(parents: &[&'static str]) -> Rule {
    let answer = |parent| {
        let account = Account::builder().id("222222222222").paths(format!("o-abc/{parent}/222222222222/"));
        DescribeAccountOutput::builder().account(account.build()).build()
    };
    let rule = mock!(Client::describe_account).match_requests(|r| r.account_id() == Some("222222222222"));
    parents.iter().copied().fold(rule.sequence(), |rule, parent| rule.output(move || answer(parent))).build()
}

fn moves(from: &'static str, to: &'static str) -> Rule {
    mock!(Client::move_account)
        .match_requests(move |r| {
            r.account_id() == Some("222222222222")
                && (r.source_parent_id(), r.destination_parent_id()) == (Some(from), Some(to))
        })
        .then_output(|| MoveAccountOutput::builder().build())
}

fn root() -> Rule {
    let answer = || ListRootsOutput::builder().roots(Root::builder().id(ROOT).build()).build();
    mock!(Client::list_roots).then_output(answer)
}

fn below(parent: &'static str, id: &'static str, name: &'static str) -> Rule {
    mock!(Client::list_organizational_units_for_parent)
        .match_requests(move |r| r.parent_id() == Some(parent))
        .then_output(move || {
            let unit = Unit::builder().id(id).name(name).build();
            ListOrganizationalUnitsForParentOutput::builder().organizational_units(unit).build()
        })
}

#[test]
fn the_root_is_no_unit_to_place_an_account_in() {
    for root in ["/", "r-ab12", "Workloads"] {
        assert!(
            serde_json::from_value::<OrganizationalUnit>(serde_json::json!({"organizational_unit": root})).is_err()
        );
    }
    for unit in ["/Workloads/Production", WORKLOADS] {
        assert_eq!(String::from(section(unit).organizational_unit), unit);
    }
}

#[test]
fn an_account_in_the_root_is_unplaced() {
    let unit: OrganizationalUnitId = WORKLOADS.parse().unwrap();
    let actual = |parent: &str| Actual { parent: parent.parse().unwrap(), unit: unit.clone() };
    let desired = section("/Workloads");
    let words = |actual| plan(&desired, &actual).map(|change| change.to_string());
    assert_eq!(words(actual(ROOT)).unwrap(), "move the account to /Workloads: it sits unplaced in the root");
    assert_eq!(words(actual(PRODUCTION)).unwrap(), format!("move the account from {PRODUCTION} to /Workloads"));
    assert_eq!(words(actual(WORKLOADS)), None);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read_when_its_unit_is_named_by_id() {
    let scope = Rules { organizations: &[&sits_in(&[WORKLOADS])], ..Rules::default() }.management();
    let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["DescribeAccount"]);
}

#[tokio::test]
async fn a_place_that_the_list_shows_as_it_should_be_costs_nothing_more_and_another_one_is_asked_for() {
    let mut scope = Rules::default().management();
    scope.0.known.parent = Some(WORKLOADS.parse().unwrap());
    assert_eq!(run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Plan).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), [""; 0]);

    let mut scope = Rules { organizations: &[&sits_in(&[WORKLOADS])], ..Rules::default() }.management();
    scope.0.known.parent = Some(ROOT.parse().unwrap());
    assert_eq!(run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Plan).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["DescribeAccount"], "it was moved since");
}

#[tokio::test]
async fn a_path_is_walked_once_for_all_accounts() {
    let (root, first, second) =
        (root(), below(ROOT, WORKLOADS, "Workloads"), below(WORKLOADS, PRODUCTION, "Production"));
    let account = sits_in(&[PRODUCTION, PRODUCTION]);
    let scope = Rules { organizations: &[&root, &first, &second, &account], ..Rules::default() }.management();
    let desired = section("/Workloads/Production");
    assert_eq!(run(&OrganizationalUnitControl, &scope, &desired, Mode::Apply).await, Outcome::Compliant);
    assert_eq!(run(&OrganizationalUnitControl, &scope, &desired, Mode::Apply).await, Outcome::Compliant);
    let units = "ListOrganizationalUnitsForParent";
    assert_eq!(scope.1.calls(), ["ListRoots", units, units, "DescribeAccount", "DescribeAccount"]);
}

#[tokio::test]
async fn an_account_is_moved_and_its_new_place_is_read_back() {
    let rules = [&sits_in(&[ROOT, WORKLOADS]), &moves(ROOT, WORKLOADS)];
    let scope = Rules { organizations: &rules, ..Rules::default() }.management();
    let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
    let applied = vec![format!("move the account to {WORKLOADS}: it sits unplaced in the root")];
    assert_eq!(outcome, Outcome::Fixed { applied });
    assert_eq!(scope.1.calls(), ["DescribeAccount", "MoveAccount", "DescribeAccount"]);
}

/// A move out of the root that AWS refuses because the account is not there any more.
fn is_not_in_the_root() -> Rule {
    mock!(Client::move_account).match_requests(|r| r.source_parent_id() == Some(ROOT)).then_error(|| {
        let meta = said("SourceParentNotFoundException", "not there");
        MoveAccountError::SourceParentNotFoundException(SourceParentNotFoundException::builder().meta(meta).build())
    })
}

#[tokio::test]
async fn a_move_that_was_made_already_is_seen_when_looking_again() {
    let is_there = mock!(Client::move_account).then_error(|| {
        let meta = said("DuplicateAccountException", "already there");
        MoveAccountError::DuplicateAccountException(DuplicateAccountException::builder().meta(meta).build())
    });
    for refused in [is_there, is_not_in_the_root()] {
        let rules = [&sits_in(&[ROOT, WORKLOADS]), &refused];
        let scope = Rules { organizations: &rules, ..Rules::default() }.management();
        let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
        let applied = vec![format!("move the account to {WORKLOADS}: it sits unplaced in the root")];
        assert_eq!(outcome, Outcome::Fixed { applied });
        assert_eq!(scope.1.calls(), ["DescribeAccount", "MoveAccount", "DescribeAccount"]);
    }
}

#[tokio::test]
async fn an_account_that_somebody_moves_elsewhere_meanwhile_is_left_there() {
    for places in [&[ROOT, PRODUCTION][..], &[PRODUCTION]] {
        let rules = [&sits_in(places), &is_not_in_the_root()];
        let mut scope = Rules { organizations: &rules, ..Rules::default() }.management();
        scope.0.shown_in = Some(ROOT.parse().unwrap());
        let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
        assert_eq!(stopped(outcome).0, Cause::ConcurrentModification, "another baseline may hold for it there");
    }
}

#[tokio::test]
async fn a_unit_that_does_not_exist_is_named_and_nothing_moves() {
    let scope = Rules { organizations: &[&root(), &below(ROOT, WORKLOADS, "Workloads")], ..Rules::default() };
    let scope = scope.management();
    let outcome = run(&OrganizationalUnitControl, &scope, &section("/Sandbox"), Mode::Apply).await;
    let Outcome::Unknown { failure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.cause, Cause::OrganizationalUnitNotFound);
    assert!(failure.message.contains("no unit named Sandbox in /"), "{}", failure.message);

    let gone = mock!(Client::move_account).then_error(|| {
        let error = DestinationParentNotFoundException::builder()
            .meta(said("DestinationParentNotFoundException", "gone"))
            .build();
        MoveAccountError::DestinationParentNotFoundException(error)
    });
    let scope = Rules { organizations: &[&sits_in(&[ROOT]), &gone], ..Rules::default() }.management();
    let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::OrganizationalUnitNotFound, vec![]));
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::describe_account).then_error(|| DescribeAccountError::generic(denied()));
    let scope = Rules { organizations: &[&no], ..Rules::default() }.management();
    let outcome = run(&OrganizationalUnitControl, &scope, &section(WORKLOADS), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
    assert_eq!(scope.1.calls(), ["DescribeAccount"]);
}
