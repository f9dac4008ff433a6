//! What the management account finds in a member account, through the role there.

use std::time::Duration;

use local_cloud::{AwsClient, AwsError, Method, Xml};
use serde_json::json;

use crate::{CLOUD, eventually, organization};

const IAM: &str = "2010-05-08";
const BLOCK: &str = "/v20180820/configuration/publicAccessBlock";

/// The role of a member account, assumed by a role of the management account.
async fn member() -> (String, AwsClient) {
    let (management, member) = (CLOUD.new_account_id(), CLOUD.new_account_id());
    let builder = CLOUD.organization(&management).member(&member, "Member", "member@example.com", "/");
    let _organization = builder.create().await.unwrap();
    let everything = crate::access::allow(&["*"], "*");
    let steward = crate::access::role(&CLOUD.client(&management), "steward", &everything).await;
    let role = format!("arn:aws:iam::{member}:role/OrganizationAccountAccessRole");
    (member, steward.assume_role(&role, "test", None).await.unwrap())
}

async fn iam(client: &AwsClient, action: &str, parameters: &[(&str, &str)]) -> Result<Xml, AwsError> {
    client.query("iam", action, IAM, parameters).await
}

fn refused<T>(answer: Result<T, AwsError>) -> (u16, String) {
    let error = answer.err().unwrap();
    (error.status, error.code)
}

#[tokio::test]
async fn services_are_not_ready_for_a_new_account_at_once() {
    let (organization, client) = organization().await;
    organization.set_role_delay(Duration::ZERO);
    organization.set_opt_in_delay(Duration::from_mins(1));
    let input = json!({"AccountName": "New", "Email": "new@example.com"});
    client.json("organizations", "CreateAccount", input).await.unwrap();
    let account = eventually("the account", async || organization.account_with_email("new@example.com")).await;
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let session = eventually("the role", async || client.assume_role(&role, "early", None).await.ok()).await;
    session.query("sts", "GetCallerIdentity", "2011-06-15", &[]).await.unwrap();
    let required = (403, "OptInRequired".to_owned());
    assert_eq!(refused(iam(&session, "ListRoles", &[]).await), required);
    let topic = [("Name", "topic")];
    assert_eq!(refused(session.query("sns", "CreateTopic", "2010-03-31", &topic).await), required);
    assert_eq!(refused(session.json("dynamodb", "ListTables", json!({})).await), required);
    assert_eq!(refused(session.json("monitoring", "DescribeAlarms", json!({})).await), required);
    assert_eq!(refused(session.rest("account", Method::POST, "/listRegions", "{}").await), required);
    assert_eq!(refused(session.rest("s3", Method::GET, "/", "").await), (403, "NotSignedUp".to_owned()));
    eventually("the services", async || iam(&session, "ListRoles", &[]).await.ok()).await;
    session.query("sns", "CreateTopic", "2010-03-31", &topic).await.unwrap();
}

#[tokio::test]
async fn an_account_has_an_alias_and_a_password_policy() {
    let (account, session) = member().await;
    let alias = format!("alias-{account}");
    let named = [("AccountAlias", alias.as_str())];
    let aliases = async || iam(&session, "ListAccountAliases", &[]).await.unwrap().texts("member");
    assert_eq!(aliases().await, Vec::<String>::new());
    iam(&session, "CreateAccountAlias", &named).await.unwrap();
    assert_eq!(aliases().await, [alias.as_str()]);
    iam(&session, "DeleteAccountAlias", &named).await.unwrap();
    assert_eq!(aliases().await, Vec::<String>::new());

    let none = (404, "NoSuchEntity".to_owned());
    assert_eq!(refused(iam(&session, "GetAccountPasswordPolicy", &[]).await), none);
    let strict = [("MinimumPasswordLength", "14"), ("RequireSymbols", "true"), ("MaxPasswordAge", "90")];
    iam(&session, "UpdateAccountPasswordPolicy", &strict).await.unwrap();
    let policy = iam(&session, "GetAccountPasswordPolicy", &[]).await.unwrap();
    for (name, value) in strict {
        assert_eq!(policy.text(name).as_deref(), Some(value));
    }
    // What an update leaves out goes back to what it was without a policy.
    iam(&session, "UpdateAccountPasswordPolicy", &[("MinimumPasswordLength", "8")]).await.unwrap();
    let policy = iam(&session, "GetAccountPasswordPolicy", &[]).await.unwrap();
    assert_eq!((policy.text("RequireSymbols").as_deref(), policy.text("MaxPasswordAge")), (Some("false"), None));
}

#[tokio::test]
async fn an_alias_belongs_to_one_account() {
    let (account, session) = member().await;
    let (_, other) = member().await;
    let alias = format!("alias-{account}");
    let named = [("AccountAlias", alias.as_str())];
    iam(&session, "CreateAccountAlias", &named).await.unwrap();
    let taken = (409, "EntityAlreadyExists".to_owned());
    assert_eq!(refused(iam(&other, "CreateAccountAlias", &named).await), taken);
    assert_eq!(refused(iam(&other, "DeleteAccountAlias", &named).await), (404, "NoSuchEntity".to_owned()));
    assert_eq!(refused(iam(&other, "CreateAccountAlias", &[("AccountAlias", "-")]).await).0, 400);
}

#[tokio::test]
async fn an_account_blocks_public_access() {
    let (account, session) = member().await;
    let call = async |client: &AwsClient, method: Method, body: &str| {
        let headers = [("x-amz-account-id", account.as_str())];
        client.send("s3", method, BLOCK, &headers, body.to_owned().into()).await
    };
    let none = (404, "NoSuchPublicAccessBlockConfiguration".to_owned());
    assert_eq!(refused(call(&session, Method::GET, "").await), none);
    let body = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
                <RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    call(&session, Method::PUT, body).await.unwrap();
    let read = call(&session, Method::GET, "").await.unwrap();
    let read = Xml(String::from_utf8(read.body().to_vec()).unwrap());
    assert_eq!(read.text("BlockPublicAcls").as_deref(), Some("true"));
    assert_eq!(read.text("BlockPublicPolicy").as_deref(), Some("false"));

    let reader = crate::access::allow(&["s3:GetAccountPublicAccessBlock"], "*");
    let reader = crate::access::role(&CLOUD.client(&account), "reader", &reader).await;
    call(&reader, Method::GET, "").await.unwrap();
    assert_eq!(refused(call(&reader, Method::PUT, body).await), (403, "AccessDenied".to_owned()));
    let (_, stranger) = member().await;
    assert_eq!(refused(call(&stranger, Method::GET, "").await), (403, "AccessDenied".to_owned()));
}

#[tokio::test]
async fn roles_are_made_changed_and_given_policies() {
    let (account, session) = member().await;
    let trust = |action: &str| {
        let principal = json!({"AWS": format!("arn:aws:iam::{account}:root")});
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": action}
        ]})
        .to_string()
    };
    let named = ("RoleName", "baseline");
    assert_eq!(refused(iam(&session, "GetRole", &[named]).await), (404, "NoSuchEntity".to_owned()));
    iam(&session, "CreateRole", &[named, ("AssumeRolePolicyDocument", &trust("sts:AssumeRole"))]).await.unwrap();
    let twice = iam(&session, "CreateRole", &[named, ("AssumeRolePolicyDocument", &trust("sts:AssumeRole"))]).await;
    assert_eq!(refused(twice), (409, "EntityAlreadyExists".to_owned()));
    iam(&session, "UpdateAssumeRolePolicy", &[named, ("PolicyDocument", &trust("sts:TagSession"))]).await.unwrap();
    let longer = [named, ("MaxSessionDuration", "7200"), ("Description", "of the baseline")];
    iam(&session, "UpdateRole", &longer).await.unwrap();
    let role = iam(&session, "GetRole", &[named]).await.unwrap();
    assert_eq!(role.text("MaxSessionDuration").as_deref(), Some("7200"));
    assert_eq!(role.text("Description").as_deref(), Some("of the baseline"));
    assert!(role.text("AssumeRolePolicyDocument").unwrap().contains("sts%3ATagSession"), "{role:?}");

    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let attached = async || iam(&session, "ListAttachedRolePolicies", &[named]).await.unwrap().texts("PolicyArn");
    iam(&session, "AttachRolePolicy", &[named, policy]).await.unwrap();
    assert_eq!(attached().await, [policy.1]);
    iam(&session, "DetachRolePolicy", &[named, policy]).await.unwrap();
    assert_eq!(attached().await, Vec::<String>::new());
    assert_eq!(refused(iam(&session, "DetachRolePolicy", &[named, policy]).await), (404, "NoSuchEntity".to_owned()));
}
