//! The life of a request for an account.

use std::time::Duration;

use local_cloud::{AwsClient, AwsError, FailureReason};
use serde_json::{Value, json};

use crate::{CLOUD, eventually, organization};

async fn create(client: &AwsClient, email: &str) -> Result<Value, AwsError> {
    let input = json!({"AccountName": "Payments", "Email": email});
    let answer = client.json("organizations", "CreateAccount", input).await?;
    Ok(answer["CreateAccountStatus"].clone())
}

/// Waits as the published rates allow: throttled looks count as no answer yet.
async fn ended(client: &AwsClient, status: &Value) -> Value {
    let input = json!({"CreateAccountRequestId": status["Id"]});
    eventually("the end of the creation", async || {
        let answer = client.json("organizations", "DescribeCreateAccountStatus", input.clone()).await.ok()?;
        let status = answer["CreateAccountStatus"].clone();
        (status["State"] != "IN_PROGRESS").then_some(status)
    })
    .await
}

#[tokio::test]
async fn an_account_is_created_later_and_its_role_later_still() {
    let (organization, client) = organization().await;
    organization.set_role_delay(Duration::from_hours(24));
    let input = json!({
        "AccountName": "Payments", "Email": "payments@example.com", "RoleName": "Steward",
        "Tags": [{"Key": "team", "Value": "pay"}],
    });
    let accepted = client.json("organizations", "CreateAccount", input).await.unwrap()["CreateAccountStatus"].clone();
    assert_eq!(accepted["State"], "IN_PROGRESS");
    assert!(accepted.get("AccountId").is_none() && accepted.get("CompletedTimestamp").is_none());

    let status = ended(&client, &accepted).await;
    assert_eq!(status["State"], "SUCCEEDED");
    let account = status["AccountId"].as_str().unwrap();
    assert_eq!(organization.parent_of(account), Some(organization.root_id()));
    assert_eq!(organization.tags_of(account)["team"], "pay");
    assert_eq!(organization.accounts_created(), 1);

    let described = client.json("organizations", "DescribeAccount", json!({"AccountId": account})).await.unwrap();
    let path = format!("{}/{}/{account}/", organization.id(), organization.root_id());
    assert_eq!(described["Account"]["Paths"], json!([path]));
    assert_eq!(described["Account"]["State"], "ACTIVE");
    assert_eq!(described["Account"]["JoinedMethod"], "CREATED");

    let role = format!("arn:aws:iam::{account}:role/Steward");
    let early = client.assume_role(&role, "early", None).await.unwrap_err();
    assert_eq!(early.code, "AccessDenied");
    organization.set_role_delay(Duration::ZERO);
    let session = eventually("the role", async || client.assume_role(&role, "late", None).await.ok()).await;
    // As on AWS, a role can be there before its policy is.
    let topic = async || session.query("sns", "CreateTopic", "2010-03-31", &[("Name", "t")]).await.ok();
    eventually("the role's policy", topic).await;
    assert_eq!(CLOUD.mishaps(), Vec::<String>::new());
}

#[tokio::test]
async fn every_failure_can_be_had_and_leaves_no_account() {
    let (organization, client) = organization().await;
    organization.set_creation_time(Duration::ZERO);
    for &reason in FailureReason::ALL {
        organization.fail_creation("doomed@example.com", reason);
        let accepted = eventually("a token", async || create(&client, "doomed@example.com").await.ok()).await;
        let status = ended(&client, &accepted).await;
        assert_eq!((&status["State"], &status["FailureReason"]), (&json!("FAILED"), &json!(reason.as_str())));
        assert!(status.get("AccountId").is_none());
    }
    assert_eq!(organization.account_ids().len(), 1);
    organization.fail_creation("doomed@example.com", None);
    let accepted = eventually("a token", async || create(&client, "doomed@example.com").await.ok()).await;
    assert_eq!(ended(&client, &accepted).await["State"], "SUCCEEDED");
}

#[tokio::test]
async fn an_e_mail_address_belongs_to_one_account() {
    let (organization, client) = organization().await;
    organization.email_used_elsewhere("Elsewhere@example.com");
    let first = create(&client, "twin@example.com").await.unwrap();
    let second = create(&client, "TWIN@example.com").await.unwrap();
    assert_eq!(ended(&client, &second).await["FailureReason"], "CONCURRENT_ACCOUNT_MODIFICATION");
    assert_eq!(ended(&client, &first).await["State"], "SUCCEEDED");
    for email in ["twin@example.com", "elsewhere@example.com"] {
        let again = eventually("a token", async || create(&client, email).await.ok()).await;
        assert_eq!(ended(&client, &again).await["FailureReason"], "EMAIL_ALREADY_EXISTS", "{email}");
    }
    assert_eq!(organization.accounts_created(), 1);
}

#[tokio::test]
async fn an_organization_has_room_for_so_many_accounts() {
    let (organization, client) = organization().await;
    organization.set_account_limit(2);
    let first = create(&client, "first@example.com").await.unwrap();
    let second = create(&client, "second@example.com").await.unwrap();
    assert_eq!(ended(&client, &first).await["State"], "SUCCEEDED");
    assert_eq!(ended(&client, &second).await["FailureReason"], "ACCOUNT_LIMIT_EXCEEDED");
    assert_eq!(organization.account_ids().len(), 2);
}

#[tokio::test]
async fn five_creations_run_at_once_and_three_start_in_a_burst() {
    let (organization, client) = organization().await;
    organization.set_creation_time(Duration::from_hours(1));
    let mut codes = Vec::new();
    for number in 0..4 {
        codes.push(create(&client, &format!("burst{number}@example.com")).await.err().map(|error| error.code));
    }
    assert_eq!(codes[..3], [None, None, None]);
    assert_eq!(codes[3].as_deref(), Some("TooManyRequestsException"));
    for number in 4..6 {
        let email = format!("burst{number}@example.com");
        eventually("a token", async || create(&client, &email).await.ok()).await;
    }
    let refused = eventually("another error", async || {
        let error = create(&client, "sixth@example.com").await.unwrap_err();
        (error.code != "TooManyRequestsException").then_some(error)
    })
    .await;
    assert_eq!((refused.status, refused.code.as_str()), (400, "ConstraintViolationException"));
    assert_eq!(refused.detail["Reason"], "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED");
    assert_eq!(organization.peak_creations_in_progress(), 5);
    let input = json!({"States": ["IN_PROGRESS"], "MaxResults": 3});
    let page = client.json("organizations", "ListCreateAccountStatus", input).await.unwrap();
    assert_eq!(page["CreateAccountStatuses"].as_array().map(Vec::len), Some(3));
    assert!(page["NextToken"].is_string());
}

#[tokio::test]
async fn bad_input_is_refused_with_its_reason() {
    let (organization, client) = organization().await;
    let cases = [
        (json!({"Email": "a@b.co"}), "INPUT_REQUIRED"),
        (json!({"Email": "a@b.c", "AccountName": "A"}), "MIN_LENGTH_EXCEEDED"),
        (json!({"Email": "no address", "AccountName": "A"}), "INVALID_PATTERN"),
        (json!({"Email": "a@b.co", "AccountName": ""}), "MIN_LENGTH_EXCEEDED"),
        (json!({"Email": "a@b.co", "AccountName": "A".repeat(51)}), "MAX_LENGTH_EXCEEDED"),
        (json!({"Email": "a@b.co", "AccountName": "A", "RoleName": "AWSServiceRoleForX"}), "INVALID_ROLE_NAME"),
        (json!({"Email": "a@b.co", "AccountName": "A", "IamUserAccessToBilling": "YES"}), "INVALID_ENUM"),
    ];
    for (input, reason) in cases {
        let refused = eventually("a token", async || {
            let error = client.json("organizations", "CreateAccount", input.clone()).await.unwrap_err();
            (error.code != "TooManyRequestsException").then_some(error)
        })
        .await;
        assert_eq!((refused.code.as_str(), &refused.detail["Reason"]), ("InvalidInputException", &json!(reason)));
    }
    assert!(organization.requests().is_empty());
}

#[tokio::test]
async fn an_account_moves_between_units_and_closes() {
    let management = CLOUD.new_account_id();
    let account = CLOUD.new_account_id();
    let organization = CLOUD
        .organization(&management)
        .unit("/Workloads/Prod")
        .member(&account, "Member", "member@example.com", "/")
        .create()
        .await
        .unwrap();
    let client = CLOUD.client(&management);
    let (root, unit) = (organization.root_id(), organization.unit_id("/Workloads/Prod").unwrap());
    let relocate = async |account: &str, from: &str, to: &str| {
        let input = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
        eventually("a token", async || {
            let moved = client.json("organizations", "MoveAccount", input.clone()).await;
            let code = moved.err().map(|error| error.code);
            (code.as_deref() != Some("TooManyRequestsException")).then_some(code)
        })
        .await
    };
    let refused = |code: &str| Some(code.to_owned());
    let nowhere = "ou-none-00000000";
    assert_eq!(relocate("999999999999", &root, &unit).await, refused("AccountNotFoundException"));
    assert_eq!(relocate(&account, nowhere, &unit).await, refused("SourceParentNotFoundException"));
    assert_eq!(relocate(&account, &root, nowhere).await, refused("DestinationParentNotFoundException"));
    assert_eq!(relocate(&account, &root, &root).await, refused("DuplicateAccountException"));
    assert_eq!(relocate(&account, &root, &unit).await, None);
    assert_eq!(organization.parent_of(&account), Some(unit));

    let close = json!({"AccountId": account});
    client.json("organizations", "CloseAccount", close).await.unwrap();
    let described = async || {
        let answer = client.json("organizations", "DescribeAccount", json!({"AccountId": account})).await.unwrap();
        answer["Account"]["State"].as_str().unwrap().to_owned()
    };
    assert_eq!(described().await, "PENDING_CLOSURE");
    eventually("the closure", async || (described().await == "CLOSED").then_some(())).await;
}
