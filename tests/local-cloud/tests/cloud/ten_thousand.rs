//! As many accounts as an organization has at most, without a wait.

use std::time::Duration;

use local_cloud::{LocalCloud, Method, Options};
use serde_json::json;

use crate::access::{allow, role};
use crate::simulated::access_role;

/// Only a hang takes as long: a busy machine may take its time.
const HANG: Duration = Duration::from_mins(5);
/// How many accounts are asked for each kind of call.
const ASKED: usize = 200;

#[tokio::test]
async fn ten_thousand_simulated_accounts_are_made_listed_and_asked_without_ministack() {
    tokio::time::timeout(HANG, ten_thousand()).await.expect("an end");
}

async fn ten_thousand() {
    let options = Options { published_rates: false, keep_calls: false, ..Options::default() };
    let cloud = LocalCloud::start(options).unwrap();
    let management = cloud.new_account_id();
    let builder = cloud.organization(&management).unit("/Workloads/Prod").unit("/Workloads/Test").root_access();
    let before = cloud.handed_on();
    let organization = builder.simulated_members(10_000, "/Workloads", None).create().await.unwrap();
    // MiniStack knows nothing of the accounts: it would take minutes to be told of them.
    assert!(cloud.handed_on() - before < 100, "{} requests", cloud.handed_on() - before);
    let root = cloud.client(&management);
    let steward = role(&root, "steward", &allow(&["sts:*", "organizations:*", "account:*"], "*")).await;

    // Nor is it asked about them, which would cost a sweep milliseconds for each of a hundred thousand calls.
    let before = cloud.handed_on();
    let (mut listed, mut pages, mut input) = (Vec::new(), 0, json!({}));
    loop {
        let page = steward.json("organizations", "ListAccounts", input).await.unwrap();
        pages += 1;
        listed.extend(page["Accounts"].as_array().unwrap().iter().map(|row| row["Id"].as_str().unwrap().to_owned()));
        let Some(token) = page["NextToken"].as_str() else { break };
        input = json!({"NextToken": token});
    }
    assert_eq!(listed, organization.account_ids());
    assert_eq!((listed.len(), pages), (10_001, 501));

    let unit = organization.unit_id("/Workloads/Prod").unwrap();
    let policy = allow(&["iam:GetRole", "iam:ListAccountAliases"], "*").to_string();
    for account in &listed[1..=ASKED] {
        steward.json("organizations", "DescribeAccount", json!({"AccountId": account})).await.unwrap();
        steward.json("organizations", "ListTagsForResource", json!({"ResourceId": account})).await.unwrap();
        let input = json!({"OrganizationalUnitId": unit});
        steward.json("organizations", "DescribeOrganizationalUnit", input).await.unwrap();
        let input = json!({"AccountId": account}).to_string();
        steward.rest("account", Method::POST, "/getContactInformation", input).await.unwrap();
        let session = steward.assume_role(&access_role(account), "sweep", Some(&policy)).await.unwrap();
        session.query("iam", "ListAccountAliases", "2010-05-08", &[]).await.unwrap();
    }
    assert_eq!(cloud.handed_on(), before, "requests that MiniStack was handed");

    let entered = cloud.counts().into_iter().filter(|(kind, _)| kind.operation == "AssumeRole" && kind.status == 200);
    assert_eq!(entered.map(|(_, count)| count).sum::<u64>(), 1 + u64::try_from(ASKED).unwrap());
    assert!(cloud.calls().is_empty());
}
