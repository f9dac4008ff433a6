//! As many accounts as an organization has at most, without a wait.

use std::time::{Duration, Instant};

use local_cloud::{LocalCloud, Method, Options};
use serde_json::json;

use crate::access::{allow, role};
use crate::simulated::access_role;

/// How long one call takes on average, client included.
async fn time_of(calls: usize, mut call: impl AsyncFnMut(usize)) -> Duration {
    let started = Instant::now();
    for number in 0..calls {
        call(number).await;
    }
    started.elapsed() / u32::try_from(calls).unwrap()
}

#[tokio::test]
async fn ten_thousand_simulated_accounts_are_made_listed_and_asked_quickly() {
    let options = Options { published_rates: false, keep_calls: false, ..Options::default() };
    let cloud = LocalCloud::start(options).unwrap();
    let management = cloud.new_account_id();
    let started = Instant::now();
    let builder = cloud.organization(&management).unit("/Workloads/Prod").unit("/Workloads/Test").root_access();
    let organization = builder.simulated_members(10_000, "/Workloads", None).create().await.unwrap();
    let made = started.elapsed();
    let root = cloud.client(&management);
    let steward = role(&root, "steward", &allow(&["sts:*", "organizations:*", "account:*"], "*")).await;

    let started = Instant::now();
    let (mut listed, mut input) = (Vec::new(), json!({}));
    loop {
        let page = steward.json("organizations", "ListAccounts", input).await.unwrap();
        listed.extend(page["Accounts"].as_array().unwrap().iter().map(|row| row["Id"].as_str().unwrap().to_owned()));
        let Some(token) = page["NextToken"].as_str() else { break };
        input = json!({"NextToken": token});
    }
    let listing = started.elapsed();
    assert_eq!(listed, organization.account_ids());
    assert_eq!(listed.len(), 10_001);

    let unit = organization.unit_id("/Workloads/Prod").unwrap();
    let describe = time_of(200, async |number| {
        let input = json!({"AccountId": listed[number]});
        steward.json("organizations", "DescribeAccount", input).await.unwrap();
    });
    let describe = describe.await;
    let tags = time_of(200, async |number| {
        let input = json!({"ResourceId": listed[number]});
        steward.json("organizations", "ListTagsForResource", input).await.unwrap();
    });
    let tags = tags.await;
    let describe_unit = time_of(200, async |_| {
        let input = json!({"OrganizationalUnitId": unit});
        steward.json("organizations", "DescribeOrganizationalUnit", input).await.unwrap();
    });
    let describe_unit = describe_unit.await;
    let contact = time_of(200, async |number| {
        let input = json!({"AccountId": listed[number + 1]}).to_string();
        steward.rest("account", Method::POST, "/getContactInformation", input).await.unwrap();
    });
    let contact = contact.await;
    let policy = allow(&["iam:GetRole", "iam:ListAccountAliases"], "*").to_string();
    let mut sessions = Vec::new();
    let enter = time_of(200, async |number| {
        let arn = access_role(&listed[number + 1]);
        sessions.push(steward.assume_role(&arn, "sweep", Some(&policy)).await.unwrap());
    });
    let enter = enter.await;
    let ask = time_of(200, async |number| {
        sessions[number].query("iam", "ListAccountAliases", "2010-05-08", &[]).await.unwrap();
    });
    let ask = ask.await;
    let times = format!(
        "made in {made:?}, listed in {listing:?}; a call: describe {describe:?}, tags {tags:?}, unit {describe_unit:?}, \
         contact {contact:?}, enter {enter:?}, ask {ask:?}"
    );
    // Far above what it takes, and far below what MiniStack or a search through all accounts would.
    assert!(made < Duration::from_secs(2) && listing < Duration::from_secs(10), "{times}");
    let slowest = [describe, tags, describe_unit, contact, enter, ask].into_iter().max().unwrap();
    assert!(slowest < Duration::from_millis(20), "{times}");

    let entered = cloud.counts().into_iter().filter(|(kind, _)| kind.operation == "AssumeRole" && kind.status == 200);
    assert_eq!(entered.map(|(_, count)| count).sum::<u64>(), 201);
    assert!(cloud.calls().is_empty());
}
