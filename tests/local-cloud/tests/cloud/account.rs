//! Account Management: contacts and regions.

use std::time::Duration;

use local_cloud::{AwsClient, AwsError, Method, Organization};
use serde_json::{Value, json};

use crate::{CLOUD, eventually, organization};

/// Calls until the published rate has room for it.
pub(crate) async fn call(client: &AwsClient, operation: &str, input: Value) -> Result<Value, AwsError> {
    eventually("a token", async || {
        let answer = client.rest("account", Method::POST, &format!("/{operation}"), input.to_string()).await;
        match answer {
            Err(error) if error.message == "Rate exceeded" => None,
            Err(error) => Some(Err(error)),
            Ok(answer) => Some(Ok(serde_json::from_slice(answer.body()).unwrap())),
        }
    })
    .await
}

pub(crate) async fn refused(client: &AwsClient, operation: &str, input: Value) -> (u16, String) {
    let error = call(client, operation, input).await.unwrap_err();
    (error.status, error.code)
}

fn denied() -> (u16, String) {
    (403, "AccessDeniedException".to_owned())
}

/// An organization with so many member accounts.
pub(crate) async fn with_members(count: usize) -> (Organization, AwsClient, Vec<String>) {
    let management = CLOUD.new_account_id();
    let members: Vec<String> = (0..count).map(|_| CLOUD.new_account_id()).collect();
    let mut builder = CLOUD.organization(&management);
    for member in &members {
        builder = builder.member(member, "Member", &format!("{member}@example.com"), "/");
    }
    (builder.create().await.unwrap(), CLOUD.client(&management), members)
}

fn security_contact(account: &str) -> Value {
    json!({
        "AccountId": account, "AlternateContactType": "SECURITY", "Name": "Security", "Title": "CISO",
        "EmailAddress": "security@example.com", "PhoneNumber": "+1 206-555-0199",
    })
}

#[tokio::test]
async fn alternate_contacts_are_put_read_and_deleted() {
    let (organization, client, members) = with_members(1).await;
    let named = json!({"AccountId": members[0], "AlternateContactType": "SECURITY"});
    let none = (404, "ResourceNotFoundException".to_owned());
    assert_eq!(refused(&client, "getAlternateContact", named.clone()).await, none);
    assert_eq!(refused(&client, "deleteAlternateContact", named.clone()).await, none);
    call(&client, "putAlternateContact", security_contact(&members[0])).await.unwrap();
    let read = call(&client, "getAlternateContact", named.clone()).await.unwrap();
    let mut expected = security_contact(&members[0]);
    expected.as_object_mut().unwrap().remove("AccountId");
    assert_eq!(read["AlternateContact"], expected);
    assert_eq!(organization.contacts_of(&members[0]).alternate("SECURITY"), Some(expected));
    let own = json!({"AlternateContactType": "SECURITY"});
    call(&CLOUD.client(&members[0]), "getAlternateContact", own).await.unwrap();
    call(&client, "deleteAlternateContact", named).await.unwrap();
    assert_eq!(organization.contacts_of(&members[0]).alternate("SECURITY"), None);

    let mut bad = security_contact(&members[0]);
    bad["EmailAddress"] = "nobody".into();
    let error = call(&client, "putAlternateContact", bad).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (400, "ValidationException"));
    assert_eq!(error.detail["reason"], "fieldValidationFailed");
    assert_eq!(error.detail["fieldList"][0]["name"], "EmailAddress");
}

#[tokio::test]
async fn a_new_account_has_the_contact_information_of_the_management_account() {
    let (organization, client) = organization().await;
    let contact = json!({
        "FullName": "Steward", "AddressLine1": "1 Square", "City": "Zürich", "PostalCode": "8000",
        "CountryCode": "CH", "PhoneNumber": "+41 44 555 01 00",
    });
    call(&client, "putContactInformation", json!({"ContactInformation": contact})).await.unwrap();
    let input = json!({"AccountName": "New", "Email": "new@example.com"});
    client.json("organizations", "CreateAccount", input).await.unwrap();
    let account = eventually("the account", async || organization.account_with_email("new@example.com")).await;
    let read = call(&client, "getContactInformation", json!({"AccountId": account})).await.unwrap();
    assert_eq!(read["ContactInformation"], contact);
    assert_eq!(organization.contacts_of(&account).primary(), Some(contact.clone()));

    let mut american = contact;
    american["CountryCode"] = "US".into();
    let input = json!({"AccountId": account, "ContactInformation": american});
    let error = call(&client, "putContactInformation", input).await.unwrap_err();
    assert_eq!(error.detail["fieldList"][0]["name"], "StateOrRegion");
    organization.contacts_of(&account).set_primary(None);
    let none = refused(&client, "getContactInformation", json!({"AccountId": account})).await;
    assert_eq!(none, (404, "ResourceNotFoundException".to_owned()));
}

#[tokio::test]
async fn other_accounts_are_managed_from_the_management_account_only() {
    let (organization, client, members) = with_members(2).await;
    let (management, member) = (organization.management_account().to_owned(), CLOUD.client(&members[0]));
    let list = |account: &str| json!({"AccountId": account});
    assert_eq!(refused(&client, "listRegions", list(&management)).await, denied());
    assert_eq!(refused(&client, "listRegions", list(&CLOUD.new_account_id())).await, denied());
    assert_eq!(refused(&member, "listRegions", list(&members[0])).await, denied());
    assert_eq!(refused(&member, "listRegions", list(&members[1])).await, denied());
    let stranger = CLOUD.client(&CLOUD.new_account_id());
    assert_eq!(refused(&stranger, "listRegions", list(&members[0])).await, denied());
    call(&stranger, "listRegions", json!({})).await.unwrap();
    call(&client, "listRegions", list(&members[0])).await.unwrap();
    organization.deny_account_management(&members[0], true);
    assert_eq!(refused(&client, "listRegions", list(&members[0])).await, denied());
    call(&client, "listRegions", list(&members[1])).await.unwrap();

    let principal = json!({"ServicePrincipal": "account.amazonaws.com"});
    client.json("organizations", "DisableAWSServiceAccess", principal.clone()).await.unwrap();
    assert_eq!(refused(&client, "listRegions", list(&members[1])).await, denied());
    client.json("organizations", "EnableAWSServiceAccess", principal).await.unwrap();
    call(&client, "listRegions", list(&members[1])).await.unwrap();
}

#[tokio::test]
async fn regions_are_listed_page_by_page() {
    let (_organization, client, members) = with_members(1).await;
    let mut regions = Vec::new();
    let mut input = json!({"AccountId": members[0], "MaxResults": 15});
    loop {
        let page = call(&client, "listRegions", input.clone()).await.unwrap();
        regions.extend(page["Regions"].as_array().unwrap().clone());
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
    }
    let having = |status: &str| regions.iter().filter(|region| region["RegionOptStatus"] == status).count();
    assert_eq!((having("ENABLED_BY_DEFAULT"), having("DISABLED"), regions.len()), (17, 17, 34));
    let filter = json!({"RegionOptStatusContains": ["ENABLED", "ENABLING"]});
    assert_eq!(call(&client, "listRegions", filter).await.unwrap()["Regions"], json!([]));
    for bad in [json!({"MaxResults": 51}), json!({"MaxResults": 0}), json!({"NextToken": "forged"})] {
        assert_eq!(refused(&client, "listRegions", bad).await, (400, "ValidationException".to_owned()));
    }
}

#[tokio::test]
async fn a_region_is_enabled_slowly() {
    let (organization, client, members) = with_members(1).await;
    organization.set_region_time(Duration::from_secs(40));
    let region = json!({"AccountId": members[0], "RegionName": "eu-central-2"});
    let status = async || {
        let answer = call(&client, "getRegionOptStatus", region.clone()).await.unwrap();
        answer["RegionOptStatus"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "DISABLED");
    call(&client, "enableRegion", region.clone()).await.unwrap();
    assert_eq!(status().await, "ENABLING");
    let conflict = (409, "ConflictException".to_owned());
    assert_eq!(refused(&client, "enableRegion", region.clone()).await, conflict);
    assert_eq!(refused(&client, "disableRegion", region.clone()).await, conflict);
    eventually("the region", async || (status().await == "ENABLED").then_some(())).await;
    call(&client, "disableRegion", region.clone()).await.unwrap();
    assert_eq!(status().await, "DISABLING");
    eventually("the end of the region", async || (status().await == "DISABLED").then_some(())).await;

    let regions = organization.regions_of(&members[0]);
    regions.fail("eu-central-2", true);
    call(&client, "enableRegion", region.clone()).await.unwrap();
    eventually("the failure", async || (status().await == "DISABLED").then_some(())).await;
    for (name, reason) in [("us-east-1", "invalidRegionOptTarget"), ("", "fieldValidationFailed")] {
        let error = call(&client, "enableRegion", json!({"RegionName": name})).await.unwrap_err();
        assert_eq!((error.code.as_str(), &error.detail["reason"]), ("ValidationException", &json!(reason)));
    }
}

#[tokio::test]
async fn six_regions_of_an_account_change_at_once() {
    let (organization, client, members) = with_members(1).await;
    let regions = organization.regions_of(&members[0]);
    for region in regions.having("DISABLED").iter().take(6) {
        regions.set(region, "ENABLING");
    }
    let region = json!({"AccountId": members[0], "RegionName": regions.having("DISABLED")[0]});
    let error = call(&client, "enableRegion", region.clone()).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (429, "TooManyRequestsException"));
    let quota = "'Number of concurrent region-opt requests for an account'";
    assert!(error.message.starts_with(&format!("This request has exceeded the quota for {quota}.")), "{error}");
    regions.set(&regions.having("ENABLING")[0], "ENABLED");
    call(&client, "enableRegion", region).await.unwrap();
}

#[tokio::test]
async fn fifty_regions_of_an_organization_change_at_once() {
    let (organization, client, members) = with_members(10).await;
    for member in &members {
        let regions = organization.regions_of(member);
        for region in regions.having("DISABLED").iter().take(5) {
            regions.set(region, "DISABLING");
        }
    }
    let region = json!({"AccountId": members[0], "RegionName": "mx-central-1"});
    let error = call(&client, "enableRegion", region.clone()).await.unwrap_err();
    assert!(error.message.contains("for an organization'"), "{error}");
    let regions = organization.regions_of(&members[9]);
    regions.set(&regions.having("DISABLING")[0], "DISABLED");
    call(&client, "enableRegion", region).await.unwrap();
}

#[tokio::test]
async fn a_role_needs_the_action_on_the_account() {
    let (organization, client, members) = with_members(2).await;
    let (id, management) = (organization.id(), organization.management_account());
    let arn = |account: &str| format!("arn:aws:account::{management}:account/{id}/{account}");
    let policy = crate::access::allow(&["account:GetContactInformation"], &arn(&members[0]));
    let session = crate::access::role(&client, "reader", &policy).await;
    call(&session, "getContactInformation", json!({"AccountId": members[0]})).await.unwrap();
    let other = json!({"AccountId": members[1]});
    let error = call(&session, "getContactInformation", other).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (403, "AccessDeniedException"));
    assert!(error.message.contains(&arn(&members[1])), "{error}");
    assert_eq!(refused(&session, "getContactInformation", json!({})).await, denied());
    assert_eq!(refused(&session, "listRegions", json!({"AccountId": members[0]})).await, denied());
}

#[tokio::test]
async fn the_calling_account_gets_an_event_when_a_region_changes() {
    let (organization, client, members) = with_members(1).await;
    organization.set_region_time(Duration::ZERO);
    let queue = crate::events::queue_for(&client, &json!({"source": ["aws.account"]})).await;
    let region = json!({"AccountId": members[0], "RegionName": "ap-east-1"});
    call(&client, "enableRegion", region).await.unwrap();
    let mut statuses = Vec::new();
    eventually("both events", async || {
        for event in crate::events::received(&client, &queue).await {
            assert_eq!(event["detail-type"], "Region Opt-In Status Change");
            assert_eq!(event["account"], organization.management_account());
            assert_eq!(event["detail"]["accountId"], members[0].as_str());
            assert_eq!(event["detail"]["regionName"], "ap-east-1");
            statuses.push(event["detail"]["status"].as_str().unwrap().to_owned());
        }
        (statuses.len() == 2).then_some(())
    })
    .await;
    statuses.sort();
    assert_eq!(statuses, ["ENABLED", "ENABLING"]);
    assert_eq!(organization.regions_of(&members[0]).status("ap-east-1"), Some("ENABLED"));
}
