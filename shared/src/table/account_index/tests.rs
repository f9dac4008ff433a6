use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_write_item::BatchWriteItemOutput,
        get_item::GetItemOutput,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    },
    types::{CancellationReason, error::TransactionCanceledException},
};
use aws_sdk_organizations::operation::list_accounts::ListAccountsOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn index(rules: &[&Rule]) -> AccountIndex {
    AccountIndex::new(DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "table"))
}

fn organizations(rules: &[&Rule]) -> OrganizationsGateway {
    OrganizationsGateway::mocked(mock_client!(aws_sdk_organizations, RuleMode::Sequential, rules))
}

fn account(n: usize, name: &str, state: AccountState) -> Account {
    Account {
        id: format!("{n:012}").parse().unwrap(),
        name: name.to_owned(),
        email: format!("Account-{n}@example.com"),
        state,
        joined_at: None,
        parent: None,
        units: Vec::new(),
    }
}

fn holds(items: &[(&'static str, AttributeValue)]) -> Rule {
    let item: HashMap<String, AttributeValue> =
        items.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build())
}

fn holds_nothing() -> Rule {
    mock!(Client::get_item).then_output(|| GetItemOutput::builder().build())
}

fn written() -> Rule {
    mock!(Client::transact_write_items).then_output(|| TransactWriteItemsOutput::builder().build())
}

fn refused() -> Rule {
    mock!(Client::transact_write_items).then_error(|| {
        let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
        let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
        TransactWriteItemsError::TransactionCanceledException(canceled)
    })
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn entry(seen_at: Timestamp) -> Rule {
    holds(&[
        ("account_id", AttributeValue::S("123456789012".to_owned())),
        ("state", AttributeValue::S("ACTIVE".to_owned())),
        ("seen_at", number(seen_at.as_millisecond())),
        ("expires_at", number(0)),
    ])
}

#[tokio::test]
async fn the_index_is_used_for_two_days() {
    let since = |age: i64| holds(&[("whole_since", number(at(-age).as_millisecond()))]);
    assert_eq!(index(&[&since(3600)]).whole_since(at(0)).await.unwrap(), Some(WholeSince(at(-3600))));
    assert_eq!(index(&[&since(48 * 3600)]).whole_since(at(0)).await.unwrap(), None);
    assert_eq!(index(&[&holds_nothing()]).whole_since(at(0)).await.unwrap(), None);
}

#[tokio::test]
async fn an_entry_that_was_last_seen_before_the_index_was_whole_is_of_an_account_that_left_or_changed() {
    let email = "a@example.com".parse().unwrap();
    let since = Some(WholeSince(at(0)));
    assert!(index(&[&entry(at(0))]).by_email(&email, since).await.unwrap().is_some());
    assert!(index(&[&entry(at(-1))]).by_email(&email, since).await.unwrap().is_none());
    assert!(index(&[&entry(at(-1))]).by_email(&email, None).await.unwrap().is_some());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_none() {
    let spoilt = holds(&[("account_id", AttributeValue::S("nobody".to_owned()))]);
    assert_eq!(index(&[&spoilt]).by_name("A", None).await.unwrap(), None);
}

#[test]
fn an_account_is_found_by_its_address_in_any_case_and_an_active_one_first_by_its_name() {
    let closed = AccountState::Other("SUSPENDED".to_owned());
    let accounts =
        [account(1, "Shop", AccountState::Active), account(2, "Shop", closed), account(3, "", AccountState::Active)];
    let entries = entries(&accounts, at(0)).unwrap();
    let keys: Vec<_> = entries.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["email#account-1@example.com", "email#account-2@example.com", "email#account-3@example.com", "name#Shop"]
    );
    assert_eq!(entries["name#Shop"]["account_id"], AttributeValue::S("000000000001".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_leaves_undone_is_sent_again() {
    let partly = mock!(Client::batch_write_item)
        .match_requests(|request| request.request_items().is_some_and(|items| items["table"].len() == 2))
        .then_output(|| {
            let put = aws_sdk_dynamodb::types::PutRequest::builder()
                .item("pk", AttributeValue::S("name#Shop".to_owned()))
                .build()
                .unwrap();
            let left = aws_sdk_dynamodb::types::WriteRequest::builder().put_request(put).build();
            BatchWriteItemOutput::builder().unprocessed_items("table", vec![left]).build()
        });
    let rest = mock!(Client::batch_write_item)
        .match_requests(|request| request.request_items().is_some_and(|items| items["table"].len() == 1))
        .then_output(|| BatchWriteItemOutput::builder().build());
    index(&[&partly, &rest]).record_all(&[account(1, "Shop", AccountState::Active)]).await.unwrap();
    assert_eq!((partly.num_calls(), rest.num_calls()), (1, 1));
}

fn page(next: Option<&'static str>) -> Rule {
    mock!(aws_sdk_organizations::Client::list_accounts).then_output(move || {
        let account = aws_sdk_organizations::types::Account::builder()
            .id("123456789012")
            .name("A")
            .email("a@example.com")
            .state(aws_sdk_organizations::types::AccountState::Active);
        ListAccountsOutput::builder().accounts(account.build()).set_next_token(next.map(ToOwned::to_owned)).build()
    })
}

#[tokio::test(start_paused = true)]
async fn a_list_that_takes_too_long_is_put_off_and_gone_on_with() {
    let begun = clock::now().to_string();
    let batch = || mock!(Client::batch_write_item).then_output(|| BatchWriteItemOutput::builder().build());
    let put_off = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let put = request.transact_items()[0].put();
            put.is_some_and(|put| put.item().get("next") == Some(&AttributeValue::S("page-2".to_owned())))
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let (held, nothing, first) = (written(), holds_nothing(), batch());
    let table = index(&[&held, &nothing, &first, &put_off]);
    let organization = organizations(&[&page(Some("page-2"))]);
    assert_eq!(table.refresh(&organization, Duration::ZERO).await.unwrap(), None);
    assert_eq!(put_off.num_calls(), 1);

    let found = holds(&[
        ("held_until", number(0)),
        ("begun_at", AttributeValue::S(begun.clone())),
        ("next", AttributeValue::S("page-2".to_owned())),
    ]);
    let second = mock!(aws_sdk_organizations::Client::list_accounts)
        .match_requests(|request| request.next_token() == Some("page-2"))
        .then_output(|| ListAccountsOutput::builder().build());
    let (held, whole, done) = (written(), written(), written());
    let table = index(&[&held, &found, &whole, &done]);
    let since = table.refresh(&organizations(&[&second]), Duration::ZERO).await.unwrap();
    assert_eq!(since, Some(WholeSince(begun.parse().unwrap())), "whole from when the list was begun");
}

#[tokio::test]
async fn of_several_who_want_the_list_one_makes_it() {
    let organization = organizations(&[]);
    assert_eq!(index(&[&refused()]).refresh(&organization, Duration::from_secs(9)).await.unwrap(), None);
}
