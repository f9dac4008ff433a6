//! What a member account can be asked from inside: its contacts at its own rate, its root user's credentials, and beside it
//! the index of tags.

use std::time::Duration;

use local_cloud::{AwsClient, AwsError, Method, RootCredentials};
use serde_json::{Value, json};

use crate::{CLOUD, eventually, organization};

const IAM: &str = "2010-05-08";

async fn contact(client: &AwsClient, input: Value) -> Result<(), AwsError> {
    client.rest("account", Method::POST, "/getAlternateContact", input.to_string()).await.map(drop)
}

fn code(answer: Result<(), AwsError>) -> String {
    answer.unwrap_err().code
}

/// A management account, and two members with a session in the first.
async fn members() -> (local_cloud::Organization, AwsClient, [String; 2], AwsClient) {
    let (management, members) = (CLOUD.new_account_id(), [CLOUD.new_account_id(), CLOUD.new_account_id()]);
    let mut builder = CLOUD.organization(&management);
    for member in &members {
        builder = builder.member(member, "Member", &format!("{member}@example.com"), "/");
    }
    let organization = builder.create().await.unwrap();
    let everything = crate::access::allow(&["*"], "*");
    let steward = crate::access::role(&CLOUD.client(&management), "steward", &everything).await;
    let role = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", members[0]);
    let session = steward.assume_role(&role, "test", None).await.unwrap();
    (organization, CLOUD.client(&management), members, session)
}

#[tokio::test]
async fn an_account_that_reads_its_own_contacts_uses_nobody_elses_rate() {
    let (_, management, members, session) = members().await;
    let of = |account: &str| json!({"AccountId": account, "AlternateContactType": "SECURITY"});
    eventually("the end of the management account's rate", async || {
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (management, input) = (management.clone(), of(&members[1]));
            asked.spawn(async move { code(contact(&management, input).await) });
        }
        asked.join_all().await.iter().any(|code| code == "TooManyRequestsException").then_some(())
    })
    .await;
    assert_eq!(code(contact(&session, json!({"AlternateContactType": "SECURITY"})).await), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_service_control_policy_binds_the_member_and_not_the_management_account() {
    let (organization, management, members, session) = members().await;
    let own = || json!({"AlternateContactType": "SECURITY"});
    let named = json!({"AccountId": members[0], "AlternateContactType": "SECURITY"});
    organization.deny_in_member(&members[0], &["PutAlternateContact", "DeleteAlternateContact"]);
    assert_eq!(code(contact(&session, own()).await), "ResourceNotFoundException", "AWS's sample denies no reads");
    organization.deny_in_member(&members[0], &["GetAlternateContact"]);
    assert_eq!(code(contact(&session, own()).await), "AccessDeniedException");
    assert_eq!(code(contact(&management, named).await), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_member_is_asked_for_its_root_users_credentials_by_any_role() {
    let (organization, _, members, session) = members().await;
    let read = async || {
        let summary = session.query("iam", "GetAccountSummary", IAM, &[]).await.unwrap();
        let (keys, values) = (summary.texts("key"), summary.texts("value"));
        let of = |name: &str| keys.iter().position(|key| key == name).map(|place| values[place].clone());
        ["AccountPasswordPresent", "AccountAccessKeysPresent", "AccountSigningCertificatesPresent", "AccountMFAEnabled"]
            .map(|name| of(name).unwrap_or_else(|| panic!("{keys:?}")))
    };
    organization.set_root_credentials(&members[0], RootCredentials::default());
    assert_eq!(read().await, ["0", "0", "0", "0"]);
    let keys = vec!["AKIA1".to_owned()];
    let found = RootCredentials { password: true, access_keys: keys, ..RootCredentials::default() };
    organization.set_root_credentials(&members[0], found);
    assert_eq!(read().await, ["1", "1", "0", "0"]);
}

#[tokio::test]
async fn the_index_of_tags_leaves_out_what_was_never_tagged_and_lags_behind() {
    let (organization, management, members, _) = members().await;
    let arn = |account: &str| {
        format!("arn:aws:organizations::{}:account/{}/{account}", organization.management_account(), organization.id())
    };
    let arns: Vec<_> = members.iter().map(|member| arn(member)).collect();
    let ask = async |client: AwsClient, arns: &[String]| {
        client.json("tagging", "GetResources", json!({ "ResourceARNList": arns })).await
    };
    let rows = |answer: Value| answer["ResourceTagMappingList"].clone();
    assert_eq!(rows(ask(management.clone(), &arns).await.unwrap()), json!([]));

    let tag = |value: &str| json!({"ResourceId": members[0], "Tags": [{"Key": "stage", "Value": value}]});
    organization.set_tag_index_lag(Duration::from_hours(1));
    management.json("organizations", "TagResource", tag("test")).await.unwrap();
    assert_eq!(rows(ask(management.clone(), &arns).await.unwrap()), json!([]), "it does not know yet");
    organization.set_tag_index_lag(Duration::ZERO);
    management.json("organizations", "TagResource", tag("prod")).await.unwrap();
    let known = json!([{"ResourceARN": arns[0], "Tags": [{"Key": "stage", "Value": "prod"}]}]);
    assert_eq!(rows(ask(management.clone(), &arns).await.unwrap()), known);

    let elsewhere = ask(management.clone().in_region("eu-west-1"), &arns).await.unwrap();
    assert_eq!(rows(elsewhere), json!([]), "Organizations is not there");
    let many: Vec<_> = (0..101).map(|n| arn(&format!("{n:012}"))).collect();
    assert_eq!(ask(management, &many).await.unwrap_err().code, "InvalidParameterException");
}

#[tokio::test]
async fn a_role_needs_the_action_to_read_the_index_of_tags() {
    let (_, client) = organization().await;
    let asked = json!({"ResourceARNList": ["arn:aws:organizations::111111111111:account/o-a/222222222222"]});
    let none = crate::access::role(&client, "none", &crate::access::allow(&["organizations:*"], "*")).await;
    let refused = none.json("tagging", "GetResources", asked.clone()).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    let reader = crate::access::role(&client, "reader", &crate::access::allow(&["tag:GetResources"], "*")).await;
    reader.json("tagging", "GetResources", asked).await.unwrap();
}
