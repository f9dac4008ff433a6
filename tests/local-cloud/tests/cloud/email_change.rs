//! Account Management: changes of a primary e-mail address.

use std::time::Duration;

use local_cloud::{AwsClient, EmailChanges};
use serde_json::{Value, json};

use crate::account::{call, refused, with_members};
use crate::eventually;

fn start(account: &str, email: &str) -> Value {
    json!({"AccountId": account, "PrimaryEmail": email})
}

fn accept(account: &str, email: &str, code: &str) -> Value {
    json!({"AccountId": account, "PrimaryEmail": email, "Otp": code})
}

fn invalid() -> (u16, String) {
    (400, "ValidationException".to_owned())
}

fn conflict() -> (u16, String) {
    (409, "ConflictException".to_owned())
}

async fn status(client: &AwsClient, account: &str) -> String {
    let answer = call(client, "getPrimaryEmailUpdateStatus", json!({"AccountId": account})).await.unwrap();
    answer["Status"].as_str().unwrap().to_owned()
}

async fn present(client: &AwsClient, account: &str) -> String {
    let answer = call(client, "getPrimaryEmail", json!({"AccountId": account})).await.unwrap();
    answer["PrimaryEmail"].as_str().unwrap().to_owned()
}

fn code(changes: &EmailChanges) -> String {
    changes.code().expect("a change was started")
}

#[tokio::test]
async fn an_address_changes_some_time_after_its_code_was_given_and_the_code_is_in_no_answer() {
    let (organization, client, members) = with_members(1).await;
    let (account, new) = (members[0].as_str(), format!("new@{}.example.com", members[0]));
    organization.set_email_change_time(Duration::from_secs(20));
    let changes = organization.email_changes_of(account);
    let none = refused(&client, "getPrimaryEmailUpdateStatus", json!({"AccountId": account})).await;
    assert_eq!(none, (404, "ResourceNotFoundException".to_owned()));

    let started = call(&client, "startPrimaryEmailUpdate", start(account, &new)).await.unwrap();
    assert_eq!(started, json!({"Status": "PENDING"}));
    assert_eq!((status(&client, account).await.as_str(), changes.email()), ("PENDING", Some(new.clone())));
    let accepted = call(&client, "acceptPrimaryEmailUpdate", accept(account, &new, &code(&changes))).await.unwrap();
    assert_eq!(accepted, json!({"Status": "ACCEPTED"}));
    eventually("the end", async || (changes.status() == Some("COMPLETED")).then_some(())).await;
    assert_eq!(
        (status(&client, account).await, present(&client, account).await),
        ("COMPLETED".to_owned(), new.clone())
    );
    assert_eq!(organization.account_with_email(&new).as_deref(), Some(account));
}

#[tokio::test]
async fn a_wrong_code_and_another_address_are_refused_and_the_right_ones_still_work() {
    let (organization, client, members) = with_members(1).await;
    let (account, new) = (members[0].as_str(), format!("new@{}.example.com", members[0]));
    let changes = organization.email_changes_of(account);
    let early = refused(&client, "acceptPrimaryEmailUpdate", accept(account, &new, "abc123")).await;
    assert_eq!(early, (404, "ResourceNotFoundException".to_owned()));
    call(&client, "startPrimaryEmailUpdate", start(account, &new)).await.unwrap();
    let wrong = if code(&changes) == "aaaaaa" { "bbbbbb" } else { "aaaaaa" };
    for bad in [
        accept(account, &new, wrong),
        accept(account, &new, "12345"),
        accept(account, "x@example.com", &code(&changes)),
    ] {
        assert_eq!(refused(&client, "acceptPrimaryEmailUpdate", bad).await, invalid());
    }
    call(&client, "acceptPrimaryEmailUpdate", accept(account, &new, &code(&changes))).await.unwrap();
    let twice = refused(&client, "acceptPrimaryEmailUpdate", accept(account, &new, &code(&changes))).await;
    assert_eq!(twice, conflict());
    // Until the first one shows, there is no second.
    assert_eq!(refused(&client, "startPrimaryEmailUpdate", start(account, "x@example.com")).await, conflict());
}

#[tokio::test]
async fn a_second_start_replaces_the_code_and_a_fourth_one_within_half_a_minute_is_too_many() {
    let (organization, client, members) = with_members(2).await;
    let (account, new) = (members[0].as_str(), format!("new@{}.example.com", members[0]));
    let changes = organization.email_changes_of(account);
    let mut codes = Vec::new();
    let too_many = eventually("too many", async || {
        match call(&client, "startPrimaryEmailUpdate", start(account, &new)).await {
            Ok(_) => codes.push(code(&changes)),
            Err(error) => return Some((error.status, error.code)),
        }
        None
    })
    .await;
    assert_eq!(too_many, (429, "TooManyRequestsException".to_owned()));
    assert!(codes.len() >= 3, "{}", codes.len());
    // Each account has a limit of its own.
    let other = format!("new@{}.example.com", members[1]);
    call(&client, "startPrimaryEmailUpdate", start(&members[1], &other)).await.unwrap();
    let (last, earlier) = (code(&changes), codes.iter().find(|earlier| **earlier != code(&changes)).unwrap());
    assert_eq!(refused(&client, "acceptPrimaryEmailUpdate", accept(account, &new, earlier)).await, invalid());
    call(&client, "acceptPrimaryEmailUpdate", accept(account, &new, &last)).await.unwrap();
}

#[tokio::test]
async fn addresses_that_are_taken_or_none_and_accounts_that_are_not_named_are_refused() {
    let (organization, client, members) = with_members(2).await;
    let taken = format!("{}@EXAMPLE.com", members[1]);
    assert_eq!(refused(&client, "startPrimaryEmailUpdate", start(&members[0], &taken)).await, conflict());
    organization.email_used_elsewhere("other@example.com");
    assert_eq!(refused(&client, "startPrimaryEmailUpdate", start(&members[0], "other@example.com")).await, conflict());
    let long = format!("{}@example.com", "a".repeat(60));
    for bad in ["nobody", "a b@example.com", &long] {
        assert_eq!(refused(&client, "startPrimaryEmailUpdate", start(&members[0], bad)).await, invalid(), "{bad}");
    }
    let unnamed = json!({"PrimaryEmail": "new@example.com"});
    assert_eq!(refused(&client, "startPrimaryEmailUpdate", unnamed).await, invalid());
    let own = start(organization.management_account(), "new@example.com");
    assert_eq!(refused(&client, "startPrimaryEmailUpdate", own).await, (403, "AccessDeniedException".to_owned()));
}

#[tokio::test]
async fn a_role_may_lead_accounts_to_the_domains_of_its_policy_alone() {
    let (organization, client, members) = with_members(1).await;
    let (id, management) = (organization.id(), organization.management_account());
    let account = members[0].as_str();
    let arn = format!("arn:aws:account::{management}:account/{id}/{account}");
    let change = json!({"Effect": "Allow", "Action": "account:StartPrimaryEmailUpdate", "Resource": arn,
        "Condition": {"StringEqualsIgnoreCase": {"account:EmailTargetDomain": "company.example"}}});
    let iam = json!({"Effect": "Allow", "Action": "iam:UpdateAccountEmailAddress", "Resource": "*"});
    let policy = |statements: &[&Value]| json!({"Version": "2012-10-17", "Statement": statements});
    let able = crate::access::role(&client, "able", &policy(&[&change, &iam])).await;
    let half = crate::access::role(&client, "half", &policy(&[&change])).await;
    let denied = (403, "AccessDeniedException".to_owned());
    let (inside, outside) = (start(account, "a@Company.example"), start(account, "a@company.example.org"));
    assert_eq!(refused(&able, "startPrimaryEmailUpdate", outside).await, denied);
    assert_eq!(refused(&half, "startPrimaryEmailUpdate", inside.clone()).await, denied);
    assert_eq!(organization.email_changes_of(account).status(), None);
    call(&able, "startPrimaryEmailUpdate", inside).await.unwrap();
}

#[tokio::test]
async fn a_role_may_change_the_accounts_of_the_units_of_its_policy_alone() {
    let (organization, client, members) = with_members(1).await;
    let (management, path) =
        (organization.management_account(), format!("{}/{}/", organization.id(), organization.root_id()));
    let account = members[0].as_str();
    let rename = |paths: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "account:PutAccountName", "Resource": format!("arn:aws:account::{management}:account/o-*/*"),
                "Condition": {"ForAnyValue:StringLike": {"account:AccountResourceOrgPaths": paths}}},
            {"Effect": "Allow", "Action": "iam:UpdateAccountName", "Resource": "*"},
        ]})
    };
    let within = crate::access::role(&client, "within", &rename(&format!("{path}*"))).await;
    let elsewhere = crate::access::role(&client, "elsewhere", &rename(&format!("{path}ou-ab12-11111111/*"))).await;
    let name = json!({"AccountId": account, "AccountName": "Shop"});
    let denied = (403, "AccessDeniedException".to_owned());
    assert_eq!(refused(&elsewhere, "putAccountName", name.clone()).await, denied);
    call(&within, "putAccountName", name).await.unwrap();
    let described = client.json("organizations", "DescribeAccount", json!({"AccountId": account})).await.unwrap();
    assert_eq!(described["Account"]["Name"], "Shop");
}
