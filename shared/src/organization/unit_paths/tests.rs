use std::{
    sync::{Arc, Mutex as StdMutex},
    time::Duration,
};

use serde_json::json;

use super::*;
use crate::{
    gateway::{Management, Published, Rates},
    invocation,
};

/// How much of the published rates `account-requester` takes, how long an invocation of it lasts, and when the next one comes.
const SHARE: f64 = 0.067;
const PATIENCE: Duration = Duration::from_secs(45);
const LATER: Duration = Duration::from_secs(15);

/// An organization whose units are all below the root, in the order in which AWS lists them, and what was called.
fn organization(units: &Arc<StdMutex<Vec<String>>>) -> (Published, OrganizationsGateway) {
    let (published, units) = (Published::default(), Arc::clone(units));
    let config = published.config(move |operation, input| {
        if operation == "ListRoots" {
            return json!({"Roots": [{"Id": "r-ab12"}]});
        }
        let units = units.lock().unwrap();
        let from: usize = input["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let to = units.len().min(from + 20);
        let shown = units[from..to].iter().enumerate();
        let shown = shown.map(|(place, name)| json!({"Id": format!("ou-ab12-{:08}", from + place), "Name": name}));
        let mut page = json!({"OrganizationalUnits": shown.collect::<Vec<_>>()});
        if to < units.len() {
            page["NextToken"] = to.to_string().into();
        }
        page
    });
    (published, Management::of(&config, &Rates::new(SHARE, Vec::new()), None).organizations)
}

fn units(count: usize) -> Arc<StdMutex<Vec<String>>> {
    Arc::new(StdMutex::new((0..count).map(|number| format!("Unit {number}")).collect()))
}

/// Looks for a unit as often as it takes, and says how long that was.
async fn patiently(
    paths: &UnitPaths,
    organizations: &OrganizationsGateway,
    name: &str,
) -> (Result<OrganizationalUnitId, Cause>, Duration) {
    let begun = Instant::now();
    loop {
        let names = [name.to_owned()];
        match invocation::lasting(PATIENCE, paths.find(organizations, &names)).await {
            Err(error) if error.cause == Cause::NoTimeLeft => tokio::time::sleep(LATER).await,
            found => return (found.map_err(|error| error.cause), begun.elapsed()),
        }
        assert!(begun.elapsed() < Duration::from_hours(1), "it never ends");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_of_two_thousand_units_is_found_although_no_invocation_lives_long_enough_to_list_them() {
    let (published, organizations) = organization(&units(2_000));
    let paths = UnitPaths::default();
    let (found, lasted) = patiently(&paths, &organizations, "Unit 1999").await;
    assert_eq!(found.unwrap().as_str(), "ou-ab12-00001999");
    assert_eq!(published.calls("ListOrganizationalUnitsForParent"), 100, "every page once");
    assert!(lasted < Duration::from_mins(11), "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_listed_beyond_the_unit_that_is_looked_for() {
    let (published, organizations) = organization(&units(2_000));
    let paths = UnitPaths::default();
    patiently(&paths, &organizations, "Unit 25").await.0.unwrap();
    patiently(&paths, &organizations, "Unit 30").await.0.unwrap();
    assert_eq!(published.calls("ListOrganizationalUnitsForParent"), 2);
    patiently(&paths, &organizations, "Unit 45").await.0.unwrap();
    assert_eq!(published.calls("ListOrganizationalUnitsForParent"), 3, "the list goes on");
}

#[tokio::test(start_paused = true)]
async fn that_a_unit_is_missing_is_said_by_a_list_that_was_begun_after_it_was_asked_for() {
    let all = units(60);
    let (published, organizations) = organization(&all);
    let paths = UnitPaths::default();
    patiently(&paths, &organizations, "Unit 25").await.0.unwrap();
    // It is made in the part of the list that was read already.
    all.lock().unwrap()[3] = "New".to_owned();
    assert_eq!(patiently(&paths, &organizations, "New").await.0.unwrap().as_str(), "ou-ab12-00000003");
    assert_eq!(published.calls("ListOrganizationalUnitsForParent"), 4);
    tokio::time::sleep(LATER).await;
    let (found, _) = patiently(&paths, &organizations, "Nowhere").await;
    assert_eq!(found.unwrap_err(), Cause::OrganizationalUnitNotFound);
    assert_eq!(published.calls("ListOrganizationalUnitsForParent"), 9, "to the end, and once more as a whole");
}
