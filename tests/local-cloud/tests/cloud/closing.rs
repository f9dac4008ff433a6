//! Accounts that close: the quotas, the events, and the unit in which they wait for it.

use std::time::Duration;

use local_cloud::{AwsClient, Organization};
use serde_json::{Value, json};

use crate::events::{queue_for, received};
use crate::{CLOUD, eventually};

const DAY: Duration = Duration::from_hours(24);

/// An organization with so many members in `/Workloads/Prod`, and a unit for those that are to go.
async fn organization(members: usize) -> (Organization, AwsClient, Vec<String>) {
    let management = CLOUD.new_account_id();
    let ids: Vec<_> = (0..members).map(|_| CLOUD.new_account_id()).collect();
    let mut builder = CLOUD.organization(&management).unit("/Workloads/Prod").unit("/Suspended/Now");
    for id in &ids {
        builder = builder.member(id, &format!("Team {id}"), &format!("team-{id}@example.com"), "/Workloads/Prod");
    }
    (builder.create().await.unwrap(), CLOUD.client(&management), ids)
}

/// Closes an account as soon as the rate allows a call; why it was refused, if it was.
async fn close(client: &AwsClient, account: &str) -> Option<(String, Value)> {
    eventually("a token", async || {
        let refused = client.json("organizations", "CloseAccount", json!({"AccountId": account})).await.err();
        let refused = refused.map(|error| (error.code, error.detail["Reason"].clone()));
        refused.as_ref().is_none_or(|(code, _)| code != "TooManyRequestsException").then_some(refused)
    })
    .await
}

fn constraint(reason: &str) -> (String, Value) {
    ("ConstraintViolationException".to_owned(), reason.into())
}

async fn state(client: &AwsClient, account: &str) -> String {
    let answer = client.json("organizations", "DescribeAccount", json!({"AccountId": account})).await.unwrap();
    answer["Account"]["State"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_more_than_three_accounts_are_being_closed_at_once() {
    let (organization, client, members) = organization(4).await;
    organization.set_closing_time(DAY);
    for account in &members[..3] {
        assert_eq!(close(&client, account).await, None);
    }
    assert_eq!(close(&client, &members[3]).await.unwrap(), constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"));
    assert_eq!(close(&client, &members[0]).await.unwrap().0, "ConflictException");
    assert_eq!(state(&client, &members[0]).await, "PENDING_CLOSURE");
    assert_eq!(state(&client, &members[3]).await, "ACTIVE");
}

#[tokio::test]
async fn accounts_beyond_the_quota_are_refused_until_the_window_has_moved_and_refusals_do_not_count() {
    let (organization, client, members) = organization(3).await;
    organization.set_closing_time(Duration::ZERO);
    organization.set_closure_quota(2, DAY);
    for account in &members[..2] {
        assert_eq!(close(&client, account).await, None);
        eventually("the closure", async || (state(&client, account).await == "CLOSED").then_some(())).await;
    }
    assert_eq!(close(&client, &members[0]).await.unwrap().0, "AccountAlreadyClosedException");
    assert_eq!(close(&client, &members[2]).await.unwrap(), constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED"));
    // All that was closed is longer ago now than what counts.
    organization.set_closure_quota(2, Duration::ZERO);
    assert_eq!(close(&client, &members[2]).await, None);
}

#[tokio::test]
async fn the_end_of_a_closure_is_an_event_of_the_management_account() {
    let (organization, client, members) = organization(1).await;
    organization.set_closing_time(Duration::ZERO);
    let results = json!({"source": ["aws.organizations"], "detail": {"eventName": ["CloseAccountResult"]}});
    let queue = queue_for(&client, &results).await;
    assert_eq!(close(&client, &members[0]).await, None);
    let event = eventually("the event", async || received(&client, &queue).await.pop()).await;
    assert_eq!(event["account"], organization.management_account());
    assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
    assert_eq!(event["detail"]["userIdentity"]["invokedBy"], "organizations.amazonaws.com");
    let status = &event["detail"]["serviceEventDetails"]["closeAccountStatus"];
    assert_eq!((&status["accountId"], &status["state"]), (&json!(members[0]), &json!("SUCCEEDED")));
    assert_eq!(state(&client, &members[0]).await, "CLOSED");
}

#[tokio::test]
async fn whoever_is_of_an_account_in_a_unit_that_is_denied_everything_may_do_nothing() {
    let (organization, client, members) = organization(2).await;
    organization.deny_everything_in("/Suspended", true);
    let role = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", members[0]);
    let session = client.assume_role(&role, "test", None).await.unwrap();
    let root = CLOUD.client(&members[0]);
    let refused = async |client: &AwsClient| {
        client.json("sqs", "ListQueues", json!({})).await.err().map(|error| (error.code, error.message))
    };
    assert_eq!((refused(&session).await, refused(&root).await), (None, None));

    let (from, to) = (organization.unit_id("/Workloads/Prod"), organization.unit_id("/Suspended/Now"));
    let input = json!({"AccountId": members[0], "SourceParentId": from, "DestinationParentId": to});
    client.json("organizations", "MoveAccount", input).await.unwrap();
    for denied in [&session, &root] {
        let (code, message) = refused(denied).await.unwrap();
        assert_eq!(code, "AccessDeniedException");
        assert!(message.ends_with("with an explicit deny in a service control policy"), "{message}");
    }
    // The account can still be entered, and others are as free as before.
    client.assume_role(&role, "test", None).await.unwrap();
    assert_eq!((refused(&client).await, refused(&CLOUD.client(&members[1])).await), (None, None));
    organization.deny_everything_in("/Suspended", false);
    assert_eq!(refused(&session).await, None);
}

#[tokio::test]
async fn closing_and_tagging_can_be_allowed_for_marked_accounts_and_one_key_alone() {
    let (_organization, root, members) = organization(2).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "organizations:CloseAccount", "Resource": "*",
            "Condition": {"StringLike": {"aws:ResourceTag/steward:closing": "*"}}},
        {"Effect": "Allow", "Action": ["organizations:TagResource", "organizations:UntagResource"], "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["steward:closing"]},
                "Null": {"aws:TagKeys": "false"}}}]});
    let session = crate::access::role(&root, "closer", &policy).await;
    let tag = |key: &str| json!({"ResourceId": members[0], "Tags": [{"Key": key, "Value": "2026-12-06"}]});
    let refused = async |operation: &str, input: Value| {
        session.json("organizations", operation, input).await.err().map(|error| error.code)
    };
    let denied = Some("AccessDeniedException".to_owned());
    assert_eq!(refused("TagResource", tag("team")).await, denied);
    assert_eq!(refused("CloseAccount", json!({"AccountId": members[0]})).await, denied, "it is not marked");
    assert_eq!(refused("TagResource", tag("steward:closing")).await, None);
    let untag = |key: &str| json!({"ResourceId": members[0], "TagKeys": [key]});
    assert_eq!(refused("UntagResource", untag("team")).await, denied);
    assert_eq!(refused("CloseAccount", json!({"AccountId": members[1]})).await, denied);
    assert_eq!(close(&session, &members[0]).await, None);
    assert_eq!(refused("UntagResource", untag("steward:closing")).await, None);
}
