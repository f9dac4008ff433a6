//! Pages of lists.

use serde_json::{Map, Value};

use super::error;
use super::input::Input;
use crate::front::answer::ApiError;

/// Rows on a page at most, and unless asked otherwise.
pub(super) const PAGE: usize = 20;

/// One page of `rows` under `name`. A token only continues the list it came from.
///
/// With `empty_first` the first page holds nothing but a token, which AWS allows itself on any list.
pub(super) fn page(
    input: Input<'_>,
    operation: &str,
    name: &str,
    rows: Vec<Value>,
    empty_first: bool,
) -> Result<Value, ApiError> {
    page_of(input, operation, name, rows.into_iter(), |row| row, empty_first)
}

/// The same for long lists: only what is on the page gets its shape.
pub(super) fn page_of<T>(
    input: Input<'_>,
    operation: &str,
    name: &str,
    rows: impl Iterator<Item = T>,
    shape: impl Fn(T) -> Value,
    empty_first: bool,
) -> Result<Value, ApiError> {
    let size = input.max_results()?.unwrap_or(PAGE);
    let start = input.optional("NextToken")?.map(|token| offset(token, operation)).transpose()?;
    let size = if empty_first && start.is_none() { 0 } else { size };
    let start = start.unwrap_or(0);
    let mut rest = rows.skip(start);
    let shown: Vec<Value> = rest.by_ref().take(size).map(shape).collect();
    let next = start + shown.len();
    let mut page = Map::new();
    page.insert(name.to_owned(), Value::Array(shown));
    if rest.next().is_some() {
        page.insert("NextToken".to_owned(), Value::String(token(operation, next)));
    }
    Ok(Value::Object(page))
}

fn token(operation: &str, offset: usize) -> String {
    format!("{operation}:{offset}")
}

fn offset(text: &str, operation: &str) -> Result<usize, ApiError> {
    let invalid = || error::invalid("INVALID_NEXT_TOKEN", "NextToken");
    let (of, offset) = text.split_once(':').ok_or_else(invalid)?;
    if of == operation { offset.parse().map_err(|_| invalid()) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(count: usize) -> Vec<Value> {
        (0..count).map(Value::from).collect()
    }

    #[test]
    fn pages_follow_one_another_until_the_token_ends() {
        let first = page(Input(&json!({})), "ListAccounts", "Accounts", rows(45), false).unwrap();
        assert_eq!(first["Accounts"].as_array().unwrap().len(), 20);
        let second_input = json!({ "NextToken": first["NextToken"], "MaxResults": 20 });
        let second = page(Input(&second_input), "ListAccounts", "Accounts", rows(45), false).unwrap();
        assert_eq!(second["Accounts"][0], 20);
        let third_input = json!({ "NextToken": second["NextToken"] });
        let third = page(Input(&third_input), "ListAccounts", "Accounts", rows(45), false).unwrap();
        assert_eq!(third["Accounts"].as_array().unwrap().len(), 5);
        assert!(third.get("NextToken").is_none());
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let token = token("ListRoots", 20);
        for token in [token.as_str(), "ListAccounts", "ListAccounts:x", ""] {
            let refused = page(Input(&json!({ "NextToken": token })), "ListAccounts", "Accounts", rows(45), false);
            assert_eq!(refused.unwrap_err().members["Reason"], "INVALID_NEXT_TOKEN", "{token}");
        }
    }

    #[test]
    fn an_empty_first_page_still_leads_on() {
        let first = page(Input(&json!({})), "ListAccounts", "Accounts", rows(1), true).unwrap();
        assert_eq!(first["Accounts"], json!([]));
        let second =
            page(Input(&json!({ "NextToken": first["NextToken"] })), "ListAccounts", "Accounts", rows(1), true);
        assert_eq!(second.unwrap()["Accounts"], json!([0]));
    }

    #[test]
    fn rows_of_other_pages_are_passed_over_unshaped() {
        let shaped = std::cell::Cell::new(0);
        let shape = |row: usize| {
            shaped.set(shaped.get() + 1);
            Value::from(row)
        };
        let input = json!({ "NextToken": token("ListAccounts", 9_960) });
        let page = page_of(Input(&input), "ListAccounts", "Accounts", 0..10_000, shape, false).unwrap();
        assert_eq!((page["Accounts"][0].as_u64(), shaped.get()), (Some(9_960), PAGE));
        assert_eq!(page["NextToken"], "ListAccounts:9980");
    }
}
