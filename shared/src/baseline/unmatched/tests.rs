use std::sync::Arc;

use aws_sdk_dynamodb::operation::{get_item::GetItemOutput, transact_write_items::TransactWriteItemsOutput};
use aws_sdk_organizations::{
    operation::{
        describe_organizational_unit::{DescribeOrganizationalUnitError, DescribeOrganizationalUnitOutput},
        list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput,
        list_roots::ListRootsOutput,
    },
    types::{OrganizationalUnit, Root, error::OrganizationalUnitNotFoundException},
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use jiff::civil::date;

use super::*;
use crate::ids::RoleName;

/// `/Workloads`, with `Test` in it, and a unit that is called `Workloads/Production`.
const UNITS: &[(&str, &str, &str)] = &[
    ("r-ab12", "ou-ab12-aaaaaaaa", "Workloads"),
    ("ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb", "Test"),
    ("r-ab12", "ou-ab12-cccccccc", "Workloads/Production"),
];

fn unit(id: &str, name: &str) -> OrganizationalUnit {
    OrganizationalUnit::builder().id(id).name(name).build()
}

fn selectors() -> Selectors {
    with_record(None)
}

/// Selectors on an organization whose last sweep has recorded this of tags.
fn with_record(tags: Option<(&'static str, &'static [&'static str])>) -> Selectors {
    use aws_sdk_organizations::Client;
    let roots = mock!(Client::list_roots)
        .then_output(|| ListRootsOutput::builder().roots(Root::builder().id("r-ab12").build()).build());
    let below = mock!(Client::list_organizational_units_for_parent).then_compute_output(|input| {
        let units = UNITS.iter().filter(|(parent, ..)| input.parent_id() == Some(parent));
        let units = units.map(|(_, id, name)| unit(id, name)).collect();
        ListOrganizationalUnitsForParentOutput::builder().set_organizational_units(Some(units)).build()
    });
    let describe = mock!(Client::describe_organizational_unit).then_compute_response(|input| {
        match UNITS.iter().find(|(_, id, _)| input.organizational_unit_id() == Some(id)) {
            Some((_, id, name)) => MockResponse::Output(
                DescribeOrganizationalUnitOutput::builder().organizational_unit(unit(id, name)).build(),
            ),
            None => MockResponse::Error(DescribeOrganizationalUnitError::OrganizationalUnitNotFoundException(
                OrganizationalUnitNotFoundException::builder().build(),
            )),
        }
    });
    let organizations = OrganizationsGateway::mocked(mock_client!(
        aws_sdk_organizations,
        RuleMode::MatchAny,
        [&roots, &below, &describe]
    ));
    let of_tags = mock!(aws_sdk_dynamodb::Client::get_item)
        .match_requests(|input| {
            input.key().is_some_and(|key| key["pk"].as_s().is_ok_and(|pk| pk == BASELINE_UNMATCHED_TAGS.key()))
        })
        .then_output(move || {
            let record = tags.map(|(etag, paths)| OfSweep {
                etag: etag.to_owned(),
                unmatched: paths
                    .iter()
                    .map(|path| Unmatched { path: (*path).to_owned(), names: "team=blue".to_owned() })
                    .collect(),
            });
            GetItemOutput::builder().set_item(record.map(|record| attributes(&record).unwrap())).build()
        });
    let find = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| GetItemOutput::builder().build());
    let write = mock!(aws_sdk_dynamodb::Client::transact_write_items)
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let rules = [&of_tags, &find, &write];
    let table = DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules), "table");
    Selectors::new(organizations, table)
}

fn document(text: &str) -> DocumentInForce {
    let document = Document::read(text.as_bytes(), &RoleName::organization_account_access()).unwrap();
    DocumentInForce::new(Arc::new(document), "\"1\"".to_owned(), None)
}

fn for_unit(unit: &str) -> DocumentInForce {
    document(&format!("version: 1\noverrides: [{{match: {{organizational_unit: '{unit}'}}, root-credentials: {{}}}}]"))
}

#[tokio::test]
async fn an_override_for_a_unit_that_is_not_there_stands_for_nothing_and_nothing_is_changed_by_its_document() {
    for (unit, is_there) in [
        ("/", true),
        ("/Workloads", true),
        ("/Workloads/**", true),
        ("/**/Test", true),
        ("/*/*", true),
        ("/Workloads%2FProduction", true),
        ("ou-ab12-bbbbbbbb", true),
        ("ou-ab12-aaaaaaaa/T*", true),
        ("r-ab12/Workloads", true),
        ("/Workloads/Production", false),
        ("/*/*/*", false),
        ("/workloads/**", false),
        ("ou-ab12-dddddddd", false),
        ("ou-ab12-dddddddd/**", false),
        ("r-zz12/**", false),
    ] {
        let document = for_unit(unit);
        let unmatched = selectors().unmatched(&document).await.unwrap();
        assert_eq!(unmatched.is_empty(), is_there, "{unit}");
        let allowed = selectors().allow_changes(&document).await;
        assert_eq!(allowed.is_ok(), is_there, "{unit}");
        if let Err(failure) = allowed {
            assert_eq!(failure.cause, Cause::BaselineSelectorUnmatched);
            let named = format!("overrides[0].match.organizational_unit ({unit})");
            assert!(failure.message.contains(&named), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_document_may_say_that_it_names_what_is_not_there() {
    let text =
        "version: 1\nallow_unmatched: true\noverrides: [{match: {organizational_unit: /Gone}, root-credentials: {}}]";
    let document = document(text);
    selectors().allow_changes(&document).await.unwrap();
    assert_eq!(selectors().unmatched(&document).await.unwrap().len(), 1, "it is published all the same");
}

#[tokio::test]
async fn a_sweep_finds_accounts_that_are_not_there_as_well() {
    let document = document(
        r#"version: 1
overrides:
  - {match: {account: "111111111111"}, root-credentials: {}}
  - {match: {account: "222222222222"}, root-credentials: {}}
  - {match: {organizational_unit: /Gone}, root-credentials: {}}
exemptions:
  - {account: "333333333333", control: regions, reason: It moves., until: 2027-01-31}
  - {account: "333333333333", control: account-tags, reason: It moved., until: 2026-01-31}
"#,
    );
    let known: AccountId = "111111111111".parse().unwrap();
    let unmatched = selectors().of_sweep(&document, &BTreeSet::from([&known]), date(2027, 1, 1)).await.unwrap();
    let paths: Vec<_> = unmatched.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        ["overrides[1].match.account", "exemptions[0].account", "overrides[2].match.organizational_unit"]
    );
    let event = BaselineSelectorUnmatched::of(&document, unmatched.clone()).unwrap();
    assert_eq!((event.unmatched_count, event.allowed), (3, false));
    assert_eq!(BaselineSelectorUnmatched::of(&document, Vec::new()), None);
    assert!(in_words(&unmatched).unwrap().contains("exemptions[0].account (333333333333)"));
    assert_eq!(in_words(&[]), None);
}

#[tokio::test]
async fn a_document_that_selects_nothing_costs_no_call() {
    let organizations = OrganizationsGateway::mocked(mock_client!(aws_sdk_organizations, RuleMode::MatchAny, []));
    let table = DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, []), "table");
    let document = document("version: 1\ndefaults: {root-credentials: {}}");
    Selectors::new(organizations, table).allow_changes(&document).await.unwrap();
}

#[tokio::test]
async fn tags_that_no_sweep_has_looked_for_fix_nothing_and_tags_that_none_has_found_change_nothing() {
    let by_tag = "version: 1\noverrides: [{match: {tag: {team: blue}}, root-credentials: {}}]";
    let lax = format!("{by_tag}\nallow_unmatched: true");
    let unseen = Some(Cause::BaselineTagsUnseen);
    let unmatched = Some(Cause::BaselineSelectorUnmatched);
    for (text, record, change, remediate) in [
        (by_tag, None, None, unseen),
        (by_tag, Some(("\"0\"", &["overrides[0].match.tag"][..])), None, unseen),
        (by_tag, Some(("\"1\"", &["overrides[0].match.tag"][..])), unmatched, unmatched),
        (by_tag, Some(("\"1\"", &[][..])), None, None),
        (&lax, None, None, None),
        (&lax, Some(("\"1\"", &["overrides[0].match.tag"][..])), None, None),
    ] {
        let (document, selectors) = (document(text), with_record(record));
        let refused = |result: Result<(), Failure>| result.err().map(|failure| failure.cause);
        assert_eq!(refused(selectors.allow_changes(&document).await), change, "{text} {record:?}");
        assert_eq!(refused(selectors.allow_remediation(&document).await), remediate, "{text} {record:?}");
    }
}
