//! The engine and the function around it, at the rates that AWS publishes, on a clock that stands still until somebody
//! waits.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_sts::{Client as Sts, operation::get_caller_identity::GetCallerIdentityOutput};
use aws_smithy_mocks::mock;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    baseline::{Document, FactsReader},
    control::{
        find,
        testing::{Recorder, Rules, active, management_account},
    },
    gateway::{Account, Published, Rates},
    ids::RoleName,
    invocation,
    runtime::budget::Budget,
    session::Protected,
};

/// The timeout of the function that people call, and what it keeps of it for the accounts at hand.
const TIMEOUT: Duration = Duration::from_mins(5);
const MARGIN: Duration = Duration::from_secs(45);
const CONTROLS: [&str; 5] = ["alternate-contacts", "primary-contact", "regions", "organizational-unit", "account-tags"];
const UNITS: usize = 10;

/// What every account lacks, whatever is done to it.
fn document() -> Document {
    let text = "version: 1\ndefaults:\n  alternate-contacts:\n    \
        security: {name: A, title: B, email: a@example.com, phone: '+49 30 1'}\n  \
        primary-contact: {full_name: A, address_line_1: B, city: C, state_or_region: D, postal_code: '1', country_code: DE, \
        phone_number: '+49301'}\n  regions: {enabled: [eu-central-2]}\n  account-tags: {tags: {team: blue}}\n\
        overrides:\n  - match: {organizational_unit: /Unit 1}\n    organizational-unit: {organizational_unit: /Unit 2}\n";
    Document::read(text.as_bytes(), &RoleName::organization_account_access()).unwrap()
}

fn unit(number: usize) -> String {
    format!("ou-ab12-{number:08}")
}

fn path_of(number: usize) -> Vec<String> {
    vec!["r-ab12".to_owned(), unit(number % UNITS)]
}

fn answer(operation: &str, input: &Value) -> Value {
    let units = || (0..UNITS).map(|n| json!({"Id": unit(n), "Name": format!("Unit {n}")}));
    match operation {
        "ListRoots" => json!({"Roots": [{"Id": "r-ab12"}]}),
        "ListOrganizationalUnitsForParent" => json!({"OrganizationalUnits": units().collect::<Vec<_>>()}),
        "DescribeOrganizationalUnit" => {
            json!({"OrganizationalUnit": units().find(|unit| unit["Id"] == input["OrganizationalUnitId"])})
        }
        "DescribeAccount" => {
            let id = input["AccountId"].as_str().unwrap();
            let path = format!("o-abcdefghij/{}/{id}/", path_of(id.parse().unwrap()).join("/"));
            json!({"Account": {"Id": id, "Name": "A", "Email": "a@example.com", "State": "ACTIVE", "Paths": [path]}})
        }
        "listRegions" => json!({"Regions": [{"RegionName": "eu-central-2", "RegionOptStatus": "DISABLED"}]}),
        "getAlternateContact" => {
            json!({"AlternateContact": {"Name": "B", "Title": "B", "EmailAddress": "b@example.com",
            "PhoneNumber": "1", "AlternateContactType": "SECURITY"}})
        }
        "getContactInformation" => json!({"ContactInformation": {"FullName": "B", "AddressLine1": "B", "City": "B",
            "PostalCode": "1", "CountryCode": "DE", "PhoneNumber": "1"}}),
        _ => json!({}),
    }
}

/// What came of a person's run over so many accounts.
struct Came {
    published: Published,
    rows: Vec<Row>,
    left: usize,
    took: Duration,
}

impl Came {
    fn causes(&self) -> Vec<Cause> {
        let cause = |row: &Row| match &row.outcome {
            Outcome::Unknown { failure, .. } | Outcome::NotReady { failure, .. } => Some(failure.cause),
            _ => None,
        };
        self.rows.iter().filter_map(cause).collect()
    }
}

/// Runs controls in so many accounts as a function does, whose own calls go through the gateways of the engine.
async fn run_over(accounts: usize, share: f64) -> Came {
    let published = Published::default();
    let management = Management::of(&published.config(answer), &Rates::new(share, Vec::new()), None);
    let who = mock!(Sts::get_caller_identity)
        .then_output(|| GetCallerIdentityOutput::builder().account(management_account().as_str()).build());
    let engine =
        Engine::new(Rules { sts: &[&who], ..Rules::default() }.sessions(&Recorder::default()), management.clone());
    let (facts, document, role) =
        (FactsReader::new(management.organizations.clone()), document(), RoleName::organization_account_access());
    let controls: Vec<_> = CONTROLS.iter().map(|id| find(id).unwrap()).collect();
    let begun = Instant::now();
    let visited: Vec<Option<Vec<Row>>> = Box::pin(invocation::lasting(TIMEOUT, async {
        let budget = Budget::keeping(MARGIN);
        let visit = async |number: usize| {
            let id: AccountId = format!("{:012}", 222_222_222_220_usize + number).parse().unwrap();
            if !budget.has_room() {
                return None;
            }
            let described = management.organizations.describe_account(&id).await.ok()?;
            let account = Account { units: described.units, ..active(&id) };
            let effective = facts.effective(&account, &document).await.ok()?;
            let admission = engine.admit(&account, &Protected::default()).await.unwrap();
            let visit = Visit::to(&admission, &role, "i-1", false).from_outside();
            Some(engine.run(&controls, visit, &effective, Mode::Apply).await)
        };
        stream::iter((0..accounts).map(visit)).buffered(8).collect().await
    }))
    .await;
    let left = visited.iter().filter(|rows| rows.is_none()).count();
    let rows = visited.into_iter().flatten().flatten().collect();
    Came { published, rows, left, took: begun.elapsed() }
}

#[tokio::test(start_paused = true)]
async fn forty_accounts_are_worked_on_at_the_published_rates_by_the_engine_and_the_function_together() {
    let came = run_over(40, 1.0).await;
    assert_eq!(came.published.throttled(), BTreeMap::new());
    assert_eq!((came.rows.len(), came.left, came.causes()), (40 * CONTROLS.len(), 0, Vec::new()));
    assert!(came.published.calls("DescribeAccount") >= 40 && came.published.calls("enableRegion") == 40);
}

#[tokio::test(start_paused = true)]
async fn forty_accounts_are_worked_on_in_one_invocation_at_the_share_of_a_function() {
    let came = run_over(40, 0.16).await;
    assert_eq!((came.published.throttled(), came.left), (BTreeMap::new(), 0));
    assert!(!came.causes().contains(&Cause::Throttled), "{:?}", came.causes());
    assert!(came.took < TIMEOUT, "{:?}", came.took);
}

#[tokio::test(start_paused = true)]
async fn of_four_hundred_accounts_those_that_are_not_reached_are_named_as_such_and_none_is_throttled() {
    for share in [1.0, 0.16] {
        let came = run_over(400, share).await;
        assert_eq!(came.published.throttled(), BTreeMap::new());
        let causes = came.causes();
        assert!(causes.iter().all(|cause| *cause == Cause::NoTimeLeft), "{causes:?}");
        assert_eq!(came.rows.len() + came.left * CONTROLS.len(), 400 * CONTROLS.len());
        assert!(came.took < TIMEOUT, "{:?}", came.took);
    }
}
