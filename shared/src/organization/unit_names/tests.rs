use std::{collections::HashMap as Map, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    gateway::{Management, Published, Rates},
    invocation,
};

const ROOT: &str = "r-ab12";
/// The most units that an organization may have, and the largest that is thought of here.
const UNITS: usize = 2_000;
const ACCOUNTS: usize = 10_000;

fn unit(number: usize) -> String {
    format!("ou-ab12-{number:08}")
}

/// The units by their number, each with the number of its parent; none for those below the root.
type Tree = Vec<Option<usize>>;

/// The units that hold a unit, from below the root down to itself.
fn way(tree: &Tree, number: usize) -> Vec<usize> {
    let mut way: Vec<usize> = std::iter::successors(Some(number), |unit| tree[*unit]).collect();
    way.reverse();
    way
}

/// AWS with this tree, and accounts in all of its units in turn.
fn organization(tree: &Tree, accounts: usize, share: f64) -> (Published, OrganizationsGateway) {
    let mut below: Map<String, Vec<Value>> = Map::new();
    for (number, parent) in tree.iter().enumerate() {
        let parent = parent.map_or_else(|| ROOT.to_owned(), unit);
        below.entry(parent).or_default().push(json!({"Id": unit(number), "Name": format!("Unit {number}")}));
    }
    let ways: Vec<String> =
        (0..tree.len()).map(|number| way(tree, number).into_iter().map(unit).collect::<Vec<_>>().join("/")).collect();
    let page = |all: &[Value], input: &Value, member: &str| {
        let from: usize = input["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let to = all.len().min(from + 20);
        let mut page = json!({member: all[from..to]});
        if to < all.len() {
            page["NextToken"] = to.to_string().into();
        }
        page
    };
    let all: Vec<Value> = (0..accounts)
        .map(|number| {
            let id = format!("{:012}", 100_000_000_000_usize + number);
            let path = format!("o-abcdefghij/{ROOT}/{}/{id}/", ways[number % ways.len()]);
            json!({"Id": id, "Name": "A", "Email": "a@example.com", "State": "ACTIVE", "Paths": [path]})
        })
        .collect();
    let published = Published::default();
    let config = published.config(move |operation, input| match operation {
        "ListAccounts" => page(&all, input, "Accounts"),
        "ListOrganizationalUnitsForParent" => {
            let below = below.get(input["ParentId"].as_str().unwrap());
            page(below.map_or(&[], Vec::as_slice), input, "OrganizationalUnits")
        }
        "DescribeOrganizationalUnit" => {
            let found = below.values().flatten().find(|unit| unit["Id"] == input["OrganizationalUnitId"]);
            json!({"OrganizationalUnit": found.unwrap()})
        }
        other => panic!("{other} is not expected"),
    });
    (published, Management::of(&config, &Rates::new(share, Vec::new()), None).organizations)
}

/// Lists the largest organization with this tree as the function does that lists, and how long that takes at this share
/// of the rates.
async fn listed(tree: Tree, share: f64) -> Duration {
    assert_eq!(tree.len(), UNITS);
    invocation::lasting(Duration::from_mins(15), list_all(&tree, share)).await
}

async fn list_all(tree: &Tree, share: f64) -> Duration {
    let (published, organizations) = organization(tree, ACCOUNTS, share);
    let begun = Instant::now();
    let accounts = organizations.list_accounts().await.unwrap();
    let names = UnitNames::of(&organizations, &accounts).await;
    assert_eq!(accounts.len(), ACCOUNTS);
    for (position, account) in accounts.iter().enumerate() {
        let path: Vec<_> = way(tree, position % UNITS).into_iter().map(|unit| format!("/Unit {unit}")).collect();
        assert_eq!(names.path(account).unwrap(), path.concat());
    }
    assert_eq!(published.throttled(), BTreeMap::new());
    let calls = published.calls("ListOrganizationalUnitsForParent") + published.calls("DescribeOrganizationalUnit");
    assert!(calls <= UNITS + 1, "{calls} calls for {UNITS} units");
    begun.elapsed()
}

const LIMIT: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn ten_thousand_accounts_in_two_thousand_units_are_listed_within_five_minutes() {
    let wide = listed((0..UNITS).map(|_| None).collect(), 1.0).await;
    let tens = listed((0..UNITS).map(|number| (number / 10).checked_sub(1)).collect(), 1.0).await;
    let twos = listed((0..UNITS).map(|number| (number >= 125).then(|| (number - 125) / 2)).collect(), 1.0).await;
    for took in [wide, tens, twos] {
        assert!(took < LIMIT, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_slowest_shape_of_units_keeps_within_five_minutes_as_well() {
    // Chains of five, the deepest that AWS allows: hardly ever two units below one parent.
    let chains = || (0..UNITS).map(|number| (number % 5 > 0).then(|| number - 1)).collect();
    let took = listed(chains(), 1.0).await;
    assert!(took < LIMIT, "{took:?}");
    // Beside other functions that is within what one invocation lasts.
    listed(chains(), 0.38).await;
}

fn account(units: &[&str]) -> Account {
    let units: Vec<OrganizationalUnitId> = units.iter().map(|unit| unit.parse().unwrap()).collect();
    Account {
        id: "123456789012".parse().unwrap(),
        name: "A".to_owned(),
        email: "a@example.com".to_owned(),
        state: crate::gateway::AccountState::Active,
        joined_at: None,
        parent: units.last().cloned(),
        units,
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_took_long_to_read_are_not_read_again() {
    let tree = vec![None, Some(0), Some(0)];
    let (published, organizations) = organization(&tree, 3, 1.0);
    let accounts = organizations.list_accounts().await.unwrap();
    let names = UnitNames::of(&organizations, &accounts).await;
    tokio::time::sleep(Duration::from_hours(5)).await;
    assert_eq!(names.path(&accounts[2]).unwrap(), "/Unit 0/Unit 2");
    let read = ["ListOrganizationalUnitsForParent", "DescribeOrganizationalUnit"].map(|call| published.calls(call));
    assert_eq!(read, [1, 1], "one parent with two units, one with one");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_not_shown_or_gone_is_an_error_of_that_account_and_not_the_root() {
    let (_, organizations) = organization(&vec![None, None], 2, 1.0);
    let (here, gone) = (account(&[ROOT, &unit(0)]), account(&[ROOT, &unit(7)]));
    let names = UnitNames::of(&organizations, &[here.clone(), gone.clone()]).await;
    assert_eq!(names.path(&here).unwrap(), "/Unit 0");
    assert_eq!(names.path(&gone).unwrap_err().cause, Cause::OrganizationalUnitNotFound);
    assert_eq!(names.path(&account(&[])).unwrap_err().cause, Cause::CallFailed);
    assert_eq!(names.path(&account(&[ROOT])).unwrap(), "/");
}
