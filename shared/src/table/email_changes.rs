//! Changes of primary e-mail addresses, as far as others than account-updater, which makes them, need to know of them.

use serde::Deserialize;

use crate::{
    gateway::{CallError, DynamoDbGateway},
    ids::AccountId,
    table::keys,
};

/// What a record has in the key of the sparse index while something is left to do.
pub const OPEN: &str = "email-change";

/// What a record shows of that.
#[derive(Debug, Deserialize)]
struct Mark {
    open: Option<String>,
}

/// Whether a change of the address of this account is under way.
pub async fn is_under_way(table: &DynamoDbGateway, account: &AccountId) -> Result<bool, CallError> {
    let mark: Option<Mark> = table.find(&keys::EMAIL_CHANGE.key(account)).await?;
    Ok(mark.is_some_and(|mark| mark.open.as_deref() == Some(OPEN)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::{Client, operation::get_item::GetItemOutput, types::AttributeValue};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn a_change_is_under_way_while_its_record_is_marked_as_open() {
        for (open, expected) in [(Some(OPEN), true), (None, false)] {
            let rule = mock!(Client::get_item)
                .match_requests(|input| {
                    input.key().unwrap()["pk"] == AttributeValue::S("email-change#222222222222".into())
                })
                .then_output(move || {
                    let pk = ("pk".to_owned(), AttributeValue::S("email-change#222222222222".into()));
                    let mark = open.map(|open| ("open".to_owned(), AttributeValue::S(open.into())));
                    let item: HashMap<_, _> = [pk].into_iter().chain(mark).collect();
                    GetItemOutput::builder().set_item(Some(item)).build()
                });
            let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&rule]);
            let table = DynamoDbGateway::new(client, "table");
            assert_eq!(is_under_way(&table, &"222222222222".parse().unwrap()).await.unwrap(), expected);
        }
    }
}
